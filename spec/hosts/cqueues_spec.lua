-- The module in cqueues, on each Lua; and the default loop, to show that a stall is noticed.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"

local function needs(version)
  return { commands = { hosts.interpreter(version) }, module = "cqueues", build = version }
end

local function exercise(version, loop)
  return function(sandbox)
    local argv = { hosts.interpreter(version), hosts.program("cqueues.lua"), loop }
    return hosts.run(version, argv, { SANDBOX_URL = sandbox:url() })
  end
end

for _, version in ipairs(hosts.versions) do
  local name = "cqueues, " .. hosts.interpreter(version)
  describe("the loop for " .. name, function()
    local missing = hosts.missing(needs(version))
    if missing then
      pending(missing)
      return
    end
    behaviour.of_host(name, exercise(version, "cqueues"))
  end)
end

describe("the default loop, in a host that should not stall,", function()
  local missing = hosts.missing(needs("5.4"))
  if missing then
    pending(missing)
    return
  end
  behaviour.of_host("cqueues", exercise("5.4", "blocking"), { stalls = true })
end)
