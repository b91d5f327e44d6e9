-- The job: takes any number of inputs, and gives each exactly one outcome. A state machine without I/O: it
-- says what to send and when, and is given the responses. Time and randomness are passed in.
--
-- A batch of inputs is read for one request. It is sent as a chunk, which may be sent again, split, or sent
-- again in part, until every input of the batch has its outcome. Then the batch is complete: it is recorded
-- in the journal, counted, and reported to the callbacks.

local input_errors = require "hubspot.associations.api.input_errors"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local looking_up = require "hubspot.associations.job.looking_up"
local reading = require "hubspot.associations.job.reading"
local reporting = require "hubspot.associations.job.reporting"
local responses = require "hubspot.associations.job.responses"
local search = require "hubspot.associations.job.search"
local source = require "hubspot.associations.job.source"
local trials = require "hubspot.associations.job.trial"
local verification = require "hubspot.associations.job.verification"
local concurrency = require "hubspot.associations.policy.concurrency"

local jobs = {}

---@class hubspot.associations.Report
---@field inputs integer how many inputs of the source were read, or are known of
---@field created integer HubSpot confirmed them; a job of another endpoint has its outcome in this place
---@field archived integer|nil in place of `created`: HubSpot accepted the request; its response lists nothing
---@field read integer|nil in place of `created`
---@field failed integer rejected by HubSpot, or invalid and not sent
---@field unconfirmed integer sent, but HubSpot neither listed nor rejected them, or (with `verify`) does not
---  show them
---@field not_sent integer the job stopped first; in a dry run, those that would be sent
---@field resumed integer how many of the inputs have their outcome from the journal
---@field requests integer how many were sent; in a dry run, how many the job would begin with
---@field look_ups integer|nil how many requests looked up records, beside `requests`; of a job with look-ups
---@field retries integer how many of the requests repeated an earlier one
---@field elapsed number seconds
---@field failures hubspot.associations.Failure[]|nil ordered within each batch only; nil when `on_failure`
---  was given them
---@field failures_dropped integer|nil how many were beyond `max_failures`
---@field event_error any what `on_event` raised last

---@class hubspot.associations.Job
local Job = {}
Job.__index = Job
for _, methods in ipairs { reading, looking_up, reporting, responses } do
  for name, method in pairs(methods) do Job[name] = method end
end

local function copy(fields)
  local copied = {}
  for name, value in pairs(fields or {}) do copied[name] = value end
  return copied
end

-- What its batches have in common. The inputs of an iterator are kept only for callbacks, which may need more
-- of them than was sent.
local function kind_of(spec)
  return {
    input_at = type(spec.source) == "table" and function(index)
      return spec.source[index]
    end or nil,
    is_kept = spec.on_failure ~= nil or spec.on_record ~= nil or spec.ahead ~= nil,
    checks = copy(spec.checks),
    bodies = {},
    naming = spec.naming,
    by_given = spec.ahead ~= nil and spec.journal ~= nil,
    on_settled = spec.on_settled,
  }
end

-- Makes it a job that reads back what it wrote; verify: see verification.lua.
local function with_verifier(self, verify)
  if not verify then return self end
  self.verifier = verification.new(self, verify, jobs.new)
  self.most_batches = self.most_batches + verification.MOST_WAITING
  return self
end

---@param spec table { source, checks, naming, labels = { request, response } for the account's names of
---  types, batch_size, concurrency, max_failures, on_failure, on_batch, on_record, before_journal, dry_run,
---  policy, journal, window = of concurrency.lua, where jobs share one, endpoint, direction = of
---  rejection.direction, ahead and look_up_request for look-ups, on_checked = called for each batch of a dry
---  run before it is counted, verify = for one that reads back what it wrote, see verification.lua,
---  on_settled = of batch.lua }
---@param now number seconds
---@return hubspot.associations.Job|nil
---@return hubspot.associations.Error|nil
function jobs.new(spec, now)
  local read, total, count, add_to = source.reader(spec.source)
  if not read then return nil, total end
  return with_verifier(setmetatable({
    read = read, add_to = add_to, -- see source.lua
    total = total,
    count = count, -- counts the entries of a long list; nil once they are counted
    kind = kind_of(spec), -- of its batches
    index = 0, -- of the input read last
    exhausted = false,
    held = nil, held_index = nil, -- an input that was put back for the next batch, and its index
    held_ready = nil, -- what is known of its records
    ahead = spec.ahead, -- inputs whose records are looked up
    look_up_request = spec.look_up_request, -- makes the request of a look-up
    asking = 0, -- how many of these are in flight
    source_ended = false, -- whether the source has no more, though inputs that were read ahead may wait
    kept = {}, kept_at = {}, next_kept = 1, -- inputs between the journal's records, and their indices
    naming = spec.naming, -- the names of types, where inputs have types
    labels = spec.labels, -- how to ask for those of the account
    asks_for_names = false, -- whether they are being asked for
    begun = nil, -- the batch that waits for the names of types
    batch_size = spec.batch_size,
    concurrency = spec.window or concurrency.new(spec.concurrency),
    most_batches = spec.concurrency + 1, -- one more than fit in flight: one that waits does not stall the job
    open_batches = 0,
    last_batch = 0, -- the number of the batch that was opened last
    is_open = {}, -- number -> true
    positions = {}, pairs = core.pairs(), -- of the batch opened last; the pairs of ids in open batches
    in_flight = 0,
    queue = {}, -- chunks to send, the last one first
    endpoint = spec.endpoint,
    policy = spec.policy,
    journal = spec.journal,
    on_failure = spec.on_failure,
    on_batch = spec.on_batch,
    on_record = spec.on_record,
    before_journal = spec.before_journal,
    on_checked = spec.on_checked,
    max_failures = spec.max_failures,
    dry_run = spec.dry_run,
    outcome = spec.dry_run and "not_sent" or spec.endpoint.outcome, -- of a good input
    began = now,
    last_success = -math.huge,
    direction = spec.direction,
    search = search.new(spec.direction),
    failed_parts = 0,
    batch = nil, -- the one that is being read
    is_adding = false, -- whether an input is being added to it
    callback_raised = nil, -- true: none is called any more
    unusable = nil, -- the error of a source that is no list
    error = nil, -- why the job stops
    report = {
      inputs = 0, [spec.endpoint.outcome] = 0, failed = 0, unconfirmed = 0, not_sent = 0, resumed = 0,
      requests = 0, retries = 0, elapsed = 0, look_ups = spec.ahead and 0 or nil,
      failures = not spec.on_failure and {} or nil,
    },
  }, Job), spec.verify)
end

-- Counts on in a long list.
function Job:count_on()
  self.total, self.unusable = self.count()
  if self.unusable then self:stop(self.unusable) end
  if self.total or self.unusable then self.count = nil end
end

-- ---- completing ----

-- Enters the batch in the journal, once the caller has made durable what the callbacks did with it.
function Job:record(batch)
  if not (self.journal and batch.is_final) then return end
  if self.before_journal and not self:call(self.before_journal) then return end
  local recorded, err = self.journal:record(batch)
  if not recorded then self:stop(err) end
end

-- Every input of the batch has its outcome: records, counts and reports it; but what is to be verified first.
function Job:complete(batch)
  if self.verifier and not self.dry_run and self.verifier:take(batch) then return end
  self.open_batches = self.open_batches - 1
  if batch.number then
    self.pairs:leave(batch.body, batch.number)
    self.is_open[batch.number] = nil
  end
  local failures = batch:ordered_failures()
  self:record(batch)
  local report = self.report
  report.inputs = report.inputs + batch.count
  report[self.outcome] = report[self.outcome] + batch.succeeded
  for _, failure in ipairs(failures) do self:report_failure(failure) end
  if self.on_batch then
    self:call(self.on_batch, {
      first = batch.first,
      last = batch.first + batch.count - 1,
      [self.endpoint.outcome] = self.dry_run and 0 or batch.succeeded,
      failures = failures,
      results = batch.results or {},
      report = report,
    })
  end
  batch:release()
end

-- Gives inputs of the batch their outcome. The last ones complete the batch.
function Job:settle_positions(batch, positions, outcome_name, err)
  for _, position in ipairs(positions) do batch:settle(position, outcome_name, err) end
  if #positions > 0 and batch.open == 0 then self:complete(batch) end
end

-- The same for all inputs of a chunk. Those in the last confirmed write of a trial have succeeded.
function Job:settle(chunk, outcome_name, err)
  local passed, others = trials.positions(chunk)
  self:settle_positions(chunk.batch, passed, "succeeded")
  self:settle_positions(chunk.batch, others, outcome_name, err)
end

-- Settles a chunk with an error of its own, shortened: a report may keep a thousand of them.
function Job:fail(chunk, outcome_name, err)
  input_errors.shorten(err)
  self:settle(chunk, outcome_name, err)
end

-- The job stopped before these inputs had their final outcome: a resumed job sends them again.
function Job:abandon(chunk, err)
  chunk.batch.is_final = false
  err = err or self.error
  if chunk.attempts.went_out then err = errors.of_sent(err) end
  self:settle(chunk, chunk.attempts.may_be_done and "unconfirmed" or "not_sent", err)
end

-- ---- sending ----

function Job:push(chunk)
  self.queue[#self.queue + 1] = chunk
end

-- The last chunk in the queue that may be sent now; else nil, and when one may be sent.
function Job:take(now)
  local soonest = math.huge
  for i = #self.queue, 1, -1 do
    local chunk = self.queue[i]
    if not self.is_open[chunk.waits_for or 0] then
      local not_before = chunk.attempts.not_before
      if not_before <= now then return table.remove(self.queue, i) end
      soonest = math.min(soonest, not_before)
    end
  end
  return nil, soonest
end

-- Whether another batch may be read.
function Job:may_read()
  return not self.exhausted and self.open_batches < self.most_batches
    and not self:waits_for_names() and not self:waits_for_records()
end

-- The next chunk that may be sent now, from the queue or from a batch that is read for it; else nil, and when
-- the first of the queue may be sent.
function Job:next_chunk(now)
  local chunk, soonest = self:take(now)
  if chunk or not self:may_read() then return chunk, soonest end
  self:fill()
  if self.error then return nil, math.huge end
  return self:take(now)
end

-- What to do with a chunk to send: it may have to wait for the rate limit.
function Job:send_or_wait(chunk, now)
  local delay, is_asked = self.policy.limiter:delay(now, "job", self)
  if delay == 0 then return "send", chunk end
  self:push(chunk)
  if is_asked then return "wait", delay end -- for a budget's reply
  local err = self.policy.retry:too_long(delay, 0)
  if not err then return "wait", delay, "rate_limit" end
  self:stop(err)
  return self:wind_down()
end

-- What to do after the job has stopped: the queue is given up, and then what was read and is in no batch; a
-- little at a time, since a step is to be short.
function Job:wind_down()
  if #self.queue > 0 then
    self:abandon(table.remove(self.queue))
    return "wait", 0
  end
  if self.verifier and self.verifier:abandon_one() then return "wait", 0 end
  if self:open_begun() or self:report_unsent() then return "wait", 0 end
  return self.in_flight == 0 and "done" or "wait"
end

-- Whether a batch waits to be verified.
function Job:is_verifying()
  return self.verifier ~= nil and self.verifier:is_busy()
end

---What to do next.
---@param now number seconds
---@return "send"|"wait"|"done"
---@return hubspot.associations.Chunk|number|nil the chunk to send; or the most seconds to wait (nil: until a
---  response comes)
---@return "rate_limit"|nil why the job waits
function Job:next(now)
  if self.count then
    self:count_on()
    return "wait", 0
  end
  if self.error then return self:wind_down() end
  local soonest, due = math.huge, math.huge
  if self.in_flight + self.asking < self.concurrency:allowed() then
    local action, chunk, why
    if self.verifier then action, due, why = self.verifier:next(now) end
    if action then return action, due, why end
    chunk, soonest = self:next_chunk(now)
    if self.error then return self:wind_down() end
    if chunk then return self:send_or_wait(chunk, now) end
    if self:may_read() then return "wait", 0 end
    soonest = math.min(soonest, due)
  end
  if self.exhausted and self.in_flight == 0 and #self.queue == 0 and not self:is_verifying() then
    return "done"
  end
  return "wait", soonest < math.huge and math.max(0, soonest - now) or nil
end

---Takes note that a chunk which `next` returned was sent; `received` follows. (If it could not be: `unsent`.)
---@param chunk hubspot.associations.Chunk
---@param now number
function Job:sent(chunk, now)
  if self.verifier and chunk.reader then
    chunk.reader:sent(chunk, now)
  else
    chunk.attempts:sent(self.policy, now, "job")
  end
  self:counted(chunk)
end

---Counts a chunk that was sent.
---@param chunk hubspot.associations.Chunk
function Job:counted(chunk)
  self.in_flight = self.in_flight + 1
  self.report.requests = self.report.requests + 1
  if chunk.attempts.count > 1 then self.report.retries = self.report.retries + 1 end
end

---Ends the job early: requests in flight complete, the rest is not sent.
---@param err hubspot.associations.Error
function Job:cancel(err)
  self:stop(err)
end

---The report, once `next` has returned "done".
---@param now number
---@return hubspot.associations.Report|nil report nil when the source is a table that is not a list
---@return hubspot.associations.Error|nil why the job stopped before the source ended
function Job:finish(now)
  if self.unusable then return nil, self.unusable end
  local report = self.report
  report.elapsed = now - self.began
  if self.total and self.total > report.inputs then -- the inputs of a list that were never read
    report.not_sent = report.not_sent + self.total - report.inputs
    report.inputs = self.total
  end
  return report, self.error
end

return jobs
