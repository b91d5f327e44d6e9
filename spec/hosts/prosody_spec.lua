-- The module in Prosody: a Prosody module that serves HTTP requests, on Lua 5.4, with each of Prosody's
-- network backends.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local load = require "hosts.support.load"
local process = require "support.process"
local sandboxes = require "support.sandbox"

local missing = hosts.missing({ commands = { "prosody", "ab" }, build = "5.4" })

-- With the select backend, which Prosody calls deprecated, its HTTP server ends each connection with an error
-- and a pause of 0.2 s: speed is not measured there.
local MEASURES_LOAD = { epoll = true, event = true, select = false }

for _, backend in ipairs({ "epoll", "event", "select" }) do
  local name = "Prosody, " .. backend

  local function start(sandbox)
    return hosts.serve("5.4", function(folder, port)
      local config = hosts.filled("prosody/prosody.cfg", {
        ROOT = hosts.root,
        FOLDER = folder,
        PORT = port,
        BACKEND = backend,
      })
      process.write_file(folder .. "/prosody.cfg.lua", config)
      return { "prosody", "-F", "--config", folder .. "/prosody.cfg.lua" }
    end, { SANDBOX_URL = sandbox:url() })
  end

  describe("the loop for Prosody, which waits by " .. backend .. ",", function()
    local lacks = missing or backend == "event" and hosts.missing({ module = "luaevent", build = "5.4" })
    if lacks then
      pending(lacks)
      return
    end

    behaviour.of_server(name, start)

    if MEASURES_LOAD[backend] then
      it("lets the next request of a connection wait for its turn", function()
        local sandbox = sandboxes.start({ latency = 0.1 })
        local server = start(sandbox)
        local bodies = server:get_all({ "/create", "/ping", "/create" })
        server:close()
        sandbox:close()
        assert.same({ "10001", "pong\n", "10002" }, bodies)
      end)

      it("serves others within 50 ms while 20 requests at a time create associations", function()
        assert.is_false(load(name, start, 0.3, 200, 20).stalled)
      end)
    end
  end)
end
