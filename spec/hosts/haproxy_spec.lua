-- The module in HAProxy: services and tasks, on Lua 5.3, with which Debian links HAProxy.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local load = require "hosts.support.load"
local process = require "support.process"

local missing = hosts.missing({ commands = { "haproxy", "ab" }, build = "5.3" })

for _, load_directive in ipairs({ "lua-load", "lua-load-per-thread" }) do
  local name = "HAProxy, " .. load_directive

  local function start(sandbox)
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

  describe("the loop for " .. name, function()
    if missing then
      pending(missing)
      return
    end

    behaviour.of_server(name, start)

    it("serves others within 50 ms while 50 requests at a time create associations", function()
      assert.is_false(load(name, start, 0.3, 500, 50).stalled)
    end)
  end)
end
