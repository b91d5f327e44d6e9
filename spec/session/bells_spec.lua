-- Checks whom a bell wakes, by the descriptor that its waiters wait for, and which bells are given out.

local bells = require "hubspot.associations.session.bells"
local core = require "hubspot.associations.core"

describe("bells", function()
  local pool

  before_each(function()
    pool = bells.new {
      end_work = function() end,
      loop = { wait = function(fd) coroutine.yield(fd) end },
    }
  end)

  -- Begins to wait. Returns the descriptor, and what ends the wait.
  local function wait(bell)
    local thread = coroutine.create(function() return bell:wait() end)
    local _, fd = assert(coroutine.resume(thread))
    return fd, function() return select(2, assert(coroutine.resume(thread))) end
  end

  it("wake all that wait for one, and nobody who waits for another", function()
    local one, other = pool:take(), pool:take()
    local first, second, third = wait(one), wait(one), wait(other)
    assert.is_false(core.poll(first, 0))
    one:ring()
    assert.is_true(core.poll(first, 0))
    assert.is_true(core.poll(second, 0))
    assert.is_false(core.poll(third, 0))
  end)

  it("stay rung until the last waiter was resumed, and are silent when they are given out again", function()
    local bell = pool:take()
    local fd, first = wait(bell)
    local _, last = wait(bell)
    bell:ring()
    assert.is_false(first())
    assert.is_true(core.poll(fd, 0))
    assert.are_not.equal(bell, pool:take())
    assert.is_true(last())
    assert.is_false(core.poll(fd, 0))
    assert.equal(bell, pool:take())
  end)

  it("ring at their alarm", function()
    local bell = pool:take()
    local fd, resume = wait(bell)
    bell:set_alarm(core.now() + 0.01)
    assert.is_false(core.poll(fd, 0))
    assert.is_true(core.poll(fd, 5))
    assert.is_true(resume())
    assert.is_false(core.poll(fd, 0.03))
  end)

  it("are not without end, and come back when those who were killed are collected", function()
    local count = 0
    for _ = 1, 100 do
      local bell = pool:take()
      if not bell then break end
      wait(bell) -- its coroutine is never resumed
      count = count + 1
    end
    assert.equal(16, count)
    collectgarbage()
    collectgarbage()
    assert.is_table(pool:take())
  end)
end)
