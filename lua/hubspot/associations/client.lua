-- A client: what a caller can ask of one HubSpot account. Checks arguments, waits, and leaves the rest to
-- the connection and the job.

local connections = require "hubspot.associations.session.session"
local core = require "hubspot.associations.core"
local endpoint = require "hubspot.associations.api.path"
local errors = require "hubspot.associations.errors"
local input_errors = require "hubspot.associations.api.input_errors"
local jobs = require "hubspot.associations.job.job"
local journals = require "hubspot.associations.job.journal"
local runners = require "hubspot.associations.job.runner"
local options = require "hubspot.associations.options"
local rejection = require "hubspot.associations.api.rejection"
local retryable = require "hubspot.associations.policy.retryable"
local types = require "hubspot.associations.types"

---@class hubspot.associations.Client
local Client = {}
Client.__index = Client
Client.__name = "hubspot.associations.client"

-- Misuse is blamed on who called the method.
local BLAME = 3

local function check_self(method, self)
  if type(self) == "table" and self.connection and self.options then return end -- or what inherits from one
  error(("client:%s: call it with a colon: client:%s(...)"):format(method, method), BLAME)
end

local function check_argument(method, level, name, value, expected, other)
  if type(value) == expected or type(value) == other then return end
  expected = other and expected .. " or a " .. other or expected
  local found = value == nil and "nothing" or "a " .. type(value)
  error(("client:%s: %s: expected a %s, found %s"):format(method, name, expected, found), level)
end

-- How the inputs of a direction are checked: options of core.body.
local function checks(self, from_object_type, to_object_type)
  return {
    check_ids = self.options.check_ids,
    check_type = self.options.check_types and types.checker(from_object_type, to_object_type) or nil,
  }
end

-- ---- one call ----

-- Until `seconds` have passed, or the connection is closed. Others may use it meanwhile, which wakes this
-- wait, too.
local function sleep(connection, seconds)
  local now = core.now()
  local deadline = now + seconds
  while now < deadline and not connection.closed do
    connection:wait(deadline - now)
    now = core.now()
  end
end

-- Until the rate limit lets a request through: nil, or the error of a wait that would be too long.
local function wait_for_limit(connection, meta)
  local now = core.now()
  local delay = connection.limiter:delay(now, "call", meta)
  if delay > 0 then connection:emit(meta, { type = "wait", delay = delay }) end
  while delay > 0 and not connection.closed do
    local err = connection.retry:too_long(now - meta.began + delay)
    if err then return err end
    sleep(connection, delay)
    now = core.now()
    delay = connection.limiter:delay(now, "call", meta)
  end
end

-- One attempt: batch | nil, error; and what is known of the answer.
local function attempt(connection, path, body, meta)
  local too_long = wait_for_limit(connection, meta)
  if too_long then return nil, too_long, {} end
  local flight, err = connection:send(path, body, meta.attempts + 1, meta)
  if not flight then return nil, err, {} end
  meta.attempts = meta.attempts + 1
  local ticket = connection.limiter:sent(core.now(), "call")
  connection:step()
  while not flight.request:done() do connection:wait() end
  local batch, about
  batch, err, about = connection:land(flight)
  connection:rest()
  connection.limiter:answered(ticket, core.now(), about.rate_limit, err)
  return batch, err, about
end

-- How long to wait before the next attempt; nil when there is none.
local function delay_after(connection, err, meta, now)
  if err.renewed and not meta.renewed then -- at once, and once
    meta.renewed = true
    return 0
  end
  if retryable.counts(err) then meta.counted_failures = meta.counted_failures + 1 end
  return connection.retry:after(err, meta.counted_failures, now - meta.began)
end

-- A call: as many attempts as it takes, within what the options allow.
local function call(connection, path, body)
  local meta = { attempts = 0, counted_failures = 0, began = core.now() }
  while true do
    local before = meta.attempts
    local batch, err, about = attempt(connection, path, body, meta)
    local now = core.now()
    for name, value in pairs(about) do meta[name] = value end
    meta.elapsed = now - meta.began
    if batch then
      connection.retry:succeeded()
      meta.began, meta.counted_failures, meta.renewed, meta.went_out = nil, nil, nil, nil
      return batch, meta
    end
    meta.went_out = meta.went_out or meta.attempts > before and err.sent ~= false
    if meta.went_out then err.sent = nil end -- it is the error of all attempts
    err.attempts, err.rate_limit, err.elapsed = meta.attempts, about.rate_limit, meta.elapsed
    err.event_error = meta.event_error
    local delay = delay_after(connection, err, meta, now)
    if not delay then return nil, err end
    if delay > 0 then
      connection:emit(meta, { type = "retry", kind = err.kind, delay = delay, attempt = meta.attempts })
    end
    sleep(connection, delay)
  end
end

---Creates associations: HubSpot's batch create, in one request.
---
---An input is { from = id, to = id, types = types }. An id is { id = string }, a string of digits or a whole
---number.
---Types are a list of { associationCategory = string, associationTypeId = integer }, one of them, or an
---integer (a type of category HUBSPOT_DEFINED). Inputs may be proxies: they are read through `__index`,
---which must not yield. Lists must be plain. Other fields of an input are ignored.
---
---An answer with `errors` is a success: some inputs were not created, and errors says which and why.
---@param from_object_type string an object name or object type id, e.g. "contacts", "0-1"
---@param to_object_type string
---@param inputs table[] 1 to `batch_size` of them
---@return hubspot.associations.BatchResponse|nil batch HubSpot's response
---@return table|hubspot.associations.Error meta { status, attempts, elapsed (seconds), correlation_id,
---  rate_limit, http_version, event_error }; the error when there is no batch
function Client:create(from_object_type, to_object_type, inputs, ...)
  check_self("create", self)
  if ... ~= nil then error("client:create: takes three arguments; options are associations.new's", 2) end
  check_argument("create", BLAME, "fromObjectType", from_object_type, "string")
  check_argument("create", BLAME, "toObjectType", to_object_type, "string")
  check_argument("create", BLAME, "inputs", inputs, "table")
  if self.connection.closed then return nil, connections.closed() end
  local path, err = endpoint.batch_create(self.options.version, from_object_type, to_object_type)
  if not path then return nil, err end
  if #inputs > self.options.batch_size then
    local message = "expected at most %d inputs, found %d: use create_all for any number"
    return nil, errors.new {
      kind = "invalid_input",
      field = "inputs",
      message = message:format(self.options.batch_size, #inputs),
      retryable = false,
    }
  end
  local body = core.body(checks(self, from_object_type, to_object_type))
  local added, refusals, count = body:add_list(inputs)
  if not added then return nil, input_errors.of_invalid(refusals, count) end
  return call(self.connection, path, body:json())
end

-- ---- any number ----

local function open_journal(self, path, from_object_type, to_object_type)
  if not path then return nil end
  return journals.open(path, {
    base_url = self.connection.base_url,
    fromObjectType = from_object_type,
    toObjectType = to_object_type,
  })
end

-- What start and create_all have in common.
local function begin(self, method, from_object_type, to_object_type, source, given)
  local level = BLAME + 1
  check_argument(method, level, "fromObjectType", from_object_type, "string")
  check_argument(method, level, "toObjectType", to_object_type, "string")
  check_argument(method, level, "source", source, "table", "function")
  local job_options = options.read_job(given or {}, "client:" .. method, level)
  if self.connection.closed then return nil, connections.closed() end
  local path, err = endpoint.batch_create(self.options.version, from_object_type, to_object_type)
  if not path then return nil, err end
  local journal, job
  if not job_options.dry_run then
    journal, err = open_journal(self, job_options.journal, from_object_type, to_object_type)
  end
  if err then return nil, err end
  job, err = jobs.new({
    source = source,
    checks = checks(self, from_object_type, to_object_type),
    direction = rejection.direction(from_object_type, to_object_type),
    batch_size = self.options.batch_size,
    concurrency = self.options.concurrency,
    max_failures = job_options.max_failures,
    dry_run = job_options.dry_run,
    on_failure = job_options.on_failure,
    on_batch = job_options.on_batch,
    retry = self.connection.retry,
    limiter = self.connection.limiter,
    journal = journal,
  }, core.now())
  if job then return runners.new(self.connection, path, job, journal) end
  if journal then journal:close() end
  return nil, err
end

---Begins a job that creates any number of associations, for a host that steps it itself.
---@param from_object_type string
---@param to_object_type string
---@param source table[]|fun(): table|nil a list of inputs, or an iterator that returns the next, and nil at
---  the end. A list must not change, and an iterator must return a fresh table each time: on_failure is
---  given the caller's own inputs (without it, failures from an iterator show what was sent)
---@param given hubspot.associations.JobOptions|nil
---@return hubspot.associations.Runner|nil
---@return hubspot.associations.Error|nil
function Client:start(from_object_type, to_object_type, source, given)
  check_self("start", self)
  local runner, err = begin(self, "start", from_object_type, to_object_type, source, given)
  return runner, err
end

---Creates any number of associations, and accounts for every input: see the report's four counts.
---Arguments as of `start`. Returns when the job is done.
---@return hubspot.associations.Report|nil report nil when the job could not begin
---@return hubspot.associations.Error|nil err why the job stopped before its source ended
function Client:create_all(from_object_type, to_object_type, source, given)
  check_self("create_all", self)
  local runner, err = begin(self, "create_all", from_object_type, to_object_type, source, given)
  if not runner then return nil, err end
  while not runner:step() do
    self.connection:wait(runner:timeout())
  end
  self.connection:rest()
  return runner:result()
end

---Ends the client's connections. Calls under way in other coroutines end with kind `closed`.
---A client that is collected, or goes out of scope as `local client <close>`, is closed too.
function Client:close()
  check_self("close", self)
  self.connection:close()
end

Client.__close = Client.close

---A client for one HubSpot account. Sends nothing yet.
---Raises when an option is unknown or wrong; returns nil and an error when there is no usable token.
---@param given hubspot.associations.Options
---@return hubspot.associations.Client|nil
---@return hubspot.associations.Error|nil
local function new(given)
  local read = options.read(given)
  local connection, err = connections.open(read)
  if not connection then return nil, err end
  return setmetatable({ options = read, connection = connection }, Client)
end

return { new = new }
