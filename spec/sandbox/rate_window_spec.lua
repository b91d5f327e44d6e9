-- The rate limit of an account: which requests are rejected, and what the headers say.

local fixture = require "support.sandbox_account"

local new, input, batch, send = fixture.new, fixture.input, fixture.batch, fixture.send

describe("a rate limit", function()
  local function hit(account)
    return send(account, batch(input("1", "2")))
  end

  it("allows exactly the requests that fit the rolling window", function()
    local account, clock = new { rate = { limit = 2, interval = 10 } }
    assert.equal(201, hit(account).status)
    clock.now = clock.now + 4
    assert.equal(201, hit(account).status)
    local response, body = hit(account)
    assert.equal(429, response.status)
    assert.equal("RATE_LIMIT", body.errorType)
    assert.equal("TEN_SECONDLY_ROLLING", body.policyName)
    assert.equal("You have reached your ten_secondly_rolling limit.", body.message)
    assert.truthy(body.groupName:find "^publicapi:private_app%-api%-calls%-ten%-secondly:")
    assert.is_nil(response.headers["retry-after"])
    clock.now = clock.now + 5.75
    assert.equal(429, hit(account).status)
    clock.now = clock.now + 0.25  -- ten seconds after the first
    assert.equal(201, hit(account).status)
    assert.equal(429, hit(account).status)
  end)

  it("is described by the headers, with the requests that remain", function()
    local account = new { rate = { limit = 2, daily = 5 } }
    local headers = hit(account).headers
    assert.equal("2", headers["x-hubspot-ratelimit-max"])
    assert.equal("1", headers["x-hubspot-ratelimit-remaining"])
    assert.equal("10000", headers["x-hubspot-ratelimit-interval-milliseconds"])
    assert.equal("5", headers["x-hubspot-ratelimit-daily"])
    assert.equal("4", headers["x-hubspot-ratelimit-daily-remaining"])
    hit(account)
    assert.equal("0", hit(account).headers["x-hubspot-ratelimit-remaining"])
  end)

  it("is the policy SECONDLY when the interval is a second", function()
    local account = new { rate = { limit = 1, interval = 1 } }
    assert.equal("1", hit(account).headers["x-hubspot-ratelimit-secondly"])
    local response, body = hit(account)
    assert.equal("SECONDLY", body.policyName)
    assert.equal("0", response.headers["x-hubspot-ratelimit-secondly-remaining"])
  end)

  it("of a day ends at midnight UTC, and does not count rejected requests", function()
    local account, clock = new { rate = { daily = 2, limit = 1, interval = 10 } }
    clock.now = 86400 * 3 - 60
    hit(account)
    hit(account)
    clock.now = clock.now + 10
    assert.equal(201, hit(account).status)
    clock.now = clock.now + 10
    local response, body = hit(account)
    assert.equal(429, response.status)
    assert.equal("DAILY", body.policyName)
    clock.now = 86400 * 3
    assert.equal(201, hit(account).status)
  end)

  it("sends Retry-After when the option asks for it", function()
    local account, clock = new { rate = { limit = 1, interval = 10, retry_after = true } }
    hit(account)
    clock.now = clock.now + 2.5
    assert.equal("8", hit(account).headers["retry-after"])
  end)

  it("that is not set has no headers", function()
    for name in pairs(hit(new()).headers) do
      assert.is_nil(name:find("ratelimit", 1, true))
    end
  end)
end)
