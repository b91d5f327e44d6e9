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
---@field kind hubspot.associations.BatchKind
---@field is_full boolean whether it takes only inputs with the pair of the last one
---@field gaps integer[]|nil of each invalid input, how many valid ones were before it
---@field is_invalid table<integer, true>|nil index in the source -> true
---@field settled table<integer, true>|nil position -> true; not once all are settled at once
---@field inputs any[]|nil position -> input
---@field given string[]|nil the texts of all its inputs
---@field failures table[]|nil { index, input, outcome, error }, outcome: failed, unconfirmed, not_sent
---@field is_verified boolean|nil whether HubSpot was asked what it shows of it; of a job that verifies
---@field is_final boolean whether its outcomes may be recorded: else, a resumed job sends it again
---@field results table[]|nil HubSpot's results, where somebody is told of them
---@field pages table<integer, hubspot.associations.Page>|nil position -> where the record's next page begins
local Batch = { invalid = 0, is_final = true }
Batch.__index = Batch

local batch = {}

---@class hubspot.associations.BatchKind what the batches of a job have in common
---@field input_at (fun(index: integer): any)|nil the input at an index of the source, if that is a list
---@field is_kept boolean|nil whether inputs are kept: they take more memory than everything else
---@field checks table|nil options of core.body
---@field naming hubspot.associations.Naming|nil the names of types
---@field bodies userdata[]|nil those that batches have left; nil: they are not used again
---@field by_given boolean|nil whether a journal knows its inputs by what is given, not by what is sent
---@field on_settled function|nil called with the index of each input that has its outcome; and, unless it has
---  succeeded, with its outcome and its error

-- An empty body: one that a batch before has left, or a new one.
local function body_of(kind)
  local body = kind.bodies and table.remove(kind.bodies)
  if not body then return core.body(kind.checks) end
  body:reopen()
  return body
end

---A batch outlives several cycles of Lua's generational collector, which then keeps what is left of it until
---the next major one. So it is small: it has what most batches need, and the rest once there is a need.
---@param first integer
---@param kind hubspot.associations.BatchKind
---@return hubspot.associations.Batch
function batch.new(first, kind)
  local self = setmetatable({
    first = first, count = 0, open = 0, kind = kind, body = body_of(kind),
    number = nil, is_full = false, succeeded = 0, -- named here, so that the table need not grow
  }, Batch)
  if kind.is_kept and not kind.input_at then self.inputs = {} end
  if kind.by_given then self.given = {} end
  return self
end

-- Adds a value to a list of the batch.
local function append(self, name, value)
  local list = self[name] or {}
  list[#list + 1], self[name] = value, list
end

-- Takes a number into a set of the batch.
local function include(self, name, number)
  local set = self[name] or {}
  set[number], self[name] = true, set
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
  local naming = self.kind.naming
  if naming and naming.is_missing then return nil end
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
  self.invalid = self.invalid + 1
  include(self, "is_invalid", index)
  local offset, text = index - self.first, input_text(input)
  self.invalid_digest = core.digest(("%s %.0f %s"):format(self.invalid_digest or "", offset, text))
end

---Takes the next input of the source, of which nothing can be sent.
---@param index integer
---@param input any the caller's own
---@param err hubspot.associations.Error why
---@param from_id string|nil the id of its record of the from side, where that was looked up
function Batch:refuse(index, input, err, from_id)
  self.count = self.count + 1
  append(self, "gaps", self.open)
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
  append(self, "failures", {
    index = index, input = input, outcome = outcome, error = err, from_id = from_id,
  })
  local on_settled = self.kind.on_settled
  if on_settled then on_settled(index, outcome, err) end
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
  local low, high = 0, gaps and #gaps or 0 -- so many of them are before it
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
  assert(not (self.settled and self.settled[position]), "an input has one outcome")
  include(self, "settled", position)
  self.open = self.open - 1
  if outcome == "succeeded" then
    self.succeeded = self.succeeded + 1
    local on_settled = self.kind.on_settled
    if on_settled then on_settled(self:index(position)) end
  else
    self:fail(self:index(position), self:input(position), outcome, err)
  end
end

---All inputs succeeded.
function Batch:settle_all()
  assert(not self.settled, "an input has one outcome")
  self.succeeded, self.open = self.open, 0
  local on_settled = self.kind.on_settled
  if not on_settled then return end
  for position = 1, self.succeeded do on_settled(self:index(position)) end
end

---The positions of the inputs that succeeded, in order; once all have their outcome.
---@return integer[]
function Batch:succeeded_positions()
  local is_failed, positions = {}, {}
  for _, failure in ipairs(self.failures or {}) do is_failed[failure.index] = true end
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
  local input_at = self.kind.input_at
  if input_at then return input_at(self:index(position)) end
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

---Gives its body up, once it is complete: the memory, which Lua's collector does not see, to the pool, and
---the body itself to a batch to come.
function Batch:release()
  local body, bodies = self.body, self.kind.bodies
  self.body = nil
  body:free()
  if bodies then bodies[#bodies + 1] = body end
end

---The failures in the order of the source.
---@return table[]
function Batch:ordered_failures()
  local failures = self.failures or {}
  table.sort(failures, function(a, b)
    return a.index < b.index
  end)
  return failures
end

return batch
