-- The module in luv, on each Lua: with its loop, with jobs that the host steps, and with a load of links.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local sandboxes = require "support.sandbox"

local function missing_for(version)
  return hosts.missing({ commands = { hosts.interpreter(version) }, module = "luv", build = version })
end

local function run(version, program, sandbox)
  local argv = { hosts.interpreter(version), hosts.program(program) }
  return hosts.run(version, argv, { SANDBOX_URL = sandbox:url() })
end

for _, version in ipairs(hosts.versions) do
  local name = "luv, " .. hosts.interpreter(version)
  describe("the loop for " .. name, function()
    local missing = missing_for(version)
    if missing then
      pending(missing)
      return
    end
    behaviour.of_host(name, function(sandbox)
      return run(version, "luv.lua", sandbox)
    end)
  end)
end

describe("jobs that luv steps", function()
  local missing = missing_for("5.4")
  if missing then
    pending(missing)
    return
  end

  it("are done by stepping them when their descriptor is readable, and only then", function()
    local sandbox = sandboxes.start({ latency = 0.3 })
    finally(function()
      sandbox:close()
    end)
    local facts
    for _ = 1, 3 do -- a busy machine may make the timer late once
      facts = run("5.4", "luv_jobs.lua", sandbox)
      if facts.worst < 0.05 then
        break
      end
    end
    hosts.tell(("luv, stepped: worst delay of a timer: %.1f ms in %d ticks; %d steps"):format(
      facts.worst * 1000, facts.ticks, facts.steps))
    assert.same({ 40, 40 }, { facts.created_1, facts.inputs_1 })
    assert.same({ 40, 40 }, { facts.created_2, facts.inputs_2 })
    assert.is_true(facts.worst < 0.05, facts.worst)
    assert.is_true(facts.steps < 200, facts.steps) -- it does not spin
  end)
end)

describe("a daemon in luv that links one pair at a time", function()
  local missing = missing_for("5.4")
  if missing then
    pending(missing)
    return
  end

  it("links 1,000 a second from 200 coroutines, under a limit of 10 requests a second", function()
    local sandbox = sandboxes.start({ latency = 0.05, rate = { limit = 100, interval = 10 } })
    finally(function()
      sandbox:close()
    end)
    local facts = run("5.4", "luv_links.lua", sandbox)
    local requests, held = sandbox:statistics().requests, #sandbox:associations()
    hosts.tell(("luv: %d links in %.1f s, %d requests; the slowest link took %.0f ms"):format(
      facts.linked, facts.elapsed, requests, facts.slowest * 1000))
    assert.same({ facts.links, facts.links }, { facts.linked, held })
    assert.is_true(requests < 100, requests) -- a call for each would take 300 seconds
    assert.is_true(facts.slowest < 2, facts.slowest) -- 0.2 s on an idle machine: `make bench` measures it
  end)
end)
