-- Inputs of one batch that are sent together: the whole batch at first, parts of it after a rejection or an
-- answer that leaves inputs out. Those with the same pair of ids are one unit: they are never sent apart.

local attempts = require "hubspot.associations.policy.attempts"

---@class hubspot.associations.Chunk
---@field batch hubspot.associations.Batch
---@field positions integer[]
---@field attempts hubspot.associations.Attempts
---@field waits_for integer|nil the batch that has to be complete first: it has a pair of this one
---@field retried_missing boolean whether a response left these inputs out before
---@field is_divided boolean|nil whether it is a part of a chunk that was rejected
---@field is_part boolean|nil of a chunk that failed for what may be the fault of one input: one attempt is
---  enough
---@field suspected boolean|nil whether a rejection named its inputs, by ids and sides: they fail when it does
---  again
---@field named integer|nil how many times in a row a rejection named some of the inputs it had
---@field trial hubspot.associations.Trial|nil which of the inputs of one pair are at fault
local Chunk = {}
Chunk.__index = Chunk

local chunk = {}

---@param batch hubspot.associations.Batch
---@param positions integer[]
---@param parent hubspot.associations.Chunk|nil what it is a part of
---@return hubspot.associations.Chunk
function chunk.new(batch, positions, parent)
  return setmetatable({
    batch = batch,
    positions = positions,
    attempts = attempts.new(parent and parent.attempts),
    retried_missing = parent ~= nil and parent.retried_missing,
  }, Chunk)
end

---Whether it is all of its batch.
---@return boolean
function Chunk:is_whole()
  return #self.positions == self.batch.body:count()
end

---The request body.
---@return string
function Chunk:json()
  local body = self.batch.body
  if self:is_whole() and not self.batch.repeats then return body:json() end
  return body:select(self.positions)
end

---Its positions by their pair of ids, in order of the first of each.
---@return integer[][]
function Chunk:units()
  local units = {}
  if not self.batch.repeats then
    for number, position in ipairs(self.positions) do units[number] = { position } end
    return units
  end
  local body, unit_of = self.batch.body, {}
  for _, position in ipairs(self.positions) do
    local first = body:first(position)
    if not unit_of[first] then
      unit_of[first] = {}
      units[#units + 1] = unit_of[first]
    end
    table.insert(unit_of[first], position)
  end
  return units
end

---Its positions in parts of so many units.
---@param units integer[][] its own
---@param size integer
---@return hubspot.associations.Chunk[]
function Chunk:parts(units, size)
  local parts, positions = {}, {}
  for number, unit in ipairs(units) do
    for _, position in ipairs(unit) do positions[#positions + 1] = position end
    if number % size == 0 or number == #units then
      parts[#parts + 1] = chunk.new(self.batch, positions, self)
      positions = {}
    end
  end
  return parts
end

---Its positions without the given ones.
---@param chosen integer[]
---@return integer[]
function Chunk:others(chosen)
  local is_chosen, others = {}, {}
  for _, position in ipairs(chosen) do is_chosen[position] = true end
  for _, position in ipairs(self.positions) do
    if not is_chosen[position] then others[#others + 1] = position end
  end
  return others
end

---The unit that stands in a column of its request body.
---@param units integer[][] its own
---@param column integer in characters, from 1
---@return integer[]|nil positions
function Chunk:unit_at(units, column)
  local json = self:json()
  local last, at = 0, 0
  while last < column do -- `at` becomes the byte of that character
    at = at + 1
    local byte = json:byte(at)
    if not byte then return nil end
    if byte < 0x80 or byte >= 0xC0 then last = last + 1 end
  end
  local _, begun = json:sub(1, at):gsub('{"from":{"id":', "")
  return units[math.max(1, begun)]
end

return chunk
