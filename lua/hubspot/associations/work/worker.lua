-- Drains a queue: reads the entries of the streams that it holds, runs jobs of them, and removes those that
-- have their outcome. It is at-least-once: an entry is removed after its outcome, so that one whose worker
-- dies, or loses its lease, is done again.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local explanation = require "hubspot.associations.explanation"
local all_options = require "hubspot.associations.options"
local round = require "hubspot.associations.work.round"
local shorten = require "hubspot.associations.text.shorten"
local tenures = require "hubspot.associations.work.tenure"

local worker = {}

local BATCHES = 4 -- that are read at once
local SHORTEST_PAUSE, LONGEST_PAUSE = 1, 30 -- seconds after a failure that may pass
local LONGEST_WAIT = 0.5 -- seconds without a look at the clock, or at `stop`

---@class hubspot.associations.Worker
local Worker = {}
Worker.__index = Worker

-- What a dead letter says of HubSpot's reason, beside its words.
local REASON = {
  "kind", "status", "category", "subCategory", "correlationId", "errorType", "field", "together",
}
local LONGEST = 1000 -- bytes of one of them: they stay in Redis

local function reason_of(failure)
  local err, reason = failure.error, { outcome = failure.outcome }
  for _, name in ipairs(REASON) do
    local value = err[name]
    if type(value) == "string" then value = shorten.text(value, LONGEST, "...") end
    if type(value) == "string" or type(value) == "number" then reason[name] = value end
  end
  reason.message = shorten.text(explanation.words(err), LONGEST, "...")
  return reason
end

-- ---- one round ----

-- An entry has its outcome. Those of its pair that are unconfirmed, and were added before it, have to have
-- theirs first: done again, they would undo it.
local function settle(self, group, index, reason)
  local entry = group.entries[index]
  for _, failure in ipairs(group.unconfirmed[entry.pair] or {}) do
    self.tenure:settle(group.entries[failure.index], reason_of(failure))
    group.is_settled[failure.index] = true
  end
  group.unconfirmed[entry.pair] = nil
  self.tenure:settle(entry, reason)
  group.is_settled[index] = true
end

-- What the job of a group tells of a batch. What is unconfirmed because the job stopped is done again.
local function on_batch(self, group, batch)
  local failed = {}
  for _, failure in ipairs(batch.failures) do failed[failure.index] = failure end
  for index = batch.first, batch.last do
    local failure = failed[index]
    if not failure or failure.outcome == "failed" then
      settle(self, group, index, failure and reason_of(failure))
    elseif failure.outcome == "unconfirmed" then
      local pair = group.entries[index].pair
      group.unconfirmed[pair] = group.unconfirmed[pair] or {}
      table.insert(group.unconfirmed[pair], failure)
    end
  end
end

local function begin(self, group)
  local inputs = {}
  for index, entry in ipairs(group.entries) do inputs[index] = entry.input end
  group.unconfirmed = {} -- pair -> failures, in order
  group.is_settled = {} -- index of an entry -> true
  local runner, err = self.spec.start(group.endpoint, {
    values = { fromObjectType = group.from_type, toObjectType = group.to_type },
    last = inputs,
    options = { max_failures = 1, on_batch = function(batch) on_batch(self, group, batch) end },
  })
  group.runner = runner
  return runner, err
end

-- Whether an error is about the object types of a group. The other groups must not wait for somebody who
-- looks after it: its entries are dead letters.
local function is_of_group(err)
  return err.kind == "invalid_input" or err.reason == "object_type"
end

-- The end of a group's job, if it began. Returns its error, if it stopped for one of all groups.
local function finish(self, group, err)
  if err and not is_of_group(err) then return err end
  for _, failures in pairs(group.unconfirmed) do
    for _, failure in ipairs(failures) do
      self.tenure:settle(group.entries[failure.index], reason_of(failure))
      group.is_settled[failure.index] = true
    end
  end
  for index, entry in ipairs(err and group.entries or {}) do
    if not group.is_settled[index] then
      self.tenure:settle(entry, reason_of { outcome = "failed", error = err })
    end
  end
end

-- Steps the jobs of a phase. Returns the ones that go on, how many seconds they have nothing to do, and the
-- first error of one that stopped.
local function step(self, running)
  local left, wait, err = {}, LONGEST_WAIT, nil
  for _, group in ipairs(running) do
    if group.runner:step() then
      local report, why = group.runner:result()
      self.report.requests = self.report.requests + (report and report.requests or 0)
      why = finish(self, group, why)
      err = err or why
    else
      left[#left + 1] = group
      wait = math.min(wait, group.runner:timeout() or wait)
    end
  end
  return left, wait, err
end

local function should_stop(self)
  return self.wakeups.is_closed or self.options.stop ~= nil and self.options.stop() and true or false
end

local function cancel(running)
  for _, group in ipairs(running) do group.runner:cancel() end
end

-- Runs the jobs of a phase to their ends.
local function run_phase(self, groups)
  local running, failed = {}, nil
  for _, group in ipairs(groups) do
    local runner, err = begin(self, group)
    if runner then
      running[#running + 1] = group
    else
      err = finish(self, group, err)
      failed = failed or err
    end
  end
  while #running > 0 do
    local wait, err
    if self.tenure:is_over() or should_stop(self) then cancel(running) end
    running, wait, err = step(self, running)
    failed = failed or err
    if err then cancel(running) end
    -- Not both while Redis hangs: each waits for it, and HubSpot's responses are read in between.
    if self.tenure:flush() then self.tenure:keep() end
    if #running > 0 then self.wakeups:wait(wait) end
  end
  self.wakeups:end_work()
  return failed
end

-- Sleeps, unless the work is to end.
local function rest(self, seconds)
  while seconds > 0 and not should_stop(self) do
    self.wakeups:sleep(math.min(seconds, LONGEST_WAIT))
    seconds = seconds - LONGEST_WAIT
  end
end

-- Tells Redis of all outcomes, again while it is away, and as long as they count.
local function flush(self)
  local flushed, err = self.tenure:flush()
  while not flushed and err.retryable and not self.tenure:is_over() and not should_stop(self) do
    self.wakeups:sleep(SHORTEST_PAUSE)
    flushed, err = self.tenure:flush()
  end
  if not flushed then self.tenure.settled = {} end -- they are done again
  return not flushed and err or nil
end

local function run_round(self, entries)
  for _, groups in ipairs(round.phases(entries)) do
    local failed = run_phase(self, groups)
    failed = flush(self) or failed
    if failed or self.tenure:is_over() or should_stop(self) then return failed end
  end
end

-- ---- all of them ----

-- Makes dead letters of what is no entry of `add`, and returns the others.
local function set_aside(self, entries)
  local others = {}
  for _, entry in ipairs(entries) do
    if entry.problem then
      self.tenure:settle(entry, { outcome = "failed", kind = "invalid_input", message = entry.problem })
    else
      others[#others + 1] = entry
    end
  end
  return others, flush(self)
end

-- Somebody has to look after so many dead letters, as they take Redis's memory. Nothing is dropped.
local function refusal(self)
  if self.tenure.dead < self.spec.queue.max_dead then return nil end
  return errors.new {
    kind = "busy", service = "Redis", retryable = true,
    message = ("there are %d dead letters, and a worker stops with %d (max_dead): look at them "
      .. "(queue --failed), and put them back (retry-failed) or discard them (discard-failed)"):format(
      self.tenure.dead, self.spec.queue.max_dead),
  }
end

-- Reads what there is, and does it. Returns whether there was something; or nil and an error.
local function turn(self)
  local renewed, err = self.tenure:renew(false)
  if not renewed then return nil, err end
  local count = 0
  for _ in pairs(self.tenure.held) do count = count + 1 end
  if count == 0 then return false end
  local entries
  local most = math.ceil(BATCHES * self.spec.session.options.batch_size / count)
  entries, err = self.spec.queue:read(self.tenure.held, most)
  if not entries then return nil, err end
  if #entries == 0 then return false end
  err = refusal(self)
  if err then return nil, err end
  entries, err = set_aside(self, entries)
  err = err or run_round(self, entries)
  if err then return nil, err end
  return true
end

-- Whether the queue is empty, where that ends the work.
local function is_drained(self)
  if not self.options.until_empty then return false end
  local status = self.spec.queue:status()
  return status ~= nil and status.depth == 0
end

local function report_of(self)
  self.report.done, self.report.failed = self.tenure.counts.done, self.tenure.counts.failed
  return self.report
end

-- Whether it goes on after an error, without anybody's doing.
local function may_pass(err)
  return err.retryable == true and err.kind ~= "busy" or err.kind == "canceled"
end

---@class hubspot.associations.WorkOptions of `client:work`
---@field account string|nil a name of the token's account, such as its hub id: a queue that a worker of
---  another account has begun to drain is refused, unless there is nothing in it
---@field until_empty boolean|nil whether to return when the queue is empty; by default, it goes on
---@field stop (fun(): boolean)|nil asked twice a second: true ends the work, after the requests in flight
---@field poll number|nil seconds between two looks at an empty queue, 0.2
---@field on_error (fun(err: table, delay: number))|nil told of a failure that may pass, and when it goes on

---@class hubspot.associations.WorkReport what `client:work` returns
---@field done integer entries that have the endpoint's own outcome, and are removed
---@field failed integer entries, which are dead letters now
---@field requests integer that were sent
---@field elapsed number seconds that it took

local function check_queue(queue, level)
  if type(queue) ~= "table" or not queue.hold then
    error("client:work: queue: expected one made by redis.queue, found a " .. type(queue), level)
  end
end

---Drains a queue. Raises when that is none, or an option is unknown or wrong.
---@param spec table { queue, session, start = fun(endpoint, arguments: { values, last, options }): runner }
---@param given hubspot.associations.WorkOptions|nil
---@param level integer of the caller to blame, as for `error`
---@return hubspot.associations.WorkReport
---@return hubspot.associations.Error|nil why it ended early
function worker.run(spec, given, level)
  check_queue(spec.queue, level + 1)
  local options = all_options.read_work(given or {}, "client:work", level + 1)
  local self = setmetatable({
    spec = spec, options = options, wakeups = spec.session.wakeups,
    tenure = tenures.new(spec.queue, options.account),
    report = { done = 0, failed = 0, requests = 0, elapsed = 0 },
  }, Worker)
  local began, pause, err = core.now(), SHORTEST_PAUSE, nil
  while not should_stop(self) do
    local found
    found, err = turn(self)
    if err and not (may_pass(err) and not should_stop(self)) then break end
    if err then
      if options.on_error then options.on_error(err, pause) end
      rest(self, pause)
      pause = math.min(LONGEST_PAUSE, 2 * pause)
    else
      pause = SHORTEST_PAUSE
      if not found then
        if is_drained(self) then break end
        rest(self, options.poll)
      end
    end
  end
  if self.wakeups.is_closed then
    err = errors.new { kind = "closed", message = "the client is closed", retryable = false }
  elseif should_stop(self) then
    err = nil
  end
  -- A closed client has ended its requests, which HubSpot may still work on: the lease gives them time.
  if not self.wakeups.is_closed then self.tenure:leave() end
  report_of(self).elapsed = core.now() - began
  return self.report, err
end

return worker
