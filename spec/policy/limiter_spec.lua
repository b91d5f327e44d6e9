-- Checks limiter.lua alone, with a clock that the spec moves: what it learns from answers, and when it lets
-- the next request go. What a long job gets through is checked in limiter_simulation_spec.lua.

local limiter = require "hubspot.associations.policy.limiter"

local TEN_SECONDS = 10

local function header(max, remaining, interval)
  return { max = max, remaining = remaining, interval = interval or TEN_SECONDS }
end

local function rate_limited(policy, retry_after)
  return { kind = "rate_limited", status = 429, policyName = policy, retry_after = retry_after }
end

-- Sends one request and has its answer at once.
local function exchange(subject, now, rate_limit, err)
  subject:answered(subject:sent(now), now, rate_limit, err)
end

local function send(subject, now, count)
  local tickets = {}
  for i = 1, count do tickets[i] = subject:sent(now) end
  return tickets
end

-- How many requests may be sent at this moment, and their tickets: as long as these are kept, they count.
local function burst(subject, now, most)
  local tickets = {}
  while #tickets < most and subject:delay(now) == 0 do tickets[#tickets + 1] = subject:sent(now) end
  return #tickets, tickets
end

describe("the limiter", function()
  it("lets anything go while it knows of no limit", function()
    local subject = limiter.new()
    local count, tickets = burst(subject, 0, 500)
    assert.equal(500, count)
    for _, ticket in ipairs(tickets) do subject:answered(ticket, 1, nil) end
    assert.equal(500, (burst(subject, 1, 500)))
  end)

  it("learns the limit from the first answer's headers", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 99))
    assert.equal(99, (burst(subject, 0, 1000)))
    assert.is_true(subject:delay(0) > 0)
  end)

  it("counts what it sent before it knew the limit", function()
    local subject = limiter.new()
    local tickets = send(subject, 0, 30)
    for i = 1, 29 do subject:answered(tickets[i], 0.5, nil) end
    subject:answered(tickets[30], 0.5, header(100, 70))
    assert.equal(70, (burst(subject, 0.5, 1000)))
  end)

  it("counts what is in flight", function()
    local subject = limiter.new()
    exchange(subject, 0, header(10, 9))
    local tickets = send(subject, 0, 4)
    assert.equal(5, (burst(subject, 0, 100)))
    assert.equal(4, #tickets)
  end)

  it("forgets a request in flight whose ticket nobody holds any more", function()
    local subject = limiter.new(10)
    send(subject, 0, 10)
    collectgarbage()
    collectgarbage()
    assert.equal(10, (burst(subject, 0, 100)))
  end)

  it("takes no other program's requests for its own in flight that were sent after the answer's", function()
    local subject = limiter.new()
    local first = subject:sent(0)
    local later = send(subject, 1, 20)
    subject:answered(first, 2, header(100, 60)) -- of the 40, one is ours
    assert.equal(100 - 39 - 1 - 20, (burst(subject, 2, 1000)))
    assert.equal(20, #later)
  end)

  it("knows that what was sent before, and is in flight, has been counted", function()
    local subject = limiter.new()
    local tickets = send(subject, 0, 20)
    subject:answered(subject:sent(1), 2, header(100, 79))
    assert.equal(79, (burst(subject, 2, 1000)))
    assert.equal(20, #tickets)
  end)

  it("makes room an interval after an answer, and not sooner", function()
    local subject = limiter.new()
    for i = 1, 10 do exchange(subject, i / 5, header(10, 10 - i)) end
    assert.near(TEN_SECONDS + 0.2 - 2, subject:delay(2), 1e-9)
    assert.near(0.05, subject:delay(10.15), 1e-9)
    local count, tickets = burst(subject, 10.25, 100)
    assert.equal(1, count)
    subject:answered(tickets[1], 10.25, header(10, 0))
    assert.equal(1, (burst(subject, 10.45, 100)))
  end)

  it("may make room up to a hundredth of an interval later, for several at once, and never sooner", function()
    for _, interval in ipairs { 1, 10 } do
      local subject, answered = limiter.new(), {}
      exchange(subject, 0, header(1000, 999, interval))
      local now, sent = interval, 0
      while sent < 1000 do -- as many as the limit, over half the interval
        sent, now = sent + 1, now + interval / 2000
        exchange(subject, now, header(1000, 1000 - sent, interval))
        answered[sent] = now
      end
      local began, gone = now, 0
      while gone < 1000 do
        assert.is_true(subject:delay(now) <= interval)
        local _, tickets = burst(subject, now, 2000)
        local due, long_due = 0, 0
        for _, at in ipairs(answered) do
          if at + interval <= now + 1e-9 then due = due + 1 end
          if at + interval * 1.011 <= now then long_due = long_due + 1 end
        end
        assert.is_true(#tickets <= due and #tickets >= long_due, ("%d of %d"):format(#tickets, due))
        for _, ticket in ipairs(tickets) do subject:answered(ticket, now, nil, rate_limited(nil, 0)) end
        gone, now = #tickets, now + interval / 300
        assert.is_true(now - began < 2 * interval)
      end
    end
  end)

  it("makes room sooner by the shortest round trip that it has seen", function()
    local subject = limiter.new()
    local slow, quick = subject:sent(0), subject:sent(0.5)
    subject:answered(quick, 0.7, header(3, 1)) -- 0.2 s
    subject:answered(slow, 0.9, header(3, 1)) -- 0.9 s
    local last = subject:sent(1)
    subject:answered(last, 2, header(3, 0))
    assert.near(0.7 + TEN_SECONDS - 0.9 * 0.2 - 2, subject:delay(2), 1e-9)
    assert.equal(0, (burst(subject, 10.49, 100)))
    local count, tickets = burst(subject, 10.53, 100)
    assert.equal(1, count)
    subject:answered(tickets[1], 10.75, header(3, 1)) -- the second stops counting, at 0.9 + 10 - 0.18
    assert.equal(1, (burst(subject, 10.75, 100)))
  end)

  it("takes only answers for round trips, not failures", function()
    local subject = limiter.new(1)
    subject:answered(subject:sent(5), 5, nil, { kind = "network" })
    subject:answered(subject:sent(15), 16, {})
    assert.near(TEN_SECONDS - 0.9, subject:delay(16), 1e-9)
    subject:answered(subject:sent(25.2), 25.21, nil, { kind = "timeout" })
    assert.near(TEN_SECONDS - 0.9, subject:delay(25.21), 1e-9)
  end)

  it("takes a full budget back after a pause of an interval", function()
    local subject = limiter.new()
    for i = 1, 10 do exchange(subject, 0, header(10, 10 - i)) end
    assert.equal(TEN_SECONDS, subject:delay(0))
    assert.equal(10, (burst(subject, TEN_SECONDS, 100)))
  end)

  it("takes ten seconds for the interval where the headers tell none", function()
    local subject = limiter.new()
    for i = 1, 4 do exchange(subject, 0, { max = 4, remaining = 4 - i }) end
    assert.equal(TEN_SECONDS, subject:delay(0))
  end)

  it("uses the interval of the headers, once it knows it", function()
    for _, interval in ipairs { 1, 5, 60 } do
      local subject = limiter.new()
      exchange(subject, 0, header(4, 3, interval))
      for i = 1, 4 do exchange(subject, 100, header(4, 4 - i, interval)) end
      assert.equal(interval, subject:delay(100))
      assert.equal(0, subject:delay(100 + interval))
    end
  end)

  it("uses the interval of the headers from the first answer on", function()
    local subject = limiter.new()
    for i = 1, 4 do exchange(subject, 0, header(4, 4 - i, 1)) end
    assert.equal(1, subject:delay(0))
    assert.equal(0, subject:delay(1))
  end)

  it("makes room for other programs, when less remains than its own requests explain", function()
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

  it("never sends more than remained at the last answer", function()
    for _, remaining in ipairs { 0, 1, 7, 50, 99 } do
      local subject = limiter.new()
      exchange(subject, 3, header(100, remaining))
      assert.equal(remaining, (burst(subject, 3, 1000)))
    end
  end)

  it("forgets other programs an interval after they were seen last", function()
    local subject = limiter.new()
    exchange(subject, 0, header(100, 20))
    exchange(subject, 1, header(100, 98))
    assert.equal(98, (burst(subject, 1, 1000)))
  end)

  it("forgets them, too, when no answer comes in that time", function()
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

  it("keeps what it knows when an answer has no such headers", function()
    local subject = limiter.new()
    exchange(subject, 0, header(10, 9))
    exchange(subject, 0, nil)
    exchange(subject, 0, {})
    assert.equal(7, (burst(subject, 0, 100)))
  end)

  it("takes a limit without a count of what remains", function()
    local subject = limiter.new()
    exchange(subject, 0, { max = 10 })
    assert.equal(9, (burst(subject, 0, 100)))
  end)

  it("ignores limits that no client can reach, such as a day's", function()
    local subject = limiter.new()
    exchange(subject, 0, header(1000000, 5, 86400))
    assert.equal(500, (burst(subject, 0, 500)))
  end)

  it("keeps the limit of the second beside that of ten", function()
    local subject = limiter.new()
    local function both(remaining, secondly_remaining)
      return { max = 100, remaining = remaining, interval = 10, secondly = 10,
        secondly_remaining = secondly_remaining }
    end
    exchange(subject, 0, both(99, 9))
    local count, tickets = burst(subject, 0, 1000)
    assert.equal(9, count)
    for i = 1, 9 do subject:answered(tickets[i], 0.1, both(99 - i, 9 - i)) end
    assert.is_true(subject:delay(0.1) > 0 and subject:delay(0.1) <= 1)
    local sent = 10
    for second = 1, 9 do -- and after 100 in ten seconds, the other limit holds
      local now = second * 1.2
      count, tickets = burst(subject, now, 1000)
      for i = 1, count do subject:answered(tickets[i], now, both(100 - sent - i, 10 - i)) end
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
    subject:answered(tickets[1], 1)
    assert.equal(TEN_SECONDS, subject:delay(1))
  end)

  it("counts no request twice that is told of twice", function()
    local subject = limiter.new(3)
    local ticket = subject:sent(0)
    subject:answered(ticket, 1, {})
    assert.equal(2, (burst(subject, 1, 10)))
  end)

  it("counts what was sent and answered by chance out of order", function()
    local subject = limiter.new(3)
    local tickets = send(subject, 0, 3)
    for _, i in ipairs { 3, 1, 2 } do subject:answered(tickets[i], i == 3 and 1 or 2) end
    assert.equal(TEN_SECONDS - 1, subject:delay(2))
    local count, kept = burst(subject, 11, 10)
    assert.equal(1, count)
    assert.equal(2, (burst(subject, 12, 10)))
    subject:answered(kept[1], 12)
  end)

  it("tells no delay that is not a number", function()
    local subject = limiter.new()
    for i = 1, 200 do
      local delay = subject:delay(i)
      assert.is_true(delay >= 0 and delay < math.huge)
      exchange(subject, i, header(i % 7 + 1, i % 3, i % 4), i % 9 == 0 and rate_limited("SECONDLY") or nil)
    end
  end)

  it("ignores a limit that lets nothing through", function()
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

describe("a rate that the caller knows", function()
  it("holds from the first request on", function()
    local subject = limiter.new(25)
    local count, tickets = burst(subject, 0, 1000)
    assert.equal(25, count)
    for _, ticket in ipairs(tickets) do subject:answered(ticket, 0) end
    assert.equal(TEN_SECONDS, subject:delay(0))
    assert.equal(25, (burst(subject, TEN_SECONDS, 1000)))
  end)

  it("is not changed by headers", function()
    local subject = limiter.new(25)
    exchange(subject, 0, { max = 190, remaining = 3, interval = 1, secondly = 2, secondly_remaining = 0 })
    assert.equal(24, (burst(subject, 0, 1000)))
  end)

  it("does not keep a 429 from pausing", function()
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
  it("pauses everything for the interval of its policy, where no limit is known", function()
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

  it("fills the budget where the limit is known: requests of ours make room as they stop counting", function()
    local subject = limiter.new()
    for i = 1, 4 do exchange(subject, i, header(10, 10 - i)) end
    exchange(subject, 5, nil, rate_limited("TEN_SECONDLY_ROLLING"))
    assert.equal(1 + TEN_SECONDS - 5, subject:delay(5))
    local count, tickets = burst(subject, 11, 100)
    assert.equal(1, count)
    subject:answered(tickets[1], 11, header(10, 0))
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

  it("is no request that counts", function()
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
    subject:answered(first, 0, nil, rate_limited("TEN_SECONDLY_ROLLING"))
    subject:answered(second, 1, nil, rate_limited("SECONDLY"))
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
