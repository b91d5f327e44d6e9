-- The module in HAProxy: services and tasks, on Lua 5.3, which Debian's is linked with.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local load = require "hosts.support.load"
local process = require "support.process"
local sandboxes = require "support.sandbox"

local missing = hosts.missing({ commands = { "haproxy", "ab" }, build = "5.3" })

local function start(sandbox, load_directive)
  return hosts.serve("5.3", function(folder, port)
    local config = hosts.filled("haproxy/haproxy.cfg", {
      ROOT = hosts.root,
      PORT = port,
      LOAD = load_directive,
    })
    process.write_file(folder .. "/haproxy.cfg", config)
    return { "haproxy", "-q", "-db", "-f", folder .. "/haproxy.cfg" }
  end, { SANDBOX_URL = sandbox:url() })
end

for _, load_directive in ipairs({ "lua-load", "lua-load-per-thread" }) do
  local name = "HAProxy, " .. load_directive

  describe("the loop for " .. name, function()
    if missing then
      pending(missing)
      return
    end

    behaviour.of_host(name, function(sandbox)
      local server = start(sandbox, load_directive)
      local facts = server:facts("/exercise")
      server:close()
      return facts
    end)

    it("serves others within 50 ms while 50 requests at a time create associations", function()
      local sandbox = sandboxes.start({ latency = 0.3 })
      local server = start(sandbox, load_directive)
      local got = load(name, server, sandbox, 500, 50)
      server:close()
      sandbox:close()
      assert.same({ 500, 0, 500 }, { got.complete, got.failed, got.created }, got.text)
      assert.is_false(got.stalled)
    end)
  end)
end
