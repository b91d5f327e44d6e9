-- The path of the endpoint: where a batch of associations is created.

local errors = require "hubspot.associations.errors"

local endpoint = {}

-- "v4" stands before the noun in the path; the dated versions stand behind it.
local function prefix(version)
  local template = version:find "^v%d" and "/crm/%s/associations/" or "/crm/associations/%s/"
  return template:format(version)
end

local function refusal(object_type)
  if object_type == "" then return "is empty" end
  if object_type == "." or object_type == ".." then return "is a step in a path" end
  if object_type:find "[%z\1-\31\127]" then return "has control characters" end
end

local function segment(object_type)
  return (object_type:gsub("[^A-Za-z0-9%-%._~]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

---@param version string
---@param from_object_type string an object name or object type id: "contacts", "0-1", "p_pets"
---@param to_object_type string
---@return string|nil path percent-encoded
---@return hubspot.associations.Error|nil
function endpoint.batch_create(version, from_object_type, to_object_type)
  local types = { { "fromObjectType", from_object_type }, { "toObjectType", to_object_type } }
  for _, named in ipairs(types) do
    local why = refusal(named[2])
    if why then
      return nil, errors.new {
        kind = "invalid_input",
        field = named[1],
        message = "the object type " .. why,
        retryable = false,
      }
    end
  end
  return prefix(version) .. segment(from_object_type) .. "/" .. segment(to_object_type) .. "/batch/create"
end

return endpoint
