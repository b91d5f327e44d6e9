-- Reads back what a job wrote, before it counts as done: HubSpot may accept a write, and not show it. A batch
-- whose inputs all have their outcome is not complete then, but waits here. After a pause, since HubSpot
-- shows a write a little later, its records are read by a job of their own, up to three times; what is not as
-- it was to be becomes `unconfirmed`. The requests of these jobs go the way of the others.

local errors = require "hubspot.associations.errors"
local matching = require "hubspot.associations.job.matching"
local digits_of = require "hubspot.associations.text.digits"
local types = require "hubspot.associations.types"

local verification = {}

---Seconds before each read of what was written, or was not shown by the one before.
verification.PAUSES = { 1, 2, 4 }

---How many more batches than without verification may be open: they wait most of the time.
verification.MOST_WAITING = 12

---@class hubspot.associations.Check the verification of one batch
---@field batch hubspot.associations.Batch
---@field round integer how many times its records were read
---@field due number|nil when they are read next
---@field reader hubspot.associations.Job|nil the job that reads them
---@field order string[] the ids of the from side
---@field records table<string, table<string, table>>|nil from id -> to id -> { positions, shown = set of
---  types, nil where HubSpot shows no link }: what is not verified yet
---@field is_read table<string, boolean> ids of which all links were read, in this round
---@field failed table<string, hubspot.associations.Error> ids that could not be read: they are not read again

---@class hubspot.associations.Verifier
local Verifier = {}
Verifier.__index = Verifier

---@param job hubspot.associations.Job
---@param spec table { endpoint = the row that reads, request = { method, path }, checks, batch_size }
---@param new_job fun(spec: table, now: number): hubspot.associations.Job
---@return hubspot.associations.Verifier
function verification.new(job, spec, new_job)
  local unlabeled = types.id(job.direction.from, job.direction.to)
  return setmetatable({
    job = job,
    spec = spec,
    new_job = new_job,
    checks = {}, -- in the order in which their batches were written
    last_success = -math.huge, -- of a read
    -- What an input without types links by. A custom object's type is not known: then any will do.
    default_types = unlabeled and { ("HUBSPOT_DEFINED=%d"):format(unlabeled) } or {},
  }, Verifier)
end

-- ---- what is to be shown ----

local TYPE = '"associationCategory":"([^"]+)","associationTypeId":(%d+)'

-- The types of an input, by the JSON that was sent; the same list for the same JSON.
local function types_of(self, check, position)
  local text = check.batch.body:types(position)
  if text == "" then return self.job.endpoint.verified == "present" and self.default_types or {} end
  local list = check.types[text]
  if list then return list end
  list = {}
  for category, id in text:gmatch(TYPE) do list[#list + 1] = category .. "=" .. id end
  check.types[text] = list
  return list
end

-- Those of the types that a link has, or lacks.
local function pick(list, shown, has)
  local picked = {}
  for _, name in ipairs(list) do
    if (shown[name] or false) == has then picked[#picked + 1] = name end
  end
  return picked
end

-- Why what HubSpot shows of an input is not what was to be; nil if it is.
local function difference(expected, list, shown)
  if expected == "present" then
    if not shown then return "shows no link of the two records" end
    local lacking = pick(list, shown, false)
    return lacking[1] and "shows a link without " .. table.concat(lacking, ", ") or nil
  end
  if not shown then return nil end
  if not list[1] then return "still shows a link of the two records" end
  local left = pick(list, shown, true)
  return left[1] and "still shows " .. table.concat(left, ", ") or nil
end

-- The pairs of a batch that were written, by their from side.
local function list_records(check)
  local body = check.batch.body
  check.records, check.order, check.types, check.is_read, check.failed = {}, {}, {}, {}, {}
  for _, position in ipairs(check.batch:succeeded_positions()) do
    local from, to = matching.ids(body, position)
    local targets = check.records[from]
    if not targets then
      targets = {}
      check.records[from] = targets
      table.insert(check.order, from)
    end
    targets[to] = targets[to] or { positions = {} }
    table.insert(targets[to].positions, position)
  end
end

-- ---- reading ----

-- Keeps what a link shows of a wanted pair.
local function note_link(entry, link)
  entry.shown = entry.shown or {}
  for _, one in ipairs(type(link.associationTypes) == "table" and link.associationTypes or {}) do
    local id = type(one) == "table" and (digits_of(one.typeId) or one.typeId)
    if id and type(one.category) == "string" then entry.shown[one.category .. "=" .. tostring(id)] = true end
  end
end

-- A page of a record. Of its links, which may be any number, only the wanted ones are kept.
local function note_page(check, page)
  local targets = check.records[page.id]
  for _, link in ipairs(page.links) do
    local entry = type(link) == "table" and targets[link.toObjectId]
    if entry then note_link(entry, link) end
  end
  if page.last then check.is_read[page.id] = true end
end

-- The records of which something is not verified, as inputs of a read.
local function left_of(check)
  local list = {}
  for _, id in ipairs(check.order) do
    if check.records[id] and not check.failed[id] then list[#list + 1] = { id = id } end
  end
  return list
end

local function begin(self, check, now)
  if not check.records then list_records(check) end
  check.round, check.is_read = check.round + 1, {}
  local left = left_of(check)
  for _, input in ipairs(left) do
    for _, entry in pairs(check.records[input.id]) do entry.shown = nil end
  end
  check.reader = self.new_job({
    source = left,
    endpoint = self.spec.endpoint,
    checks = self.spec.checks,
    batch_size = self.spec.batch_size,
    concurrency = 1, -- until it shares that of the job
    policy = self.job.policy,
    direction = self.job.direction,
    on_record = function(page) note_page(check, page) end,
    on_failure = function(failure) check.failed[failure.input.id] = failure.error end,
  }, now)
  check.reader.concurrency = self.job.concurrency
end

-- ---- what follows ----

-- Forgets what HubSpot shows as it was to be, of the records that were read.
local function forget_shown(self, check)
  local expected = self.job.endpoint.verified
  for _, from in ipairs(check.order) do
    local targets = check.is_read[from] and check.records[from]
    for to, entry in pairs(targets or {}) do
      local left = {}
      for _, position in ipairs(entry.positions) do
        local is_left = difference(expected, types_of(self, check, position), entry.shown)
        if is_left then left[#left + 1] = position end
      end
      entry.positions = left
      if #left == 0 then targets[to] = nil end
    end
    if targets and not next(targets) then check.records[from] = nil end
  end
end

-- The error of an input whose record could not be read: HubSpot's own, as it is.
local function unread(err)
  err = errors.copy(err)
  err.sent = nil -- of the write, something was
  err.message = "HubSpot accepted it, but it could not be verified: " .. tostring(err.message)
  return err
end

-- The error of an input that HubSpot does not show as it was to be.
local function unverified(check, why)
  return errors.new {
    kind = "unverified",
    message = ("HubSpot accepted it, but in %d reads %s"):format(check.round, why),
    retryable = true,
  }
end

-- Gives up what is left: `err` is why the records could not be read, if that is so. One error for each cause,
-- as there may be thousands of inputs.
local function withdraw(self, check, err)
  local batch, expected, by_cause = check.batch, self.job.endpoint.verified, {}
  local function error_of(from, position, entry)
    local failure = not check.is_read[from] and (check.failed[from] or err)
    local cause = failure or difference(expected, types_of(self, check, position), entry.shown)
    by_cause[cause] = by_cause[cause] or failure and unread(failure) or unverified(check, cause)
    return by_cause[cause]
  end
  for _, from in ipairs(check.order) do
    for _, entry in pairs(check.records[from] or {}) do
      for _, position in ipairs(entry.positions) do
        batch:withdraw(position, error_of(from, position, entry))
      end
    end
  end
end

local function complete(self, check)
  check.batch.is_verified = true
  self.job:complete(check.batch)
end

-- The job stopped before the batch was verified: a resumed job sends it again.
local function abandon(self, check)
  if check.reader then check.reader:cancel(self.job.error) end
  if not check.records then list_records(check) end
  check.is_read = {}
  withdraw(self, check, self.job.error)
  check.batch.is_final = false
  complete(self, check)
end

-- All records were read, or cannot be. True if nothing is left to do for the batch.
local function conclude(self, check, now)
  local _, err = check.reader:finish(now)
  self.spec.batch_size = math.min(self.spec.batch_size, check.reader.batch_size) -- HubSpot may have said less
  check.reader = nil
  forget_shown(self, check)
  local is_last = check.round == #verification.PAUSES or #left_of(check) == 0
  if not is_last and not err then
    check.due = now + verification.PAUSES[check.round + 1]
    return false
  end
  withdraw(self, check, err)
  if err then -- as the writes would
    check.batch.is_final = false
    self.job:stop(err)
  end
  return true
end

-- ---- what the job calls ----

---Takes a batch whose inputs all have their outcome.
---@param batch hubspot.associations.Batch
---@return boolean taken false if there is nothing to verify: the batch is complete
function Verifier:take(batch)
  if batch.is_verified or batch.succeeded == 0 then return false end
  local check = { batch = batch, round = 0 }
  if self.job.error then
    abandon(self, check)
  else
    self.checks[#self.checks + 1] = check
  end
  return true
end

---What to do next, as the job's own `next` says it; or nil, and when something is to be done.
---@param now number
---@return "send"|"wait"|nil
---@return hubspot.associations.Chunk|number|nil
---@return "rate_limit"|nil
function Verifier:next(now)
  local soonest = math.huge
  for number, check in ipairs(self.checks) do
    check.due = check.due or now + verification.PAUSES[1]
    if check.due > now then
      soonest = math.min(soonest, check.due)
    else
      if not check.reader then begin(self, check, now) end
      local action, detail, why = check.reader:next(now)
      if action == "done" then
        if conclude(self, check, now) then
          table.remove(self.checks, number)
          complete(self, check)
        end
        return "wait", 0
      elseif action == "send" then
        detail.reader, detail.request = check.reader, self.spec.request
        return action, detail
      elseif why or detail == 0 then
        return action, detail, why
      end
      soonest = math.min(soonest, detail and now + detail or math.huge)
    end
  end
  return nil, soonest
end

---Whether a batch waits.
---@return boolean
function Verifier:is_busy()
  return self.checks[1] ~= nil
end

---After the job has stopped: gives one batch up. False if none is left.
---@return boolean
function Verifier:abandon_one()
  local check = table.remove(self.checks)
  if check then abandon(self, check) end
  return check ~= nil
end

---Handles what came of a request of a reader; `method` is "received" or "unsent".
---@param method string
---@param chunk hubspot.associations.Chunk
---@return hubspot.associations.Error|nil err for which the chunk is sent again
function Verifier:handle(method, chunk, ...)
  local reader = chunk.reader
  reader.last_success = math.max(reader.last_success, self.last_success)
  local err = reader[method](reader, chunk, ...)
  self.last_success = math.max(self.last_success, reader.last_success)
  return err
end

---How many requests it takes at least to verify a batch.
---@param batch hubspot.associations.Batch
---@return integer
function Verifier:least_requests(batch)
  local check = { batch = batch }
  list_records(check)
  return math.ceil(#check.order / self.spec.batch_size)
end

return verification
