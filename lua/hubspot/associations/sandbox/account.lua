-- Owns a HubSpot account in memory: a request table goes in, a response table
-- comes out, as the service is documented to answer. The HTTP sandbox and the
-- simulation both use it.
-- Never does I/O, reads a clock, or waits: time and randomness are passed in,
-- and a wait is a field of the response.

local create = require "hubspot.associations.sandbox.handlers.create"
local read = require "hubspot.associations.sandbox.handlers.read"
local control = require "hubspot.associations.sandbox.control"
local direction = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local links = require "hubspot.associations.sandbox.links"
local options = require "hubspot.associations.sandbox.options"
local rate_window = require "hubspot.associations.sandbox.rate_window"
local rejection = require "hubspot.associations.sandbox.rejection"

---@class hubspot.associations.sandbox.Request
---@field method string
---@field path string with its query
---@field headers table<string, string> lower-case names
---@field body string

---@class hubspot.associations.sandbox.Response
---@field status integer
---@field headers table<string, string> lower-case names
---@field body string
---@field delay number|nil seconds to wait before answering

---@class hubspot.associations.sandbox.Account
local account = {}
account.__index = account

---Stands for "back to the default" in `configure`.
account.DEFAULT = options.DEFAULT

-- The documented status of a full success, by API version.
local VERSIONS = { ["2025-09"] = 201, ["2026-03"] = 201, ["2026-09"] = 200, ["v4"] = 201 }

local ACTIONS = {
  create = { handle = create.handle, writes = true },
  read = { handle = read.handle, status = 200 },
}

local CONTENT_TYPE = "application/json;charset=utf-8"
local MAX_ROUTES = 1000

-- Forgets what was learnt under the options before, so that the next request sees the new ones.
local function apply(self, changes)
  options.apply(self.settings, changes)
  self.routes, self.route_count, self.directions = {}, 0, {}
  if changes.rate ~= nil then
    self.window = self.settings.rate and rate_window.new(self.settings.rate)
  end
end

local function empty(self)
  self.links = links.new()
  self.requests, self.inputs, self.responses = 0, 0, {}
  self.window = self.settings.rate and rate_window.new(self.settings.rate)
  self.routes, self.route_count, self.directions = {}, 0, {}
end

---@param given table the options, as `sandbox/options.lua` lists them; `now` and `random` are required
---@return hubspot.associations.sandbox.Account
function account.new(given)
  if type(given) ~= "table" then error("sandbox options: expected a table", 2) end
  local settings, message = options.new(given)
  if not settings then error(message, 2) end
  local self = setmetatable({ settings = settings, initial = {} }, account)
  for name, value in pairs(settings) do self.initial[name] = value end
  empty(self)
  return self
end

---Changes options at run time. A change of `rate` starts a fresh window.
---@param given table as for `new`; a value may be `account.DEFAULT`
function account:configure(given)
  local changes, message = options.check(given)
  if not changes then error(message, 2) end
  apply(self, changes)
end

---Forgets associations and counts, and puts the options back as `new` was given them.
function account:reset()
  self.settings = {}
  for name, value in pairs(self.initial) do self.settings[name] = value end
  empty(self)
end

---What was written and still stands, in order. What a write brings with it, such as its inverse, is not
---listed.
---@return table[] list of fromObjectTypeId, fromObjectId, toObjectTypeId, toObjectId,
---  associationCategory, associationTypeId
function account:associations()
  return self.links.store:list()
end

-- What is known of a direction, by object type ids.
local function direction_between(self, from, to)
  local key = from .. ">" .. to
  self.directions[key] = self.directions[key] or direction.new(from, to, self.settings)
  return self.directions[key]
end

---Whether two records are linked by a type: as a read in this direction would show it.
---@param from_type string object name or object type id
---@param from_id string|integer
---@param to_type string object name or object type id
---@param to_id string|integer
---@param type_id integer
---@param category? string any category when absent
---@return boolean
function account:has(from_type, from_id, to_type, to_id, type_id, category)
  local from, to = direction.object_type_id(from_type), direction.object_type_id(to_type)
  if not from or not to then return false end
  local between = direction_between(self, from, to)
  return self.links:has(between, tostring(from_id), tostring(to_id), type_id, category)
end

---@return integer count how many `associations` lists
function account:count()
  return self.links.store.size
end

---@return { requests: integer, inputs: integer, associations: integer, status: table<integer, integer> }
---  requests and answers by status, control paths left out; inputs of the batches taken
function account:statistics()
  local by_status = {}
  for status, count in pairs(self.responses) do by_status[status] = count end
  return {
    requests = self.requests, inputs = self.inputs, associations = self.links.store.size, status = by_status,
  }
end

local function uuid(random)
  local floor = math.floor
  return string.format("%08x-%04x-4%03x-%04x-%04x%08x",
    floor(random() * 2 ^ 32), floor(random() * 2 ^ 16), floor(random() * 2 ^ 12),
    32768 + floor(random() * 2 ^ 14), floor(random() * 2 ^ 16), floor(random() * 2 ^ 32))
end

-- Most of a date changes once in a second: it is kept for that long.
local function iso8601(self, now)
  local second = math.floor(now)
  if second ~= self.second then
    self.second, self.date = second, os.date("!%Y-%m-%dT%H:%M:%S", second)
  end
  return string.format("%s.%03dZ", self.date, math.floor((now - second) * 1000))
end

local function percent_decode(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- Takes a path apart: a route, or the rejection of it.
local function find_route(self, path)
  local version, from_name, to_name, verb =
    path:match("^/crm/associations/([^/]+)/([^/]+)/([^/]+)/batch/([^/]+)$")
  if not version then
    version, from_name, to_name, verb =
      path:match("^/crm/(v4)/associations/([^/]+)/([^/]+)/batch/([^/]+)$")
  end
  local action, success = ACTIONS[verb or false], VERSIONS[version or false]
  if not action or not success then return nil, rejection.not_found() end
  from_name, to_name = percent_decode(from_name), percent_decode(to_name)
  local from, to = direction.object_type_id(from_name), direction.object_type_id(to_name)
  local route = { action = action, success = action.status or success, path = path }
  if not from then
    route.rejected = rejection.object_type(from_name)
  elseif not to then
    route.rejected = rejection.object_type(to_name)
  else
    route.direction = direction_between(self, from, to)
  end
  return route
end

local function route_of(self, path)
  local route = self.routes[path]
  if route then return route end
  local rejected
  route, rejected = find_route(self, path)
  if not route then return nil, rejected end
  if self.route_count >= MAX_ROUTES then self.routes, self.route_count = {}, 0 end
  self.routes[path] = route
  self.route_count = self.route_count + 1
  return route
end

local function check_token(self, authorization)
  local scheme, token = (authorization or ""):match("^(%a+) +(%S+)$")
  if not scheme or scheme:lower() ~= "bearer" then return rejection.no_token() end
  local accepted = self.settings.token
  if accepted and accepted[token] then return nil end
  if token == "expired" then return rejection.expired_token() end
  if accepted then return rejection.no_token() end
end

local function check_scopes(self, route)
  local forbidden = self.settings.forbidden
  if not forbidden or not route.action.writes or not route.direction then return nil end
  local lacking = {}
  for _, scope in ipairs(route.direction:scopes()) do
    if forbidden == true or forbidden[scope] then lacking[#lacking + 1] = scope end
  end
  if lacking[1] then return rejection.scopes(lacking) end
end

local function check_rate(self, now)
  if not self.window then return nil end
  local policy, wait = self.window:take(now)
  if policy then return rejection.rate(policy, self.window.retry_after and math.ceil(wait) or nil) end
end

local function check_media_type(headers)
  local found = headers["content-type"] or "none"
  if not found:lower():find("^application/json%s*;?") then return rejection.media_type(found) end
end

-- The batch that answers a request, or the first rejection it meets, in the service's order:
-- resource, method, token, scopes, rate, body.
local function answer(self, request, now)
  local path = request.path:match("^[^?#]*")
  local headers = request.headers or {}
  local route, rejected = route_of(self, path)
  if not route then return nil, rejected end
  if request.method ~= "POST" then return nil, rejection.method "POST" end
  rejected = check_token(self, headers.authorization)
    or check_scopes(self, route)
    or check_rate(self, now)
    or route.rejected
    or check_media_type(headers)
  if rejected then return nil, rejected end
  local batch
  batch, rejected = route.action.handle(route.direction, self.links, self.settings, request.body)
  if not batch then return nil, rejected end
  if route.action.writes then self.inputs = self.inputs + batch.inputs end
  batch.http_status = #batch.errors > 0 and 207
    or route.action.writes and self.settings.status
    or route.success
  return batch
end

-- Written by pieces, because cjson 2.1 writes an empty list as {}.
local function batch_json(batch, date)
  local failures = ""
  if #batch.errors > 0 then
    failures = string.format(',"numErrors":%d,"errors":[%s]', #batch.errors, table.concat(batch.errors, ","))
  end
  return table.concat {
    '{"status":"', batch.status, '","results":[', table.concat(batch.results, ","), "]", failures,
    ',"requestedAt":"', date, '","startedAt":"', date, '","completedAt":"', date, '"}',
  }
end

---Answers one request.
---@param request hubspot.associations.sandbox.Request
---@return hubspot.associations.sandbox.Response
function account:handle(request)
  local path = request.path:match("^[^?#]*")
  if path:find("^/sandbox/") then return control.handle(self, path, request) end

  local settings = self.settings
  local now = settings.now()
  local batch, rejected = answer(self, request, now)
  local correlation_id = uuid(settings.random)
  local headers = { ["content-type"] = CONTENT_TYPE, ["x-hubspot-correlation-id"] = correlation_id }
  local status, body
  if batch then
    status, body = batch.http_status, batch_json(batch, iso8601(self, now))
  else
    status = rejected.status
    for name, value in pairs(rejected.headers or {}) do headers[name] = value end
    body = rejected.html
    if body then
      headers["content-type"] = "text/html;charset=utf-8"
    else
      -- A route keeps its rejection, so the fields are shared: set on each answer, never added to.
      rejected.fields.correlationId = correlation_id
      body = json.encode(rejected.fields)
    end
  end
  if self.window then self.window:describe(headers) end

  self.requests = self.requests + 1
  self.responses[status] = (self.responses[status] or 0) + 1
  return {
    status = status, headers = headers, body = body,
    delay = settings.latency > 0 and settings.latency or nil,
  }
end

return account
