-- How a job reads its source: groups, what the journal says of them, and the pieces to send. Methods of the
-- job (import.lua).

local errors = require "hubspot.associations.errors"
local groups = require "hubspot.associations.job.batch"
local pieces = require "hubspot.associations.job.chunk"
local printable = require "hubspot.associations.text.one_line"

---@class hubspot.associations.Job
local reading = {}

-- An iterator's inputs are kept for on_failure only, which may want more of them than was sent.
function reading:new_group(first)
  return groups.new(first, self.input_at, self.on_failure ~= nil, self.checks)
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
  local group = self:new_group(record.first)
  self.group = group
  local is_recorded = self.journal.failures_by_index(record)
  local inputs = {}
  while group.count < record.inputs do
    local more, input = self:pull()
    if not more then break end
    if not self:add(group, input) then
      self:hold(input, self.index) -- no room, where there was room before: it is another source
      break
    end
    if is_recorded[self.index] then inputs[self.index] = input end
  end
  if not self.journal:matches(record, group) then
    group.complete = false
    return self:stop(self.journal:mismatch(record))
  end
  self.group = nil -- its inputs have their outcome
  self.journal:forget()
  local report = self.report
  report.inputs = report.inputs + record.inputs
  report.resumed = report.resumed + record.inputs
  report.created = report.created + record.created
  for _, failure in ipairs(self.journal.failures(record)) do
    failure.input = inputs[failure.index]
    self:tell_failure(failure)
  end
  if not record.refused then return end
  for _, failure in ipairs(group.failures) do self:tell_failure(failure) end
end

-- Reads inputs into a new group until it is full, the source ends, or what the journal recorded lies between.
function reading:read_group()
  local more, input, index = self:next_input()
  local group = more and self:new_group(index)
  self.group = group or nil
  while more do
    if index ~= group.first + group.count or not self:add(group, input) then
      return self:hold(input, index)
    end
    if group.count >= self.batch_size then return end
    more, input, index = self:next_input()
  end
  self.exhausted = true
end

-- Takes the next input into the group; false when the group has no room for it.
function reading:add(group, input)
  self.adding = true
  local taken = group:add(group.first + group.count, input)
  self.adding = false
  return taken
end

-- The job stopped: inputs that were read and are in no group are not sent. Some of them at a time; true when
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

-- A group is one piece, and one more for each open group that has pairs of it: these wait for that group,
-- since the writes of a pair must arrive in the order of the source.
function reading:push_group(group)
  self.last_group = self.last_group + 1
  group.number = self.last_group
  self.is_open[group.number] = true
  local held
  group.repeats, held = self.pairs:enter(group.body, group.number)
  if not held then return self:push(pieces.new(group, group:places())) end
  local free, waiting = {}, {}
  for _, place in ipairs(group:places()) do
    local other = held[place]
    if other then waiting[other] = waiting[other] or {} end
    table.insert(waiting[other] or free, place)
  end
  for other, places in pairs(waiting) do
    local piece = pieces.new(group, places)
    piece.waits_for = other
    self:push(piece)
  end
  if #free > 0 then self:push(pieces.new(group, free)) end
end

-- What the source raised, or its reader, or an input that was read through a metatable: the job stops.
function reading:raised(raised)
  local message = printable(raised)
  if self.adding then -- the input counts, and is refused
    local group = self.group
    local index = group.first + group.count
    group.count = group.count + 1
    group:fail(index, nil, "failed", { kind = "invalid_input", message = message })
  end
  if self.group then self.group.complete = false end -- the input may be readable the next time
  local told = errors.is(raised) and raised.kind == "source" -- by the reader
  self:stop(told and raised or errors.new { kind = "source", message = "the source raised: " .. message })
end

-- Reads the next group, as pieces to send; none while the journal is compared, when the source has no more,
-- when the job has to stop, or when nothing in the group is to be sent. One group at a time, since a step is
-- not to take long.
function reading:fill()
  if self.exhausted or self.error then return end
  local record, err
  if self.journal then record, err = self.journal:next_record() end
  if err then return self:stop(err) end
  local filled, raised = pcall(record and self.replay or self.read_group, self, record)
  if not filled then self:raised(raised) end
  local group = self.group
  self.group = nil
  if not group or group.count == 0 then return end
  self.open_groups = self.open_groups + 1
  if group.open == 0 then
    self:land(group)
  elseif self.dry_run then -- a request is counted in place of being sent
    self.report.requests = self.report.requests + 1
    group:settle_all()
    self:land(group)
  else
    self:push_group(group)
  end
end

return reading
