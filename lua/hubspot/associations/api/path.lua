-- The path of a request: an endpoint's template with a version and values in it.

local errors = require "hubspot.associations.errors"

local path = {}

local WORDS = { fromObjectType = "the object type", toObjectType = "the object type" }

-- The version stands before the family if it is a number ("v4"), and behind it if it is a date.
local function prefix(version, family)
  if version:find "^v%d" then return "/crm/" .. version .. "/" .. family end
  return "/crm/" .. family .. "/" .. version
end

-- Why a value cannot be one segment of a path; nil when it can.
local function reason(value)
  if value == "" then return "is empty" end
  if value == "." or value == ".." then return "is a step in a path" end
  if value:find "[%z\1-\31\127]" then return "has control characters" end
end

local function percent_encode(value)
  return (value:gsub("[^A-Za-z0-9%-%._~]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

---The names in an endpoint's template, in order: the arguments of its method.
---@param endpoint hubspot.associations.Endpoint
---@return string[]
function path.names(endpoint)
  local names = {}
  for name in endpoint[2]:gmatch "{([A-Za-z]+)}" do names[#names + 1] = name end
  return names
end

---@param endpoint hubspot.associations.Endpoint
---@param version string "2025-09", "v4"
---@param values table<string, string> by the template's names: "contacts", "0-1", "p_pets"
---@return string|nil path percent-encoded
---@return hubspot.associations.Error|nil
function path.of(endpoint, version, values)
  for _, name in ipairs(path.names(endpoint)) do
    local why = reason(values[name])
    if why then
      return nil, errors.new {
        kind = "invalid_input",
        field = name,
        message = WORDS[name] .. " " .. why,
        retryable = false,
      }
    end
  end
  local family, rest = endpoint[2]:match "^([^/]+)(/.*)$"
  return prefix(version, family) .. rest:gsub("{([A-Za-z]+)}", function(name)
    return percent_encode(values[name])
  end)
end

return path
