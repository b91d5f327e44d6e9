-- Makes the collectors of a client, which link pairs one at a time: what each of them needs of the client.

local endpoints = require "hubspot.associations.api.endpoints"
local requests = require "hubspot.associations.api.request"
local collectors = require "hubspot.associations.collector.collector"
local core = require "hubspot.associations.core"
local runners = require "hubspot.associations.job.runner"
local concurrency = require "hubspot.associations.policy.concurrency"
local bells = require "hubspot.associations.session.bells"
local sessions = require "hubspot.associations.session.session"

local links = {}

---@class hubspot.associations.Sender how the groups of a collector are sent
---@field session hubspot.associations.Session
---@field method string
---@field path string
---@field window hubspot.associations.Concurrency of all groups
---@field new_body fun(): userdata, table a body of core's, and the naming that it reads types with
---@field begin fun(inputs: table[], on_settled: function, naming: table|nil): table|nil, table|nil a runner,
---  or nil and an error

-- Makes bodies. What they check is made anew when the account's labels have changed, or one was not known.
local function body_maker(self, row, values)
  local names, naming, checks
  return function()
    local current = self.type_directory:between(values.fromObjectType, values.toObjectType)
    if current ~= names or naming.is_missing then
      names, naming = current, current:use()
      checks = requests.checks(row, self.options, naming)
    end
    return core.body(checks), naming
  end
end

local function sender_of(self, new_job, row, values, path)
  local request, window = { method = row[1], path = path }, concurrency.new(self.options.concurrency)
  return {
    session = self.session, method = row[1], path = path, window = window,
    new_body = body_maker(self, row, values),
    begin = function(inputs, on_settled, naming)
      if self.session:is_closed() then return nil, sessions.closed() end
      local read = { values = values, last = inputs, on_settled = on_settled, naming = naming }
      local job, err = new_job(self, row, read, { max_failures = 0 }, nil, window)
      if not job then return nil, err end
      return runners.new(self.session, request, job)
    end,
  }
end

-- What a collector needs of the client.
local function collector_spec(self, new_job, row, values, path, read)
  local names = self.type_directory:between(values.fromObjectType, values.toObjectType)
  local most = math.min(self.options.batch_size, row.most)
  self.bells = self.bells or bells.new(self.session.wakeups)
  return {
    now = core.now,
    sender = sender_of(self, new_job, row, values, path),
    is_closed = function() return self.session:is_closed() end,
    wakeups = self.session.wakeups, bells = self.bells, policy = self.session.policy,
    checks = requests.checks(row, self.options, names:use()),
    most = math.min(read.most or most, most),
    linger = read.linger, max_pending = read.max_pending, timeout = read.timeout,
  }
end

local function check_object_type(method, name, value)
  if type(value) == "string" then return end
  local found = value == nil and "nothing" or "a " .. type(value)
  error(("client:%s: %s: expected a string, found %s"):format(method, name, found), 4)
end

---Raises when an object type of a method's is no string.
---@param method string
---@param from_object_type any
---@param to_object_type any
function links.check_object_types(method, from_object_type, to_object_type)
  check_object_type(method, "from_object_type", from_object_type)
  check_object_type(method, "to_object_type", to_object_type)
end

---@param client hubspot.associations.Client
---@param new_job function the client's
---@param from_object_type string
---@param to_object_type string
---@param read hubspot.associations.CollectorOptions checked ones
---@return hubspot.associations.Collector|nil
---@return hubspot.associations.Error|nil
function links.collector(client, new_job, from_object_type, to_object_type, read)
  if client.session:is_closed() then return nil, sessions.closed() end
  local row = endpoints.create
  local values = { fromObjectType = from_object_type, toObjectType = to_object_type }
  local path, err = requests.path(row, client.options, { values = values })
  if not path then return nil, err end
  return collectors.new(collector_spec(client, new_job, row, values, path, read))
end

---The collector that a client keeps for a direction, however its object types are spelled.
---@param client hubspot.associations.Client
---@param from_object_type string
---@param to_object_type string
---@return hubspot.associations.Collector|nil
---@return hubspot.associations.Error|nil
function links.kept(client, from_object_type, to_object_type)
  local names = client.type_directory:between(from_object_type, to_object_type)
  local key = names.from .. ">" .. names.to
  local made, err = client.collectors[key], nil
  if not made then made, err = client:collector(from_object_type, to_object_type) end
  if not made then return nil, err end
  client.collectors[key] = made
  client.spelled[from_object_type] = client.spelled[from_object_type] or {}
  client.spelled[from_object_type][to_object_type] = made
  return made
end

return links
