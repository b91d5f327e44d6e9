-- Checks attempts.lua: how the attempts at one request are counted, when it is sent again, and its error.
-- Time and randomness are passed in.

local errors = require "hubspot.associations.errors"
local attempts = require "hubspot.associations.policy.attempts"
local limiters = require "hubspot.associations.policy.limiter"
local retries = require "hubspot.associations.policy.retry"

local RATE_LIMIT = { max = 100, remaining = 50 }

describe("the attempts at a request", function()
  local policy, subject

  before_each(function()
    policy = {
      limiter = limiters.new(),
      retry = retries.new({ max_attempts = 3, retry_deadline = 100 }, function() return 0.5 end),
    }
    subject = attempts.new()
  end)

  local function fail(now, fields, info)
    local err = errors.new(fields)
    subject:failed(policy, now, err, info or {})
    return err, subject:plan_retry(policy, now, err, info or {})
  end

  it("are counted when they are sent, not before", function()
    local err, delay = fail(1, { kind = "token", message = "none" })
    assert.is_nil(delay)
    assert.same({ 0, 0, false }, { err.attempts, err.elapsed, err.retryable })
    assert.is_false(subject.went_out)
    assert.is_false(subject.may_be_done)
    subject:sent(policy, 2, "call")
    assert.same({ 1, 2, 2 }, { subject.count, subject.began, subject.sent_at })
  end)

  it("complete the error of each failed attempt", function()
    subject:sent(policy, 10, "call")
    local err, delay = fail(12, { kind = "http", status = 503, message = "down" }, {
      rate_limit = RATE_LIMIT, event_error = "raised",
    })
    assert.same({ 1, 2, true, RATE_LIMIT, "raised" }, {
      err.attempts, err.elapsed, err.retryable, err.rate_limit, err.event_error,
    })
    assert.equal(0.5, delay)
    assert.same({ 12.5, 12, true, true }, {
      subject.not_before, subject.failing_since, subject.may_be_done, subject.went_out,
    })
  end)

  it("end after max_attempts failures", function()
    for number = 1, 3 do
      subject:sent(policy, number, "call")
      local _, delay = fail(number, { kind = "http", status = 503, message = "down" })
      assert.equal(number < 3, delay ~= nil)
    end
  end)

  it("know the host once one of them went out, whatever became of it", function()
    local refused = { kind = "network", curl_code = 7, sent = false, message = "refused" }
    local function delay_of_refusal()
      local later = attempts.new()
      later:sent(policy, 0, "call")
      local err = errors.new(refused)
      later:failed(policy, 50, err, {})
      return later:plan_retry(policy, 50, err, {})
    end
    local function is_known_after(fields, info)
      policy.retry.is_unknown_host, subject = true, attempts.new()
      subject:sent(policy, 0, "call")
      fail(0, fields, info)
      return delay_of_refusal() ~= nil
    end
    assert.is_false(is_known_after(refused))
    assert.is_true(is_known_after { kind = "network", curl_code = 56, message = "broke off" })
    local rejected = { kind = "unauthorized", status = 401, message = "no" }
    assert.is_true(is_known_after(rejected, { is_new_token = true }))
    assert.is_true(is_known_after { kind = "http", status = 503, message = "down" })
    subject = attempts.new()
    policy.retry.is_unknown_host = true
    fail(0, { kind = "token", message = "none" }) -- nothing went out
    assert.is_nil(delay_of_refusal())
  end)

  it("do not count against max_attempts when the rate limit rejected them", function()
    for number = 1, 10 do
      subject:sent(policy, number, "job")
      local _, delay = fail(number, { kind = "rate_limited", status = 429, message = "slow" })
      assert.is_number(delay)
    end
    assert.same({ 10, 0 }, { subject.count, subject.counted_failures })
  end)

  it("are repeated at once with a new token, only once", function()
    local unauthorized = { kind = "unauthorized", status = 401, message = "who?" }
    subject:sent(policy, 1, "call")
    local err, delay = fail(1, unauthorized, { is_new_token = true })
    assert.same({ 0, true }, { delay, err.retryable })
    subject:sent(policy, 1, "call")
    err, delay = fail(1, { kind = "unauthorized", status = 401, message = "who?" })
    assert.same({ nil, false }, { delay, err.retryable })
  end)

  it("are repeated at once, only once, after the server ended the connection", function()
    local ended = { connection_ended = true }
    subject:sent(policy, 1, "call")
    local err, delay = fail(1, { kind = "network", message = "ended", sent = false }, ended)
    assert.same({ 0, false }, { delay, err.sent })
    assert.is_false(subject.may_be_done)
    subject:sent(policy, 2, "call")
    delay = select(2, fail(2, { kind = "network", message = "ended", sent = false }, ended))
    assert.equal(1, delay)
  end)

  it("count as sent once anything of one was sent", function()
    subject:sent(policy, 1, "call")
    fail(1, { kind = "timeout", message = "late" })
    subject:sent(policy, 2, "call")
    local err = fail(2, { kind = "network", message = "refused", sent = false })
    assert.is_nil(err.sent)
    assert.is_true(subject.may_be_done)
  end)

  it("pass on to a part what is known of its inputs, but no counts", function()
    subject:sent(policy, 1, "job")
    fail(1, { kind = "timeout", message = "late" })
    local part = attempts.new(subject)
    assert.same({ true, true, 0, 0, 0, nil }, {
      part.may_be_done, part.went_out, part.count, part.counted_failures, part.not_before, part.began,
    })
  end)

  it("count in the limiter from the time they are sent until they complete", function()
    local taken = 0
    policy.limiter = {
      sent = function() taken = taken + 1 return {} end,
      completed = function(_, _, _, rate_limit)
        assert.equal(RATE_LIMIT, rate_limit)
        taken = taken - 1
      end,
    }
    subject:sent(policy, 1, "call")
    assert.equal(1, taken)
    subject:succeeded(policy, 2, { rate_limit = RATE_LIMIT })
    assert.equal(0, taken)
    fail(3, { kind = "closed", message = "x", sent = false }, { rate_limit = RATE_LIMIT }) -- was not sent
    assert.equal(0, taken)
  end)
end)
