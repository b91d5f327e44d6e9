-- How a job reads its source: groups, what the journal says of them, and the pieces to send. Methods of the
-- job (import.lua).

local errors = require "hubspot.associations.errors"
local groups = require "hubspot.associations.group"
local pieces = require "hubspot.associations.piece"
local printable = require "hubspot.associations.printable"

---@class hubspot.associations.Job
local reading = {}

-- An iterator's inputs are kept for on_failure only, which may want more of them than was sent.
function reading:new_group(first)
  return groups.new(first, self.input_at, self.on_failure ~= nil, self.checks)
end

-- The next input of the source, or the one that had no room in the group before: true and the input, or
-- false.
function reading:take_input()
  local input = self.held
  if input == nil then return self.read() end
  self.held = nil
  return true, input
end

-- What the journal says of the next inputs, which are read from the source and compared, not sent.
function reading:replay(record)
  local group = self:new_group(record.first)
  self.group = group
  local is_recorded = self.journal.failures_by_index(record)
  local inputs = {}
  for index = record.first, record.first + record.inputs - 1 do
    local more, input = self:take_input()
    if not more then break end
    if not self:add(group, input) then
      self.held = input -- no room, where there was room before: it is another source
      break
    end
    if is_recorded[index] then inputs[index] = input end
  end
  if not self.journal.matches(record, group) then
    group.complete = false -- nothing of it is recorded, over what is
    return self:stop(self.journal:mismatch(record))
  end
  self.group = nil -- its inputs have their outcome
  self.journal:forget(record)
  if #group.refused < group.count then self:trust_source() end
  local report = self.report
  report.inputs = report.inputs + record.inputs
  report.resumed = report.resumed + record.inputs
  report.created = report.created + record.created
  for _, failure in ipairs(self.journal.failures(record)) do
    failure.input = inputs[failure.index]
    self:tell_failure(failure)
  end
end

-- Reads inputs into the group until it is full, the source ends, or the journal knows the next ones.
function reading:read_into(group)
  while group.count < self.batch_size and not self:recorded() do
    local more, input = self:take_input()
    if not more then
      self.exhausted = true
      return
    end
    if not self:add(group, input) then
      self.held = input
      return
    end
  end
end

-- ---- a source that a journal has to know first ----

-- A group is sent once the source is known to be the one that the journal recorded: with another one, the
-- journal and HubSpot stay as they are. Groups that come before the first record wait for that; they are few,
-- since groups land about in order.
function reading:open_group(group)
  if self.unproven then
    table.insert(self.unproven, group)
    return
  end
  self.open_groups = self.open_groups + 1
  if group.open == 0 then
    self:land(group)
  else
    self:push_group(group)
  end
end

-- The source is the one that was recorded, or nothing is recorded: what has waited is sent.
function reading:trust_source()
  local waiting = self.unproven
  self.unproven = nil
  for _, group in ipairs(waiting or {}) do self:open_group(group) end
end

-- The job stops: what has waited is not sent, and not recorded.
function reading:drop_unproven()
  for _, group in ipairs(self.unproven or {}) do group.complete = false end
  self:trust_source()
end

-- At the end of the source: it has to have held all that is recorded.
function reading:check_end()
  local record = self.journal and self.journal:unread()
  if record then return self:stop(self.journal:mismatch(record)) end
  if self.unproven then self:trust_source() end
end

-- Takes the next input into the group; false when the group has no room for it.
function reading:add(group, input)
  self.adding = true
  local taken = group:add(self.index + 1, input)
  self.adding = false
  if taken then self.index = self.index + 1 end
  return taken
end

function reading:recorded()
  return self.journal and self.journal:record_at(self.index + 1)
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
    self.index = self.index + 1
    self.group.count = self.group.count + 1
    self.group:fail(self.index, nil, "failed", { kind = "invalid_input", message = message })
  end
  if self.group then self.group.complete = false end -- the input may be readable the next time
  local told = errors.is(raised) and raised.kind == "source" -- by the reader
  self:stop(told and raised or errors.new { kind = "source", message = "the source raised: " .. message })
end

-- Reads the next group, as pieces to send; none when the source has no more, or the job has to stop, or
-- nothing in the group is to be sent. One group at a time, since a step is not to take long.
function reading:fill()
  if self.exhausted or self.error then return end
  local record = self:recorded()
  local filled, raised
  if record then
    filled, raised = pcall(self.replay, self, record)
  else
    self.group = self:new_group(self.index + 1)
    filled, raised = pcall(self.read_into, self, self.group)
  end
  if not filled then self:raised(raised) end
  local group = self.group
  self.group = nil
  if group and group.count > 0 then self:open_group(group) end
  if self.exhausted then self:check_end() end
end

return reading
