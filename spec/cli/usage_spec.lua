-- Checks usage.lua: events in, the share of the rate limit out.

local usage = require "hubspot.associations.cli.usage"

local function used(requests, limit, elapsed)
  local noted = usage.new()
  for _ = 1, requests do
    noted:note { type = "request" }
    noted:note { type = "response", rate_limit = limit }
  end
  return noted:of(elapsed)
end

describe("the share of the rate limit", function()
  it("is that of all requests that were allowed in the time, an interval at least", function()
    local limit = { max = 100, interval = 10 }
    assert.are.equal(0.01, used(1, limit, 0.1).share)
    assert.are.equal(0.5, used(50, limit, 10).share)
    assert.are.equal(0.25, used(50, limit, 20).share)
    assert.are.equal(1, used(150, limit, 11).share)
    assert.are.equal(0.02, used(2, { max = 100 }, 1).share)
  end)

  it("comes with what is left of the day: the least that was said of it, until another day begins", function()
    local noted = usage.new()
    local function left_after(remaining)
      noted:note { type = "response", rate_limit = { daily_remaining = remaining } }
      return noted:of(1).daily_remaining
    end
    assert.equal(900, left_after(900))
    assert.equal(897, left_after(897))
    assert.equal(897, left_after(899)) -- of a request that was sent before
    assert.equal(890, left_after(890))
    assert.equal(250000, left_after(250000))
  end)

  it("is not told where no response said what the limit is", function()
    assert.is_nil(used(3, nil, 1))
    assert.is_nil(used(3, { max = 0 }, 1))
    assert.is_nil(usage.new():of(0))
    assert.are.same({ daily = 5, daily_remaining = 4 }, used(1, { daily = 5, daily_remaining = 4 }, 1))
  end)
end)
