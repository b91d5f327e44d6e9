-- How much of the account's rate limit a run uses, by what HubSpot's responses say of the limit.

local usage = {}

local MOST_IN_FLIGHT = 100 -- requests; the largest --concurrency

---@class hubspot.associations.cli.Usage
---@field requests integer that were sent
---@field limit table what responses said last, as in the events
local Usage = {}
Usage.__index = Usage

---@return hubspot.associations.cli.Usage
function usage.new()
  return setmetatable({ requests = 0, limit = {} }, Usage)
end

-- Whether a number of requests left today is that of an earlier response: responses come in any order. One
-- that is much higher is of the next day.
local function is_old(known, left)
  return known ~= nil and left > known and left - known <= MOST_IN_FLIGHT
end

---Takes an event of the client.
---@param event hubspot.associations.Event
function Usage:note(event)
  if event.type == "request" then self.requests = self.requests + 1 end
  local limit = self.limit
  for name, value in pairs(event.rate_limit or {}) do
    if name ~= "daily_remaining" or not is_old(limit.daily_remaining, value) then limit[name] = value end
  end
end

---What was used: `share`, of all requests that the limit allowed in that time, and the numbers of the limit.
---Other programs that use the same account are not counted.
---@param elapsed number seconds
---@return table|nil nil when the responses did not say
function Usage:of(elapsed)
  local limit, share = self.limit, nil
  local interval = limit.interval or 10
  if (limit.max or 0) > 0 and interval > 0 then
    share = math.min(1, self.requests / (limit.max * math.max(1, elapsed / interval)))
  end
  if not share and not limit.daily_remaining then return nil end
  return {
    share = share and math.floor(share * 10000 + 0.5) / 10000, max = limit.max, interval = share and interval,
    daily = limit.daily, daily_remaining = limit.daily_remaining,
  }
end

return usage
