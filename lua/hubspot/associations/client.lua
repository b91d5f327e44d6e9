-- A client: what a caller can do with one HubSpot account. Its methods come from api/endpoints.lua: each row
-- is a call, and a row with `most` is also a job. Checks arguments and waits; the session and the job do the
-- rest.

local endpoints = require "hubspot.associations.api.endpoints"
local rejection = require "hubspot.associations.api.rejection"
local requests = require "hubspot.associations.api.request"
local type_names = require "hubspot.associations.api.type_names"
local arguments = require "hubspot.associations.arguments"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local jobs = require "hubspot.associations.job.job"
local look_ahead = require "hubspot.associations.job.look_ahead"
local links = require "hubspot.associations.links"
local journals = require "hubspot.associations.job.journal_file"
local runners = require "hubspot.associations.job.runner"
local options = require "hubspot.associations.options"
local call = require "hubspot.associations.session.call"
local responses = require "hubspot.associations.api.response"
local sessions = require "hubspot.associations.session.session"
local workers = require "hubspot.associations.work.worker"
local syncs = require "hubspot.associations.sync.sync"

---@class hubspot.associations.Client
local Client = {}
Client.__index = Client
Client.__name = "hubspot.associations.client"

local function check_self(method, self)
  if type(self) == "table" and self.session and self.options then return end -- also an object that inherits
  error(("client:%s: call it with a colon: client:%s(...)"):format(method, method), 3)
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

-- The names of types for one call or job of an endpoint; nil where it takes no types.
local function naming_of(self, row, values)
  if not requests.has_types(row) then return nil end
  return self.type_directory:between(values.fromObjectType, values.toObjectType):use()
end

-- The request for the labels of a direction.
local function labels_request(self, values)
  local read = { values = { fromObjectType = values.fromObjectType, toObjectType = values.toObjectType } }
  return requests.of(endpoints.labels, self.options, read)
end

-- The request of a call. If it names a type that is not known, the account's labels are asked for first.
local function request_of(self, row, read)
  local naming = naming_of(self, row, read.values)
  local request, err = requests.of(row, self.options, read, naming)
  if request or not (naming and naming.is_missing) then return request, err end
  local asked = labels_request(self, read.values)
  local page, failure = call(self.session, asked, endpoints.labels.response)
  if not page then return nil, naming.names:failure(failure) end
  naming.names:load(page)
  return requests.of(row, self.options, read, naming)
end

-- Sends the one request of an endpoint, with the arguments of its method.
local function call_endpoint(self, method, row, read)
  if self.session:is_closed() then return nil, sessions.closed() end
  if row.most then
    local most, count = most_inputs(self, row), #read.last
    if count > most then return nil, too_many(method, most, count) end
  end
  local request, err = request_of(self, row, read)
  if not request then
    local is_for_job = row.most and err.kind == "too_large" -- by its bytes, or by what `most_groups` says
    if is_for_job then err.message = ("%s: use %s_all for any number"):format(err.message, method) end
    return nil, err
  end
  local result, info = call(self.session, request, row.response)
  if row.changes_labels then self.type_directory:forget() end
  return result, info
end

-- All pages of a list, one request after the other. Returns what one page would be; and what the last call
-- returned.
local function call_list(self, name, row, read)
  local query, all = { limit = row.most_per_page }, {}
  for option, value in pairs(read.options or {}) do query[option] = value end
  local trail = responses.trail(query.after)
  while true do
    local page, info = call_endpoint(self, name, row, { values = read.values, options = query })
    if not page then return nil, info end
    for _, entry in ipairs(page.results) do all[#all + 1] = entry end
    local cursor, err = responses.next_cursor(page, trail)
    if err then return nil, err end
    if not cursor then return { results = all }, info end
    query.after = cursor
  end
end

-- ---- any number ----

local function open_journal(self, given, endpoint, values)
  local path = given.journal
  if not path then return nil end
  local identity = {
    base_url = self.session.base_url, endpoint = endpoint,
    from_property = given.from_property, to_property = given.to_property,
  }
  for name, value in pairs(values) do identity[name] = value end
  return journals.open(path, identity, endpoints[endpoint].outcome)
end

-- The request that reads records by the values of a property.
local function look_up_request(self, object_type, fields)
  return requests.of(endpoints.read_objects, self.options, {
    values = { fromObjectType = object_type }, last = fields,
  })
end

-- What a job needs to read back what it wrote.
local function verify_by(self, values)
  local row = endpoints.read
  return {
    endpoint = row,
    request = { method = row[1], path = requests.path(row, self.options, { values = values }) },
    checks = requests.checks(row, self.options),
    batch_size = most_inputs(self, row),
  }
end

local function new_job(self, row, read, given, journal, window)
  local values = read.values
  local naming = read.naming or naming_of(self, row, values)
  return jobs.new({
    source = read.last,
    endpoint = row,
    checks = requests.checks(row, self.options, naming),
    naming = naming,
    labels = naming and { request = labels_request(self, values), response = endpoints.labels.response },
    direction = rejection.direction(values.fromObjectType, values.toObjectType),
    batch_size = most_inputs(self, row),
    concurrency = self.options.concurrency,
    window = window,
    max_failures = given.max_failures,
    dry_run = given.dry_run,
    on_failure = given.on_failure,
    on_batch = given.on_batch,
    on_record = given.on_record,
    before_journal = given.before_journal,
    on_checked = read.on_checked,
    on_settled = read.on_settled,
    ahead = look_ahead.of(row.shape, values, given, journal ~= nil),
    look_up_request = function(object_type, fields) return look_up_request(self, object_type, fields) end,
    verify = given.verify and verify_by(self, values) or nil,
    policy = self.session.policy,
    journal = journal,
  }, core.now())
end

-- A job that reads has to say what becomes of the records, and no other job has any. Its inputs have no to
-- side.
local function check_for_row(method, row, given)
  if row.page and not (given.on_record or given.dry_run) then
    error(("client:%s: option on_record: expected a function, found nothing"):format(method), 4)
  elseif given.on_record and not row.page then
    error(("client:%s: option on_record is an option of client:read_all"):format(method), 4)
  elseif given.verify and not row.verified then
    error(("client:%s: option verify is an option of jobs that write"):format(method), 4)
  elseif given.to_property and row.page then
    error(("client:%s: option to_property: its inputs have records of the from side only"):format(method), 4)
  end
end

-- Begins a job of an endpoint: what `start` and the methods that end in `_all` have in common.
local function begin(self, method, endpoint, read)
  local row = endpoints[endpoint]
  local given = options.read_job(read.options or {}, "client:" .. method, 4)
  check_for_row(method, row, given)
  if self.session:is_closed() then return nil, sessions.closed() end
  local path, err = requests.path(row, self.options, read)
  if not path then return nil, err end
  local journal, job
  if not given.dry_run then journal, err = open_journal(self, given, endpoint, read.values) end
  if err then return nil, err end
  job, err = new_job(self, row, read, given, journal)
  if job then
    return runners.new(self.session, { method = row[1], path = path }, job, journal)
  end
  if journal then journal:close() end
  return nil, err
end

-- Begins a sync: a runner of runners. An applied plan takes the place of the source.
local function begin_sync(self, method, from, to, source, given)
  local read_options = options.read_sync(given or {}, "client:" .. method, 4)
  local stands_for = source == nil and read_options.apply and {} or source
  local _, wrong = arguments.read(endpoints.create, true, from, to, stands_for)
  if not wrong and source ~= nil and read_options.apply then
    wrong = "option apply: the plan takes the place of the source"
  end
  if wrong then error(("client:%s: %s"):format(method, wrong), 3) end
  if self.session:is_closed() then return nil, sessions.closed() end
  local values = { fromObjectType = from, toObjectType = to }
  return syncs.new({
    start = function(endpoint, inputs, job_options, on_checked)
      return begin(self, method, endpoint, {
        values = values, last = inputs, options = job_options, on_checked = on_checked,
      })
    end,
    wakeups = self.session.wakeups,
    base_url = self.session.base_url,
  }, from, to, source, read_options)
end

---Begins a job of an endpoint with any number of inputs, for a host that steps it.
---@param endpoint string "create", "create_default", "archive", "archive_labels" or "read"; or "sync", which
---  takes the arguments of sync_all. It may be left out where the third argument is the source: then it is
---  "create"
---@param from_object_type string
---@param to_object_type string
---@param source hubspot.associations.Source
---@param given hubspot.associations.JobOptions|nil
---@return hubspot.associations.Runner|nil
---@return hubspot.associations.Error|nil
function Client:start(endpoint, from_object_type, to_object_type, source, given)
  check_self("start", self)
  local source_type = type(to_object_type)
  if source_type == "table" or source_type == "function" then
    if endpoint == "sync" or endpoints[endpoint] then -- no object type: it would be taken for one
      error(("client:start: %s: two object types stand before the source"):format(endpoint), 2)
    end
    endpoint, from_object_type, to_object_type, source, given =
      "create", endpoint, from_object_type, to_object_type, source
  end
  if endpoint == "sync" then
    local runner, err = begin_sync(self, "start", from_object_type, to_object_type, source, given)
    return runner, err -- no tail call: it would hide a level
  end
  local row = endpoints[endpoint]
  if not (row and row.most) then
    error(("client:start: %s is no endpoint of jobs"):format(tostring(endpoint)), 2)
  end
  local read, wrong = arguments.read(row, true, from_object_type, to_object_type, source, given)
  if not read then error("client:start: " .. wrong, 2) end
  local runner, err = begin(self, "start", endpoint, read)
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

---@alias hubspot.associations.Id string|integer|{ id: string } a string of digits, or a whole number
---@alias hubspot.associations.Type integer|string|{ associationCategory: string,
---  associationTypeId: integer } an integer is a type of category HUBSPOT_DEFINED; a string is a name:
---  `"primary"`, `"contact_to_company"`, or a label of the account
---@alias hubspot.associations.Types hubspot.associations.Type|hubspot.associations.Type[]
---@class hubspot.associations.Input other fields are ignored; it may be a proxy, whose `__index` must not
---  yield
---@field from hubspot.associations.Id
---@field to hubspot.associations.Id
---@field types hubspot.associations.Types|nil
---@alias hubspot.associations.Inputs (hubspot.associations.Input|hubspot.associations.Id)[] 1 to
---  `batch_size` of them; the list itself must be no proxy
---@alias hubspot.associations.Source hubspot.associations.Inputs|fun(): any, any a list, which must not
---  change meanwhile, or an iterator, which returns a new table each time, and nil at the end

---The methods of the endpoints: calls, of one request each; and jobs, with any number of inputs. A response
---with `errors` is a success as well: they say which inputs were not created, and why.
---@class hubspot.associations.Client
---@field create fun(self, from: string, to: string, inputs: hubspot.associations.Inputs):
---  hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error links
---  pairs `{ from, to, types }`
---@field create_default fun(self, from: string, to: string, inputs: hubspot.associations.Inputs):
---  hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error links
---  pairs `{ from, to }` by the unlabeled type
---@field archive fun(self, from: string, to: string, inputs: hubspot.associations.Inputs): table|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error removes all types of pairs `{ from, to }`; of
---  100 `from` at most
---@field archive_labels fun(self, from: string, to: string, inputs: hubspot.associations.Inputs):
---  table|nil, hubspot.associations.CallInfo|hubspot.associations.Error removes types of pairs `{ from, to,
---  types }`
---@field read fun(self, from: string, to: string, inputs: hubspot.associations.Inputs):
---  hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error reads
---  the links of records, which are ids or `{ id, after }`; 1,000 at most
---@field list fun(self, from: string, id: string|integer, to: string, options: { after: string?, limit:
---  integer? }|nil): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error reads the links of
---  one record, a page; `options` are `after` and `limit` (500 at most)
---@field list_all fun(self, from: string, id: string|integer, to: string, options: { limit: integer?
---  }|nil): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error reads all links of one
---  record, page by page: `{ results }`
---@field put fun(self, from: string, id: string|integer, to: string, to_id: string|integer, types:
---  hubspot.associations.Types): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error links
---  one pair
---@field put_default fun(self, from: string, id: string|integer, to: string, to_id: string|integer):
---  hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error links
---  one pair by the unlabeled type
---@field delete fun(self, from: string, id: string|integer, to: string, to_id: string|integer): table|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error removes all types of one pair
---@field labels fun(self, from: string, to: string): table|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error lists the association types of a direction
---@field create_label fun(self, from: string, to: string, fields: { name: string, label: string,
---  inverseLabel: string? }): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error makes a
---  label in both directions: `{ name, label, inverseLabel }`. It is not sent again once HubSpot may have
---  made it
---@field update_label fun(self, from: string, to: string, fields: { associationTypeId: integer, label:
---  string, inverseLabel: string? }): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---  renames one: `{ associationTypeId, label, inverseLabel }`
---@field delete_label fun(self, from: string, to: string, type_id: integer): table|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error deletes one
---@field limits fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error lists the
---  account's limits on associations
---@field limits_between fun(self, from: string, to: string): table|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error lists those of a direction
---@field create_limits fun(self, from: string, to: string, inputs: table[]):
---  hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error sets
---  limits `{ category, typeId, maxToObjectIds }`
---@field update_limits fun(self, from: string, to: string, inputs: table[]):
---  hubspot.associations.BatchResponse|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---  changes them
---@field delete_limits fun(self, from: string, to: string, inputs: table[]): table|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error removes limits `{ category, typeId }`
---@field records_near_limit fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---  lists the object types with records that are near a limit, or at it
---@field records_near_limit_to fun(self, from: string): table|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error lists, for records of one object type, what
---  they have so many links to
---@field labels_near_limit fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error
---  says how near the number of labels is to its limit
---@field usage_report fun(self, user_id: integer): table|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error has HubSpot mail a report on records with many
---  associations to that user
---@field read_objects fun(self, from: string, fields: { inputs: (string|integer)[], properties: string[]?,
---  idProperty: string? }): hubspot.associations.BatchResponse|nil,
---  hubspot.associations.CallInfo|hubspot.associations.Error reads records: `{ inputs, properties,
---  idProperty }`, by their ids or a property
---@field account fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error says which
---  account a token is of
---@field token_info fun(self): table|nil, hubspot.associations.CallInfo|hubspot.associations.Error says
---  which app and user a private app's token is of, and its scopes
---@field create_all fun(self, from: string, to: string, source: hubspot.associations.Source, options:
---  hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil, hubspot.associations.Error|nil
---  links any number of pairs `{ from, to, types }`
---@field create_default_all fun(self, from: string, to: string, source: hubspot.associations.Source,
---  options: hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil,
---  hubspot.associations.Error|nil links any number of pairs `{ from, to }` by the unlabeled type
---@field archive_all fun(self, from: string, to: string, source: hubspot.associations.Source, options:
---  hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil, hubspot.associations.Error|nil
---  removes all types of any number of pairs
---@field archive_labels_all fun(self, from: string, to: string, source: hubspot.associations.Source,
---  options: hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil,
---  hubspot.associations.Error|nil removes types of any number of pairs `{ from, to, types }`
---@field read_all fun(self, from: string, to: string, source: hubspot.associations.Source, options:
---  hubspot.associations.JobOptions|nil): hubspot.associations.Report|nil, hubspot.associations.Error|nil
---  reads the links of any number of records; `on_record` is given them

-- `send` is call_endpoint or call_list.
local function bind_call(name, row, send)
  Client[name] = function(self, ...)
    check_self(name, self)
    local read, wrong = arguments.read(row, false, ...)
    if not read then error(("client:%s: %s"):format(name, wrong), 2) end
    local result, info = send(self, name, row, read)
    return result, info
  end
end

local function bind_job(name, endpoint, row)
  Client[name] = function(self, ...)
    check_self(name, self)
    local read, wrong = arguments.read(row, true, ...)
    if not read then error(("client:%s: %s"):format(name, wrong), 2) end
    local runner, err = begin(self, name, endpoint, read)
    return run(self, runner, err)
  end
end

for name, row in pairs(endpoints) do
  bind_call(name, row, call_endpoint)
  if row.most_per_page then bind_call(name .. "_all", row, call_list) end
  if row.most then bind_job(name .. "_all", name, row) end
end

---Makes a collector, which links pairs one at a time, and sends together those that come at the same time.
---@param from_object_type string
---@param to_object_type string
---@param given hubspot.associations.CollectorOptions|nil
---@return hubspot.associations.Collector|nil
---@return hubspot.associations.Error|nil
function Client:collector(from_object_type, to_object_type, given)
  check_self("collector", self)
  links.check_object_types("collector", from_object_type, to_object_type)
  local read = options.read_collector(given or {})
  local made, err = links.collector(self, new_job, from_object_type, to_object_type, read)
  return made, err
end

---Links a pair, together with others that are linked at the same time, and waits until that has its outcome.
---@param from_object_type string
---@param to_object_type string
---@param input table { from, to, types }
---@return true|nil
---@return hubspot.associations.Error|nil
function Client:link(from_object_type, to_object_type, input)
  check_self("link", self)
  local spelled = self.spelled[from_object_type]
  local kept = spelled and spelled[to_object_type]
  if not kept then
    local err
    links.check_object_types("link", from_object_type, to_object_type)
    kept, err = links.kept(self, from_object_type, to_object_type)
    if not kept then return nil, err end
  end
  local linked, failure = kept:link(input)
  return linked, failure
end

---Drains a queue (redis.queue): runs jobs of what is in it, and removes what has its outcome.
---@param queue hubspot.associations.SharedQueue
---@param given hubspot.associations.WorkOptions|nil
---@return hubspot.associations.WorkReport
---@return hubspot.associations.Error|nil why it ended early
function Client:work(queue, given)
  check_self("work", self)
  local function start(endpoint, read) return begin(self, "work", endpoint, read) end
  local report, err = workers.run({ queue = queue, session = self.session, start = start }, given, 3)
  return report, err
end

---Where requests go, and through which proxy, and which certificates are trusted: for people, without the
---proxy's user and password. Sends nothing.
---@return hubspot.associations.Connection
function Client:connection()
  check_self("connection", self)
  return self.session:connection()
end

---Makes HubSpot look like the source: reads it to its end, compares it with what is there, and makes the
---difference. Nothing is changed before the whole plan is known. Blocks for sort(1): for scripts.
---@param from_object_type string
---@param to_object_type string
---@param source hubspot.associations.Source|nil as that of create_all; nil with the option `apply`
---@param given hubspot.associations.SyncOptions|nil
---@return hubspot.associations.SyncReport|nil
---@return hubspot.associations.Error|nil
function Client:sync_all(from_object_type, to_object_type, source, given)
  check_self("sync_all", self)
  local runner, err = begin_sync(self, "sync_all", from_object_type, to_object_type, source, given)
  return run(self, runner, err)
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
  if type(given) == "table" and given.new == new then
    error("associations.new: call it with a dot: associations.new { ... }", 2)
  end
  local read = options.read(given)
  local session, err = sessions.open(read)
  if not session then return nil, err end
  return setmetatable({
    options = read,
    session = session,
    type_directory = type_names.directory(),
    collectors = {}, -- those of client:link, by direction
    spelled = {}, -- the same by the object types as a caller spells them: each link needs one
    bells = nil, -- what all collectors wait for
  }, Client)
end

return { new = new }
