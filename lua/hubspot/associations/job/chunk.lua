-- Inputs of one batch that are sent together: the whole batch at first, parts of it after a rejection or a
-- response that leaves inputs out. Inputs with the same pair of ids form a unit, which is never split.

local attempts = require "hubspot.associations.policy.attempts"

---@class hubspot.associations.Chunk
---@field batch hubspot.associations.Batch
---@field positions integer[]
---@field attempts hubspot.associations.Attempts
---@field waits_for integer|nil number of the batch that has to be complete first: both have a pair in common
---@field retried_missing boolean whether a response has left these inputs out before
---@field is_divided boolean|nil whether it is a part of a rejected chunk
---@field is_part boolean|nil whether it is a part of a chunk whose attempts all failed, maybe because of one
---  input: it gets one attempt
---@field suspected boolean|nil whether a rejection named its inputs by id and side: if another one does, they
---  fail
---@field named integer|nil how many times in a row some of its inputs were named and set apart
---@field trial hubspot.associations.Trial|nil the state of the search among the inputs of one pair
local Chunk = {}
Chunk.__index = Chunk

local chunk = {}

---@param batch hubspot.associations.Batch
---@param positions integer[]
---@param parent hubspot.associations.Chunk|nil the chunk that it is a part of
---@return hubspot.associations.Chunk
function chunk.new(batch, positions, parent)
  return setmetatable({
    batch = batch,
    positions = positions,
    attempts = attempts.new(parent and parent.attempts),
    retried_missing = parent ~= nil and parent.retried_missing,
  }, Chunk)
end

---Whether it has all inputs of its batch.
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

---Its positions by their pair of ids, ordered by the first of each.
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

---Splits it into parts of `size` units.
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

---The unit at a column of its request body.
---@param units integer[][] its own
---@param column integer in characters, from 1
---@return integer[]|nil positions
function Chunk:unit_at(units, column)
  local json = self:json()
  local last, at = 0, 0
  while last < column do -- until `at` is the first byte of that character
    at = at + 1
    local byte = json:byte(at)
    if not byte then return nil end
    if byte < 0x80 or byte >= 0xC0 then last = last + 1 end
  end
  local _, begun = json:sub(1, at):gsub('{"from":{"id":', "")
  return units[math.max(1, begun)]
end

return chunk
