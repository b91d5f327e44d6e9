-- How a job reads its source: batches, what the journal says of them, and the chunks to send. Methods of the
-- job (job.lua).

local errors = require "hubspot.associations.errors"
local batches = require "hubspot.associations.job.batch"
local chunks = require "hubspot.associations.job.chunk"
local records = require "hubspot.associations.job.journal_record"
local one_line = require "hubspot.associations.text.one_line"

---@class hubspot.associations.Job
local reading = {}

-- An iterator's inputs are kept for on_failure only, which may want more of them than was sent.
function reading:new_batch(first)
  return batches.new(first, self.input_at, self.on_failure ~= nil, self.checks)
end

-- The next input of the source.
function reading:pull()
  local more, input = self.read()
  if more then self.index = self.index + 1 end
  return more, input
end

-- The next input that has no outcome, and its index: of those that were read and left, else of the source.
function reading:next_input()
  local kept = self.held
  if kept ~= nil then
    self.held = nil
    return true, kept, self.held_index
  end
  local number = self.next_kept
  kept = self.kept[number]
  if kept == nil then
    local more, input = self:pull()
    return more, input, self.index
  end
  local index = self.kept_at[number]
  self.kept[number], self.kept_at[number], self.next_kept = nil, nil, number + 1
  return true, kept, index
end

function reading:hold(input, index)
  self.held, self.held_index = input, index
end

-- Reads on to a record, and keeps what lies before it: true when it is reached, which may take several goes.
function reading:reach(record)
  local last = math.min(record.first - 1, self.index + self.batch_size)
  while self.index < last do
    local more, input = self:pull()
    if not more then
      self:stop(self.journal:mismatch(record))
      return false
    end
    self.kept[#self.kept + 1] = input
    self.kept_at[#self.kept] = self.index
  end
  return self.index == record.first - 1
end

-- Compares a record of the journal with the source. All of them are compared before anything is sent or
-- recorded: another source than the one they are of must change nothing.
function reading:replay(record)
  if not self:reach(record) then return end
  local batch = self:new_batch(record.first)
  self.batch = batch
  local is_recorded = records.failures_by_index(record)
  local inputs = {}
  while batch.count < record.inputs do
    local more, input = self:pull()
    if not more then break end
    if not self:add(batch, input) then
      self:hold(input, self.index) -- no room, where there was room before: it is another source
      break
    end
    if is_recorded[self.index] then inputs[self.index] = input end
  end
  if not records.matches(record, batch) then
    batch.complete = false
    return self:stop(self.journal:mismatch(record))
  end
  self.batch = nil -- its inputs have their outcome
  self.journal:forget()
  local report = self.report
  report.inputs = report.inputs + record.inputs
  report.resumed = report.resumed + record.inputs
  report[self.outcome] = report[self.outcome] + record[self.endpoint.outcome]
  for _, failure in ipairs(records.failures(record)) do
    failure.input = inputs[failure.index]
    self:tell_failure(failure)
  end
  if not record.refused then return end
  for _, failure in ipairs(batch.failures) do self:tell_failure(failure) end
end

-- Reads inputs into a new batch until it is full, the source ends, or what the journal recorded lies between.
function reading:read_batch()
  local more, input, index = self:next_input()
  local batch = more and self:new_batch(index)
  self.batch = batch or nil
  while more do
    if index ~= batch.first + batch.count or not self:add(batch, input) then
      return self:hold(input, index)
    end
    if batch.count >= self.batch_size then return end
    more, input, index = self:next_input()
  end
  self.exhausted = true
end

-- Takes the next input into the batch; false when the batch has no room for it.
function reading:add(batch, input)
  self.adding = true
  local taken = batch:add(batch.first + batch.count, input)
  self.adding = false
  return taken
end

-- The job stopped: inputs that were read and are in no batch are not sent. Some of them at a time; true when
-- there were any.
function reading:leave_out()
  local report = self.report
  for count = 1, self.batch_size do
    if self.held == nil and self.kept[self.next_kept] == nil then return count > 1 end
    local _, input, index = self:next_input()
    report.inputs = report.inputs + 1
    self:tell_failure { index = index, input = input, outcome = "not_sent", error = self.error }
  end
  return true
end

-- A batch is one chunk, and one more for each open batch that has pairs of it: these wait for that batch,
-- since the writes of a pair must arrive in the order of the source.
function reading:push_batch(batch)
  self.last_batch = self.last_batch + 1
  batch.number = self.last_batch
  self.is_open[batch.number] = true
  local held
  batch.repeats, held = self.pairs:enter(batch.body, batch.number)
  if not held then return self:push(chunks.new(batch, batch:positions())) end
  local free, waiting = {}, {}
  for _, position in ipairs(batch:positions()) do
    local other = held[position]
    if other then waiting[other] = waiting[other] or {} end
    table.insert(waiting[other] or free, position)
  end
  for other, positions in pairs(waiting) do
    local chunk = chunks.new(batch, positions)
    chunk.waits_for = other
    self:push(chunk)
  end
  if #free > 0 then self:push(chunks.new(batch, free)) end
end

-- What the source raised, or its reader, or an input that was read through a metatable: the job stops.
function reading:raised(raised)
  local message = one_line(raised)
  if self.adding then -- the input counts, and is invalid
    local batch = self.batch
    local index = batch.first + batch.count
    batch.count = batch.count + 1
    batch:fail(index, nil, "failed", { kind = "invalid_input", message = message })
  end
  if self.batch then self.batch.complete = false end -- the input may be readable the next time
  local told = errors.is(raised) and raised.kind == "source" -- by the reader
  self:stop(told and raised or errors.new { kind = "source", message = "the source raised: " .. message })
end

-- Reads the next batch, as chunks to send; none while the journal is compared, when the source has no more,
-- when the job has to stop, or when nothing in the batch is to be sent. One batch at a time, since a step is
-- not to take long.
function reading:fill()
  if self.exhausted or self.error then return end
  local record, err
  if self.journal then record, err = self.journal:next_record() end
  if err then return self:stop(err) end
  local filled, raised = pcall(record and self.replay or self.read_batch, self, record)
  if not filled then self:raised(raised) end
  local batch = self.batch
  self.batch = nil
  if not batch or batch.count == 0 then return end
  self.open_batches = self.open_batches + 1
  if batch.open == 0 then
    self:complete(batch)
  elseif self.dry_run then -- its request is counted instead of being sent
    self.report.requests = self.report.requests + 1
    batch:settle_all()
    self:complete(batch)
  else
    self:push_batch(batch)
  end
end

return reading
