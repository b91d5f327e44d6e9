-- The rate limit of an account: a rolling window, exact to the request, and a daily count that starts again
-- at midnight UTC. A rejected request does not count. The time is passed in.

local rate_window = {}
rate_window.__index = rate_window

local DAY = 86400

---@class hubspot.associations.sandbox.RateWindow
---@param rate { limit: integer?, interval: number, daily: integer?, retry_after: boolean? }
---@return hubspot.associations.sandbox.RateWindow
function rate_window.new(rate)
  return setmetatable({
    limit = rate.limit, interval = rate.interval, daily = rate.daily, retry_after = rate.retry_after,
    times = {}, first = 1, last = 0, day = nil, used_today = 0,
  }, rate_window)
end

local function forget_expired(self, now)
  while self.first <= self.last and now >= self.times[self.first] + self.interval do
    self.times[self.first] = nil
    self.first = self.first + 1
  end
  local day = math.floor(now / DAY)
  if day ~= self.day then
    self.day, self.used_today = day, 0
  end
end

---Counts one request, if the limits allow it.
---@param now number seconds
---@return string|nil policyName the policy that rejects it; nil when it is allowed
---@return number|nil wait seconds until a request is allowed again
function rate_window:take(now)
  forget_expired(self, now)
  if self.daily and self.used_today >= self.daily then
    return "DAILY", (self.day + 1) * DAY - now
  end
  if self.limit then
    if self.last - self.first + 1 >= self.limit then
      local policy = self.interval == 1 and "SECONDLY" or "TEN_SECONDLY_ROLLING"
      local oldest = self.times[self.first]
      return policy, oldest and oldest + self.interval - now or self.interval
    end
    self.last = self.last + 1
    self.times[self.last] = now
  end
  self.used_today = self.used_today + 1
end

---Sets the documented rate-limit headers.
---@param headers table<string, string>
function rate_window:describe(headers)
  if self.limit then
    local remaining = string.format("%d", self.limit - (self.last - self.first + 1))
    local limit = string.format("%d", self.limit)
    headers["x-hubspot-ratelimit-max"] = limit
    headers["x-hubspot-ratelimit-remaining"] = remaining
    headers["x-hubspot-ratelimit-interval-milliseconds"] = string.format("%.0f", self.interval * 1000)
    if self.interval == 1 then
      headers["x-hubspot-ratelimit-secondly"] = limit
      headers["x-hubspot-ratelimit-secondly-remaining"] = remaining
    end
  end
  if self.daily then
    headers["x-hubspot-ratelimit-daily"] = string.format("%d", self.daily)
    headers["x-hubspot-ratelimit-daily-remaining"] = string.format("%d", self.daily - self.used_today)
  end
end

return rate_window
