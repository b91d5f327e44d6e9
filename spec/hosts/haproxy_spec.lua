-- The module in HAProxy: services and tasks, on Lua 5.3, which Debian's is linked with.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local load = require "hosts.support.load"
local process = require "support.process"
local sandboxes = require "support.sandbox"

local missing = hosts.missing({ commands = { "haproxy", "ab" }, build = "5.3" })

local function start(sandbox)
  return hosts.serve("5.3", function(folder, port)
    local config = hosts.filled("haproxy/haproxy.cfg", { ROOT = hosts.root, PORT = port })
    process.write_file(folder .. "/haproxy.cfg", config)
    return { "haproxy", "-q", "-db", "-f", folder .. "/haproxy.cfg" }
  end, { SANDBOX_URL = sandbox:url() })
end

describe("the loop for HAProxy", function()
  if missing then
    pending(missing)
    return
  end

  behaviour.of_host("HAProxy", function(sandbox)
    local server = start(sandbox)
    local facts = server:facts("/exercise")
    server:close()
    return facts
  end)

  it("serves others within 50 ms while 50 requests at a time create associations", function()
    local sandbox = sandboxes.start({ latency = 0.3 })
    local server = start(sandbox)
    local got = load("HAProxy", server, sandbox, 500, 50)
    server:close()
    sandbox:close()
    assert.same({ 500, 0, 500 }, { got.complete, got.failed, got.created }, got.text)
    assert.is_false(got.stalled)
  end)
end)
