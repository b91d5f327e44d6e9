-- The loops that are made from one function of the host, in a small scheduler.

local behaviour = require "hosts.support.behaviour"
local core = require "hubspot.associations.core"
local hosts = require "hosts.support.hosts"

local missing = hosts.missing({ commands = { "lua5.4" }, module = "socket", build = "5.4" })

for _, means in ipairs({ "polling", "sleeping" }) do
  describe("a loop made of the host's " .. means, function()
    if missing then
      pending(missing)
      return
    end
    behaviour.of_host("by hand, " .. means, function(sandbox)
      local argv = { "lua5.4", hosts.program("generic.lua"), means }
      return hosts.run("5.4", argv, { SANDBOX_URL = sandbox:url() })
    end)
  end)
end

describe("the look at a descriptor, on which a sleeping loop rests,", function()
  it("takes no time", function()
    local transport = core.transport({})
    local began = core.now()
    for _ = 1, 100 do
      assert.is_false(core.poll(transport:fd(), 0))
    end
    assert.is_true(core.now() - began < 0.05)
    transport:close()
  end)
end)
