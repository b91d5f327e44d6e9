-- A HubSpot account in memory: a request table goes in, a response table comes out, as HubSpot was observed
-- or documented to respond. The HTTP sandbox and the simulation both use it.
-- It does no I/O, reads no clock and never waits: time and randomness are passed in, and a delay is a field
-- of the response. So a simulation can run it in virtual time, and replay it.

local control = require "hubspot.associations.sandbox.control"
local direction = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local labels = require "hubspot.associations.sandbox.labels"
local limits = require "hubspot.associations.sandbox.limits"
local links = require "hubspot.associations.sandbox.links"
local options = require "hubspot.associations.sandbox.options"
local rate_window = require "hubspot.associations.sandbox.rate_window"
local rejection = require "hubspot.associations.sandbox.rejection"
local routes = require "hubspot.associations.sandbox.routes"

---@class hubspot.associations.sandbox.Request
---@field method string
---@field path string with its query
---@field headers table<string, string> lower-case names
---@field body string

---@class hubspot.associations.sandbox.Response
---@field status integer
---@field headers table<string, string> lower-case names
---@field body string
---@field delay number|nil seconds to wait before the response is sent

---@class hubspot.associations.sandbox.Account
local account = {}
account.__index = account

---Stands for "back to the default" in `configure`.
account.DEFAULT = options.DEFAULT

local CONTENT_TYPE = "application/json;charset=utf-8"

-- Directions are built from the options, and so are built anew.
local function apply(self, changes)
  options.apply(self.settings, changes)
  self.directions = {}
  if changes.labels ~= nil then self.labels = labels.new(self.settings.labels) end
  if changes.rate ~= nil then
    self.window = self.settings.rate and rate_window.new(self.settings.rate)
  end
end

local function clear(self)
  self.links = links.new(self.settings)
  self.labels = labels.new(self.settings.labels)
  self.limits = limits.new()
  self.requests, self.inputs, self.responses = 0, 0, {}
  self.window = self.settings.rate and rate_window.new(self.settings.rate)
  self.directions = {}
end

-- The direction between two object type ids, built once.
local function direction_between(self, from, to)
  local key = from .. ">" .. to
  self.directions[key] = self.directions[key] or direction.new(from, to, self.settings, self.labels)
  return self.directions[key]
end

---@param given table the options that options.lua lists; `now` and `random` are required
---@return hubspot.associations.sandbox.Account
function account.new(given)
  if type(given) ~= "table" then error("sandbox options: expected a table", 2) end
  local settings, message = options.new(given)
  if not settings then error(message, 2) end
  local self = setmetatable({ settings = settings, initial = {} }, account)
  for name, value in pairs(settings) do self.initial[name] = value end
  clear(self)
  self.between = function(from, to) return direction_between(self, from, to) end
  return self
end

---Changes options at run time. A change of `rate` starts a fresh window, one of `labels` forgets those that
---were created.
---@param given table as for `new`; a value may be `account.DEFAULT`
function account:configure(given)
  local changes, message = options.check(given)
  if not changes then error(message, 2) end
  apply(self, changes)
end

---Forgets associations, labels, limits and counts, and puts the options back as `new` was given them.
function account:reset()
  self.settings = {}
  for name, value in pairs(self.initial) do self.settings[name] = value end
  clear(self)
end

---The associations that were written and that no later write replaced, in order. What a write implies, such
---as its inverse, is not listed.
---@return { fromObjectTypeId: string, fromObjectId: string, toObjectTypeId: string, toObjectId: string,
---  associationCategory: string, associationTypeId: integer }[]
function account:associations()
  return self.links.store:list()
end

---Whether a read in this direction would show that two records are linked by a type.
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

---@return integer count of the associations that `associations` lists
function account:count()
  return self.links.store.size
end

---@return { requests: integer, inputs: integer, associations: integer, status: table<integer, integer> }
---  requests, without those to control paths; inputs of the writes that were processed; associations that
---  `associations` lists; responses by HTTP status
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

local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

-- The header Date, in any locale.
local function http_date(second)
  local at = os.date("!*t", second)
  return string.format("%s, %02d %s %d %02d:%02d:%02d GMT",
    DAYS[at.wday], at.day, MONTHS[at.month], at.year, at.hour, at.min, at.sec)
end

-- What is the same for a second is kept for that long: os.date is slow.
local function note_second(self, now)
  local second = math.floor(now)
  if second == self.second then return second end
  self.second, self.date, self.http_date = second, os.date("!%Y-%m-%dT%H:%M:%S", second), http_date(second)
  return second
end

local function iso8601(self, now)
  local second = note_second(self, now)
  return string.format("%s.%03dZ", self.date, math.floor((now - second) * 1000))
end

-- The direction that a path names, or nil; the rejection of an object type that does not exist; and the id of
-- the first.
local function direction_of(self, parameters)
  local names = { parameters.fromObjectType, parameters.toObjectType }
  local ids = {}
  for i, name in ipairs(names) do
    ids[i] = direction.object_type_id(name)
    if not ids[i] then return nil, rejection.object_type(name) end
  end
  return ids[2] and direction_between(self, ids[1], ids[2]), nil, ids[1]
end

local function check_token(self, authorization)
  local scheme, token = (authorization or ""):match("^(%a+) +(%S+)$")
  if not scheme or scheme:lower() ~= "bearer" then return rejection.no_token() end
  local accepted = self.settings.token
  if accepted and accepted[token] then return nil end
  if token == "expired" then return rejection.expired_token() end
  if accepted then return rejection.no_token() end
end

local function check_scopes(self, between, access)
  local forbidden = self.settings.forbidden
  if not forbidden then return nil end
  local lacking = {}
  for _, scope in ipairs(between:scopes(access)) do
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

---What a handler is given.
---@class hubspot.associations.sandbox.Call
---@field request hubspot.associations.sandbox.Request
---@field version string of the API
---@field most number the largest number of inputs of a request to this endpoint
---@field parameters table<string, string> the path's, such as fromObjectId
---@field query table<string, string>
---@field object_type string|nil the id of the first object type that the path names
---@field direction hubspot.associations.sandbox.Direction|nil when the path names two object types
---@field between fun(from: string, to: string): hubspot.associations.sandbox.Direction of object type ids
---@field links hubspot.associations.sandbox.Links
---@field labels hubspot.associations.sandbox.Labels
---@field limits hubspot.associations.sandbox.Limits
---@field settings table the account's options
---@field date string ISO 8601

-- The largest number of inputs that an endpoint takes.
local function most_of(settings, endpoint)
  local given = settings.max_inputs
  if type(given) == "table" then given = given[endpoint.name] end
  return given or endpoint.most_groups or endpoint.most
end

-- What the endpoint's handler responds, or the first rejection, in HubSpot's order: path, method, token,
-- scopes, rate, object types, body.
local function dispatch(self, request, now)
  local route, rejected = routes.find(request.method, request.path)
  if not route then return nil, rejected end
  local headers, endpoint = request.headers or {}, route.endpoint
  local between, unknown, object_type = direction_of(self, route.parameters)
  local scoped = between or endpoint.handler.reads_records and object_type
    and direction_between(self, object_type, object_type)
  rejected = check_token(self, headers.authorization)
    or scoped and check_scopes(self, scoped, endpoint.handler.writes and "write" or "read")
    or check_rate(self, now)
    or unknown
    or endpoint.has_body and check_media_type(headers)
  if rejected then return nil, rejected end
  return endpoint.handler.handle {
    request = request, version = route.version, parameters = route.parameters, query = route.query,
    most = most_of(self.settings, endpoint),
    object_type = object_type, direction = between, between = self.between,
    links = self.links, labels = self.labels, limits = self.limits,
    settings = self.settings, date = iso8601(self, now),
  }
end

-- The status, body and content type of a rejection.
local function write_rejection(rejected, correlation_id)
  if rejected.html then return rejected.status, rejected.html, "text/html;charset=utf-8" end
  rejected.fields.correlationId = correlation_id
  return rejected.status, json.encode(rejected.fields), CONTENT_TYPE
end

---Responds to one request.
---@param request hubspot.associations.sandbox.Request
---@return hubspot.associations.sandbox.Response
function account:handle(request)
  local path = request.path:match("^[^?#]*")
  if path:find("^/sandbox/") then return control.handle(self, path, request) end

  local settings = self.settings
  local now = settings.now()
  local handled, rejected = dispatch(self, request, now)
  local correlation_id = uuid(settings.random)
  note_second(self, now)
  local headers = { ["x-hubspot-correlation-id"] = correlation_id, date = self.http_date }
  local status, body
  if handled then
    status, body = handled.status, handled.body
    if body ~= "" then headers["content-type"] = CONTENT_TYPE end
    self.inputs = self.inputs + (handled.inputs or 0)
    if handled.changes_types then self.directions = {} end
  else
    status, body, headers["content-type"] = write_rejection(rejected, correlation_id)
    for name, value in pairs(rejected.headers or {}) do headers[name] = value end
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
