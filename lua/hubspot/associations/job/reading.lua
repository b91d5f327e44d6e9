-- How a job reads its source: compares it with the journal, forms batches, and queues them as chunks. Methods
-- of the job (job.lua).

local errors = require "hubspot.associations.errors"
local batches = require "hubspot.associations.job.batch"
local chunks = require "hubspot.associations.job.chunk"
local records = require "hubspot.associations.job.journal_record"
local one_line = require "hubspot.associations.text.one_line"

---@class hubspot.associations.Job
local reading = {}

-- How many inputs a full batch takes whose pair is that of its last one.
local MOST_ALIKE = 2000

-- ---- inputs ----

-- The next input of the source.
function reading:pull()
  local more, input = self.read()
  if more then self.index = self.index + 1 end
  return more, input
end

-- The next input without an outcome, and its index: one that was put back, or the next one. In a job with
-- look-ups, also what is known of its records; nil when that is not known yet.
function reading:next_input()
  local held = self.held
  if held ~= nil then
    self.held = nil
    return true, held, self.held_index, self.held_ready
  end
  if self.ahead then return self:next_ready() end
  return self:next_given()
end

-- The next input as it is given, and its index: one that was read before and kept, or the next of the source.
function reading:next_given()
  local number = self.next_kept
  local kept = self.kept[number]
  if kept == nil then
    local more, input = self.read() -- not self:pull(): a call for each input is a fiftieth of the job
    local index = self.index
    if not more then return more, input, index end
    self.index = index + 1
    return true, input, index + 1
  end
  local index = self.kept_at[number]
  self.kept[number], self.kept_at[number], self.next_kept = nil, nil, number + 1
  return true, kept, index
end

-- Puts an input back: it is the first of the next batch.
function reading:put_back(input, index, ready)
  self.held, self.held_index, self.held_ready = input, index, ready
end

-- Adds the next input to the batch; false when the batch has no room for it, nil when it names a type that
-- has to be asked for first. `is_adding` tells an error that the input raises, when it is read through
-- a metatable, from one that the source raises. `ready` says what is known of its records.
function reading:add(batch, input, ready)
  local added
  local index = batch.first + batch.count
  self.is_adding = true
  if not ready then
    added = batch:add(index, input)
    self.is_adding = false
    return added
  end
  if ready.raised then error(ready.raised, 0) end
  if ready.error then
    added = not batch.is_full
    if added then batch:refuse(index, input, ready.error, ready.from_id) end
  else
    added = batch:add(index, input, ready.resolved, ready.from_id)
  end
  self.is_adding = false
  if added and batch.given then batch:note_given(ready.text) end
  return added
end

-- ---- the journal ----

-- Reads up to a record, and keeps the inputs before it. True once it is reached, which may take several
-- calls: each is to be short.
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

-- Adds an input that has its outcome: nothing of it is looked up.
function reading:add_recorded(batch, input)
  if not batch.given then return self:add(batch, input) end
  batch:note_given(self:text_of(input))
  batch.count = batch.count + 1
  return true
end

-- Reads the inputs of a record into a batch. `inputs` gets those that the record lists as failed, by index.
-- False when an input names a type that has to be asked for first.
function reading:read_recorded(batch, record, inputs)
  local is_recorded = records.failures_by_index(record)
  while batch.count < record.inputs do
    local more, input = self.held ~= nil, self.held
    if more then self.held = nil else more, input = self:pull() end
    if not more then break end
    local added = self:add_recorded(batch, input)
    if not added then
      self:put_back(input, self.index)
      return added ~= nil -- there was room when it was recorded: without it, this is another source
    end
    if is_recorded[self.index] then inputs[self.index] = input end
  end
  return true
end

-- Counts and reports the outcomes of a record. Invalid inputs are not listed in it: the batch has found them
-- again.
function reading:count_recorded(record, batch, inputs)
  local report = self.report
  report.inputs = report.inputs + record.inputs
  report.resumed = report.resumed + record.inputs
  report[self.outcome] = report[self.outcome] + record[self.endpoint.outcome]
  for _, failure in ipairs(records.failures(record)) do
    failure.input = inputs[failure.index]
    self:report_failure(failure)
  end
  if not record.refused then return end
  for _, failure in ipairs(batch.failures or {}) do self:report_failure(failure) end
end

-- Compares a record of the journal with the source. All records are compared before anything is sent or
-- recorded: a journal of another source must not be changed.
function reading:replay(record)
  local begun = self.begun
  if not begun and not self:reach(record) then return end
  local batch = begun and begun.batch or batches.new(record.first, self.kind)
  local inputs = begun and begun.inputs or {}
  self.batch, self.begun = batch, nil
  if not self:read_recorded(batch, record, inputs) then
    self.batch, self.begun = nil, { batch = batch, inputs = inputs }
    return
  end
  if not records.matches(record, batch) then
    batch.is_final = false
    return self:stop(self.journal:mismatch(record))
  end
  self.batch = nil -- its inputs have their outcome
  self.journal:forget()
  self:count_recorded(record, batch, inputs)
end

-- ---- batches ----

-- Puts back an input that the batch does not take. The batch waits if that is for the names of types.
function reading:end_batch(batch, added, input, index, ready)
  if added == nil then self:wait_for_more(batch) end
  self:put_back(input, index, ready)
end

-- The batch that is being read waits until more is known.
function reading:wait_for_more(batch)
  self.batch, self.begun = nil, batch and { batch = batch }
end

-- Where a write replaces the types of a pair, inputs of one pair that follow one another belong in one
-- batch: a full one takes the inputs after it that have the pair of its last one. They are one input of its
-- request. An error that is raised here is raised again for the next batch, and does not keep this one from
-- being sent.
function reading:extend(batch)
  if not self.endpoint.replaces or batch.open == 0 then return end
  batch:set_full()
  while batch.count < self.batch_size + MOST_ALIKE do
    local pulled, more, input, index, ready = pcall(self.next_input, self)
    if not pulled then
      self.read = function() error(more, 0) end
      self.add_to = self.read
      return
    elseif not more then
      self.exhausted = more == false
      return self.exhausted or self:wait_for_more(batch)
    end
    local called, added = index == batch.first + batch.count, false
    if called then called, added = pcall(self.add, self, batch, input, ready) end
    self.is_adding = false
    if not called or not added then return self:end_batch(batch, called and added, input, index, ready) end
  end
end

-- Whether the next input is to be read from the source, is the next of the batch, and is sent as it is.
function reading:reads_on(batch)
  return not self.ahead and self.held == nil and self.kept[self.next_kept] == nil
    and self.index == batch.first + batch.count - 1 and batch.count < self.batch_size
end

-- Reads valid inputs of the source into the batch, as nearly all of a job are, up to the first that is not.
-- Returns whether the batch takes that one; false if the source ended before it; that input and its index.
function reading:read_on(batch)
  local more, input, added, err = self.add_to(batch.body, self.batch_size - batch.count, batch.inputs)
  batch:catch_up()
  self.index = batch.first + batch.count - 1
  if more == nil then return true, true end -- the batch is full
  if not more then return true, false end
  local index = self.index + 1
  self.index = index
  return batch:note_added(index, input, nil, added, err), true, input, index
end

-- Reads inputs into a new batch until it is full, the source ends, or the next input is not adjacent, because
-- those between are recorded in the journal.
function reading:read_batch()
  if self.ahead then self:read_ahead() end
  local more, input, index, ready = self:next_input()
  local batch = self.begun and self.begun.batch or more and batches.new(index, self.kind) or nil
  self.batch, self.begun = batch, nil
  while more do
    local added = index == batch.first + batch.count and self:add(batch, input, ready)
    if added and self:reads_on(batch) then added, more, input, index = self:read_on(batch) end
    if not added then return self:end_batch(batch, added, input, index, ready) end
    if batch.count >= self.batch_size then return self:extend(batch) end
    if more then more, input, index, ready = self:next_input() end
  end
  self.exhausted = more == false
  if not self.exhausted then self:wait_for_more(batch) end
end

-- Splits the positions of a batch into those that are free, and those whose pair is in an open batch: number
-- of that batch -> positions.
local function split_by_batch(batch, held)
  local free, waiting = {}, {}
  for _, position in ipairs(batch:positions()) do
    local other = held[position]
    if other then waiting[other] = waiting[other] or {} end
    table.insert(waiting[other] or free, position)
  end
  return free, waiting
end

-- Queues positions of a batch: as one chunk, unless a response could not tell their results apart.
function reading:push_chunks(batch, positions, waits_for)
  local row = self.endpoint
  local lists = (row.both_directions or row.page) and chunks.apart(batch, positions) or { positions }
  for number = #lists, 1, -1 do
    local chunk = chunks.new(batch, lists[number])
    chunk.waits_for = waits_for
    self:push(chunk)
  end
end

-- The positions of a batch. Nearly all of a job have as many, and share the list, which nobody changes.
function reading:all_positions(batch)
  if #self.positions ~= batch.body:count() then self.positions = batch:positions() end
  return self.positions
end

-- Queues a batch as one chunk, plus one for each open batch that has pairs of it. These wait for that batch,
-- since the writes of a pair must arrive in the order of the source.
function reading:push_batch(batch)
  self.last_batch = self.last_batch + 1
  batch.number = self.last_batch
  self.is_open[batch.number] = true
  local repeats, held = self.pairs:enter(batch.body, batch.number)
  if repeats then batch.repeats = true end
  if not held then return self:push_chunks(batch, self:all_positions(batch)) end
  local free, waiting = split_by_batch(batch, held)
  for other, positions in pairs(waiting) do self:push_chunks(batch, positions, other) end
  if #free > 0 then self:push_chunks(batch, free) end
end

-- The source, its reader, or an input that is read through a metatable has raised an error: the job stops.
function reading:source_raised(raised)
  local message = one_line(raised)
  local batch = self.batch
  if batch then batch:catch_up() end
  if self.is_adding or batch and batch.body:is_adding() then -- the input counts, and is invalid
    local index = batch.first + batch.count
    batch.count = batch.count + 1
    batch:fail(index, nil, "failed", { kind = "invalid_input", message = message })
  end
  if batch then batch.is_final = false end -- the input may be readable the next time
  local is_ours = errors.is(raised) and raised.kind == "source" -- raised by the reader (source.lua)
  self:stop(is_ours and raised or errors.new { kind = "source", message = "the source raised: " .. message })
end

-- Completes a batch of which nothing is to be sent, or queues its chunks.
function reading:open(batch)
  self.open_batches = self.open_batches + 1
  if batch.open == 0 then
    self:complete(batch)
  elseif self.dry_run then -- its request is counted, not sent
    local verifying = self.verifier and self.verifier:least_requests(batch) or 0
    self.report.requests = self.report.requests + 1 + verifying
    if self.on_checked then self:call(self.on_checked, batch) end
    batch:settle_all()
    self:complete(batch)
  else
    self:push_batch(batch)
  end
end

-- Reads one record of the journal, or the next batch. One at a time, since a step is to be short.
function reading:fill()
  if self.exhausted or self.error then return end
  local record, err
  if self.journal then record, err = self.journal:next_record() end
  if err then return self:stop(err) end
  local filled, raised = pcall(record and self.replay or self.read_batch, self, record)
  if not filled then self:source_raised(raised) end
  local batch = self.batch
  self.batch = nil
  if batch and batch.count > 0 then self:open(batch) end
end

-- ---- what the job needs to know ----

---@class hubspot.associations.Question a request whose response the job needs, beside its chunks
---@field request table { method, path, body }
---@field response string names a reader in api/response.lua
---@field answered fun(result: table|nil, err: hubspot.associations.Error|nil)

-- Whether the job waits for the names of types, and reads nothing until they are known.
function reading:waits_for_names()
  return self.naming ~= nil and self.naming.is_missing
end

-- Takes the labels of the account; or stops the job, if they could not be read.
local function names_known(self, page, err)
  local naming = self.naming
  naming.is_missing = false
  self.asks_for_names = false
  if page then naming.names:load(page) else self:stop(naming.names:failure(err)) end
end

---A question that has to be asked now; nil: none, or all are being asked. Each is answered once, unless the
---job stops before it is sent.
---@return hubspot.associations.Question|nil
function reading:next_question()
  if self.error then return nil end
  if self.asks_for_names or not self:waits_for_names() then return self:next_look_up() end
  self.asks_for_names = true
  return {
    request = self.labels.request, response = self.labels.response,
    answered = function(page, err) names_known(self, page, err) end,
  }
end

-- After the job has stopped: opens the batch that waited for names. True if there was one.
function reading:open_begun()
  local begun = self.begun
  if not begun then return false end
  self.begun = nil
  begun.batch.is_final = false
  if begun.batch.count > 0 then self:open(begun.batch) end
  return true
end

-- An input that was read and is in no batch, and its index; nil when there are no more.
function reading:next_unsent()
  local held = self.held
  if held ~= nil then
    self.held = nil
    return held, self.held_index
  end
  if self.ahead and not self.ahead:is_empty() then
    local input = self.ahead:take()
    return input.given, input.index
  end
  if self.kept[self.next_kept] == nil then return nil end
  local _, input, index = self:next_given()
  return input, index
end

-- After the job has stopped: inputs that were read and are in no batch are reported as not sent, some of them
-- at a time. True if there were any.
function reading:report_unsent()
  local report = self.report
  for count = 1, self.batch_size do
    local input, index = self:next_unsent()
    if input == nil then return count > 1 end
    report.inputs = report.inputs + 1
    self:report_failure { index = index, input = input, outcome = "not_sent", error = self.error }
  end
  return true
end

return reading
