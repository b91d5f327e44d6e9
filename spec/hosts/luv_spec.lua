-- The module in luv, on Lua 5.4: by its loop, and by operations that the host steps.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local sandboxes = require "support.sandbox"

local missing = hosts.missing({ commands = { "lua5.4" }, module = "luv", build = "5.4" })

local function run(program, sandbox)
  return hosts.run("5.4", { "lua5.4", hosts.program(program) }, { SANDBOX_URL = sandbox:url() })
end

describe("the loop for luv", function()
  if missing then
    pending(missing)
    return
  end
  behaviour.of_host("luv", function(sandbox)
    return run("luv.lua", sandbox)
  end)
end)

describe("operations that luv steps", function()
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
      facts = run("luv_operations.lua", sandbox)
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
