-- Checks retry.lua: how long a retry waits, and what ends the attempts. No clock, no I/O.

local retry = require "hubspot.associations.policy.retry"

local TIMED_OUT = 28

local function constant(value)
  return function() return value end
end

local function policy(given)
  given = given or {}
  return retry.new({
    max_attempts = given.max_attempts or 1e9,
    retry_deadline = given.retry_deadline or 1e9,
  }, constant(given.random or 0))
end

local function http(status)
  return { kind = "http", status = status }
end

local UNAVAILABLE, RATE_LIMITED = http(503), { kind = "rate_limited", status = 429 }
local TIMEOUT = { kind = "timeout", curl_code = TIMED_OUT }

-- How many retries there are in an outage before the budget is used up.
local function retries_of_outage(subject, err)
  for retries = 0, 10000 do
    local delay, why = subject:after(err, 1, 0)
    if not delay then return retries, why end
  end
  return math.huge
end

describe("the wait before a retry", function()
  local CEILINGS = { 1, 2, 4, 8, 16, 32, 60, 60, 60 }

  it("is random between 0 and a ceiling, which doubles up to a minute", function()
    for _, drawn in ipairs { 0, 0.5, 0.999 } do
      for attempts, ceiling in ipairs(CEILINGS) do
        assert.near(drawn * ceiling, policy { random = drawn }:backoff(attempts), 1e-9)
        assert.near(drawn * ceiling, policy { random = drawn }:after(UNAVAILABLE, attempts, 0), 1e-9)
      end
    end
  end)

  it("stays below the last ceiling after any number of attempts", function()
    assert.near(30, policy { random = 0.5 }:backoff(5000), 1e-9)
    assert.near(0.5, policy { random = 0.5 }:backoff(0), 1e-9)
  end)

  it("is random anew each time", function()
    local draws = 0
    local subject = retry.new({ max_attempts = 9, retry_deadline = 300 }, function()
      draws = draws + 1
      return draws / 10
    end)
    assert.near(0.1, subject:after(UNAVAILABLE, 1, 0), 1e-9)
    assert.near(0.4, subject:after(UNAVAILABLE, 2, 0), 1e-9)
    assert.equal(2, draws)
  end)

  it("is never shorter than Retry-After", function()
    for _, drawn in ipairs { 0, 0.5, 0.999 } do
      for attempts, ceiling in ipairs(CEILINGS) do
        for _, seconds in ipairs { 1, 7, 45, 120 } do
          local err = { kind = "http", status = 503, retry_after = seconds }
          local expected = math.max(seconds, drawn * ceiling)
          assert.near(expected, policy { random = drawn }:after(err, attempts, 0), 1e-9)
        end
      end
    end
  end)

  it("is at least the 2 s that HubSpot asks for after 423, 502 and 504", function()
    for _, status in ipairs { 423, 502, 504 } do
      assert.equal(2, policy():after(http(status), 1, 0))
      assert.near(7.992, policy { random = 0.999 }:after(http(status), 4, 0), 1e-9)
    end
    assert.equal(0, policy():after(http(503), 1, 0))
  end)

  it("follows a Retry-After that is shorter than these 2 s", function()
    assert.equal(1, policy():after({ kind = "http", status = 423, retry_after = 1 }, 1, 0))
  end)
end)

describe("the attempts end", function()
  it("after a permanent failure", function()
    assert.is_nil(policy():after(http(400), 1, 0))
    assert.is_nil(policy():after({ kind = "daily_limit", status = 429, retry_after = 1 }, 1, 0))
  end)

  it("after max_attempts", function()
    for _, most in ipairs { 1, 2, 6 } do
      local subject = policy { max_attempts = most }
      for attempts = 1, most - 1 do assert.is_number((subject:after(UNAVAILABLE, attempts, 0))) end
      assert.same({ nil, "attempts" }, { subject:after(UNAVAILABLE, most, 0) })
    end
  end)

  it("when the next attempt would begin after the deadline", function()
    local subject = policy { retry_deadline = 300, random = 0.5 } -- waits 0.5 s
    assert.equal(0.5, subject:after(UNAVAILABLE, 1, 0))
    assert.equal(0.5, subject:after(UNAVAILABLE, 1, 299.5))
    assert.same({ nil, "deadline" }, { subject:after(UNAVAILABLE, 1, 299.6) })
    local tomorrow = { kind = "http", status = 477, retry_after = 86400 }
    assert.same({ nil, "deadline" }, { subject:after(tomorrow, 1, 0) })
  end)

  it("at the deadline also for failures that do not count as attempts", function()
    local subject = policy { max_attempts = 6, retry_deadline = 300 }
    assert.is_number((subject:after(RATE_LIMITED, 0, 299)))
    assert.same({ nil, "deadline" }, { subject:after(RATE_LIMITED, 0, 301) })
  end)

  it("without a cost to the budget when something else forbids a retry", function()
    local subject = policy { max_attempts = 2, retry_deadline = 10 }
    for _ = 1, 1000 do
      subject:after(UNAVAILABLE, 2, 0)
      subject:after(UNAVAILABLE, 1, 11)
      subject:after(http(400), 1, 0)
    end
    assert.equal(retries_of_outage(policy(), UNAVAILABLE), retries_of_outage(subject, UNAVAILABLE))
  end)
end)

describe("a host that cannot be reached", function()
  local REFUSED = { kind = "network", curl_code = 7, sent = false }
  local UNKNOWN_NAME = { kind = "network", curl_code = 6, sent = false }
  local NO_CONNECTION = { kind = "timeout", curl_code = 28, sent = false }

  it("is tried for 5 seconds, or retry_deadline if that is less, until it was reached", function()
    for _, err in ipairs { REFUSED, UNKNOWN_NAME, NO_CONNECTION } do
      assert.equal(0, (policy():after(err, 1, 5)))
      assert.same({ nil, "deadline" }, { policy():after(err, 1, 5.1) })
      assert.same({ nil, "deadline" }, { policy { retry_deadline = 1 }:after(err, 1, 1.1) })
    end
  end)

  it("is tried on once it was reached", function()
    local answered = policy()
    answered:succeeded()
    local reached = policy()
    reached:reached()
    for _, subject in ipairs { answered, reached } do assert.equal(0, (subject:after(REFUSED, 1, 200))) end
  end)

  it("is tried on when the user said how long", function()
    local limits = { max_attempts = 9, retry_deadline = 300, is_patient = true }
    assert.equal(0, (retry.new(limits, constant(0)):after(REFUSED, 1, 299)))
  end)

  it("is none whose connection breaks: it is there", function()
    assert.equal(0, (policy():after({ kind = "network", curl_code = 52, sent = true }, 1, 200)))
    assert.equal(0, (policy():after({ kind = "timeout", curl_code = 28, sent = true }, 1, 200)))
  end)
end)

describe("the retry budget", function()
  it("is used up in an outage, after a bounded number of retries", function()
    local retries, why = retries_of_outage(policy(), UNAVAILABLE)
    assert.equal("budget", why)
    assert.equal(100, retries)
  end)

  it("is used up twice as fast when requests time out", function()
    local retries, why = retries_of_outage(policy(), TIMEOUT)
    assert.equal("budget", why)
    assert.equal(50, retries)
  end)

  it("is not used when the server only ended the connection", function()
    local subject = policy()
    local ended = { kind = "network", sent = false }
    for _ = 1, 1000 do assert.is_number((subject:after(ended, 1, 0, true))) end
    assert.equal(100, retries_of_outage(subject, UNAVAILABLE))
  end)

  it("is shared by all requests that use the policy", function()
    local subject = policy()
    for _ = 1, 60 do assert.is_number((subject:after(UNAVAILABLE, 1, 0))) end
    assert.equal(40, retries_of_outage(subject, UNAVAILABLE))
  end)

  it("is refilled by successes, up to its initial size", function()
    local subject = policy()
    retries_of_outage(subject, UNAVAILABLE)
    subject:succeeded()
    assert.same({ nil, "budget" }, { subject:after(UNAVAILABLE, 1, 0) })
    for _ = 1, 9 do subject:succeeded() end
    assert.equal(2, retries_of_outage(subject, UNAVAILABLE))
    for _ = 1, 10000 do subject:succeeded() end
    assert.equal(100, retries_of_outage(subject, UNAVAILABLE))
  end)

  it("lasts for ever when one request in five fails and the others succeed", function()
    local subject = policy()
    for _ = 1, 2000 do
      assert.is_number((subject:after(UNAVAILABLE, 1, 0)))
      for _ = 1, 5 do subject:succeeded() end
    end
  end)

  it("is not used for the rate limit, which does not count as an attempt either", function()
    local subject = policy()
    for _ = 1, 1000 do assert.is_number((subject:after(RATE_LIMITED, 1, 0))) end
    assert.equal(100, retries_of_outage(subject, UNAVAILABLE))
    assert.is_number((subject:after(RATE_LIMITED, 1, 0)))
  end)
end)
