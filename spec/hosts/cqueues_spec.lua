-- The module in cqueues, on Lua 5.4; and the default loop there, to see that a stall is seen.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"

local missing = hosts.missing({ commands = { "lua5.4" }, module = "cqueues", build = "5.4" })

local function exercise(loop)
  return function(sandbox)
    return hosts.run("5.4", { "lua5.4", hosts.program("cqueues.lua"), loop }, { SANDBOX_URL = sandbox:url() })
  end
end

describe("the loop for cqueues", function()
  if missing then
    pending(missing)
    return
  end
  behaviour.of_host("cqueues", exercise("cqueues"))
end)

describe("the default loop, in a host that should not stall,", function()
  if missing then
    pending(missing)
    return
  end
  behaviour.of_host("cqueues", exercise("blocking"), { stalls = true })
end)
