-- The request budget that all calls of a client share: never more requests in an interval than the
-- account allows, as its rate-limit headers tell, or as the caller knows.
-- Pure: the clock comes in. Counts requests; knows nothing of what is in them.
--
-- A request counts from when it is sent until an interval after its answer came, which covers the time
-- it counts at the server, whose clock ran somewhere in between.

local limiter = {}

local MOST = 10000 -- a limit beyond it is none that a client could reach

-- What one policy allows: `limit` requests in any `interval` seconds.
local Window = {}
Window.__index = Window

local function new_window(interval)
  return setmetatable({
    limit = nil, -- unknown: no limit
    interval = interval,
    ends = {}, -- when each answered request stops counting, in order
    first = 1,
    last = 0,
    others = 0, -- requests of other programs on the same account
    others_end = 0,
  }, Window)
end

function Window:expire(now)
  while self.first <= self.last and self.ends[self.first] <= now do
    self.ends[self.first] = nil
    self.first = self.first + 1
  end
  if self.others_end <= now then self.others = 0 end
end

-- An answer came: also while the limit is unknown, since the next one may tell it.
function Window:answered(now)
  self:expire(now)
  self.last = self.last + 1
  self.ends[self.last] = now + self.interval
end

-- Learns from an answer's headers; `flying` requests of ours may or may not be in its count yet.
function Window:learn(limit, remaining, now, flying)
  if limit > MOST then return end
  self.limit = limit
  if not remaining then return end
  local ours = self.last - self.first + 1 + flying
  self.others = math.max(0, limit - remaining - ours)
  self.others_end = now + self.interval
end

-- Seconds until one more may be sent.
function Window:delay(now, flying)
  if not self.limit then return 0 end
  self:expire(now)
  local answered = self.last - self.first + 1
  if answered + flying + self.others < self.limit then return 0 end
  local soonest = answered > 0 and self.ends[self.first] or math.huge
  if self.others > 0 then soonest = math.min(soonest, self.others_end) end
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
    flying = 0,
    paused_until = 0,
  }, Limiter)
end

---Seconds until the next request may be sent; 0 when it may be sent now.
---@param now number seconds
---@return number
function Limiter:delay(now)
  return math.max(
    0,
    self.paused_until - now,
    self.ten_secondly:delay(now, self.flying),
    self.secondly:delay(now, self.flying)
  )
end

---Tells that a request is sent. Each needs its `answered`, whatever comes of it.
function Limiter:sent()
  self.flying = self.flying + 1
end

---Tells that a request has ended.
---@param now number
---@param rate_limit hubspot.associations.RateLimit|nil what its answer said
---@param err table|nil what it failed with
function Limiter:answered(now, rate_limit, err)
  self.flying = self.flying - 1
  self.ten_secondly:answered(now)
  self.secondly:answered(now)
  if rate_limit and not self.fixed then
    if rate_limit.max then
      self.ten_secondly.interval = rate_limit.interval or 10
      self.ten_secondly:learn(rate_limit.max, rate_limit.remaining, now, self.flying)
    end
    if rate_limit.secondly then
      self.secondly:learn(rate_limit.secondly, rate_limit.secondly_remaining, now, self.flying)
    end
  end
  if err and err.kind == "rate_limited" then
    local interval = err.policyName == "SECONDLY" and 1 or self.ten_secondly.interval
    self.paused_until = math.max(self.paused_until, now + (err.retry_after or interval))
  end
end

return limiter
