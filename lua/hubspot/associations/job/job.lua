-- The job: any number of inputs in, exactly one outcome each out. A state machine without I/O of its own:
-- it is asked what to send and when, and told what came of it. Time and randomness are passed in.
--
-- A batch of inputs is read for one request. It is sent as a chunk, which may be tried again, split, or
-- partly asked for again, until every input of the batch is settled. Then the batch is complete: it is
-- recorded in the journal, counted, and told to the callbacks.

local input_errors = require "hubspot.associations.api.input_errors"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local reading = require "hubspot.associations.job.reading"
local responses = require "hubspot.associations.job.responses"
local search = require "hubspot.associations.job.search"
local source = require "hubspot.associations.job.source"
local trials = require "hubspot.associations.job.trial"
local concurrency = require "hubspot.associations.policy.concurrency"
local one_line = require "hubspot.associations.text.one_line"

local jobs = {}

---@class hubspot.associations.Report
---@field inputs integer how many inputs of the source were read, or are known of
---@field created integer of a job that creates; of another endpoint, its outcome has this place
---@field failed integer rejected by HubSpot, or invalid and not sent
---@field unconfirmed integer sent, but HubSpot neither listed nor rejected them
---@field not_sent integer the job stopped first; of a dry run, those that can be sent
---@field resumed integer of the inputs, those whose outcome comes from the journal
---@field requests integer
---@field retries integer of the requests, those that repeated one
---@field elapsed number seconds
---@field failures table[]|nil { index, input, outcome, error }, in no order across batches; absent when
---  on_failure took them
---@field failures_dropped integer|nil failures beyond max_failures
---@field event_error any what on_event raised, if it did

---@class hubspot.associations.Job
local Job = {}
Job.__index = Job
for _, methods in ipairs { reading, responses } do
  for name, method in pairs(methods) do Job[name] = method end
end

---@param spec table { source, checks, batch_size, concurrency, max_failures, on_failure, on_batch, dry_run,
---  policy, journal, endpoint, direction = of rejection.direction }
---@param now number seconds
---@return hubspot.associations.Job|nil
---@return hubspot.associations.Error|nil
function jobs.new(spec, now)
  local read, total, count = source.reader(spec.source)
  if not read then return nil, total end
  return setmetatable({
    read = read,
    total = total,
    count = count, -- of a long list, until its entries are counted
    input_at = type(spec.source) == "table" and function(index)
      return spec.source[index]
    end or nil,
    index = 0, -- of the input read last
    exhausted = false,
    held = nil, held_index = nil, -- an input that was read and is for the next batch, and its index
    kept = {}, kept_at = {}, next_kept = 1, -- inputs between those that the journal recorded; their indices
    checks = spec.checks, -- options of core.body
    batch_size = spec.batch_size,
    concurrency = concurrency.new(spec.concurrency),
    most_batches = spec.concurrency + 1, -- one more than can be in flight: so one that waits holds up nobody
    open_batches = 0,
    last_batch = 0, -- the number of the batch that was sent last
    is_open = {}, -- number -> true
    pairs = core.pairs(), -- those of open batches
    in_flight = 0,
    queue = {}, -- chunks that wait to be sent; the last comes first
    endpoint = spec.endpoint,
    policy = spec.policy,
    journal = spec.journal,
    on_failure = spec.on_failure,
    on_batch = spec.on_batch,
    max_failures = spec.max_failures,
    dry_run = spec.dry_run,
    outcome = spec.dry_run and "not_sent" or spec.endpoint.outcome, -- of an input with which nothing is wrong
    began = now,
    last_success = -math.huge,
    direction = spec.direction,
    search = search.new(spec.direction),
    failed_parts = 0,
    error = nil, -- why the job stops
    report = {
      inputs = 0, [spec.endpoint.outcome] = 0, failed = 0, unconfirmed = 0, not_sent = 0, resumed = 0,
      requests = 0, retries = 0, elapsed = 0,
      failures = not spec.on_failure and {} or nil,
    },
  }, Job)
end

-- Counts some more of a long list.
function Job:count_on()
  self.total, self.unusable = self.count()
  if self.unusable then self:stop(self.unusable) end
  if self.total or self.unusable then self.count = nil end
end

-- Nothing new is sent from here on; what is in flight is waited for.
function Job:stop(err)
  self.error = self.error or err
end

-- ---- completing ----

-- A callback of the caller's: one that raises, or returns false, stops the job.
function Job:call(callback, argument)
  if self.callback_raised then return end
  local called, result = pcall(callback, argument)
  if not called then
    self.callback_raised = true
    self:stop(errors.new { kind = "callback", message = "a callback raised: " .. one_line(result) })
  elseif result == false then
    self:stop(errors.new { kind = "canceled", message = "a callback ended the job" })
  end
end

function Job:tell_failure(failure)
  local report = self.report
  report[failure.outcome] = report[failure.outcome] + 1
  if self.on_failure then
    self:call(self.on_failure, failure)
  elseif #report.failures < self.max_failures then
    report.failures[#report.failures + 1] = failure
  else
    report.failures_dropped = (report.failures_dropped or 0) + 1
  end
end

-- Every input of the batch has its outcome: record it, count it, tell it.
function Job:complete(batch)
  self.open_batches = self.open_batches - 1
  if batch.number then
    self.pairs:leave(batch.body, batch.number)
    self.is_open[batch.number] = nil
  end
  local failures = batch:ordered_failures()
  if self.journal and batch.complete then
    local recorded, err = self.journal:record(batch)
    if not recorded then self:stop(err) end
  end
  local report = self.report
  report.inputs = report.inputs + batch.count
  report[self.outcome] = report[self.outcome] + batch.succeeded
  for _, failure in ipairs(failures) do self:tell_failure(failure) end
  if self.on_batch then
    self:call(self.on_batch, {
      first = batch.first,
      last = batch.first + batch.count - 1,
      [self.endpoint.outcome] = self.dry_run and 0 or batch.succeeded,
      failures = failures,
      results = batch.results,
      report = report,
    })
  end
end

-- Gives inputs of the batch their outcome, and completes it with the last of them.
function Job:settle_positions(batch, positions, outcome_name, err)
  for _, position in ipairs(positions) do batch:settle(position, outcome_name, err) end
  if #positions > 0 and batch.open == 0 then self:complete(batch) end
end

-- The same for all inputs of a chunk. What was in the last confirmed write of a pair has succeeded.
function Job:settle(chunk, outcome_name, err)
  local passed, others = trials.positions(chunk)
  self:settle_positions(chunk.batch, passed, "succeeded")
  self:settle_positions(chunk.batch, others, outcome_name, err)
end

-- For a reason of its own; there may be many of these in a report.
function Job:fail(chunk, outcome_name, err)
  input_errors.shorten(err)
  self:settle(chunk, outcome_name, err)
end

-- The job stopped before these inputs had an outcome that is final: a resumed job will see to them.
function Job:abandon(chunk, err)
  chunk.batch.complete = false
  err = err or self.error
  if chunk.attempts.went_out then err = errors.of_sent(err) end
  self:settle(chunk, chunk.attempts.may_be_done and "unconfirmed" or "not_sent", err)
end

-- ---- sending ----

function Job:push(chunk)
  self.queue[#self.queue + 1] = chunk
end

-- The last chunk in the queue that may be sent now; else nil, and when the first of them may.
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

---What to do next.
---@param now number seconds
---@return "send"|"wait"|"done"
---@return hubspot.associations.Chunk|number|nil the chunk to send; or how many seconds to wait at the most
---  (nil: for a response)
---@return "rate_limit"|nil why it waits
function Job:next(now)
  if self.count then
    self:count_on()
    return "wait", 0
  end
  if self.error and #self.queue > 0 then
    self:abandon(table.remove(self.queue)) -- one at a time: a step is not to take long
    return "wait", 0
  end
  if self.error and self:leave_out() then return "wait", 0 end
  local chunk, soonest = nil, math.huge
  local may_send = not self.error and self.in_flight < self.concurrency:allowed()
  if may_send then
    chunk, soonest = self:take(now)
    if not chunk and self.open_batches < self.most_batches then
      self:fill()
      if self.error then return self:next(now) end
      chunk, soonest = self:take(now)
    end
  end
  if chunk then
    local delay = self.policy.limiter:delay(now, "job", self)
    if delay == 0 then return "send", chunk end
    self:push(chunk)
    local err = self.policy.retry:too_long(delay)
    if err then
      self:stop(err)
      return self:next(now)
    end
    return "wait", delay, "rate_limit"
  elseif may_send and not self.exhausted and self.open_batches < self.most_batches then
    return "wait", 0 -- to read on
  end
  if self.in_flight == 0 and #self.queue == 0 and (self.error or self.exhausted) then return "done" end
  return "wait", soonest < math.huge and math.max(0, soonest - now) or nil
end

---Tells that a chunk that `next` gave to send is under way: `received` follows. (Or else `unsent`.)
---@param chunk hubspot.associations.Chunk
---@param now number
function Job:sent(chunk, now)
  self.in_flight = self.in_flight + 1
  chunk.attempts:sent(self.policy, now, "job")
  self.report.requests = self.report.requests + 1
  if chunk.attempts.count > 1 then self.report.retries = self.report.retries + 1 end
end

---Ends the job early: what is in flight is waited for, the rest is not sent.
---@param err hubspot.associations.Error
function Job:cancel(err)
  self:stop(err)
end

---What came of it all, once `next` says "done".
---@param now number
---@return hubspot.associations.Report|nil report nil when the source is no list
---@return hubspot.associations.Error|nil why it stopped before the source ended
function Job:finish(now)
  if self.unusable then return nil, self.unusable end
  local report = self.report
  report.elapsed = now - self.began
  if self.total and self.total > report.inputs then -- of a list, the inputs that were never read
    report.not_sent = report.not_sent + self.total - report.inputs
    report.inputs = self.total
  end
  return report, self.error
end

return jobs
