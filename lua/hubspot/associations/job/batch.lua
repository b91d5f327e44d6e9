-- The inputs that were read for one batch, until each has its outcome. A valid input has a position in the
-- body; an invalid one has failed already.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local input_text = require "hubspot.associations.job.input_text"

---@class hubspot.associations.Batch
---@field first integer the index in the source of the first input
---@field count integer how many inputs of the source it covers
---@field body userdata the valid inputs
---@field number integer|nil among the batches of the job, once it is open
---@field repeats boolean|nil whether two of its inputs have the same pair of ids
---@field invalid integer how many inputs are invalid
---@field invalid_digest string|nil of the invalid inputs and where they are
---@field open integer how many inputs have no outcome yet
---@field is_verified boolean|nil whether HubSpot was asked what it shows of it; of a job that verifies
---@field is_final boolean whether its outcomes may be recorded in the journal
---@field results table[] HubSpot's results
---@field pages table<integer, hubspot.associations.Page> position -> where the next page of its record begins
---@field checks table|nil options of core.body
---@field on_settled function|nil called with the index of each input that has its outcome; and, unless it has
---  succeeded, with its outcome and its error
local Batch = {}
Batch.__index = Batch

local batch = {}

---@param first integer
---@param input_at (fun(index: integer): any)|nil the input at an index of the source, if that is a list
---@param kept boolean|nil whether inputs are kept: they take more memory than everything else
---@param checks table|nil options of core.body
---@param naming hubspot.associations.Naming|nil the names of types
---@param by_given boolean|nil whether a journal knows its inputs by what is given, not by what is sent
---@return hubspot.associations.Batch
function batch.new(first, input_at, kept, checks, naming, by_given)
  return setmetatable({
    first = first,
    count = 0,
    is_full = false,
    body = core.body(checks),
    checks = checks,
    naming = naming,
    pages = {},
    gaps = {}, -- of each invalid input, how many valid ones were before it
    input_at = input_at,
    inputs = kept and not input_at and {} or nil, -- position -> input
    invalid = 0,
    is_invalid = {}, -- index in the source -> true
    open = 0,
    settled = {}, -- position -> true
    succeeded = 0,
    failures = {}, -- { index, input, outcome, error }, outcome: failed, unconfirmed, not_sent
    results = {},
    given = by_given and {} or nil, -- the texts of all its inputs
    is_final = true, -- false: not recorded, so that a resumed job sends it again
  }, Batch)
end

---Takes the next input of the source.
---@param index integer its index in the source
---@param input any the caller's own
---@param sent any what is sent of it, where that is something else
---@param from_id string|nil the id of its record of the from side, where that was looked up
---@return boolean|nil added false when the batch has no room for it: it belongs to the next one; nil when it
---  names a type that has to be asked for first
function Batch:add(index, input, sent, from_id)
  if sent == nil then sent = input end
  return self:note_added(index, input, from_id, self.body:add(sent))
end

---Takes note of what the body's `add` returned for the next input.
---@param index integer its index in the source
---@param input any the caller's own
---@param from_id string|nil
---@param added boolean|nil
---@param err table|nil
---@return boolean|nil added as `add`
function Batch:note_added(index, input, from_id, added, err)
  if added then
    local position = self.open + 1 -- no input is settled while the batch is filled
    self.count, self.open = self.count + 1, position
    if self.inputs then self.inputs[position] = input end
    return true
  end
  if self.naming and self.naming.is_missing then return nil end
  if self.is_full or err.kind == "too_large" and self.body:count() > 0 then return false end
  self:refuse(index, input, err, from_id)
  if not self.given then self:note_invalid(index, input) end
  return true
end

---Counts what was added to the body itself while the batch is filled.
function Batch:catch_up()
  local count = self.body:count()
  self.count, self.open = self.count + count - self.open, count
end

-- A journal does not list what is invalid: reading the source finds it again.
function Batch:note_invalid(index, input)
  self.invalid, self.is_invalid[index] = self.invalid + 1, true
  local offset, text = index - self.first, input_text(input)
  self.invalid_digest = core.digest(("%s %.0f %s"):format(self.invalid_digest or "", offset, text))
end

---Takes the next input of the source, of which nothing can be sent.
---@param index integer
---@param input any the caller's own
---@param err hubspot.associations.Error why
---@param from_id string|nil the id of its record of the from side, where that was looked up
function Batch:refuse(index, input, err, from_id)
  self.count, self.gaps[#self.gaps + 1] = self.count + 1, self.open
  err.index = index
  self:fail(index, input, "failed", err, from_id)
end

---Takes the text of the input that was added last, or of one that a journal records.
---@param text string
function Batch:note_given(text)
  self.given[#self.given + 1] = text
end

---What distinguishes its inputs from others.
---@return string
function Batch:digest()
  return self.given and core.digest(table.concat(self.given, "\n")) or self.body:digest()
end

-- `from_id` is for a sync, which removes no link of a record that a bad input is about.
function Batch:fail(index, input, outcome, err, from_id)
  if err then errors.new(err) end
  self.failures[#self.failures + 1] = {
    index = index, input = input, outcome = outcome, error = err, from_id = from_id,
  }
  if self.on_settled then self.on_settled(index, outcome, err) end
end

---Takes from here on only inputs with the pair of the last one, which is valid.
function Batch:set_full()
  self.is_full = true
  self.body:set_full()
end

---The index in the source of the input at a position. A batch has all inputs of the source from its first one
---on, so that the number of invalid ones before it tells: a list would be most of a batch's memory in Lua.
---@param position integer
---@return integer
function Batch:index(position)
  local gaps = self.gaps
  local low, high = 0, #gaps -- so many of them are before it
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if gaps[middle] < position then low = middle else high = middle - 1 end
  end
  return self.first + position - 1 + low
end

---Gives the input at a position its outcome, once.
---@param position integer
---@param outcome "succeeded"|"failed"|"unconfirmed"|"not_sent"
---@param err table|nil
function Batch:settle(position, outcome, err)
  assert(not self.settled[position], "an input has one outcome")
  self.settled[position] = true
  self.open = self.open - 1
  if outcome == "succeeded" then
    self.succeeded = self.succeeded + 1
    if self.on_settled then self.on_settled(self:index(position)) end
  else
    self:fail(self:index(position), self:input(position), outcome, err)
  end
end

---All inputs succeeded.
function Batch:settle_all()
  assert(next(self.settled) == nil, "an input has one outcome")
  self.succeeded, self.open = self.open, 0
  if not self.on_settled then return end
  for position = 1, self.succeeded do self.on_settled(self:index(position)) end
end

---The positions of the inputs that succeeded, in order; once all have their outcome.
---@return integer[]
function Batch:succeeded_positions()
  local is_failed, positions = {}, {}
  for _, failure in ipairs(self.failures) do is_failed[failure.index] = true end
  for position = 1, self.body:count() do
    if not is_failed[self:index(position)] then positions[#positions + 1] = position end
  end
  return positions
end

---An input that succeeded, as HubSpot said, is unconfirmed.
---@param position integer
---@param err hubspot.associations.Error
function Batch:withdraw(position, err)
  self.succeeded = self.succeeded - 1
  self:fail(self:index(position), self:input(position), "unconfirmed", err)
end

-- The caller's own input, or, if it was not kept, what was sent of it.
function Batch:input(position)
  if self.input_at then return self.input_at(self:index(position)) end
  if self.inputs then return self.inputs[position] end
  return core.decode(self.body:input(position))
end

---All positions, in order.
---@return integer[]
function Batch:positions()
  local positions = {}
  for position = 1, self.body:count() do positions[position] = position end
  return positions
end

---The failures in the order of the source.
---@return table[]
function Batch:ordered_failures()
  table.sort(self.failures, function(a, b)
    return a.index < b.index
  end)
  return self.failures
end

return batch
