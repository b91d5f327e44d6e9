-- The error: a table that every failure of a call or a job is given as, and its one line for people.
-- Never holds a token: text/redact.lua takes them out of what a server sends.

local explanation = require "hubspot.associations.explanation"
local kinds = require "hubspot.associations.error_kinds"
local one_line = require "hubspot.associations.text.one_line"

local errors = {}

---@class hubspot.associations.Error
---@field kind string which of the kinds it is
---@field message string what was wrong; in HubSpot's own words where it has any
---@field status integer|nil the HTTP status
---@field category string|nil HubSpot's own, where it sends it; so are the next eight
---@field subCategory any
---@field correlationId string|nil HubSpot's support asks for it
---@field context table<string, string[]>|nil
---@field errors table|nil HubSpot's details; of `invalid_input` from a call with inputs: the errors of the
---  first 100 invalid inputs
---@field links table<string, string>|nil
---@field policyName string|nil which limit was reached
---@field groupName string|nil
---@field errorType string|nil
---@field body any of a rejection: all that HubSpot sent, decoded; the beginning of it when it is not JSON,
---  or above 64 KiB
---@field attempts integer|nil how often the request was sent
---@field elapsed number|nil seconds that a call took
---@field rate_limit hubspot.associations.RateLimit|nil what the response headers say of the rate limit
---@field retryable boolean|nil true when the same request may succeed later
---@field retry_after number|nil seconds that HubSpot asks to wait
---@field retry_at number|nil the same as a time, in seconds since 1970
---@field index integer|nil of an input: its position in the list or the source
---@field field string|nil of an input: what in it is at fault, such as `"from.id"`
---@field flaw string|nil of an invalid id: what it looks like and what to do; the same text for each id
---  with that flaw
---@field count integer|nil of `invalid_input` from a call with inputs: how many inputs are invalid
---@field together integer|nil of an input that was rejected only with others: how many they are; any of
---  them may be at fault
---@field reason string|nil of `journal`: `"other_job"`, `"other_file"`, `"in_use"` or `"damaged"`; of
---  `http`: `"object_type"` when HubSpot does not know one of the path; of `network`: `"proxy"` when the URL
---  of the proxy cannot be used
---@field value string|nil of a look-up: the value by which an input names a record
---@field property string|nil of a look-up: the property of that value
---@field may_be_done boolean|nil of a link: true when HubSpot may have done it although no response
---  says so
---@field sent boolean|nil of `network`, `timeout`, `tls` and `closed`: false when nothing of the request
---  was sent, in any attempt, or the server says that it processed nothing of it (HTTP/2's REFUSED_STREAM
---  and GOAWAY)
---@field curl_code integer|nil of `network`, `timeout` and `tls`: libcurl's code
---@field proxy_status integer|nil of `network`: the status with which a proxy refused the connection
---@field proxy_code integer|nil of `network`: why a SOCKS proxy refused the connection, as libcurl's
---  `CURLproxycode`
---@field service string|nil "Redis" where the failure is not HubSpot's
---@field code string|nil of `redis`: the first word of Redis's error, e.g. `"OOM"`
---@field replies any[]|nil of a pipeline to Redis whose connection ended: the replies that had come
---@field cause hubspot.associations.Error|nil of `token`: the 401 after which the token function was asked
---  for another token and gave none
---@field event_error any what `on_event` raised
local Error = { __name = "hubspot.associations.error" }

local function position(err)
  local parts = {}
  if err.index then parts[#parts + 1] = "input " .. err.index end
  if err.field then parts[#parts + 1] = err.field end
  return #parts > 0 and table.concat(parts, ", ") .. ": " or ""
end

local function details(err)
  local parts = {}
  if type(err.status) == "number" then parts[#parts + 1] = ("HTTP %.0f"):format(err.status) end
  for _, name in ipairs { "category", "policyName" } do
    if type(err[name]) == "string" then parts[#parts + 1] = err[name] end
  end
  if type(err.correlationId) == "string" then
    parts[#parts + 1] = "correlationId " .. err.correlationId
  end
  if (err.attempts or 1) > 1 then parts[#parts + 1] = err.attempts .. " attempts" end
  if err.may_be_done then
    -- What a program of a fleet does on Redis, it may do again.
    parts[#parts + 1] = err.service and err.service .. " may have done it"
      or "HubSpot may have done it: look before you repeat it"
  end
  if err.retry_at then
    parts[#parts + 1] = os.date("!not before %Y-%m-%d %H:%M:%S UTC", err.retry_at)
  end
  return #parts > 0 and " (" .. table.concat(parts, ", ") .. ")" or ""
end

---What happened, in one line, with HubSpot's reasons, without advice.
---@param err hubspot.associations.Error
---@return string
function errors.summary(err)
  return one_line(err.kind .. ": " .. position(err) .. explanation.words(err) .. details(err))
end

local function has_any(err, fields)
  for _, field in ipairs(fields or {}) do
    if err[field] ~= nil then return true end
  end
  return false
end

---One line that a person can act on.
function Error.__tostring(err)
  local kind = kinds[err.kind]
  if not kind or not kind.needs_advice or has_any(err, kind.advised_without) then
    return errors.summary(err)
  end
  return errors.summary(err) .. "; " .. kind.advice:gsub("`", "")
end

function Error.__concat(left, right)
  return tostring(left) .. tostring(right)
end

---Makes an error of a table of its fields, in place.
---@param fields table with at least `kind` and `message`
---@return hubspot.associations.Error
function errors.new(fields)
  return setmetatable(fields, Error)
end

---@param value any
---@return boolean
function errors.is(value)
  return getmetatable(value) == Error
end

---A copy, of which fields can be changed. The fields' own values are shared.
---@param err hubspot.associations.Error
---@return hubspot.associations.Error
function errors.copy(err)
  local copy = {}
  for name, value in pairs(err) do copy[name] = value end
  return errors.new(copy)
end

---The same error for a request of which an earlier attempt was sent.
---@param err hubspot.associations.Error
---@return hubspot.associations.Error
function errors.of_sent(err)
  if err.sent ~= false then return err end
  local copy = errors.copy(err)
  copy.sent = nil
  return copy
end

---Returns its arguments, as `assert` does; or raises the error as a string when the value is nil or false.
---Lua 5.1's `assert` takes no table, and nginx shows an uncaught table as "unknown reason".
---@generic T
---@param ... T|nil|false the value, then the error; or more values
---@return T ... all arguments
function errors.check(...)
  local value, err = ...
  if value then return ... end
  error(err == nil and "check failed, without an error" or tostring(err), 0)
end

return errors
