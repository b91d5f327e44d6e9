-- The path of a request: the template of an endpoint, filled with the version and values.

local errors = require "hubspot.associations.errors"

local path = {}

local DESCRIPTIONS = { fromObjectType = "the object type", toObjectType = "the object type" }

-- The version is before the family if it is a number ("v4"), and after it if it is a date.
local function prefix(version, family)
  if version:find "^v%d" then return "/crm/" .. version .. "/" .. family end
  return "/crm/" .. family .. "/" .. version
end

-- Why a value cannot be a segment of a path; nil when it can.
local function reason(value)
  if value == "" then return "is empty" end
  if value == "." or value == ".." then return 'must not be "." or ".."' end
  if value:find "[%z\1-\31\127]" then return "has control characters" end
end

local function percent_encode(value)
  return (value:gsub("[^A-Za-z0-9%-%._~]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

-- Templates that were parsed: every request needs one, and there are few.
local read_templates = {}

-- Parses a template: its family, the text before the first name, the names in order, and the text after each.
local function read_template(template)
  local read = read_templates[template]
  if read then return read end
  local family, beginning, rest = template:match "^([^/]+)(/[^{]*)(.*)$"
  read = { family = family, beginning = beginning, names = {}, after = {} }
  for name, text in rest:gmatch "{([A-Za-z]+)}([^{]*)" do
    table.insert(read.names, name)
    table.insert(read.after, text)
  end
  read_templates[template] = read
  return read
end

---The names in the template of an endpoint, in order: they are the arguments of its method.
---@param endpoint hubspot.associations.Endpoint
---@return string[]
function path.names(endpoint)
  return read_template(endpoint[2]).names
end

---@param endpoint hubspot.associations.Endpoint
---@param version string "2025-09", "v4"
---@param values table<string, string> by the template's names: "contacts", "0-1", "p_pets"
---@return string|nil path percent-encoded
---@return hubspot.associations.Error|nil
function path.of(endpoint, version, values)
  local template = read_template(endpoint[2])
  local result = prefix(version, template.family) .. template.beginning
  for position, name in ipairs(template.names) do
    local value = values[name]
    local why = reason(value)
    if why then
      return nil, errors.new {
        kind = "invalid_input",
        field = name,
        message = DESCRIPTIONS[name] .. " " .. why,
        retryable = false,
      }
    end
    result = result .. percent_encode(value) .. template.after[position]
  end
  return result
end

return path
