-- A process's part in the budget of its account (budget_script.lua), in place of a limiter of its own:
-- holds leases, asks for others when somebody waits, and reports what HubSpot said. Pure: time is passed
-- in, and so is what sends the script to Redis. It never waits.
--
-- Without Redis, the process keeps to its share: the limit, divided by the processes that there were last.

local errors = require "hubspot.associations.errors"
local script = require "hubspot.associations.redis.budget_script"
local waiters = require "hubspot.associations.redis.waiters"
local limiters = require "hubspot.associations.policy.limiter"

local member = {}

local SILENT = { kind = "timeout", message = "Redis has not replied for a second", sent = true }

local LONGEST_SILENCE = 1 -- seconds: when Redis has not replied by then, it is away
local REMINDER = 1 -- seconds after which a Redis that is away is asked again
local UNKNOWN_SHARE = 0.1 -- of the limit, as long as Redis has never said how many processes there are
local SLACK = 1.1 -- where processes take turns, the ways of their requests differ
local USUAL_LIMIT, USUAL_INTERVAL = 100, 10
local WAITS_FOR = 3 -- seconds: who has not asked again by then waits no longer
local SHORTEST_WAIT = 0.001
local MOST_WANTED = 100 -- requests in one lease
local MOST_RETURNED = 100 -- leases; what is not returned is charged a little longer
local FRESH = 1 -- seconds: what was charged when older headers came, Redis has forgotten

-- How long a lease is valid: a small part of the interval, as it is charged for that long, too; and two
-- round trips to Redis, so that it has not expired when it arrives.
local PART_OF_INTERVAL, ROUND_TRIPS, LONGEST_LEASE = 0.02, 2, 2

---@class hubspot.associations.Member
local Member = {}
Member.__index = Member

---@param given table { keys = of the account, rate, ask = fun(script, keys, arguments): exchange, which never
---  waits, tell = fun(event), forks = nil or fun(): a number that is another one in a forked child }; an
---  exchange has `done()`, and `reply()`, which is a list, or nil and an error
---@return hubspot.associations.Member
function member.new(given)
  local self = setmetatable({
    keys = given.keys,
    rate = given.rate,
    ask = given.ask,
    tell = given.tell,
    forks = given.forks,
    known_forks = given.forks and given.forks(),
    limiter = limiters.new(),
    waiters = waiters.new(),
    leases = {}, -- { name, count, left, expires }, the oldest first
    names = 0,
    returned = {}, -- leases with something left that have expired
    unleased = {}, -- when requests were sent without a lease
    id = nil, -- as Redis named this process
    epoch = nil, -- of Redis's memory
    limit = given.rate or USUAL_LIMIT,
    interval = USUAL_INTERVAL,
    processes = nil,
    place = nil, -- among them
    redis_ahead = 0, -- seconds, of its clock
    turn = nil, -- { every, begins }: when this process may send without Redis, in seconds of Redis's clock
    turn_at = 0,
    asked = nil, -- { exchange, at, name, valid, returned, unleased, ... }: what Redis has not replied to
    ask_after = 0,
    paused_until = 0,
    round_trip = 0, -- seconds, of late
    headers = nil, -- { limit, interval, remaining, at }: the last that HubSpot said, not reported yet
    limited = nil, -- a 429 that is not reported yet
    is_away = false,
    is_lowered = false, -- whether another process has given a lower rate
  }, Member)
  self.limiter:assign(nil, self.interval)
  return self
end

-- ---- what Redis is told ----

-- How many requests of this process HubSpot may still count.
local function recent(self)
  local count = self.limiter.ten_secondly.completed
  for _ in pairs(self.limiter.in_flight) do count = count + 1 end
  return count
end

local function forget_old(times, oldest)
  while times[1] and times[1] <= oldest do table.remove(times, 1) end
end

-- Leases whose time is over.
local function expire(self, now)
  while self.leases[1] and self.leases[1].expires <= now do
    local lease = table.remove(self.leases, 1)
    if lease.left > 0 and #self.returned < MOST_RETURNED then self.returned[#self.returned + 1] = lease end
  end
end

local function returned_text(self)
  local parts = {}
  for index, lease in ipairs(self.returned) do
    parts[index] = ("%s:%d:%d"):format(lease.name, lease.count, lease.left)
  end
  return #parts > 0 and table.concat(parts, " ") or nil
end

local function milliseconds(seconds) return seconds and ("%.0f"):format(math.ceil(seconds * 1000)) end

-- What is said of the account: a list of names and values.
local function arguments(self, now, want, lease, valid)
  local headers, limited = self.headers or {}, self.limited
  local is_fresh = headers.at and now - headers.at <= FRESH
  local values = {
    name = lease, want = want, valid = valid,
    member = self.id, epoch = self.epoch, rate = self.rate, processes = self.processes,
    recent = recent(self), debt = #self.unleased > 0 and #self.unleased or nil,
    returned = returned_text(self),
    limit = headers.limit, interval = milliseconds(headers.interval),
    remaining = is_fresh and headers.remaining or nil,
    age = is_fresh and math.floor((now - headers.at) * 1000) or nil, -- rounded up, it would miss a lease
    limited = limited and limited.policy, retry_after = limited and milliseconds(limited.retry_after),
  }
  local list = {}
  for name, value in pairs(values) do
    list[#list + 1] = name
    list[#list + 1] = type(value) == "number" and ("%.0f"):format(value) or value
  end
  return list
end

local function send(self, now, want)
  self.names = self.names + 1
  forget_old(self.unleased, now - self.interval)
  local valid = math.min(LONGEST_LEASE, PART_OF_INTERVAL * self.interval + ROUND_TRIPS * self.round_trip)
  -- With its validity: Redis has to know later when the lease began.
  local name = ("%d-%s"):format(self.names, milliseconds(valid))
  self.asked = {
    at = now, name = name, valid = valid, returned = self.returned, unleased = self.unleased,
    headers = self.headers, limited = self.limited,
    exchange = self.ask(script, self.keys, arguments(self, now, want, name, milliseconds(valid))),
  }
  self.returned, self.unleased, self.headers, self.limited = {}, {}, nil, nil
end

-- ---- what Redis replies ----

-- When the next turn of this process is, which has one in each round of all of them.
local function next_turn(self, now)
  local turn = self.turn
  return now + turn.every - (now + self.redis_ahead - turn.begins) % turn.every
end

-- The share of this process, when nobody grants leases. Where there are more processes than requests, they
-- take turns, by the clock of Redis and in the order that it had for them.
local function keep_to_share(self, now)
  local share = self.processes and self.limit / self.processes or self.limit * UNKNOWN_SHARE
  local interval, limit = self.interval, math.max(1, math.floor(share))
  self.turn = nil
  if share < 1 then interval = interval * SLACK / share end
  if share < 1 and self.processes then
    self.turn = { every = interval, begins = interval * self.place / self.processes }
    self.turn_at = next_turn(self, now)
  end
  self.limiter:assign(not self.turn and limit or nil, interval)
  return limit, interval
end

local function go_away(self, now, err)
  if self.is_away then return end
  self.is_away = true
  local limit, interval = keep_to_share(self, now)
  self.tell { type = "budget", state = "alone", error = err, limit = limit, interval = interval }
end

-- Says so when the rate of this process is not the one that counts.
local function notice_rate(self)
  local is_lowered = self.rate ~= nil and self.limit < self.rate
  if is_lowered and not self.is_lowered then
    self.tell { type = "budget", state = "lowered", limit = self.limit, interval = self.interval,
      processes = self.processes }
  end
  self.is_lowered = is_lowered
end

local function come_back(self)
  self.limiter:assign(nil, self.interval)
  if not self.is_away then return end
  self.is_away = false
  self.tell { type = "budget", state = "shared", limit = self.limit, interval = self.interval,
    processes = self.processes }
end

-- What was to be told stays to be told.
local function take_back(self, asked)
  for _, name in ipairs { "returned", "unleased" } do
    for index, entry in ipairs(asked[name]) do table.insert(self[name], index, entry) end
  end
  self.headers, self.limited = self.headers or asked.headers, self.limited or asked.limited
end

local function accept(self, now, asked, reply)
  local granted = tonumber(reply[3])
  if self.epoch and self.epoch ~= reply[2] then self.leases, self.returned = {}, {} end
  self.id, self.epoch = reply[1], reply[2]
  self.limit, self.interval = tonumber(reply[6]), tonumber(reply[7]) / 1000
  self.processes = tonumber(reply[8])
  self.redis_ahead, self.place = tonumber(reply[9]) / 1000 - now, tonumber(reply[10])
  self.ask_after = now + tonumber(reply[4]) / 1000
  self.paused_until = now + tonumber(reply[5]) / 1000
  self.round_trip = math.max(now - asked.at, 0.9 * self.round_trip)
  if granted > 0 then
    self.leases[#self.leases + 1] = {
      name = asked.name, count = granted, left = granted, expires = asked.at + asked.valid,
    }
  end
  come_back(self)
  notice_rate(self)
end

-- Takes what Redis has replied, if it has.
local function receive(self, now)
  local asked = self.asked
  if not asked then return end
  if not asked.exchange:done() then
    if now - asked.at >= LONGEST_SILENCE then go_away(self, now, errors.new(SILENT)) end
    return
  end
  self.asked = nil
  local reply, err = asked.exchange:reply()
  if reply then return accept(self, now, asked, reply) end
  take_back(self, asked)
  self.ask_after = now + REMINDER
  go_away(self, now, err)
end

-- In a forked child, the name and the leases are the parent's.
local function notice_fork(self)
  local forks = self.forks and self.forks()
  if forks == self.known_forks then return end
  self.known_forks = forks
  self.id, self.processes, self.asked, self.ask_after = nil, nil, nil, 0
  self.leases, self.returned, self.unleased = {}, {}, {}
end

-- ---- what the session asks ----

local function available(self)
  local count = 0
  for _, lease in ipairs(self.leases) do count = count + lease.left end
  return count
end

-- Asks for what those who wait need, if it is time. Whether a reply is awaited.
local function ask(self, now)
  if self.asked then return true end
  local want = math.min(MOST_WANTED, self.waiters:count(now) - available(self))
  if want <= 0 and not self.limited then return false end
  if now < self.ask_after and (self.is_away or not self.limited) then return false end
  send(self, now, math.max(0, want))
  receive(self, now)
  return self.asked ~= nil
end

-- Whether a request may be sent now. A process without Redis asks for leases all the same, so that it
-- notices when Redis is back.
local function may_go(self, waiter, now)
  expire(self, now)
  if self.is_away then
    ask(self, now)
  elseif not self.waiters:is_among(waiter, available(self), now) then
    return false
  end
  self.waiters:remove(waiter)
  return true
end

---Seconds until the next request may be sent; 0 when it may be sent now.
---@param now number
---@param caller hubspot.associations.Caller|nil
---@param waiter table|nil who waits while the delay is not 0; nil: nobody, somebody only wants to know
---@return number
---@return boolean|nil is_asked whether Redis's reply may end the wait sooner
function Member:delay(now, caller, waiter)
  notice_fork(self)
  receive(self, now)
  if self.limited then ask(self, now) end
  local delay = self.limiter:delay(now, caller, waiter)
  if not self.is_away then
    delay = math.max(delay, self.paused_until - now)
  elseif self.turn then
    delay = math.max(delay, self.turn_at - now)
  end
  if delay > 0 and not self.is_away then return delay end
  if not waiter then return math.max(0, delay, self.is_away and 0 or self.ask_after - now) end
  self.waiters:add(waiter, now + math.max(delay, WAITS_FOR))
  if delay > 0 then return delay, ask(self, now) end
  if may_go(self, waiter, now) then return 0 end
  local is_asked = ask(self, now)
  if may_go(self, waiter, now) then return 0 end -- Redis is away, or has replied at once
  if is_asked then return LONGEST_SILENCE, true end
  return math.max(SHORTEST_WAIT, self.ask_after - now)
end

---Seconds to leave between requests, for a caller that need not send as fast as it may: none, while Redis
---says what may be sent.
---@param now number
---@param caller hubspot.associations.Caller
---@return number
function Member:pace(now, caller)
  return self.limiter:pace(now, caller)
end

---Counts a request that is sent.
---@param now number
---@param caller hubspot.associations.Caller|nil
---@return table ticket for `completed`
function Member:sent(now, caller)
  expire(self, now)
  for _, lease in ipairs(self.leases) do
    if lease.left > 0 then
      lease.left = lease.left - 1
      return self.limiter:sent(now, caller)
    end
  end
  self.unleased[#self.unleased + 1] = now
  -- Half a round at least: one that sent late has had this turn.
  if self.is_away and self.turn then self.turn_at = next_turn(self, now + self.turn.every / 2) end
  return self.limiter:sent(now, caller)
end

---Takes note that a request has completed.
---@param ticket table
---@param now number
---@param rate_limit hubspot.associations.RateLimit|nil
---@param err table|nil
function Member:completed(ticket, now, rate_limit, err)
  notice_fork(self)
  self.limiter:completed(ticket, now, rate_limit, err)
  if rate_limit and rate_limit.max then
    self.headers = {
      limit = rate_limit.max, interval = rate_limit.interval or USUAL_INTERVAL,
      remaining = rate_limit.remaining, at = now,
    }
  end
  if not err or err.kind ~= "rate_limited" then return end
  self.limited = { policy = err.policyName or "", retry_after = err.retry_after }
  for _, lease in ipairs(self.leases) do lease.expires = now end
  ask(self, now)
end

return member
