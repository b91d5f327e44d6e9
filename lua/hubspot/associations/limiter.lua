-- The request budget that all calls of a client share: never more requests in an interval than the
-- account allows, as its rate-limit headers tell, or as the caller knows.
-- Pure: the clock comes in. Counts requests; knows nothing of what is in them.
--
-- When a request stops counting at the server is not known exactly: an interval after it arrived there, which
-- was between when it was sent and when its answer came. The next one takes its time to arrive, too. What is
-- safe is an interval after the answer, less the shortest round trip seen: the time both spend under way at
-- least.

local limiter = {}

local MOST = 10000 -- a limit beyond it is none that a client could reach
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
    others = 0, -- requests of other programs on the same account
    others_seen = -math.huge,
  }, Window)
end

function Window:expire(now, shortest)
  local oldest = now - self.interval + shortest
  while self.first <= self.last and self.moments[self.first].at <= oldest do
    self.answered = self.answered - self.moments[self.first].count
    self.moments[self.first] = nil
    self.first = self.first + 1
  end
  if self.others_seen + self.interval <= now then self.others = 0 end
end

-- An answer came: also while the limit is unknown, since the next one may tell it.
function Window:add(now)
  local moment = self.moments[self.last]
  if not moment or now - moment.began > self.interval / MOMENTS then
    moment = { began = now, count = 0 }
    self.last = self.last + 1
    self.moments[self.last] = moment
  end
  moment.at, moment.count = now, moment.count + 1
  self.answered = self.answered + 1
end

-- Learns from an answer's headers: what counts and is not ours is others'.
function Window:learn(limit, remaining, now, ours)
  if limit < 1 or limit > MOST then return end
  self.limit = limit
  if not remaining then return end
  self.others = math.max(0, limit - remaining - ours)
  self.others_seen = now
end

-- Seconds until one more may be sent.
function Window:delay(now, flying, shortest)
  if not self.limit then return 0 end
  self:expire(now, shortest)
  if self.answered + flying + self.others < self.limit then return 0 end
  local soonest = math.huge
  if self.answered > 0 then soonest = self.moments[self.first].at + self.interval - shortest end
  if self.others > 0 then soonest = math.min(soonest, self.others_seen + self.interval) end
  -- Only requests under way fill it: the next answer will tell more.
  return soonest == math.huge and self.interval or soonest - now
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

---Seconds until the next request may be sent; 0 when it may be sent now.
---@param now number seconds
---@return number
function Limiter:delay(now)
  local shortest, under_way = shortest_of(self), flying(self, now)
  return math.max(
    0,
    self.paused_until - now,
    self.ten_secondly:delay(now, under_way, shortest),
    self.secondly:delay(now, under_way, shortest)
  )
end

---Tells that a request is sent. Each needs its `answered`, whatever comes of it.
---@param now number
---@return table ticket for `answered`
function Limiter:sent(now)
  local ticket = { sent = now }
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
    if not err or err.kind ~= "rate_limited" then window:add(now) end
  end
  if rate_limit and not self.fixed then learn(self, ticket, now, rate_limit) end
  if err and err.kind == "rate_limited" then pause(self, now, err) end
end

return limiter
