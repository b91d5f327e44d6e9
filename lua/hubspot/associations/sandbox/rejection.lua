-- The rejections of a whole request, in the words that HubSpot was observed to use:
-- spec/job/observed_spec.lua has the bodies. What had to be invented is marked here, and listed in
-- docs/sandbox.md.
-- No rejection repeats a token.

local json_position = require "hubspot.associations.sandbox.json_position"

local rejection = {}

---@class hubspot.associations.sandbox.Rejection
---@field status integer
---@field fields table<string, any>|nil the error body, without its correlationId
---@field html string|nil the body when it is no JSON
---@field headers table<string, string>|nil

local VALIDATION = "VALIDATION_ERROR"

local function reject(status, category, message, more)
  local fields = { status = "error", category = category, message = message }
  for name, value in pairs(more or {}) do fields[name] = value end
  return { status = status, fields = fields }
end

-- ---- bodies that cannot be read ----

local function invalid_json(body, at, rest)
  local line, column = json_position.column(body, at)
  return reject(400, VALIDATION, ("Invalid input JSON on line %d, column %d%s"):format(line, column, rest))
end

---A body that is no JSON. The words after the column are invented.
---@param body string
---@param at integer the byte
function rejection.malformed(body, at)
  return invalid_json(body, at, ": Unexpected character")
end

---An object that lacks fields. The column is that of its end.
---@param body string
---@param path (string|integer)[]
---@param fields string[]
function rejection.required(body, path, fields)
  local _, last = json_position.find(body, path)
  local list = table.concat(fields, ", ")
  return invalid_json(body, last, (". Some required fields were not set: [%s]"):format(list))
end

local SHOWN = { string = "String", number = "number", boolean = "boolean", table = "object" }

---A value of the wrong type. The column is that of its first character. The names of the types are invented.
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

-- ---- records and types ----

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

---A record that does not exist. In a batch, the fields are the error of an input.
---@param object_type string its singular name
---@param id string
---@param side "FROM"|"TO"
function rejection.missing_record(object_type, id, side)
  return reject(404, "OBJECT_NOT_FOUND", ("No %s with ID %s exists"):format(object_type, id), {
    subCategory = ("crm.associations.%s_OBJECT_NOT_FOUND"):format(side),
    context = { objectType = { object_type }, id = { id } },
  })
end

---A type that does not exist in a direction, as the endpoints of limits say it. In a batch, the fields are
---the error of an input. The 1 for USER_DEFINED types is invented.
---@param from string singular name
---@param to string singular name
function rejection.invalid_type(from, to, category, type_id)
  local name = ("%d-%d"):format(category == "HUBSPOT_DEFINED" and 0 or 1, type_id)
  from, to = from:upper(), to:upper()
  local message = ("%s is not a valid association type between %s and %s"):format(name, from, to)
  return reject(400, VALIDATION, message, {
    subCategory = "crm.associations.INVALID_ASSOCIATION_TYPE",
    context = { type = { name }, fromObjectType = { from }, toObjectType = { to } },
  })
end

---Anything else that is wrong with a parameter or a field. The words of all of these are invented.
---@param message string
function rejection.invalid(message)
  return reject(400, VALIDATION, message)
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

---A type that belongs to another direction than the path's. The words for the to side are invented.
---@param side "from"|"to"
---@param given string object type id
---@param expected string object type id
---@param definition string
function rejection.wrong_direction(side, given, expected, definition)
  return reject(400, VALIDATION,
    ("invalid %s object type %s for associations to be created. expected: %s. For definition %s"):format(
      side, given, expected, definition))
end

---Bad data of some input, which the message does not name.
---@param status integer 400 or 500
function rejection.internal(status)
  return reject(status, nil, "internal error")
end

---The message is invented.
function rejection.conflict()
  return reject(409, "CONFLICT", "The request conflicts with the state of a record")
end

---A property by which no record can be found. The words are those of another endpoint, for "read".
---@param object_type string object type id
---@param property string
function rejection.not_unique(object_type, property)
  local message = "Unable to perform read by non-unique %s property %s in portal ID 1"
  return reject(400, VALIDATION, message:format(object_type, property))
end

-- ---- paths, tokens, scopes and limits ----

function rejection.object_type(name)
  return reject(400, nil, "Unable to infer object type from: " .. name)
end

function rejection.no_token()
  return reject(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
end

function rejection.expired_token()
  return reject(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call has expired.")
end

---@param scopes string[] the scopes that the app lacks
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

---That the body is HTML is invented.
---@param allow string the methods that the path has
function rejection.method(allow)
  return page(405, "Method Not Allowed", { allow = allow })
end

---The whole response is invented.
function rejection.media_type(found)
  return reject(415, VALIDATION, "Content-Type must be application/json, not " .. found)
end

local GROUPS = { TEN_SECONDLY_ROLLING = "ten-secondly", SECONDLY = "secondly", DAILY = "daily" }

---@param policy "TEN_SECONDLY_ROLLING"|"SECONDLY"|"DAILY"
---@param retry_after? integer seconds; without it the header is left out, as HubSpot usually does
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
