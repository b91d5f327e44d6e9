-- The errors of single inputs: those of HubSpot's response, and those of invalid inputs.

local errors = require "hubspot.associations.errors"
local shorten = require "hubspot.associations.text.shorten"

local input_errors = {}

-- Fields that this library sets: a field of the response with the same name must not pass for one of them.
local OURS = {
  kind = true, body = true, attempts = true, elapsed = true, rate_limit = true, retryable = true,
  retry_after = true, retry_at = true, cause = true, event_error = true,
  index = true, field = true, count = true, together = true, reason = true, flaw = true,
  value = true, property = true, sent = true, may_be_done = true, curl_code = true, proxy_status = true,
  proxy_code = true, replies = true, service = true, code = true,
}

local LONGEST_ENTRY = 64 * 1024 -- bytes, approximately: a longer entry is shortened
local LONGEST_FIELD = 4096 -- bytes of a field in a shortened entry

local function drop_details(err)
  err.message = shorten.text(err.message, LONGEST_FIELD)
  for name, value in pairs(err) do
    local is_long = type(value) == "table" or type(value) == "string" and #value > LONGEST_FIELD
    if is_long and name ~= "rate_limit" then err[name] = nil end
  end
end

---Shortens a long rejection, whose `body` has only its beginning: a job keeps many errors.
---@param err hubspot.associations.Error
function input_errors.shorten(err)
  if type(err.body) == "string" then drop_details(err) end
end

---The error of one input in HubSpot's response.
---@param entry table one of the response's `errors`
---@return hubspot.associations.Error
function input_errors.of_entry(entry)
  local err = { kind = "http" }
  for name, value in pairs(entry) do
    if not OURS[name] then err[name] = value end
  end
  if type(err.message) ~= "string" then err.message = "HubSpot gave no reason" end
  if shorten.is_longer(err, LONGEST_ENTRY) then drop_details(err) end
  return errors.new(err)
end

---The error of inputs that HubSpot rejected together: any of them may be at fault.
---@param err hubspot.associations.Error
---@param count integer how many inputs
---@return hubspot.associations.Error
function input_errors.together(err, count)
  input_errors.shorten(err)
  if count < 2 then return err end
  local copy = errors.copy(err)
  copy.together = count
  copy.message = ("rejected together with %d others, any of which may be at fault: %s"):format(
    count - 1, err.message
  )
  return copy
end

---The error of a call that was not sent because some of its inputs are invalid.
---@param invalid table[] the first of them: { kind, index, field, message }
---@param count integer how many invalid inputs there are
---@return hubspot.associations.Error
function input_errors.of_invalid(invalid, count)
  for _, err in ipairs(invalid) do errors.new(err) end
  local first = invalid[1]
  local message = first.message
  if count > 1 then message = ("%s (and %d more invalid inputs: see errors)"):format(message, count - 1) end
  return errors.new {
    kind = first.kind,
    index = first.index,
    field = first.field,
    message = message,
    errors = invalid,
    count = count,
    retryable = false,
  }
end

return input_errors
