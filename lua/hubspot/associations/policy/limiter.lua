-- The request budget that all calls of a client share: never more requests in an interval than the
-- account allows, as its rate-limit headers tell, or as the caller knows.
-- Pure: the clock comes in. Counts requests; knows nothing of what is in them.
--
-- When a request stops counting at the server is not known exactly: an interval after it arrived there, which
-- was between when it was sent and when its answer came. The next one takes its time to arrive, too. What is
-- safe is an interval after the answer, less the shortest round trip seen: the time both spend under way at
-- least.

--
-- A job sends as fast as it may, and what is sent counts for a whole interval: a single call beside it would
-- wait for that long. So each of the two kinds of caller leaves a share to the other: half as much again as
-- that used lately, and half the limit at most. A job always leaves a little.

local limiter = {}

---@alias hubspot.associations.Caller "job"|"call"

local OTHER = { job = "call", call = "job" }

local LATELY = { job = 2, call = 10 } -- intervals
local MARGIN = 1.5 -- what is left to the other, of the most that it used lately
local LEAST_SHARE, USUAL_SHARE = 0.01, 0.1 -- of the limit, left to calls: always; when there were any lately

local MOST = 10000 -- a limit beyond it is none that a client could reach
local SOONEST = 0.001 -- seconds: to wait where there is no room, however the sums are rounded
local LONGEST = 60 -- seconds: an interval beyond it is none of the service's
local LONGEST_PAUSE = 24 * 3600 -- seconds: a limit of the service's is over by then

-- What one policy allows: `limit` requests in any `interval` seconds.
local Window = {}
Window.__index = Window

-- Requests answered within a hundredth of the interval count as one moment, the last of them: so that the
-- memory does not grow with the rate.
local MOMENTS = 100

local function new_window(interval)
  return setmetatable({
    limit = nil, -- unknown: no limit
    interval = interval,
    moments = {}, -- { began, at, count } of answers that may still count, in order
    first = 1,
    last = 0,
    answered = 0, -- their counts together
    of = { job = 0, call = 0 }, -- of these, by kind of caller
    most = { job = 0, call = 0 }, -- in an interval, lately
    most_seen = { job = -math.huge, call = -math.huge },
    others = 0, -- requests of other programs on the same account
    others_seen = -math.huge,
  }, Window)
end

function Window:expire(now, shortest)
  local oldest = now - self.interval + shortest
  while self.first <= self.last and self.moments[self.first].at <= oldest do
    local moment = self.moments[self.first]
    self.answered = self.answered - moment.count
    for caller, count in pairs(self.of) do self.of[caller] = count - (moment[caller] or 0) end
    self.moments[self.first] = nil
    self.first = self.first + 1
  end
  if self.others_seen + self.interval <= now then self.others = 0 end
end

-- An answer came: also while the limit is unknown, since the next one may tell it.
function Window:add(now, caller)
  local moment = self.moments[self.last]
  if not moment or now - moment.began > self.interval / MOMENTS then
    moment = { began = now, count = 0 }
    self.last = self.last + 1
    self.moments[self.last] = moment
  end
  moment.at, moment.count = now, moment.count + 1
  self.answered = self.answered + 1
  if not caller then return end
  moment[caller] = (moment[caller] or 0) + 1
  self.of[caller] = self.of[caller] + 1
  if self.of[caller] >= self:most_lately(caller, now) then
    self.most[caller], self.most_seen[caller] = self.of[caller], now
  end
end

-- The most requests of a kind of caller in an interval, of the last intervals; 0 when there were none.
function Window:most_lately(caller, now)
  return now - self.most_seen[caller] <= LATELY[caller] * self.interval and self.most[caller] or 0
end

-- Learns from an answer's headers: what counts and is not ours is others'.
function Window:learn(limit, remaining, now, ours)
  if limit < 1 or limit > MOST then return end
  self.limit = limit
  if not remaining then return end
  self.others = math.max(0, limit - remaining - ours)
  self.others_seen = now
end

-- How many requests are left to the other kind of caller.
function Window:left_to(other, now, demand)
  local share = self.of[other] + demand.flying[other] + demand.waiting[other]
  local usual = self:most_lately(other, now)
  if other == "call" then share = math.max(share, self.limit * (usual > 0 and USUAL_SHARE or LEAST_SHARE)) end
  return math.floor(math.min(math.max(share, usual * MARGIN), self.limit / 2))
end

-- Whether one more may be sent, by this kind of caller.
function Window:has_room(now, demand, caller)
  local ours = self.limit - self.others
  if self.answered + demand.flying.all >= ours then return false end
  if not caller then return true end
  return self.of[caller] + demand.flying[caller] < ours - self:left_to(OTHER[caller], now, demand)
end

-- Seconds until one more may be sent.
function Window:delay(now, demand, shortest, caller)
  if not self.limit then return 0 end
  self:expire(now, shortest)
  if self:has_room(now, demand, caller) then return 0 end
  local soonest = math.huge
  if self.answered > 0 then soonest = self.moments[self.first].at + self.interval - shortest end
  if self.others > 0 then soonest = math.min(soonest, self.others_seen + self.interval) end
  -- Only requests under way fill it: the next answer will tell more.
  return soonest == math.huge and self.interval or math.max(SOONEST, soonest - now)
end

---@class hubspot.associations.Limiter
local Limiter = {}
Limiter.__index = Limiter

---@param rate number|nil requests per 10 seconds, when the caller knows better than the headers
---@return hubspot.associations.Limiter
function limiter.new(rate)
  local ten_secondly = new_window(10)
  ten_secondly.limit = rate
  return setmetatable({
    fixed = rate ~= nil,
    ten_secondly = ten_secondly,
    secondly = new_window(1),
    flying = setmetatable({}, { __mode = "k" }), -- tickets; one whose caller is gone goes with it
    waiting = setmetatable({}, { __mode = "k" }), -- who waits -> { caller, until when to count it }
    shortest = math.huge, -- round trip
    paused_until = 0,
  }, Limiter)
end

-- Requests under way that were sent by then.
local function flying(self, sent_by)
  local count = 0
  for ticket in pairs(self.flying) do
    if ticket.sent <= sent_by then count = count + 1 end
  end
  return count
end

-- A little less than the shortest round trip, whose two halves are seldom both the shortest.
local function shortest_of(self)
  return self.shortest < math.huge and 0.9 * self.shortest or 0
end

-- What is under way and what waits, by kind of caller.
local function demand_of(self, now)
  local under_way = { all = flying(self, now), job = 0, call = 0 }
  for ticket in pairs(self.flying) do
    if ticket.caller then under_way[ticket.caller] = under_way[ticket.caller] + 1 end
  end
  local waiting = { job = 0, call = 0 }
  for _, wait in pairs(self.waiting) do
    if wait.ends > now then waiting[wait.caller] = waiting[wait.caller] + 1 end
  end
  return { flying = under_way, waiting = waiting }
end

local LATE = 1 -- seconds: who does not ask again by then waits no more

---Seconds until the next request may be sent; 0 when it may be sent now.
---@param now number seconds
---@param caller hubspot.associations.Caller|nil nil: whatever shares are left to others
---@param who table|nil who asks, and waits when it may not
---@return number
function Limiter:delay(now, caller, who)
  local shortest, demand = shortest_of(self), demand_of(self, now)
  local delay = math.max(
    0,
    self.paused_until - now,
    self.ten_secondly:delay(now, demand, shortest, caller),
    self.secondly:delay(now, demand, shortest, caller)
  )
  if who then self.waiting[who] = delay > 0 and { caller = caller, ends = now + delay + LATE } or nil end
  return delay
end

---Tells that a request is sent. Each needs its `answered`, whatever comes of it.
---@param now number
---@param caller hubspot.associations.Caller|nil
---@return table ticket for `answered`
function Limiter:sent(now, caller)
  local ticket = { sent = now, caller = caller }
  self.flying[ticket] = true
  return ticket
end


local function learn(self, ticket, now, rate_limit)
  local ahead = flying(self, ticket.sent) -- the server has counted them, too
  if rate_limit.max then
    local interval = rate_limit.interval or 10
    self.ten_secondly.interval = interval <= LONGEST and interval > 0 and interval or 10
    self.ten_secondly:learn(rate_limit.max, rate_limit.remaining, now, self.ten_secondly.answered + ahead)
  end
  if rate_limit.secondly then
    self.secondly:learn(
      rate_limit.secondly, rate_limit.secondly_remaining, now, self.secondly.answered + ahead
    )
  end
end

-- The account's limit is reached. Where it is known, requests of ours that stop counting make room again.
local function pause(self, now, err)
  local window = err.policyName == "SECONDLY" and self.secondly or self.ten_secondly
  if err.retry_after then
    self.paused_until = math.max(self.paused_until, now + math.min(err.retry_after, LONGEST_PAUSE))
  elseif window.limit and not self.fixed and window.answered > 0 then
    window.others = math.max(window.others, window.limit - window.answered)
    window.others_seen = now
  else
    self.paused_until = math.max(self.paused_until, now + window.interval)
  end
end

---Tells that a request has ended.
---@param ticket table what `sent` gave
---@param now number
---@param rate_limit hubspot.associations.RateLimit|nil what its answer said
---@param err table|nil what it failed with
function Limiter:answered(ticket, now, rate_limit, err)
  self.flying[ticket] = nil
  if rate_limit then self.shortest = math.min(self.shortest, now - ticket.sent) end
  for _, window in ipairs { self.ten_secondly, self.secondly } do
    window:expire(now, shortest_of(self))
    if not err or err.kind ~= "rate_limited" then window:add(now, ticket.caller) end
  end
  if rate_limit and not self.fixed then learn(self, ticket, now, rate_limit) end
  if err and err.kind == "rate_limited" then pause(self, now, err) end
end

return limiter
