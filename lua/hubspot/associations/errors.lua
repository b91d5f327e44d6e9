-- The error table: what every failure of a call or a job looks like.
-- Never carries a token: see redact.lua for what a server might echo.

local explanation = require "hubspot.associations.explanation"
local kinds = require "hubspot.associations.error_kinds"
local printable = require "hubspot.associations.text.one_line"

local errors = {}

---@class hubspot.associations.Error
---@field kind string a key of error_kinds.lua, e.g. "rate_limited"
---@field message string what was wrong: HubSpot's own words where it has any
---@field status integer|nil the HTTP status
---@field category string|nil HubSpot's, as are subCategory, correlationId, context, errors, links, policyName
---@field subCategory any
---@field correlationId string|nil what HubSpot's support asks for
---@field context table<string, string[]>|nil
---@field errors table|nil HubSpot's details; for `invalid_input`, one error per refused input (the first 100)
---@field links table<string, string>|nil
---@field policyName string|nil which limit was reached
---@field body any of a refusal: what HubSpot sent, decoded; or the beginning of it, when it is not JSON
---@field attempts integer|nil how often the request was sent
---@field retryable boolean|nil true when the same call may succeed later
---@field retry_after number|nil seconds that HubSpot asks to wait
---@field retry_at number|nil the same as a time, in seconds since 1970
---@field index integer|nil of an input: its place in the list
---@field field string|nil of an input: what in it is at fault, e.g. "from.id"
---@field reason string|nil of a journal: "other_job", "in_use" or "damaged"; of a network failure: "proxy",
---  when the
---  proxy's URL cannot be used
---@field flaw string|nil of an id that is none: what it looks like and what to do
---@field curl_code integer|nil of a network, timeout or tls failure: libcurl's code
---@field together integer|nil how many inputs HubSpot rejected together with this error, any of which may be
---  at fault
---@field proxy_status integer|nil of a network failure: the status with which a proxy refused a tunnel
---@field proxy_code integer|nil of a network failure: libcurl's CURLproxycode for a SOCKS proxy's refusal
local Error = { __name = "hubspot.associations.error" }

local function place(err)
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
  if err.retry_at then
    parts[#parts + 1] = os.date("!not before %Y-%m-%d %H:%M:%S UTC", err.retry_at)
  end
  return #parts > 0 and " (" .. table.concat(parts, ", ") .. ")" or ""
end

---What happened, in one line, with HubSpot's reasons; what to do about it is the caller's to say.
---@param err hubspot.associations.Error
---@return string
function errors.summary(err)
  return printable(err.kind .. ": " .. place(err) .. explanation.words(err) .. details(err))
end

---One line that a person can act on.
function Error.__tostring(err)
  local kind = kinds[err.kind]
  if not kind or not kind.needs_advice then return errors.summary(err) end
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

-- Fields that are ours to set: a server's of the same name would be mistaken for them.
local OURS = {
  kind = true, index = true, field = true, attempts = true, retryable = true, retry_after = true,
  retry_at = true, renewed = true, cause = true, curl_code = true, sent = true, elapsed = true,
  body = true, together = true, again = true,
}

local LONGEST = 4096 -- bytes of a field that is kept of an error with long details

local function cut_details(err)
  err.message = err.message:sub(1, LONGEST):gsub("[\192-\255][\128-\191]*$", "") -- at no half character
  for name, value in pairs(err) do
    local is_long = type(value) == "table" or type(value) == "string" and #value > LONGEST
    if is_long and name ~= "rate_limit" then err[name] = nil end
  end
end

---Takes the details out of a long refusal, of which `body` has the beginning only: a job keeps many.
---@param err hubspot.associations.Error
function errors.shorten(err)
  if type(err.body) == "string" then cut_details(err) end
end

local function copy_of(err)
  local copy = {}
  for name, value in pairs(err) do copy[name] = value end
  return errors.new(copy)
end

---The same error for a request that went out in an attempt before.
---@param err hubspot.associations.Error
---@return hubspot.associations.Error
function errors.of_sent(err)
  if err.sent ~= false then return err end
  local copy = copy_of(err)
  copy.sent = nil
  return copy
end

local LONG = 64 * 1024 -- bytes of an answer's entry, about: a longer one is shortened

-- What is left of so many bytes after the value, about; below 0 where it is longer.
local function weigh(value, left)
  if type(value) == "string" then return left - #value end
  if type(value) ~= "table" then return left - 8 end
  left = left - 64
  for key, entry in pairs(value) do
    left = weigh(entry, weigh(key, left))
    if left < 0 then break end
  end
  return left
end

---The error of one input, of what HubSpot's answer says of it.
---@param entry table one of the answer's `errors`
---@return hubspot.associations.Error
function errors.of_hubspot(entry)
  local err = { kind = "http" }
  for name, value in pairs(entry) do
    if not OURS[name] then err[name] = value end
  end
  if type(err.message) ~= "string" then err.message = "HubSpot gave no reason" end
  if weigh(err, LONG) < 0 then cut_details(err) end
  return errors.new(err)
end

---The error of inputs that HubSpot rejected only together: any one of them may be at fault.
---@param err hubspot.associations.Error
---@param count integer how many they are
---@return hubspot.associations.Error
function errors.together(err, count)
  errors.shorten(err)
  if count < 2 then return err end
  local copy = copy_of(err)
  copy.together = count
  copy.message = ("refused together with %d others, any of which may be at fault: %s"):format(
    count - 1, err.message
  )
  return copy
end

---The one error of a call whose inputs were refused before anything was sent.
---@param refusals table[] the first of them: { kind, index, field, message }
---@param count integer how many there are
---@return hubspot.associations.Error
function errors.of_inputs(refusals, count)
  for _, refusal in ipairs(refusals) do errors.new(refusal) end
  local first = refusals[1]
  local message = first.message
  if count > 1 then message = ("%s (and %d more refused inputs: see errors)"):format(message, count - 1) end
  return errors.new {
    kind = first.kind,
    index = first.index,
    field = first.field,
    message = message,
    errors = refusals,
    count = count,
    retryable = false,
  }
end

---Returns its arguments, as `assert` does; or raises the error as text when the value is nil or false. Lua
---5.1's `assert` takes no table, and a host shows one that nobody catches as "unknown reason".
---@generic T
---@param ... T|nil|false the value, then the error; or whatever else stands behind a value
---@return T ... all the arguments
function errors.check(...)
  local value, err = ...
  if value then return ... end
  error(err == nil and "check failed, without an error" or tostring(err), 0)
end

return errors
