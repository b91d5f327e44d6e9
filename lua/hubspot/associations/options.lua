-- The options of a client and of a job: the type, unit, default and check of each. Does no I/O.

local ascii = require "hubspot.associations.text.ascii"
local core = require "hubspot.associations.core"

local one_line = require "hubspot.associations.text.one_line"
local shorten = require "hubspot.associations.text.shorten"

local options = {}

---@class hubspot.associations.Options of `associations.new`
---@field token string|fun(reason: "first"|"unauthorized"): string|nil, string|nil required: an access
---  token; or a function that returns one, or nil and a reason. It is called with `"first"` for the first
---  request, and with `"unauthorized"` once after a 401
---@field base_url string|nil the URL of the service; `http:` is only accepted for loopback addresses
---@field version string|nil the version of HubSpot's API, as it stands in the path: also `"2026-03"`,
---  `"2026-09"`, `"v4"`
---@field timeout number|nil seconds for one request
---@field connect_timeout number|nil seconds of these to connect
---@field max_attempts integer|nil attempts of one request, 1 to 1,000; those that end with a 429 do not
---  count. With 1, nothing is tried again
---@field retry_deadline number|nil seconds for all attempts of one request together. If neither is given, a
---  host that cannot be reached is tried for 5 seconds, until it was reached once
---@field concurrency integer|nil requests of one job in flight, 1 to 100
---@field batch_size integer|nil inputs per request, 1 to 2,000; a read has 1,000 at most
---@field check_ids boolean|nil whether strings have to spell record ids: 1 to 19 digits, the first of them
---  not 0. With false, strings are sent as they are
---@field check_types boolean|nil whether type ids that HubSpot's documentation lists for another direction
---  are invalid, and not sent
---@field rate integer|nil requests per 10 seconds, 1 to 10,000, for when you know better; by default, what
---  the response headers allow
---@field budget hubspot.associations.Budget|nil what shares the rate limit with other processes
---@field proxy string|nil URL, as libcurl's `CURLOPT_PROXY` takes it; by default, from the environment; not
---  used for an `http:` URL
---@field ca_file string|nil name of a file of certificates to trust instead, PEM; by default, from the
---  environment, else libcurl's
---@field ca_path string|nil name of a directory of them, as `openssl rehash` prepares it; by default, from
---  the environment, else libcurl's
---@field http_version "1.1"|"2"|nil the newest version of HTTP to use; by default HTTP/2, if
---  libcurl and the server can
---@field user_agent string|nil appended to the module's own
---@field loop hubspot.associations.Loop|nil how to wait; by default, blocking
---@field on_event fun(event: hubspot.associations.Event)|nil told of each request and its end, for logs and
---  metrics. What it raises costs no answer

---@class hubspot.associations.JobOptions of a job
---@field on_failure fun(failure: hubspot.associations.Failure): boolean|nil told of each input that was not
---  created. Returning `false` ends the job
---@field on_batch fun(batch: hubspot.associations.BatchReport): boolean|nil told of each batch when all its
---  inputs have an outcome. Without it, results are not decoded, which saves time. Returning `false` ends
---  the job
---@field on_record fun(page: hubspot.associations.RecordPage): boolean|nil for `read_all` only, which needs
---  it: told of each page of each record, and once of a record without links. Returning `false` ends the
---  job
---@field journal string|nil file name: what is recorded there is not done again, what is done is recorded
---  there
---@field before_journal fun(): boolean|nil called each time before the journal records what is done: what
---  `on_record` wrote must not get lost from here on (fsync, commit). Returning `false` ends the job, and
---  nothing is recorded
---@field dry_run boolean|nil read and check all inputs, send none of them, and open no journal
---@field verify boolean|nil read back what was written: what HubSpot does not show is `unconfirmed`. Of
---  jobs that write
---@field from_property string|nil the source names the records of the from side by this property, such as
---  `email`, whose values are unique; they are looked up
---@field to_property string|nil the same of the to side
---@field max_failures integer|nil how many failures the report keeps when there is no `on_failure`

---@class hubspot.associations.SyncOptions of `client:sync_all`
---@field mode "add"|"mirror"|nil `"add"` creates what is missing; `"mirror"` also removes what the source
---  does not have, of the records that it names on its from side
---@field types any association types, as inputs have them: those that are compared and removed; by default,
---  those that the source uses
---@field empty "none"|nil `"none"`: a row whose `to` is empty says that its record shall have no links
---@field plan string|nil file name: the plan is written there, and nothing is changed
---@field apply string|nil file name: that plan is done; there is no source
---@field account string|nil a name of the account, such as its hub id: a plan that is written has it, and one
---  that is applied and has another is refused
---@field max_removals integer|string|nil a number, or a percentage such as `"10%"` of the links that are
---  compared: when more would be removed, nothing is changed. By default, the larger of 10 % and 100; with
---  `apply`, any number
---@field row_place fun(index: integer): string|nil says where a row of the source is, such as in which line
---  of a file, for `removals_off` and the plan; by default, its number is named
---@field on_plan fun(plan: hubspot.associations.SyncPlan): boolean|nil told of the plan before anything is
---  changed. Returning `false` ends the sync
---@field on_failure fun(failure: hubspot.associations.Failure): boolean|nil as in a job; also of removals
---@field journal string|nil as in a job: a second run goes on with the plan that the first one made
---@field dry_run boolean|nil read and compare, and change nothing
---@field from_property string|nil as in a job
---@field to_property string|nil as in a job
---@field max_failures integer|nil as in a job

---@class hubspot.associations.Failure an input, or a removal of a sync, that did not succeed
---@field index integer|nil position in the source; a removal has one with `apply` only: the line of the
---  plan
---@field input any the caller's own; without `on_failure`, failures from an iterator have what was sent
---@field outcome "failed"|"unconfirmed"|"not_sent" what became of it
---@field error hubspot.associations.Error why
---@field action "remove"|nil of a removal
---@field from_id string|nil of an input whose record of the from side was looked up

---@class hubspot.associations.BatchReport what `on_batch` is told
---@field first integer index in the source
---@field last integer index in the source
---@field created integer|nil how many; a job of another endpoint has its outcome in this place: `archived`,
---  `read`
---@field archived integer|nil in place of `created`
---@field read integer|nil in place of `created`
---@field failures hubspot.associations.Failure[] those of the batch
---@field results table[] those of HubSpot's responses; of `read_all`, it is empty: `on_record` has them
---@field report hubspot.associations.Report so far

---@class hubspot.associations.RecordPage what `on_record` is told
---@field index integer position in the source
---@field input any the caller's own
---@field id string of the record
---@field links table[] as HubSpot has them: `{ toObjectId, associationTypes }`
---@field part integer which page it is, from 1
---@field last boolean whether it is the last of the record

---@class hubspot.associations.SyncPlan what `on_plan` is told, in numbers
---@field creations integer rows that are to be created
---@field removals integer links that are to be removed
---@field kept integer what is there already
---@field failed integer rows that cannot be used
---@field protected integer records from which nothing is removed
---@field in_scope integer links that were compared
---@field removals_off string|nil why nothing is removed at all
---@field inputs integer rows of the source
---@field resumed boolean whether the plan is that of an earlier run

---@class hubspot.associations.CollectorOptions of a collector
---@field max_pending integer|nil links without an outcome, 1 to 10,000,000: beyond them, `add` gives an error
---  of kind `busy`. `link` waits in any case
---@field timeout number|nil seconds after which a link ends with an error of kind `timeout`
---@field most integer|nil links in one request, 1 to 2,000; by default, `batch_size` of the client
---@field linger number|nil seconds that a link waits for others when nothing is in flight

---@class hubspot.associations.Loop
---@field wait fun(fd: integer, timeout: number|nil) returns when fd is readable, or after `timeout` seconds

local function is_type(name)
  return function(value)
    return type(value) == name, "a " .. name
  end
end

local function seconds(value)
  return type(value) == "number" and value > 0 and value < math.huge, "a positive number of seconds"
end

local function pause(value)
  return type(value) == "number" and value >= 0 and value < math.huge, "a number of seconds, 0 or more"
end

local function count(most)
  local expected = ("a whole number from 1 to %d"):format(most)
  return function(value)
    return type(value) == "number" and value >= 1 and value <= most and value % 1 == 0, expected
  end
end

local function text(value)
  local valid = type(value) == "string" and value ~= "" and not value:find "[%z\1-\31\127]"
  return valid, "a string that is not empty, without control characters"
end

local function base_url(value)
  if type(value) ~= "string" then return false, "a string" end
  if value:find "[?#%z\1-\32\127]" then return false, "a URL without query, fragment or spaces" end
  local reason = core.invalid_url(value)
  return reason == nil, "a URL such as https://api.hubapi.com (" .. tostring(reason) .. ")"
end

local function version(value)
  local named = type(value) == "string" and value:find "^[A-Za-z0-9][A-Za-z0-9%-]*$" ~= nil
  return named, 'an API version such as "2025-09" or "v4"'
end

local function http_version(value)
  return value == "1.1" or value == "2", 'the string "1.1" or "2"'
end

local function token(value)
  -- The characters of a token are checked when it is used: a missing or mangled token is a failure at run
  -- time, no mistake of the program.
  return value == nil or type(value) == "string" or type(value) == "function", "a string or a function"
end

-- Modules below hubspot.associations.loop.
local LOOPS = {
  blocking = true, cqueues = true, haproxy = true, luv = true, neovim = true, nginx = true, prosody = true,
}

local function loop(value)
  if type(value) == "table" and type(value.wait) == "function" then return true end
  if LOOPS[value] then
    return false, ('a loop: require "hubspot.associations.loop.%s"'):format(value)
  end
  return false, "a table with a function `wait`"
end

local function budget(value)
  return type(value) == "table" and type(value.join) == "function", "a budget, made by redis.budget"
end

local MOST_INPUTS = 2000 -- of a request: the most that any endpoint takes (api/endpoints.lua)

local CLIENT = {
  token = { check = token },
  base_url = { check = base_url, default = "https://api.hubapi.com" },
  version = { check = version, default = "2025-09" },
  timeout = { check = seconds, default = 30 },
  connect_timeout = { check = seconds, default = 10 },
  max_attempts = { check = count(1000), default = 6 },
  retry_deadline = { check = seconds, default = 300 },
  concurrency = { check = count(100), default = 4 },
  batch_size = { check = count(MOST_INPUTS), default = MOST_INPUTS },
  check_ids = { check = is_type "boolean", default = true },
  check_types = { check = is_type "boolean", default = true },
  rate = { check = count(10000) },
  budget = { check = budget },
  proxy = { check = text },
  ca_file = { check = text },
  ca_path = { check = text },
  http_version = { check = http_version },
  user_agent = { check = text },
  loop = { check = loop },
  on_event = { check = is_type "function" },
}

local JOB = {
  on_failure = { check = is_type "function" },
  on_batch = { check = is_type "function" },
  on_record = { check = is_type "function" },
  journal = { check = text },
  before_journal = { check = is_type "function" },
  dry_run = { check = is_type "boolean", default = false },
  max_failures = { check = count(1e9), default = 1000 },
  verify = { check = is_type "boolean", default = false },
  from_property = { check = text },
  to_property = { check = text },
}

local function one_of(...)
  local values, is_known = { ... }, {}
  for index, value in ipairs(values) do
    is_known[value], values[index] = true, ('"%s"'):format(value)
  end
  local expected = table.concat(values, " or ")
  return function(value) return is_known[value] == true, expected end
end

local function types(value)
  local its_type = type(value)
  local valid = its_type == "table" and next(value) ~= nil or its_type == "number" or its_type == "string"
  return valid, "association types, as inputs have them"
end

local function removals(value)
  local percentage = type(value) == "string" and tonumber(value:match "^([0-9.]+)%%$")
  local is_count = type(value) == "number" and value >= 0 and value < 1e15 and value % 1 == 0
  return is_count or percentage ~= nil and percentage ~= false and percentage <= 100,
    'a whole number, or a percentage such as "10%"'
end

local SYNC = {
  mode = { check = one_of("add", "mirror"), default = "add" },
  types = { check = types },
  empty = { check = one_of "none" },
  plan = { check = text },
  apply = { check = text },
  account = { check = text },
  max_removals = { check = removals },
  row_place = { check = is_type "function" },
  on_plan = { check = is_type "function" },
  on_failure = JOB.on_failure,
  journal = JOB.journal,
  dry_run = JOB.dry_run,
  max_failures = JOB.max_failures,
  from_property = JOB.from_property,
  to_property = JOB.to_property,
}

local COLLECTOR = {
  max_pending = { check = count(1e7), default = 10000 },
  timeout = { check = seconds, default = 60 },
  most = { check = count(MOST_INPUTS) },
  linger = { check = pause, default = 0 },
}

local WORK = {
  account = { check = text },
  until_empty = { check = is_type "boolean", default = false },
  stop = { check = is_type "function" },
  poll = { check = seconds, default = 0.2 },
  on_error = { check = is_type "function" },
}

local LONGEST_SHOWN = 100 -- bytes

local IS_SECRET = { token = true, proxy = true, url = true } -- options, or their URLs

-- Whether a text may be or have a secret: a proxy's, one in a URL, or a token in a wrong place.
local function may_be_secret(name, value, known)
  if IS_SECRET[name] or value:find "[@?#]" or value:find "pat%-" then return true end
  return type(known) == "string" and #known >= 8 and value:find(known, 1, true) ~= nil
end

---A value as an error shows it, which must be none that may have a secret, such as a URL.
---@param value any
---@return string
function options.found(value)
  if value == nil then return "nothing" end
  if type(value) == "number" then return tostring(value) end
  if type(value) ~= "string" then return "a " .. type(value) end
  return '"' .. shorten.text(one_line(value), LONGEST_SHOWN, "...") .. '"'
end

---The same for the value of an option: what may be or have a secret, also in a wrong place, is not shown.
---@param name string
---@param value any
---@param known string|nil a secret
---@return string
function options.shown(name, value, known)
  if type(value) == "string" and may_be_secret(name, value, known) then return "a string" end
  return options.found(value)
end

-- What an error says of an option that a method does not have.
local function unknown(known, name)
  if known == JOB and CLIENT[name] then return "is an option of associations.new" end
  if known == SYNC and CLIENT[name] then return "is an option of associations.new" end
  if known == CLIENT and JOB[name] then return "is an option of client:create_all" end
  if known ~= SYNC and SYNC[name] then return "is an option of client:sync_all" end
  local names = {}
  for other in pairs(known) do names[#names + 1] = other end
  table.sort(names, ascii.before)
  return "is unknown; there are " .. table.concat(names, ", ")
end

local function read_options(known, given, method, level)
  if type(given) ~= "table" then
    local found = given == nil and "nothing" or "a " .. type(given)
    error(("%s: expected a table of options, found %s"):format(method, found), level)
  end
  for name in pairs(given) do
    if not known[name] then
      error(("%s: option %s %s"):format(method, one_line(name), unknown(known, name)), level)
    end
  end
  local read = {}
  for name, option in pairs(known) do
    local value = given[name]
    if value == nil then value = option.default end
    if value ~= nil then
      local valid, expected = option.check(value)
      if not valid then
        local found = options.shown(name, value, given.token)
        error(("%s: option %s: expected %s, found %s"):format(method, name, expected, found), level)
      end
    end
    read[name] = value
  end
  return read
end

---What an option of a client or a job takes, when it does not take a value; nil when it does.
---@param name string
---@param value any
---@return string|nil expected
function options.expected(name, value)
  local valid, expected = (CLIENT[name] or JOB[name] or SYNC[name]).check(value)
  return not valid and expected or nil
end

---The options of a client, with the defaults of those that are not given. Raises when one is unknown or
---wrong.
---@param given table
---@return hubspot.associations.Options
function options.read(given)
  local read = read_options(CLIENT, given, "associations.new", 4) -- no tail call: it would hide a level
  if read.budget and read.rate then error("associations.new: option rate: give it to the budget", 3) end
  read.is_patient = given.max_attempts ~= nil or given.retry_deadline ~= nil
  return read
end

---The same for the options of a job.
---@param given table
---@param method? string the method that was called, client:create_all by default
---@param level? integer how far up the stack the caller to blame is, as for `error`; 2 by default
---@return hubspot.associations.JobOptions
function options.read_job(given, method, level)
  local read = read_options(JOB, given, method or "client:create_all", (level or 2) + 1)
  return read
end

---The same for the options of a sync.
---@param given table
---@param method string
---@param level integer
---@return hubspot.associations.SyncOptions
function options.read_sync(given, method, level)
  local read = read_options(SYNC, given, method, level + 1)
  local function refuse(message) error(("%s: %s"):format(method, message), level + 1) end
  if read.apply and (read.plan or read.types or read.empty or read.from_property or read.to_property) then
    refuse "option apply: a plan has ids and types: give no plan, types, empty or properties beside it"
  elseif read.apply and type(read.max_removals) == "string" then
    refuse "option max_removals: of a plan that is applied, it can be a number only"
  end
  return read
end

---The same for the options of a collector.
---@param given table
---@return hubspot.associations.CollectorOptions
function options.read_collector(given)
  local read = read_options(COLLECTOR, given, "client:collector", 4)
  return read
end

---The same for the options of client:work.
---@param given table
---@param method string
---@param level integer
---@return hubspot.associations.WorkOptions
function options.read_work(given, method, level)
  local read = read_options(WORK, given, method, level + 1)
  return read
end

return options
