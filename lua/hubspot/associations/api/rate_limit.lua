-- Reads the headers of a response that are about waiting: HubSpot's rate-limit headers, and Retry-After, in
-- seconds or as an HTTP date (RFC 9110); and the server's date.

local rate_limit = {}

local HEADERS = {
  max = "x-hubspot-ratelimit-max",
  remaining = "x-hubspot-ratelimit-remaining",
  interval = "x-hubspot-ratelimit-interval-milliseconds",
  daily = "x-hubspot-ratelimit-daily",
  daily_remaining = "x-hubspot-ratelimit-daily-remaining",
  secondly = "x-hubspot-ratelimit-secondly",
  secondly_remaining = "x-hubspot-ratelimit-secondly-remaining",
}

---@class hubspot.associations.RateLimit
---@field max number|nil requests per interval
---@field remaining number|nil requests left in the interval
---@field interval number|nil seconds
---@field daily number|nil requests per day
---@field daily_remaining number|nil requests left in the day
---@field secondly number|nil requests per second
---@field secondly_remaining number|nil requests left in the second

---The values of the rate-limit headers; nil when there are none.
---@param headers table<string, string> names in lower case
---@return hubspot.associations.RateLimit|nil
function rate_limit.read(headers)
  local limit
  for name, header in pairs(HEADERS) do
    local text = headers[header]
    local digits = text and text:match "^%d+$"
    if digits and #digits <= 15 then
      limit = limit or {}
      limit[name] = tonumber(digits)
    end
  end
  if limit and limit.interval then limit.interval = limit.interval / 1000 end
  return limit
end

local MONTHS = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6,
  Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}

-- Days from 1970-01-01 to a date of the Gregorian calendar.
local function days(year, month, day)
  if month <= 2 then year = year - 1 end
  local leap_days = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  local day_of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1 -- from the first of March
  return year * 365 + leap_days + day_of_year - 719468
end

-- "Sun, 06 Nov 1994 08:49:37 GMT" -> seconds since 1970, or nil
local function http_date(text)
  local day, month, year, hour, minute, second =
    text:match "^[A-Z][a-z][a-z], (%d%d) ([A-Z][a-z][a-z]) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
  if not day or not MONTHS[month] then return nil end
  return days(tonumber(year), MONTHS[month], tonumber(day)) * 86400 + hour * 3600 + minute * 60 + second
end

---When the server sent a response, by its own clock.
---@param headers table<string, string>
---@return number|nil seconds since 1970
function rate_limit.date(headers)
  return http_date(headers.date or "")
end

---How long a response asks the client to wait.
---@param headers table<string, string>
---@param now number seconds since 1970, used if the response has no Date header
---@return number|nil seconds 0 or more; nil when there is no Retry-After
function rate_limit.retry_after(headers, now)
  local value = headers["retry-after"]
  if not value then return nil end
  if value:find "^%d+$" then return tonumber(value:sub(1, 10)) end
  local at = http_date(value)
  return at and math.max(0, at - (rate_limit.date(headers) or now))
end

return rate_limit
