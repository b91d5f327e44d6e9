-- Checks limiter.lua alone, in virtual time: what it learns from responses, and when it allows the next
-- request. The throughput of a long job is checked in spec/simulation/limiter_spec.lua.

local limiter = require "hubspot.associations.policy.limiter"
local raising_hook = require "support.raising_hook"

local TEN_SECONDS = 10

local function header(max, remaining, interval)
  return { max = max, remaining = remaining, interval = interval or TEN_SECONDS }
end

local function rate_limited(policy, retry_after)
  return { kind = "rate_limited", status = 429, policyName = policy, retry_after = retry_after }
end

-- Sends one request, which completes at once.
local function exchange(subject, now, rate_limit, err)
  subject:completed(subject:sent(now), now, rate_limit, err)
end

local function send(subject, now, count)
  local tickets = {}
  for i = 1, count do tickets[i] = subject:sent(now) end
  return tickets
end

-- How many requests may be sent now, and their tickets: requests count as long as these are kept.
local function burst(subject, now, most)
  local tickets = {}
  while #tickets < most and subject:delay(now) == 0 do tickets[#tickets + 1] = subject:sent(now) end
  return #tickets, tickets
end

describe("the limiter", function()
  it("allows any number of requests while no limit is known", function()
    local subject = limiter.new()
    local count, tickets = burst(subject, 0, 500)
    assert.equal(500, count)
    for _, ticket in ipairs(tickets) do subject:completed(ticket, 1, nil) end
    assert.equal(500, (burst(subject, 1, 500)))
  end)

  it("learns the limit from the first response's headers", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 99))
    assert.equal(99, (burst(subject, 0, 1000)))
    assert.is_true(subject:delay(0) > 0)
  end)

  it("counts requests that were sent before the limit was known", function()
    local subject = limiter.new()
    local tickets = send(subject, 0, 30)
    for i = 1, 29 do subject:completed(tickets[i], 0.5, nil) end
    subject:completed(tickets[30], 0.5, header(100, 70))
    assert.equal(70, (burst(subject, 0.5, 1000)))
  end)

  it("counts requests in flight", function()
    local subject = limiter.new()
    exchange(subject, 0, header(10, 9))
    local tickets = send(subject, 0, 4)
    assert.equal(5, (burst(subject, 0, 100)))
    assert.equal(4, #tickets)
  end)

  it("forgets a request in flight whose ticket was collected", function()
    local subject = limiter.new(10)
    send(subject, 0, 10)
    collectgarbage()
    collectgarbage()
    assert.equal(10, (burst(subject, 0, 100)))
  end)

  it("does not count requests sent after the one that completed as if the server had counted them", function()
    local subject = limiter.new()
    local first = subject:sent(0)
    local later = send(subject, 1, 20)
    subject:completed(first, 2, header(100, 60)) -- of the 40, one is ours
    assert.equal(100 - 39 - 1 - 20, (burst(subject, 2, 1000)))
    assert.equal(20, #later)
  end)

  it("knows that the server has counted earlier requests that are still in flight", function()
    local subject = limiter.new()
    local tickets = send(subject, 0, 20)
    subject:completed(subject:sent(1), 2, header(100, 79))
    assert.equal(79, (burst(subject, 2, 1000)))
    assert.equal(20, #tickets)
  end)

  it("has room again an interval after a response, and not sooner", function()
    local subject = limiter.new()
    for i = 1, 10 do exchange(subject, i / 5, header(10, 10 - i)) end
    assert.near(TEN_SECONDS + 0.2 - 2, subject:delay(2), 1e-9)
    assert.near(0.05, subject:delay(10.15), 1e-9)
    local count, tickets = burst(subject, 10.25, 100)
    assert.equal(1, count)
    subject:completed(tickets[1], 10.25, header(10, 0))
    assert.equal(1, (burst(subject, 10.45, 100)))
  end)

  it("may have room up to a hundredth of an interval later, never sooner", function()
    for _, interval in ipairs { 1, 10 } do
      local subject, completed = limiter.new(), {}
      exchange(subject, 0, header(1000, 999, interval))
      local now, sent = interval, 0
      while sent < 1000 do -- as many as the limit, over half the interval
        sent, now = sent + 1, now + interval / 2000
        exchange(subject, now, header(1000, 1000 - sent, interval))
        completed[sent] = now
      end
      local began, gone = now, 0
      while gone < 1000 do
        assert.is_true(subject:delay(now) <= interval)
        local _, tickets = burst(subject, now, 2000)
        local due, long_due = 0, 0
        for _, at in ipairs(completed) do
          if at + interval <= now + 1e-9 then due = due + 1 end
          if at + interval * 1.011 <= now then long_due = long_due + 1 end
        end
        assert.is_true(#tickets <= due and #tickets >= long_due, ("%d of %d"):format(#tickets, due))
        for _, ticket in ipairs(tickets) do subject:completed(ticket, now, nil, rate_limited(nil, 0)) end
        gone, now = #tickets, now + interval / 300
        assert.is_true(now - began < 2 * interval)
      end
    end
  end)

  it("has room sooner by the shortest round trip seen", function()
    local subject = limiter.new()
    local slow, quick = subject:sent(0), subject:sent(0.5)
    subject:completed(quick, 0.7, header(3, 1)) -- 0.2 s
    subject:completed(slow, 0.9, header(3, 1)) -- 0.9 s
    local last = subject:sent(1)
    subject:completed(last, 2, header(3, 0))
    assert.near(0.7 + TEN_SECONDS - 0.9 * 0.2 - 2, subject:delay(2), 1e-9)
    assert.equal(0, (burst(subject, 10.49, 100)))
    local count, tickets = burst(subject, 10.53, 100)
    assert.equal(1, count)
    subject:completed(tickets[1], 10.75, header(3, 1)) -- the second stops counting, at 0.9 + 10 - 0.18
    assert.equal(1, (burst(subject, 10.75, 100)))
  end)

  it("measures round trips by responses, not by failures", function()
    local subject = limiter.new(1)
    subject:completed(subject:sent(5), 5, nil, { kind = "network" })
    subject:completed(subject:sent(15), 16, {})
    assert.near(TEN_SECONDS - 0.9, subject:delay(16), 1e-9)
    subject:completed(subject:sent(25.2), 25.21, nil, { kind = "timeout" })
    assert.near(TEN_SECONDS - 0.9, subject:delay(25.21), 1e-9)
  end)

  it("has its full budget again after a pause of an interval", function()
    local subject = limiter.new()
    for i = 1, 10 do exchange(subject, 0, header(10, 10 - i)) end
    assert.equal(TEN_SECONDS, subject:delay(0))
    assert.equal(10, (burst(subject, TEN_SECONDS, 100)))
  end)

  it("assumes an interval of ten seconds where the headers have none", function()
    local subject = limiter.new()
    for i = 1, 4 do exchange(subject, 0, { max = 4, remaining = 4 - i }) end
    assert.equal(TEN_SECONDS, subject:delay(0))
  end)

  it("uses the interval of the headers once it is known", function()
    for _, interval in ipairs { 1, 5, 60 } do
      local subject = limiter.new()
      exchange(subject, 0, header(4, 3, interval))
      for i = 1, 4 do exchange(subject, 100, header(4, 4 - i, interval)) end
      assert.equal(interval, subject:delay(100))
      assert.equal(0, subject:delay(100 + interval))
    end
  end)

  it("uses the interval of the headers from the first response on", function()
    local subject = limiter.new()
    for i = 1, 4 do exchange(subject, 0, header(4, 4 - i, 1)) end
    assert.equal(1, subject:delay(0))
    assert.equal(0, subject:delay(1))
  end)

  it("leaves room for other programs when less remains than its own requests explain", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 60)) -- 39 are of others
    assert.equal(60, (burst(subject, 0, 1000)))
  end)

  it("sends nothing while nothing remains, and tries again within an interval", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 0))
    local delay = subject:delay(0)
    assert.is_true(delay > 0 and delay <= TEN_SECONDS)
    assert.equal(0, subject:delay(TEN_SECONDS))
  end)

  it("never sends more than remained at the last response", function()
    for _, remaining in ipairs { 0, 1, 7, 50, 99 } do
      local subject = limiter.new()
      exchange(subject, 3, header(100, remaining))
      assert.equal(remaining, (burst(subject, 3, 1000)))
    end
  end)

  it("forgets other programs an interval after it last saw them", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 20))
    exchange(subject, 1, header(100, 98))
    assert.equal(98, (burst(subject, 1, 1000)))
  end)

  it("forgets them also when no response comes in that time", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 60))
    assert.equal(0, subject:delay(TEN_SECONDS))
    assert.equal(100, (burst(subject, TEN_SECONDS, 1000)))
  end)

  it("follows a limit that changes", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 99))
    exchange(subject, 0, header(190, 188))
    assert.equal(188, (burst(subject, 0, 1000)))
  end)

  it("keeps the limit when a response has no rate-limit headers", function()
    local subject = limiter.new()
    exchange(subject, 0, header(10, 9))
    exchange(subject, 0, nil)
    exchange(subject, 0, {})
    assert.equal(7, (burst(subject, 0, 100)))
  end)

  it("accepts a limit without the remaining number", function()
    local subject = limiter.new()
    exchange(subject, 0, { max = 10 })
    assert.equal(9, (burst(subject, 0, 100)))
  end)

  it("ignores limits that no client can reach, such as a day's", function()
    local subject = limiter.new()
    exchange(subject, 0, header(1000000, 5, 86400))
    assert.equal(500, (burst(subject, 0, 500)))
  end)

  it("keeps the one-second limit as well as the ten-second limit", function()
    local subject = limiter.new()
    local function both(remaining, secondly_remaining)
      return { max = 100, remaining = remaining, interval = 10, secondly = 10,
        secondly_remaining = secondly_remaining }
    end
    exchange(subject, 0, both(99, 9))
    local count, tickets = burst(subject, 0, 1000)
    assert.equal(9, count)
    for i = 1, 9 do subject:completed(tickets[i], 0.1, both(99 - i, 9 - i)) end
    assert.is_true(subject:delay(0.1) > 0 and subject:delay(0.1) <= 1)
    local sent = 10
    for second = 1, 9 do -- and after 100 in ten seconds, the other limit holds
      local now = second * 1.2
      count, tickets = burst(subject, now, 1000)
      for i = 1, count do subject:completed(tickets[i], now, both(100 - sent - i, 10 - i)) end
      sent = sent + count
    end
    assert.is_true(sent <= 100 + 10, tostring(sent))
  end)

  it("waits, and does not stall, when only requests in flight fill the budget", function()
    local subject = limiter.new(3)
    local count, tickets = burst(subject, 0, 10)
    assert.equal(3, count)
    local delay = subject:delay(0)
    assert.is_true(delay > 0 and delay < math.huge)
    subject:completed(tickets[1], 1)
    assert.equal(TEN_SECONDS, subject:delay(1))
  end)

  it("counts a request once, in flight and completed", function()
    local subject = limiter.new(3)
    local ticket = subject:sent(0)
    subject:completed(ticket, 1, {})
    assert.equal(2, (burst(subject, 1, 10)))
  end)

  it("counts requests that complete out of order", function()
    local subject = limiter.new(3)
    local tickets = send(subject, 0, 3)
    for _, i in ipairs { 3, 1, 2 } do subject:completed(tickets[i], i == 3 and 1 or 2) end
    assert.equal(TEN_SECONDS - 1, subject:delay(2))
    local count, kept = burst(subject, 11, 10)
    assert.equal(1, count)
    assert.equal(2, (burst(subject, 12, 10)))
    subject:completed(kept[1], 12)
  end)

  it("always returns a finite delay", function()
    local subject = limiter.new()
    for i = 1, 200 do
      local delay = subject:delay(i)
      assert.is_true(delay >= 0 and delay < math.huge)
      exchange(subject, i, header(i % 7 + 1, i % 3, i % 4), i % 9 == 0 and rate_limited("SECONDLY") or nil)
    end
  end)

  it("ignores a limit below one request", function()
    for _, max in ipairs { 0, -1, 0.5 } do
      local subject = limiter.new()
      exchange(subject, 0, header(max, 0))
      assert.equal(0, subject:delay(0))
      exchange(subject, 0, header(10, 8))
      exchange(subject, 0, header(max, 0)) -- and keeps what it knew
      assert.equal(7, (burst(subject, 0, 100)))
    end
  end)
end)

describe("a rate given by an option", function()
  it("holds from the first request on", function()
    local subject = limiter.new(25)
    local count, tickets = burst(subject, 0, 1000)
    assert.equal(25, count)
    for _, ticket in ipairs(tickets) do subject:completed(ticket, 0) end
    assert.equal(TEN_SECONDS, subject:delay(0))
    assert.equal(25, (burst(subject, TEN_SECONDS, 1000)))
  end)

  it("is not changed by headers", function()
    local subject = limiter.new(25)
    exchange(subject, 0, { max = 190, remaining = 3, interval = 1, secondly = 2, secondly_remaining = 0 })
    assert.equal(24, (burst(subject, 0, 1000)))
  end)

  it("does not prevent the pause after a 429", function()
    local subject = limiter.new(25)
    exchange(subject, 0, nil, rate_limited("TEN_SECONDLY_ROLLING"))
    assert.equal(TEN_SECONDS, subject:delay(0))
    subject = limiter.new(25)
    exchange(subject, 0, nil)
    exchange(subject, 4, nil, rate_limited("TEN_SECONDLY_ROLLING")) -- although the first makes room at 10
    assert.equal(TEN_SECONDS, subject:delay(4))
  end)
end)

describe("a 429", function()
  it("pauses all requests for the interval of its policy where no limit is known", function()
    for policy, seconds in pairs { TEN_SECONDLY_ROLLING = 10, SECONDLY = 1, SOMETHING_NEW = 10 } do
      local subject = limiter.new()
      exchange(subject, 100, nil, rate_limited(policy))
      assert.equal(seconds, subject:delay(100), policy)
      assert.near(seconds / 2, subject:delay(100 + seconds / 2), 1e-9)
      assert.equal(0, subject:delay(100 + seconds))
    end
  end)

  it("pauses for the interval of the headers where it names no policy", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 50, 30), rate_limited(nil))
    assert.equal(30, subject:delay(0))
  end)

  it("fills the budget where the limit is known: there is room as our requests stop counting", function()
    local subject = limiter.new()
    for i = 1, 4 do exchange(subject, i, header(10, 10 - i)) end
    exchange(subject, 5, nil, rate_limited("TEN_SECONDLY_ROLLING"))
    assert.equal(1 + TEN_SECONDS - 5, subject:delay(5))
    local count, tickets = burst(subject, 11, 100)
    assert.equal(1, count)
    subject:completed(tickets[1], 11, header(10, 0))
    assert.equal(1, (burst(subject, 12, 100)))
  end)

  it("fills the budget of the policy that it names", function()
    local subject = limiter.new()
    local both = { max = 100, remaining = 90, interval = 10, secondly = 10, secondly_remaining = 8 }
    exchange(subject, 0, both)
    exchange(subject, 0.5, nil, rate_limited("SECONDLY"))
    assert.equal(0.5, subject:delay(0.5))
    assert.equal(1, (burst(subject, 1, 100))) -- the others' are forgotten at 1.5
    subject = limiter.new()
    exchange(subject, 0, both)
    exchange(subject, 0.5, nil, rate_limited("TEN_SECONDLY_ROLLING"))
    assert.equal(9.5, subject:delay(0.5))
  end)

  it("does not count as a request", function()
    local subject = limiter.new(10)
    for _ = 1, 3 do exchange(subject, 0) end
    for _ = 1, 50 do exchange(subject, 0, nil, rate_limited("TEN_SECONDLY_ROLLING", 1)) end
    assert.equal(7, (burst(subject, 1, 100)))
  end)

  it("pauses as long as Retry-After says, also where the limit is known", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 99))
    exchange(subject, 0, nil, rate_limited("TEN_SECONDLY_ROLLING", 3))
    assert.equal(3, subject:delay(0))
    assert.equal(0, subject:delay(3))
  end)

  it("pauses for as long as Retry-After says", function()
    for _, seconds in ipairs { 1, 3, 45 } do
      local subject = limiter.new()
      exchange(subject, 0, nil, rate_limited("TEN_SECONDLY_ROLLING", seconds))
      assert.equal(seconds, subject:delay(0))
    end
  end)

  it("never shortens a pause", function()
    local subject = limiter.new()
    local first, second = subject:sent(0), subject:sent(0)
    subject:completed(first, 0, nil, rate_limited("TEN_SECONDLY_ROLLING"))
    subject:completed(second, 1, nil, rate_limited("SECONDLY"))
    assert.equal(9, subject:delay(1))
  end)

  it("does not pause for other errors", function()
    local subject = limiter.new()
    for _, kind in ipairs { "http", "network", "timeout", "decode" } do
      exchange(subject, 0, nil, { kind = kind, status = 503, retry_after = 60 })
    end
    assert.equal(0, subject:delay(0))
  end)
end)

local function is_limiter(source) return source:find "/limiter%.lua$" end

describe("a limiter in which a debug hook of the host raised", function()
  it("goes on, whichever instruction that was", function()
    finally(raising_hook.without_jit())
    local number, has_raised = 0
    repeat
      number = number + 1
      local subject = limiter.new()
      for second = 0, 12 do exchange(subject, second, header(100, 99)) end
      has_raised = raising_hook.call(number, is_limiter, exchange, subject, 13, header(100, 99))
      for second = 14, 40 do exchange(subject, second, header(100, 99)) end
      assert.equal(0, subject:delay(50), number)
    until not has_raised
    assert.is_true(number > 50, number)
  end)
end)

describe("the pace of the limiter", function()
  -- Sends requests of jobs as the pace says, each of which takes a moment. Returns the longest wait, and how
  -- many went at once.
  local function paced(subject, seconds, every)
    local now, next_at, last, longest, at_once = 0, 0, 0, 0, 0
    while now < seconds do
      if now >= next_at and subject:delay(now, "job") == 0 then
        longest, last = math.max(longest, now - last), now
        local pace = subject:pace(now, "job")
        if pace == 0 then at_once = at_once + 1 end
        next_at = now + math.max(every, pace)
        subject:completed(subject:sent(now, "job"), now + 0.001, { max = 100, remaining = 99 })
      end
      now = now + 0.005
    end
    return longest, at_once
  end

  it("spreads requests, after almost a half that goes at once", function()
    local subject = limiter.new(100)
    local longest, at_once = paced(subject, 60, 0.05)
    assert.is_true(at_once >= 49, at_once)
    assert.is_true(longest < 0.35, longest)
  end)

  it("is 0 while no limit is known", function()
    assert.equal(0, limiter.new():pace(0, "job"))
  end)
end)
