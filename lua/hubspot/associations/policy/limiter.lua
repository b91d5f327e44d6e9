-- The request budget that all calls of a client share: no interval has more requests than the account allows,
-- as the rate-limit headers or the option `rate` say. Pure: time is passed in. Counts requests without
-- looking at what they are for.
--
-- When the server stops counting a request is not known exactly: an interval after the request arrived there,
-- which was between sending it and receiving its response. The next request takes its time to arrive, too.
-- An interval after the response, minus the shortest round trip seen, is therefore safe: the ways of the two
-- requests together take at least that long.
--
-- A job sends as fast as it may, and each of its requests counts for a whole interval: a single call of the
-- same client would have to wait for that long. So each of the two kinds of caller leaves a share to the
-- other: 1.5 times what the other used lately, and at most half of the limit. A job always leaves a little.

local limiter = {}

---@alias hubspot.associations.Caller "job"|"call"

local OTHER = { job = "call", call = "job" }

local LATELY = { job = 2, call = 10 } -- intervals
local MARGIN = 1.5 -- the share left to the other kind of caller, relative to the most that it used lately
-- Of the limit, left to calls: always, and if there were any lately.
local LEAST_SHARE, USUAL_SHARE = 0.01, 0.1

local MOST = 10000 -- a higher limit is ignored: no client could reach it
local SHORTEST_WAIT = 0.001 -- seconds: without room, the delay must not be rounded to 0
local LONGEST_INTERVAL = 60 -- seconds: HubSpot has no longer one, so a header with more is wrong
local LONGEST_PAUSE = 24 * 3600 -- seconds: every limit of HubSpot is over by then

-- One policy of the account: at most `limit` requests in any `interval` seconds.
local Window = {}
Window.__index = Window

-- Requests that complete within a hundredth of the interval are kept as one entry (a moment), with the time
-- of the last one, so that memory does not grow with the rate.
local MOMENTS = 100

local function new_window(interval)
  return setmetatable({
    limit = nil, -- unknown: no limit
    interval = interval,
    moments = {}, -- { began, at, count } of completed requests that may still count, in order
    first = 1,
    last = 0,
    completed = 0, -- the sum of their counts
    by_caller = { job = 0, call = 0 }, -- the same by kind of caller
    most = { job = 0, call = 0 }, -- the most in one interval lately, by kind of caller
    most_seen = { job = -math.huge, call = -math.huge },
    others = 0, -- requests of other programs that use the same account
    others_seen = -math.huge,
  }, Window)
end

-- Drops what has stopped counting.
function Window:expire(now, shortest)
  local oldest = now - self.interval + shortest
  while self.first <= self.last and self.moments[self.first].at <= oldest do
    local first = self.first
    local moment = self.moments[first]
    self.first = first + 1 -- before all else: a debug hook that raises here must not leave a gap
    self.moments[first] = nil
    self.completed = self.completed - moment.count
    for caller, count in pairs(self.by_caller) do self.by_caller[caller] = count - (moment[caller] or 0) end
  end
  if self.others_seen + self.interval <= now then self.others = 0 end
end

-- Counts a completed request, also while the limit is unknown: the next response may have it.
function Window:add(now, caller)
  local moment = self.moments[self.last]
  if not moment or now - moment.began > self.interval / MOMENTS then
    moment = { began = now, at = now, count = 0 }
    self.moments[self.last + 1] = moment
    self.last = self.last + 1
  end
  moment.at, moment.count = now, moment.count + 1
  self.completed = self.completed + 1
  if not caller then return end
  moment[caller] = (moment[caller] or 0) + 1
  self.by_caller[caller] = self.by_caller[caller] + 1
  if self.by_caller[caller] >= self:most_lately(caller, now) then
    self.most[caller], self.most_seen[caller] = self.by_caller[caller], now
  end
end

-- The most requests of a kind of caller in one of the last intervals; 0 when there were none.
function Window:most_lately(caller, now)
  return now - self.most_seen[caller] <= LATELY[caller] * self.interval and self.most[caller] or 0
end

-- Learns from a response's headers. What was counted beyond our own requests was sent by other programs.
function Window:learn(limit, remaining, now, ours)
  if limit < 1 or limit > MOST then return end
  self.limit = limit
  if not remaining then return end
  self.others = math.max(0, limit - remaining - ours)
  self.others_seen = now
end

-- How many requests the other kind of caller is left.
function Window:left_to(other, now, demand)
  local share = self.by_caller[other] + demand.in_flight[other] + demand.waiting[other]
  local usual = self:most_lately(other, now)
  if other == "call" then share = math.max(share, self.limit * (usual > 0 and USUAL_SHARE or LEAST_SHARE)) end
  return math.floor(math.min(math.max(share, usual * MARGIN), self.limit / 2))
end

-- Whether this kind of caller may send one more.
function Window:has_room(now, demand, caller)
  local ours = self.limit - self.others
  if self.completed + demand.in_flight.all >= ours then return false end
  if not caller then return true end
  return self.by_caller[caller] + demand.in_flight[caller] < ours - self:left_to(OTHER[caller], now, demand)
end

-- Seconds until one more may be sent.
function Window:delay(now, demand, shortest, caller)
  if not self.limit then return 0 end
  self:expire(now, shortest)
  if self:has_room(now, demand, caller) then return 0 end
  local soonest = math.huge
  if self.completed > 0 then soonest = self.moments[self.first].at + self.interval - shortest end
  if self.others > 0 then soonest = math.min(soonest, self.others_seen + self.interval) end
  -- When only requests in flight fill the budget, the next response will change that.
  return soonest == math.huge and self.interval or math.max(SHORTEST_WAIT, soonest - now)
end

-- Seconds to leave between requests from now on, so that none will have to wait: what is left of the budget
-- is spread until what was used comes back. 0 while half of it is left: so many may go at once.
function Window:pace(now, demand, shortest, caller)
  if not self.limit then return 0 end
  self:expire(now, shortest)
  local left = self:left_to(OTHER[caller], now, demand) - self.by_caller[OTHER[caller]]
  local used = self.completed + demand.in_flight.all + self.others + math.max(0, left)
  if used < self.limit / 2 then return 0 end
  local room, pace = math.max(0, self.limit - used), 0
  for number = self.first, self.last do
    local moment = self.moments[number]
    pace = math.max(pace, (moment.at + self.interval - shortest - now) / (room + 1))
    room = room + moment.count
  end
  return math.max(pace, self.interval / (room + 1))
end

---@class hubspot.associations.Limiter
local Limiter = {}
Limiter.__index = Limiter

---@param rate number|nil requests per 10 seconds, which then take precedence over the headers
---@return hubspot.associations.Limiter
function limiter.new(rate)
  local ten_secondly = new_window(10)
  ten_secondly.limit = rate
  return setmetatable({
    fixed = rate ~= nil,
    is_assigned = false, -- whether the limit of ten seconds is set by `assign`
    ten_secondly = ten_secondly,
    secondly = new_window(1),
    in_flight = setmetatable({}, { __mode = "k" }), -- tickets; weak: a caller may be collected
    waiting = setmetatable({}, { __mode = "k" }), -- waiter -> { caller, ends }
    shortest = math.huge, -- the shortest round trip seen
    paused_until = 0,
  }, Limiter)
end

-- How many of the requests in flight were sent at this time or before.
local function count_in_flight(self, sent_by)
  local count = 0
  for ticket in pairs(self.in_flight) do
    if ticket.sent <= sent_by then count = count + 1 end
  end
  return count
end

-- A little less than the shortest round trip: the two ways of one request are seldom both the shortest.
local function shortest_of(self)
  return self.shortest < math.huge and 0.9 * self.shortest or 0
end

-- The requests in flight and those that wait, by kind of caller.
local function demand_of(self, now)
  local in_flight = { all = count_in_flight(self, now), job = 0, call = 0 }
  for ticket in pairs(self.in_flight) do
    local caller = ticket.caller
    if caller then in_flight[caller] = in_flight[caller] + 1 end
  end
  local waiting = { job = 0, call = 0 }
  for _, wait in pairs(self.waiting) do
    if wait.ends > now then waiting[wait.caller] = waiting[wait.caller] + 1 end
  end
  return { in_flight = in_flight, waiting = waiting }
end

local LATE = 1 -- seconds: a waiter that has not asked again by then is no longer counted

---Sets how many requests may be sent in an interval, in place of what headers say of ten seconds.
---@param limit integer|nil nil: any number, because somebody else decides
---@param interval number seconds
function Limiter:assign(limit, interval)
  self.is_assigned = true
  self.ten_secondly.limit, self.ten_secondly.interval = limit, interval
end

---Seconds until the next request may be sent; 0 when it may be sent now.
---@param now number seconds
---@param caller hubspot.associations.Caller|nil nil: no share is left to others
---@param waiter table|nil counted as waiting while the delay is not 0
---@return number
function Limiter:delay(now, caller, waiter)
  local shortest, demand = shortest_of(self), demand_of(self, now)
  local delay = math.max(
    0,
    self.paused_until - now,
    self.ten_secondly:delay(now, demand, shortest, caller),
    self.secondly:delay(now, demand, shortest, caller)
  )
  if waiter then
    self.waiting[waiter] = delay > 0 and { caller = caller, ends = now + delay + LATE } or nil
  end
  return delay
end

---Seconds to leave between requests, for a caller that need not send as fast as it may. Sent as soon as
---possible, they would use up the budget of an interval, and none could be sent for the rest of it.
---@param now number
---@param caller hubspot.associations.Caller whose share of the rate limit it takes
---@return number
function Limiter:pace(now, caller)
  local shortest, demand = shortest_of(self), demand_of(self, now)
  return math.max(
    self.ten_secondly:pace(now, demand, shortest, caller), self.secondly:pace(now, demand, shortest, caller)
  )
end

---Counts a request that is sent. `completed` must follow, however the request ends.
---@param now number
---@param caller hubspot.associations.Caller|nil
---@return table ticket for `completed`
function Limiter:sent(now, caller)
  local ticket = { sent = now, caller = caller }
  self.in_flight[ticket] = true
  return ticket
end

local function learn(self, ticket, now, rate_limit)
  local ahead = count_in_flight(self, ticket.sent) -- the server has counted these, too
  if rate_limit.max and not self.is_assigned then
    local interval = rate_limit.interval or 10
    self.ten_secondly.interval = interval <= LONGEST_INTERVAL and interval > 0 and interval or 10
    self.ten_secondly:learn(rate_limit.max, rate_limit.remaining, now, self.ten_secondly.completed + ahead)
  end
  if rate_limit.secondly then
    self.secondly:learn(
      rate_limit.secondly, rate_limit.secondly_remaining, now, self.secondly.completed + ahead
    )
  end
end

-- After a 429. Where the limit is known, there is room again as soon as the first of our requests stops
-- counting; where it is not, only a pause of a whole interval is safe.
local function pause(self, now, err)
  local window = err.policyName == "SECONDLY" and self.secondly or self.ten_secondly
  if self.is_assigned and not window.limit and not err.retry_after then return end
  if err.retry_after then
    self.paused_until = math.max(self.paused_until, now + math.min(err.retry_after, LONGEST_PAUSE))
  elseif window.limit and not self.fixed and not self.is_assigned and window.completed > 0 then
    window.others = math.max(window.others, window.limit - window.completed)
    window.others_seen = now
  else
    self.paused_until = math.max(self.paused_until, now + window.interval)
  end
end

---Takes note that a request has completed.
---@param ticket table as returned by `sent`
---@param now number
---@param rate_limit hubspot.associations.RateLimit|nil from its response's headers
---@param err table|nil the error it failed with
function Limiter:completed(ticket, now, rate_limit, err)
  self.in_flight[ticket] = nil
  if rate_limit then self.shortest = math.min(self.shortest, now - ticket.sent) end
  for _, window in ipairs { self.ten_secondly, self.secondly } do
    window:expire(now, shortest_of(self))
    if not err or err.kind ~= "rate_limited" then window:add(now, ticket.caller) end
  end
  if rate_limit and not self.fixed then learn(self, ticket, now, rate_limit) end
  if err and err.kind == "rate_limited" then pause(self, now, err) end
end

return limiter
