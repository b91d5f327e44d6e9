-- Owns the refusals of a whole request, as HubSpot was observed to word them: spec/job/observed_spec.lua has
-- the bodies. What had to be invented says so here, and in docs/sandbox.md.
-- Never repeats a token, and never decides when to refuse.

local json_position = require "hubspot.associations.sandbox.json_position"

local rejection = {}

---@class hubspot.associations.sandbox.Rejection
---@field status integer
---@field fields table<string, any>|nil the error body, before its correlationId
---@field html string|nil a body that is no JSON
---@field headers table<string, string>|nil

local VALIDATION = "VALIDATION_ERROR"

local function reject(status, category, message, more)
  local fields = { status = "error", category = category, message = message }
  for name, value in pairs(more or {}) do fields[name] = value end
  return { status = status, fields = fields }
end

-- ---- what HubSpot says of a body that it cannot read ----

local function invalid_json(body, at, rest)
  local line, column = json_position.column(body, at)
  return reject(400, VALIDATION, ("Invalid input JSON on line %d, column %d%s"):format(line, column, rest))
end

---A body that is no JSON. Invented: the words after the column.
---@param body string
---@param at integer the byte
function rejection.malformed(body, at)
  return invalid_json(body, at, ": Unexpected character")
end

---An object without all of its fields. The column is that of its end.
---@param body string
---@param path (string|integer)[]
---@param fields string[]
function rejection.required(body, path, fields)
  local _, last = json_position.find(body, path)
  local list = table.concat(fields, ", ")
  return invalid_json(body, last, (". Some required fields were not set: [%s]"):format(list))
end

local SHOWN = { string = "String", number = "number", boolean = "boolean", table = "object" }

---A value of another type than is expected. The column is that of its begin. Invented: the types' names.
---@param body string
---@param path (string|integer)[]
---@param expected string
---@param value any
function rejection.wrong_type(body, path, expected, value)
  local found = SHOWN[type(value)] or "null"
  if type(value) == "string" then found = ('String "%s"'):format(value) end
  return invalid_json(body, (json_position.find(body, path)),
    (": Cannot deserialize value of type `%s` from %s"):format(expected, found))
end

function rejection.no_body()
  return reject(400, VALIDATION, "Invalid JSON input: a request body was expected, but none found")
end

function rejection.no_inputs()
  return reject(400, VALIDATION, "Batch input provided should have at least one object.")
end

function rejection.too_many_inputs(limit)
  return reject(400, VALIDATION, ("The maximum number of inputs supported in a batch is %d. "
    .. "Please reduce the number of items and try again"):format(limit))
end

-- ---- what it says of records and types ----

local INVALID = "One or more associations are invalid"

---A record that is not valid.
---@param object_type string its singular name
---@param id string
function rejection.invalid_object(object_type, id)
  local name = object_type:upper()
  return reject(400, VALIDATION, INVALID, { context = {
    INVALID_OBJECT_IDS = { ("%s=%s is not valid"):format(name, id) },
    objectId = { id },
    objectType = { name },
  } })
end

---Types that do not exist.
---@param list { category: string, type_id: integer }[]
function rejection.invalid_types(list)
  local specs, texts = {}, {}
  for i, entry in ipairs(list) do
    specs[i] = ("%s=%d"):format(entry.category, entry.type_id)
    texts[i] = specs[i] .. " is not a valid association definition id"
  end
  return reject(400, VALIDATION, INVALID, {
    context = { associationSpec = specs, INVALID_ASSOCIATION_TYPE_ID = texts },
  })
end

---A type whose object type on a side is another one than the path's. Invented: the words for the to side.
---@param side "from"|"to"
---@param given string object type id
---@param expected string object type id
---@param definition string
function rejection.wrong_direction(side, given, expected, definition)
  return reject(400, VALIDATION,
    ("invalid %s object type %s for associations to be created. expected: %s. For definition %s"):format(
      side, given, expected, definition))
end

---For bad data of some input, of which it says nothing.
---@param status integer 400 or 500
function rejection.internal(status)
  return reject(status, nil, "internal error")
end

---Invented: the message.
function rejection.conflict()
  return reject(409, "CONFLICT", "The request conflicts with the state of a record")
end

-- ---- what it says of paths, tokens, scopes and limits ----

function rejection.object_type(name)
  return reject(400, nil, "Unable to infer object type from: " .. name)
end

function rejection.no_token()
  return reject(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
end

function rejection.expired_token()
  return reject(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call has expired.")
end

---@param scopes string[] the scopes the app lacks
function rejection.scopes(scopes)
  local message = "This app hasn't been granted all required scopes to make this call."
  return reject(403, "MISSING_SCOPES", message, {
    errors = { {
      message = "One or more of the following scopes are required.",
      context = { requiredGranularScopes = scopes },
    } },
    links = { scopes = "https://sandbox.invalid/scopes" },
  })
end

local function page(status, title, headers)
  return {
    status = status, headers = headers,
    html = ("<html><head><title>%d %s</title></head><body><h1>%d %s</h1></body></html>"):format(
      status, title, status, title),
  }
end

function rejection.not_found()
  return page(404, "Not Found")
end

---Invented: that its body is HTML.
---@param allow string the methods that the resource has
function rejection.method(allow)
  return page(405, "Method Not Allowed", { allow = allow })
end

---Invented.
function rejection.media_type(found)
  return reject(415, VALIDATION, "Content-Type must be application/json, not " .. found)
end

local GROUPS = { TEN_SECONDLY_ROLLING = "ten-secondly", SECONDLY = "secondly", DAILY = "daily" }

---@param policy "TEN_SECONDLY_ROLLING"|"SECONDLY"|"DAILY"
---@param retry_after? integer seconds; the header is left out when absent, as HubSpot mostly does
function rejection.rate(policy, retry_after)
  return {
    status = 429,
    headers = retry_after and { ["retry-after"] = string.format("%d", retry_after) },
    fields = {
      status = "error",
      message = "You have reached your " .. policy:lower() .. " limit.",
      errorType = "RATE_LIMIT",
      policyName = policy,
      groupName = ("publicapi:private_app-api-calls-%s:sandbox"):format(GROUPS[policy]),
    },
  }
end

return rejection
