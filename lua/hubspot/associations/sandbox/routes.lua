-- Finds the endpoint that a request is for. An endpoint's method and path are those of the client's table,
-- and its handler is the file in handlers/ that has the endpoint's name, so that a new endpoint is one file
-- here; an endpoint without one is not served. The module knows paths, and nothing of accounts or bodies.

local rows = require "hubspot.associations.api.endpoints"
local rejection = require "hubspot.associations.sandbox.rejection"

local routes = {}

local HANDLERS = "hubspot.associations.sandbox.handlers."

-- How many inputs the service takes, where that is less than the row says. For archive it is second hand.
local MOST = { archive = 100 }

local VERSIONS = { ["2025-09"] = true, ["2026-03"] = true, ["2026-09"] = true, ["v4"] = true }

---@class hubspot.associations.sandbox.Handler
---@field writes boolean|nil whether it needs the write scopes of both object types
---@field reads_records boolean|nil whether it needs the read scope of the one object type of its path
---@field handle fun(call: hubspot.associations.sandbox.Call): table|nil, table|nil
---  a HandlerResponse, or nil and a Rejection

---@class hubspot.associations.sandbox.HandlerResponse
---@field status integer
---@field body string JSON, or empty
---@field changes_types boolean|nil whether the account's association types are others now
---@field inputs integer|nil how many inputs of a write were processed, for the statistics

---@class hubspot.associations.sandbox.Endpoint
---@field name string
---@field method string
---@field has_body boolean whether its requests have a JSON body
---@field most number the largest number of inputs of a request
---@field handler hubspot.associations.sandbox.Handler

---@class hubspot.associations.sandbox.Route
---@field endpoint hubspot.associations.sandbox.Endpoint
---@field version string
---@field parameters table<string, string> those of the path's template, decoded
---@field query table<string, string> those of the query, decoded

-- The Lua pattern of a template, "a/{b}", and the names of its parameters.
local function compile(template)
  local names = {}
  local pattern = template:gsub("[%-%.]", "%%%0"):gsub("{([A-Za-z]+)}", function(name)
    if name == "version" then return nil end
    names[#names + 1] = name
    return "([^/]+)"
  end)
  return pattern, names
end

-- The version stands before the family's name if it is v4, and after it if it is a date. The sandbox takes
-- v4 in either place, but where the API has another version in its place. Of a whole path, only the row says
-- where a version stands; a path without one is the same for all, which is taken for v4.
local function patterns_of(pattern, row)
  if pattern:find "^/" then
    local undated, dated = "(" .. (row.undated or "v4") .. ")", "(%%d+%%-%%d+)"
    if not pattern:find("{version}", 1, true) then return { "^()" .. pattern .. "$" } end
    return {
      "^" .. pattern:gsub("{version}", undated) .. "$", "^" .. pattern:gsub("{version}", dated) .. "$",
    }
  end
  local family, rest = pattern:match "^([^/]+)(/.*)$"
  return {
    "^/crm/(" .. (row.undated or "v4") .. ")/" .. pattern .. "$",
    "^/crm/" .. family .. "/(" .. (row.undated and "%d+%-%d+" or "[^/]+") .. ")" .. rest .. "$",
  }
end

-- The handler of an endpoint, or nil if it has none. A handler that cannot be loaded raises.
local function handler_of(name)
  local module = HANDLERS .. name
  local loaded, handler = pcall(require, module)
  if loaded then return handler end
  if not tostring(handler):find(("module '%s' not found"):format(module), 1, true) then error(handler, 0) end
end

local function new_endpoint(name, row)
  local pattern, names = compile(row[2])
  return {
    name = name, method = row[1], has_body = row.shape ~= nil or row.body ~= nil,
    most = MOST[name] or row.most or math.huge, undated = row.undated,
    handler = handler_of(name), patterns = patterns_of(pattern, row), parameters = names,
  }
end

-- Templates with fewer parameters come first: their words would match a parameter of others.
local function is_before(one, other)
  if #one.parameters ~= #other.parameters then return #one.parameters < #other.parameters end
  return one.name < other.name
end

local endpoints = {}
for name, row in pairs(rows) do
  local endpoint = new_endpoint(name, row)
  if endpoint.handler then endpoints[#endpoints + 1] = endpoint end
end
table.sort(endpoints, is_before)

local function percent_decode(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function match(endpoint, path)
  for _, pattern in ipairs(endpoint.patterns) do
    local found = { path:match(pattern) }
    if found[1] == 1 or found[1] and found[1] == endpoint.undated then found[1] = "v4" end
    if VERSIONS[found[1]] then
      local parameters = {}
      for i, name in ipairs(endpoint.parameters) do parameters[name] = percent_decode(found[i + 1]) end
      return { endpoint = endpoint, version = found[1], parameters = parameters }
    end
  end
end

-- The parameters of a query. Each is decoded once: a cursor that was encoded twice does not fit any more.
local function parse_query(query)
  local parameters = {}
  for name, value in query:gmatch "([^&=]+)=([^&]*)" do
    parameters[percent_decode(name)] = percent_decode((value:gsub("+", " ")))
  end
  return parameters
end

---@param method string
---@param target string the path, with its query
---@return hubspot.associations.sandbox.Route|nil
---@return hubspot.associations.sandbox.Rejection|nil
function routes.find(method, target)
  local path, query = target:match "^([^?#]*)%??([^#]*)"
  for _, endpoint in ipairs(endpoints) do
    local route = endpoint.method == method and match(endpoint, path)
    if route then
      route.query = parse_query(query)
      return route
    end
  end
  local allowed = {}
  for _, endpoint in ipairs(endpoints) do
    if match(endpoint, path) then allowed[#allowed + 1] = endpoint.method end
  end
  if not allowed[1] then return nil, rejection.not_found() end
  return nil, rejection.method(table.concat(allowed, ", "))
end

return routes
