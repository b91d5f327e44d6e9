-- Checks wakeups.lua: each owner of the one descriptor is woken at its own time, whichever owner steps. The
-- transport and the loop are stubs that record their calls; that a real descriptor becomes readable is
-- checked in spec/core/transport_spec.lua.

local core = require "hubspot.associations.core"
local wakeups = require "hubspot.associations.session.wakeups"

describe("the wakeups of a client", function()
  local subject, alarms, steps, closed

  before_each(function()
    alarms, steps, closed = {}, 0, nil
    local transport = {
      wake = function(_, seconds) alarms[#alarms + 1] = seconds end,
      step = function() steps = steps + 1 end,
      fd = function() return closed == "closed" and -1 or 0 end,
      shutdown = function() closed = "shut down" end,
      close = function() closed = "closed" end,
    }
    subject = wakeups.new(transport, { wait = function() end })
  end)

  it("are set for each owner with a deadline, and for no other", function()
    subject:set({}, nil)
    assert.same({}, alarms)
    subject:set({}, 5)
    assert.same({ 5 }, alarms)
  end)

  it("are set again for the others when a step has cleared the timer", function()
    local first, second = {}, {}
    subject:set(first, 0)
    subject:set(second, 60)
    subject:leave(first)
    subject:step()
    assert.equal(3, #alarms)
    assert.is_true(alarms[3] > 59 and alarms[3] <= 60)
    subject:step() -- nothing was due
    assert.equal(3, #alarms)
  end)

  it("are repeated for an overdue owner, but not at once", function()
    local owner = {}
    subject:set(owner, 0)
    subject:step()
    assert.is_true(alarms[#alarms] > 0.004 and alarms[#alarms] < 0.006)
  end)

  it("end with the last owner", function()
    local owner = {}
    subject:set(owner, 1)
    subject:close()
    assert.equal("shut down", closed)
    subject:leave(owner)
    assert.equal("closed", closed)
  end)

  it("end at once where there is no owner", function()
    subject:close()
    assert.equal("closed", closed)
  end)

  it("include a wait among the owners until it ends", function()
    local began, waits = core.now(), 0
    subject.loop = { wait = function(_, timeout)
      waits = waits + 1
      assert.is_truthy(next(subject.deadlines))
      core.poll(nil, timeout)
    end }
    subject:sleep(0.02)
    assert.is_true(core.now() - began >= 0.02)
    assert.is_true(waits >= 1 and steps >= 1)
    assert.is_nil(next(subject.deadlines))
  end)
end)
