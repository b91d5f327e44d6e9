-- The path of a request: the template of an endpoint, filled with the version and values.

local errors = require "hubspot.associations.errors"
local digits_of = require "hubspot.associations.text.digits"

local path = {}

-- The version is before the family if it is a number ("v4"), and after it if it is a date.
local function prefix(row, version, family)
  local is_undated = version:find "^v%d" ~= nil
  if family:find "^/" then
    return (family:gsub("{version}", is_undated and row.undated or version))
  end
  if is_undated then return "/crm/" .. (row.undated or version) .. "/" .. family end
  return "/crm/" .. family .. "/" .. version
end

-- Why a value cannot be a segment of a path; nil when it can.
local function reason(value)
  if value == "" then return "is empty" end
  if value == "." or value == ".." then return 'must not be "." or ".."' end
  if value:find "[%z\1-\31\127]" then return "has control characters" end
end

-- Most object types and all record ids: neither check nor encoding would find anything.
local function is_plain(value)
  return value:find "^[A-Za-z0-9_%-]+$" ~= nil
end

local function percent_encode(value)
  return (value:gsub("[^A-Za-z0-9%-%._~]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

-- Templates that were parsed: every request needs one, and there are few.
local read_templates = {}

-- What the value of a name is.
local function role_of(name)
  return name:match "Object(Type)$" or name:match "Object(Id)$" or "Number"
end

-- Parses a template: its family, the text before the first name, the names in order, what each is, and the
-- text after each. What stands before the family is kept in `prefixes` by the version, once it is known: rows
-- that share a template have the same.
local function read_template(template)
  local read = read_templates[template]
  if read then return read end
  local family, beginning, rest = template:match "^([^/]+)(/[^{]*)(.*)$"
  if not family then -- the whole path, which has no names but that of the version
    family, beginning, rest = template, "", ""
  end
  read = { family = family, beginning = beginning, prefixes = {}, names = {}, roles = {}, after = {} }
  for name, text in rest:gmatch "{([A-Za-z]+)}([^{]*)" do
    table.insert(read.names, name)
    table.insert(read.roles, role_of(name))
    table.insert(read.after, text)
  end
  read_templates[template] = read
  return read
end

-- HubSpot gives some cursors percent-encoded ("MC0yLTc1MDI%3D"): they are decoded first, so that none is
-- encoded twice.
local function query_of(endpoint, query)
  if not (query and endpoint.query) then return "" end
  local parts = {}
  for _, name in ipairs(endpoint.query) do
    local value = query[name]
    if value ~= nil then
      local text = type(value) == "number" and digits_of(value) or value
      text = text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
      parts[#parts + 1] = name .. "=" .. percent_encode(text)
    end
  end
  return #parts > 0 and "?" .. table.concat(parts, "&") or ""
end

---The names in the template of an endpoint, in order: they are the arguments of its method.
---@param endpoint hubspot.associations.Endpoint
---@return string[] names
---@return ("Type"|"Id"|"Number")[] roles what each is: an object type, a record id, or another number
function path.names(endpoint)
  local template = read_template(endpoint[2])
  return template.names, template.roles
end

---@param endpoint hubspot.associations.Endpoint
---@param version string "2025-09", "v4"
---@param values table<string, string> by the template's names: "contacts", "0-1", "p_pets"
---@param query table<string, any>|nil parameters by the names in the endpoint's `query`
---@return string|nil path percent-encoded
---@return hubspot.associations.Error|nil
function path.of(endpoint, version, values, query)
  local template = read_template(endpoint[2])
  local result = template.prefixes[version]
  if not result then
    result = prefix(endpoint, version, template.family) .. template.beginning
    template.prefixes[version] = result
  end
  for position, name in ipairs(template.names) do
    local value = values[name]
    local is_simple = is_plain(value)
    local why = not is_simple and reason(value)
    if why then
      return nil, errors.new {
        kind = "invalid_input",
        field = name,
        message = (name:find "Type$" and "the object type " or "the id ") .. why,
        retryable = false,
      }
    end
    result = result .. (is_simple and value or percent_encode(value)) .. template.after[position]
  end
  return result .. query_of(endpoint, query)
end

return path
