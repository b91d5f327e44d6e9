-- The error: a table that every failure of a call or a job is given as, and its one line for people.
-- Never holds a token: text/redact.lua takes them out of what a server sends.

local explanation = require "hubspot.associations.explanation"
local kinds = require "hubspot.associations.error_kinds"
local one_line = require "hubspot.associations.text.one_line"

local errors = {}

---@class hubspot.associations.Error
---@field kind string a key of error_kinds.lua, e.g. "rate_limited"
---@field message string what was wrong: in HubSpot's own words where it has any
---@field status integer|nil the HTTP status
---@field category string|nil HubSpot's own, as are the next eight fields
---@field subCategory any
---@field correlationId string|nil what HubSpot's support asks for
---@field context table<string, string[]>|nil
---@field errors table|nil HubSpot's details; of `invalid_input`, the errors of the first 100 invalid inputs
---@field links table<string, string>|nil
---@field policyName string|nil which limit was reached
---@field groupName string|nil
---@field errorType string|nil
---@field body any of a rejection: what HubSpot sent, decoded; if it is long or no JSON, the beginning of it
---@field attempts integer|nil how often the request was sent
---@field elapsed number|nil seconds that the call took
---@field rate_limit hubspot.associations.RateLimit|nil what the response headers said
---@field retryable boolean|nil whether the same call may succeed later
---@field retry_after number|nil seconds that HubSpot asks to wait
---@field retry_at number|nil the same as a time, in seconds since 1970
---@field index integer|nil of an input: its position in the list
---@field field string|nil of an input: what in it is at fault, e.g. "from.id"
---@field flaw string|nil of an invalid id: what it looks like and what to do
---@field count integer|nil of `invalid_input` from `create`: how many inputs are invalid
---@field together integer|nil how many inputs HubSpot rejected with this one error; any may be at fault
---@field reason string|nil of a journal: "other_job", "in_use" or "damaged"; of a network failure: "proxy",
---  when the proxy's URL cannot be used
---@field value string|nil of a look-up: the value by which an input names a record
---@field property string|nil of a look-up: the property of that value
---@field sent boolean|nil false when nothing of the request was sent, in any attempt, or the server says that
---  it processed nothing of it
---@field curl_code integer|nil of a network, timeout or tls failure: libcurl's code
---@field proxy_status integer|nil of a network failure: the status with which a proxy refused a tunnel
---@field proxy_code integer|nil of a network failure: libcurl's CURLproxycode for a SOCKS proxy's refusal
---@field cause hubspot.associations.Error|nil of a token that could not be renewed: the 401 before
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
  if err.may_be_done then parts[#parts + 1] = "HubSpot may have done it: look before you repeat it" end
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
