-- Checks how jobs and single calls of one client share its rate limit. Virtual time: ticks of 10 ms.

local limiter = require "hubspot.associations.policy.limiter"

local TICK, ROUND_TRIP = 0.01, 0.2

-- Runs for `seconds`. `job`: how many requests a job keeps in flight; `calls`: the times of single calls;
-- `greedy`: how many callers call again as soon as a call has completed. Returns how many requests of each
-- kind were sent, and how long each call waited.
local function run(given)
  local subject = limiter.new(given.rate or 100)
  local sent, waits, exchanges, waiting = { job = 0, call = 0 }, {}, {}, {}
  local job, job_in_flight, next_call = {}, 0, 1
  for _ = 1, given.greedy or 0 do waiting[#waiting + 1] = { since = 0, greedy = true } end

  local function send(now, caller, wait)
    sent[caller] = sent[caller] + 1
    exchanges[#exchanges + 1] = { ticket = subject:sent(now, caller), at = now, caller = caller, wait = wait }
    if wait then waits[#waits + 1] = now - wait.since end
  end

  local function receive(now)
    while exchanges[1] and exchanges[1].at + ROUND_TRIP <= now do
      local exchange = table.remove(exchanges, 1)
      subject:completed(exchange.ticket, now, {})
      if exchange.caller == "job" then job_in_flight = job_in_flight - 1 end
      local wait = exchange.wait
      if wait and wait.greedy then waiting[#waiting + 1] = { since = now, greedy = true } end
    end
  end

  for tick = 0, given.seconds / TICK do
    local now = tick * TICK
    receive(now)
    while job_in_flight < (given.job or 0) and subject:delay(now, "job", job) == 0 do
      job_in_flight = job_in_flight + 1
      send(now, "job")
    end
    while given.calls and given.calls[next_call] and given.calls[next_call] <= now do
      waiting[#waiting + 1] = { since = now }
      next_call = next_call + 1
    end
    for index = #waiting, 1, -1 do -- the job and the latest calls ask first
      if subject:delay(now, "call", waiting[index]) == 0 then
        send(now, "call", table.remove(waiting, index))
      end
    end
  end
  return sent, waits, #waiting
end

local function every(seconds, from, to)
  local times = {}
  for time = from, to, seconds do times[#times + 1] = time end
  return times
end

local function longest(waits, from)
  return math.max(0, (table.unpack or unpack)(waits, from)) -- luacheck: globals unpack
end

describe("calls beside a job that sends as fast as it may", function()
  it("do not wait when they are few, not even the first one", function()
    local sent, waits = run { job = 8, seconds = 200, calls = every(20, 35.3, 190) }
    assert.equal(8, #waits)
    assert.equal(0, longest(waits))
    assert.is_true(sent.job >= 0.85 * 2000, sent.job)
  end)

  it("do not wait once their rate is known", function()
    for _, pause in ipairs { 5, 1, 0.5, 0.25 } do
      local sent, waits = run { job = 8, seconds = 200, calls = every(pause, 35.3, 190) }
      assert.is_true(longest(waits, math.ceil(#waits / 4)) < 0.5, longest(waits, math.ceil(#waits / 4)))
      assert.is_true(longest(waits) <= 10)
      assert.is_true(sent.job + sent.call >= 0.75 * 2000)
    end
  end)

  it("get half of the limit, and the job the other half, when both want all of it", function()
    for _, rate in ipairs { 4, 10, 100, 190 } do
      local sent = run { job = 8, greedy = 50, seconds = 200, rate = rate }
      local all = rate * 20
      assert.is_true(sent.job >= 0.4 * all, sent.job)
      assert.is_true(sent.call >= 0.4 * all, sent.call)
      assert.is_true(sent.job + sent.call <= 1.05 * all + rate)
    end
  end)
end)

describe("a job or calls alone", function()
  it("get the whole limit", function()
    assert.is_true(run({ job = 8, seconds = 200 }).job >= 0.97 * 2000)
    assert.is_true(run({ greedy = 8, seconds = 200 }).call >= 0.99 * 2000)
  end)

  it("get it again after the other kind has been absent for a while", function()
    local calls = every(0.5, 0, 50)
    local with = run { job = 8, seconds = 300, calls = calls }
    local without = run { job = 8, seconds = 200, calls = calls }
    assert.is_true(with.job - without.job >= 0.97 * 1000, with.job - without.job)
  end)
end)

it("a waiter that does not ask again does not hold up others", function()
  local subject = limiter.new(10)
  local gone = {}
  for index = 1, 10 do
    local ticket = subject:sent(0, "job")
    subject:completed(ticket, 0, {})
    gone[index] = {}
    assert.is_true(subject:delay(0, "call", gone[index]) == 0 or index > 4)
  end
  local free = 0
  while subject:delay(30, "job", subject) == 0 do
    free = free + 1
    subject:sent(30, "job")
  end
  assert.is_true(free >= 9, free)
  assert.equal(10, #gone)
end)
