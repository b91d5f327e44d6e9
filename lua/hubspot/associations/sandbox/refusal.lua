-- Owns the refusals of a whole request: their statuses and HubSpot's error body.
-- Never repeats a token, and never decides when to refuse.

local refusal = {}

---@class hubspot.associations.sandbox.Refusal
---@field status integer
---@field fields table<string, any> the error body, before its correlationId
---@field headers table<string, string>|nil

local function refuse(status, category, message, more)
  local fields = { status = "error", category = category, message = message }
  for name, value in pairs(more or {}) do fields[name] = value end
  return { status = status, fields = fields }
end

---A body that cannot be read as what the endpoint takes.
---@param message string
---@param position? integer where in the body, from 1
function refusal.malformed(message, position)
  local place = position and string.format(" at column %d", position) or ""
  return refuse(400, "VALIDATION_ERROR", "Invalid input JSON" .. place .. ": " .. message)
end

---One field of one input (or of the body) is missing or of the wrong type.
---@param path string such as "inputs[3].from.id", counted from 0 as HubSpot does
---@param message string
---@param code string
function refusal.field(path, message, code)
  return refuse(400, "VALIDATION_ERROR", "Invalid input JSON: " .. message .. ": " .. path, {
    errors = { { message = message, code = code, ["in"] = path } },
  })
end

---An id that cannot be read: the batch is refused with it.
---@param path string|nil such as "inputs[3].from.id"; nil when the refusal is not to say where
---@param id string
function refusal.unreadable_id(path, id)
  if not path then
    return refuse(400, "VALIDATION_ERROR", "Some of the inputs have an id that is not valid.")
  end
  local message = "Not a valid id"
  return refuse(400, "VALIDATION_ERROR", message .. ": " .. path, {
    errors = { { message = message, code = "INVALID_ID", ["in"] = path, context = { id = { id } } } },
  })
end

function refusal.too_many_inputs(count, limit)
  return refuse(400, "VALIDATION_ERROR",
    string.format("A batch may have at most %d inputs. Received %d.", limit, count),
    { context = { maxInputs = { string.format("%d", limit) } } })
end

function refusal.object_type(name, parameter)
  return refuse(400, "VALIDATION_ERROR", "Unable to infer object type from: " .. name, {
    context = { [parameter] = { name } },
    errors = { { message = "Unknown object type", code = "INVALID_OBJECT_TYPE", ["in"] = parameter } },
  })
end

function refusal.no_token()
  return refuse(401, "INVALID_AUTHENTICATION", "Authentication credentials not found or not valid.")
end

function refusal.expired_token()
  return refuse(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call has expired.")
end

---@param scopes string[] the scopes the app lacks
function refusal.scopes(scopes)
  return refuse(403, "MISSING_SCOPES", "This app lacks scopes that this call requires.", {
    errors = { {
      message = "One or more of these scopes are required.",
      context = { requiredGranularScopes = scopes },
    } },
  })
end

function refusal.not_found(path)
  return refuse(404, "OBJECT_NOT_FOUND", "No resource at " .. path)
end

---@param allow string the methods that the resource has
function refusal.method(method, allow)
  local refused = refuse(405, "METHOD_NOT_ALLOWED", "Method not allowed: " .. method)
  refused.headers = { allow = allow }
  return refused
end

function refusal.media_type(found)
  return refuse(415, "VALIDATION_ERROR", "Content-Type must be application/json, not " .. found)
end

---@param policy "TEN_SECONDLY_ROLLING"|"SECONDLY"|"DAILY"
---@param retry_after? integer seconds; the header is left out when absent
function refusal.rate(policy, retry_after)
  return {
    status = 429,
    headers = retry_after and { ["retry-after"] = string.format("%d", retry_after) },
    fields = {
      status = "error",
      message = "You have reached your " .. policy:lower() .. " limit.",
      errorType = "RATE_LIMIT",
      policyName = policy,
      groupName = "sandbox:publicapi",
    },
  }
end

return refusal
