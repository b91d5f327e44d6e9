-- Checks concurrency.lua: how many requests may be in flight, after successes and under overload.

local concurrency = require "hubspot.associations.policy.concurrency"

local function successes(subject, count)
  for _ = 1, count do subject:succeeded() end
end

describe("concurrency", function()
  it("begins at the given maximum, and never exceeds it", function()
    for _, most in ipairs { 1, 2, 4, 32 } do
      local subject = concurrency.new(most)
      assert.equal(most, subject:allowed())
      successes(subject, 1000)
      assert.equal(most, subject:allowed())
    end
  end)

  it("halves with each overload, and never falls below one", function()
    local subject = concurrency.new(8)
    for moment, allowed in ipairs { 4, 2, 1, 1, 1 } do
      subject:overloaded(moment, moment)
      assert.equal(allowed, subject:allowed())
    end
  end)

  it("halves once for all requests that were in flight at the same overload", function()
    local subject = concurrency.new(16)
    for sent = 0, 0.7, 0.1 do subject:overloaded(sent, 1 + sent) end -- all sent before the first failed
    assert.equal(8, subject:allowed())
    subject:overloaded(1.1, 2)
    assert.equal(4, subject:allowed())
  end)

  it("grows by about one with each round of successes", function()
    local subject = concurrency.new(8)
    subject:overloaded(0, 0)
    subject:overloaded(1, 1)
    assert.equal(2, subject:allowed())
    for expected = 3, 8 do
      successes(subject, expected) -- no more than a round of the size that it reaches
      assert.is_true(subject:allowed() >= expected - 1 and subject:allowed() <= expected)
    end
    successes(subject, 10)
    assert.equal(8, subject:allowed())
  end)

  it("takes many successes to grow from one to the maximum", function()
    local subject = concurrency.new(32)
    for moment = 1, 6 do subject:overloaded(moment, moment) end
    local count = 0
    repeat
      subject:succeeded()
      count = count + 1
    until subject:allowed() == 32
    assert.is_true(count > 200 and count < 1000, tostring(count))
  end)

  it("is always a whole number", function()
    local subject = concurrency.new(7)
    for moment = 1, 200 do
      if moment % 11 == 0 then subject:overloaded(moment, moment) else subject:succeeded() end
      local allowed = subject:allowed()
      assert.is_true(allowed == math.floor(allowed) and allowed >= 1 and allowed <= 7)
    end
  end)
end)
