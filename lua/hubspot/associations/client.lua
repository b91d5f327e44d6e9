-- A client: what a caller can do with one HubSpot account. Its methods come from api/endpoints.lua: each row
-- is a call, and a row with `most` is also a job. Checks arguments and waits; the session and the job do the
-- rest.

local endpoints = require "hubspot.associations.api.endpoints"
local input_errors = require "hubspot.associations.api.input_errors"
local paths = require "hubspot.associations.api.path"
local rejection = require "hubspot.associations.api.rejection"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local jobs = require "hubspot.associations.job.job"
local journals = require "hubspot.associations.job.journal_file"
local runners = require "hubspot.associations.job.runner"
local options = require "hubspot.associations.options"
local call = require "hubspot.associations.session.call"
local sessions = require "hubspot.associations.session.session"
local types = require "hubspot.associations.types"

---@class hubspot.associations.Client
local Client = {}
Client.__index = Client
Client.__name = "hubspot.associations.client"

-- The level of error() that blames the caller of a method.
local BLAME = 3

local function check_self(method, self)
  if type(self) == "table" and self.session and self.options then return end -- also an object that inherits
  error(("client:%s: call it with a colon: client:%s(...)"):format(method, method), BLAME)
end

local function check_argument(method, level, name, value, expected, other)
  if type(value) == expected or type(value) == other then return end
  expected = other and expected .. " or a " .. other or expected
  local found = value == nil and "nothing" or "a " .. type(value)
  error(("client:%s: %s: expected a %s, found %s"):format(method, name, expected, found), level)
end

-- The values for the names in an endpoint's path: the first arguments of its method.
local function read_values(method, level, row, ...)
  local values = {}
  for position, name in ipairs(paths.names(row)) do
    local value = select(position, ...)
    check_argument(method, level + 1, name, value, "string")
    values[name] = value
  end
  return values
end

-- The arguments after those.
local function read_rest(row, ...)
  return select(#paths.names(row) + 1, ...)
end

-- How inputs are written and checked: options of core.body.
local function checks(self, row, values)
  local is_checked = self.options.check_types
  return {
    shape = row.shape,
    result = row.result,
    check_ids = self.options.check_ids,
    check_type = is_checked and types.checker(values.fromObjectType, values.toObjectType) or nil,
  }
end

local function most_inputs(self, row)
  return math.min(self.options.batch_size, row.most)
end

-- ---- one request ----

local function too_many(method, most, count)
  local message = "expected at most %d inputs, found %d: use %s_all for any number"
  return errors.new {
    kind = "invalid_input",
    field = "inputs",
    message = message:format(most, count, method),
    retryable = false,
  }
end

-- One call of an endpoint that takes a list of inputs.
local function call_batch(self, method, row, ...)
  local level = BLAME + 1
  local values = read_values(method, level, row, ...)
  local inputs, other = read_rest(row, ...)
  if other ~= nil then
    local names = table.concat(paths.names(row), ", ")
    error(("client:%s: takes %s and inputs; options are associations.new's"):format(method, names), BLAME)
  end
  check_argument(method, level, "inputs", inputs, "table")
  if self.session:is_closed() then return nil, sessions.closed() end
  local path, err = paths.of(row, self.options.version, values)
  if not path then return nil, err end
  local most = most_inputs(self, row)
  if #inputs > most then return nil, too_many(method, most, #inputs) end
  local body = core.body(checks(self, row, values))
  local added, invalid, count = body:add_list(inputs)
  if not added then return nil, input_errors.of_invalid(invalid, count) end
  return call(self.session, { method = row[1], path = path, body = body:json() }, row.response)
end

-- ---- any number ----

local function open_journal(self, path, endpoint, values)
  if not path then return nil end
  local identity = { base_url = self.session.base_url, endpoint = endpoint }
  for name, value in pairs(values) do identity[name] = value end
  return journals.open(path, identity, endpoints[endpoint].outcome)
end

local function new_job(self, row, values, source, given, journal)
  return jobs.new({
    source = source,
    endpoint = row,
    checks = checks(self, row, values),
    direction = rejection.direction(values.fromObjectType, values.toObjectType),
    batch_size = most_inputs(self, row),
    concurrency = self.options.concurrency,
    max_failures = given.max_failures,
    dry_run = given.dry_run,
    on_failure = given.on_failure,
    on_batch = given.on_batch,
    policy = self.session.policy,
    journal = journal,
  }, core.now())
end

-- Begins a job of an endpoint, for `start` and the methods that end in `_all`.
local function begin(self, method, endpoint, ...)
  local level, row = BLAME + 1, endpoints[endpoint]
  local values = read_values(method, level, row, ...)
  local source, given = read_rest(row, ...)
  check_argument(method, level, "source", source, "table", "function")
  given = options.read_job(given or {}, "client:" .. method, level)
  if self.session:is_closed() then return nil, sessions.closed() end
  local path, err = paths.of(row, self.options.version, values)
  if not path then return nil, err end
  local journal, job
  if not given.dry_run then journal, err = open_journal(self, given.journal, endpoint, values) end
  if err then return nil, err end
  job, err = new_job(self, row, values, source, given, journal)
  if job then return runners.new(self.session, { method = row[1], path = path }, job, journal) end
  if journal then journal:close() end
  return nil, err
end

---Begins a job that creates any number of associations, for a host that steps it.
---@param from_object_type string
---@param to_object_type string
---@param source table[]|fun(): table|nil a list of inputs, or an iterator that returns the next one, and nil
---  at the end. A list must not change, and an iterator must return a new table each time: on_failure is
---  given the caller's own inputs (without on_failure, failures from an iterator have what was sent)
---@param given hubspot.associations.JobOptions|nil
---@return hubspot.associations.Runner|nil
---@return hubspot.associations.Error|nil
function Client:start(from_object_type, to_object_type, source, given)
  check_self("start", self)
  local runner, err = begin(self, "start", "create", from_object_type, to_object_type, source, given)
  return runner, err
end

-- Steps a job to its end.
local function run(self, runner, err)
  if not runner then return nil, err end
  while not runner:step() do
    self.session.wakeups:wait(runner:timeout())
  end
  self.session.wakeups:end_work()
  return runner:result()
end

-- ---- the methods of the endpoints ----

---@alias hubspot.associations.Inputs table[] 1 to `batch_size` of them
---An input is { from = id, to = id, types = types }. An id is { id = string }, a string of digits, or an
---integer. Types are a list of { associationCategory = string, associationTypeId = integer }, one such table,
---or an integer (a type of category HUBSPOT_DEFINED). Inputs may be proxies: they are read through `__index`,
---which must not yield. Lists must not be proxies. Other fields of an input are ignored.

---Creates associations: HubSpot's batch create, in one request.
---A response with `errors` is a success as well: they say which inputs were not created, and why.
---An object type is an object name or an object type id, e.g. "contacts", "0-1".
---@class hubspot.associations.Client
---@field create fun(self, from_object_type: string, to_object_type: string,
---  inputs: hubspot.associations.Inputs):
---  hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---Creates any number of associations, and accounts for every input in the four counts of the report. Takes
---the arguments of `start`. Returns when the job is done: a report, or nil if the job could not begin; and an
---error if the job stopped before its source ended.
---@field create_all fun(self, from_object_type: string, to_object_type: string, source: table[]|function,
---  given: hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil,
---  hubspot.associations.Error|nil

for name, row in pairs(endpoints) do
  Client[name] = function(self, ...)
    check_self(name, self)
    local result, info = call_batch(self, name, row, ...)
    return result, info
  end
  local name_of_job = row.most and name .. "_all"
  if name_of_job then
    Client[name_of_job] = function(self, ...)
      check_self(name_of_job, self)
      local runner, err = begin(self, name_of_job, name, ...)
      return run(self, runner, err)
    end
  end
end

---Ends the client's connections. Calls in other coroutines fail with kind `closed`.
---A client that is collected, or goes out of scope as `local client <close>`, is closed as well.
function Client:close()
  check_self("close", self)
  self.session:close()
end

Client.__close = Client.close

---Makes a client for one HubSpot account. Sends nothing.
---Raises if an option is unknown or wrong; returns nil and an error if there is no usable token.
---@param given hubspot.associations.Options
---@return hubspot.associations.Client|nil
---@return hubspot.associations.Error|nil
local function new(given)
  local read = options.read(given)
  local session, err = sessions.open(read)
  if not session then return nil, err end
  return setmetatable({ options = read, session = session }, Client)
end

return { new = new }
