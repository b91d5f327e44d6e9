-- An HTTP response -> HubSpot's answer: a batch, or the error that refuses it.
-- Does no I/O; every field may be missing, null, or of another type than documented.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local redact = require "hubspot.associations.text.redact"
local retry_after = require "hubspot.associations.api.retry_after"

local answer = {}

local SNIPPET = 200 -- bytes of a body that is no JSON, in a message
local KEPT = 4096 -- bytes of it, in the error's `body`
local LONG = 64 * 1024 -- bytes: of a longer refusal, `body` has the beginning only
local LONGEST_REFUSAL = 2 * 1024 * 1024 -- bytes: a longer one is taken for no JSON

local KIND_OF_STATUS = {
  [401] = "unauthorized",
  [403] = "forbidden",
  [404] = "not_found",
  [429] = "rate_limited",
}

-- HubSpot's fields of a refusal, which an error keeps under their own names.
local KEPT_FIELDS = {
  "category", "subCategory", "correlationId", "context", "errors", "links",
  "policyName", "groupName", "errorType",
}

local RATE_LIMIT_HEADERS = {
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
---@field remaining number|nil of those
---@field interval number|nil seconds
---@field daily number|nil requests per day
---@field daily_remaining number|nil
---@field secondly number|nil requests per second
---@field secondly_remaining number|nil

---What the rate-limit headers say; nil when there are none.
---@param headers table<string, string> names in lower case
---@return hubspot.associations.RateLimit|nil
function answer.rate_limit(headers)
  local limit
  for name, header in pairs(RATE_LIMIT_HEADERS) do
    local digits = (headers[header] or ""):match "^%d+$"
    if digits and #digits <= 15 then
      limit = limit or {}
      limit[name] = tonumber(digits)
    end
  end
  if limit and limit.interval then limit.interval = limit.interval / 1000 end
  return limit
end

---@param response table
---@return string|nil
function answer.correlation_id(response)
  local id = response.headers["x-hubspot-correlation-id"]
  return id and redact.text(id, response.secrets)
end

-- The body without the secrets, decoded or as it is.
local function decode(response)
  local secrets = response.secrets or {}
  return core.decode(response.body, secrets[1], secrets[2])
end

local function text_of(response)
  return redact.text(response.body, response.secrets)
end

local function snippet(body)
  local text = body:sub(1, SNIPPET):gsub("[ \t-\r]+", " ")
  return text:find "[^ \t-\r]" and text or "an empty body"
end

local function kind_of(status, refusal)
  if status == 429 and refusal.policyName == "DAILY" then return "daily_limit" end
  if status >= 300 and status < 400 then return "redirect" end
  return KIND_OF_STATUS[status] or "http"
end

-- The server's own words, wherever it put them.
local function message_of(status, refusal, body)
  if type(refusal.message) == "string" and refusal.message ~= "" then return refusal.message end
  return ("HubSpot answered %d: %s"):format(status, snippet(body))
end

local function refused(response, now)
  local decoded = #response.body <= LONGEST_REFUSAL and decode(response) or nil
  local refusal, text = decoded or {}, text_of(response)
  local err = errors.new {
    kind = kind_of(response.status, refusal),
    message = message_of(response.status, refusal, text),
    status = response.status,
    body = #response.body <= LONG and decoded or text:sub(1, KEPT),
  }
  for _, name in ipairs(KEPT_FIELDS) do err[name] = refusal[name] end
  err.correlationId = err.correlationId or answer.correlation_id(response)
  err.retry_after = retry_after(response.headers, now)
  err.retry_at = err.retry_after and now + err.retry_after
  return nil, err
end

local function meaningless(response, why)
  local text = text_of(response)
  return nil, errors.new {
    kind = "decode",
    message = ("HubSpot answered %d, but %s: %s"):format(response.status, why, snippet(text)),
    status = response.status,
    correlationId = answer.correlation_id(response),
    body = text:sub(1, KEPT),
  }
end

-- Absent, or a list. (An object has a first key that is no number.)
local function is_list(value)
  if value == nil then return true end
  return type(value) == "table" and (next(value) == nil or #value > 0)
end

---@class hubspot.associations.BatchResponse HubSpot's response, with its own field names
---@field status string "COMPLETE", "PENDING", "PROCESSING", "CANCELED"
---@field results table[] what was created: { fromObjectTypeId, fromObjectId, toObjectTypeId, toObjectId,
---  labels }
---@field errors table[]|nil what was not: { status, category, message, context, … }
---@field numErrors integer|nil
---@field startedAt string
---@field completedAt string
---@field requestedAt string|nil
---@field links table<string, string>|nil

---Any 2xx that decodes to a batch is one; all else is an error.
---@param response table what the transport gave: { status, headers, body, … }, and `secrets`, the tokens that
---  must not show
---@param now number seconds since 1970
---@return hubspot.associations.BatchResponse|nil
---@return hubspot.associations.Error|nil
function answer.read(response, now)
  if response.status < 200 or response.status > 299 then return refused(response, now) end
  local batch, reason = decode(response)
  if not batch then return meaningless(response, "its body is not the JSON of a batch (" .. reason .. ")") end
  if batch.results == nil and batch.errors == nil then
    return meaningless(response, "its body has neither results nor errors")
  end
  if not is_list(batch.results) or not is_list(batch.errors) then
    return meaningless(response, "its results or errors are no list")
  end
  return batch
end

return answer
