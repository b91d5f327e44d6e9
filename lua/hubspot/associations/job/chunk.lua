-- Inputs of one batch that are sent together: the whole batch at first, parts of it after a rejection or a
-- response that leaves inputs out. Inputs with the same pair of ids form a unit, which is never split.

local pages = require "hubspot.associations.job.pages"
local attempts = require "hubspot.associations.policy.attempts"
local ascii = require "hubspot.associations.text.ascii"

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
---@field reader hubspot.associations.Job|nil the job that it is of, where that reads back what another wrote;
---  with `request`, its { method, path }
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

-- What inputs have in common whose results a response could not tell apart: the id of a record, whichever
-- page is asked for; or two ids in either order, where a response has both directions of a pair.
local function alike_key(body, position)
  local from, to = body:ids(position)
  if not to then return from end
  if ascii.before(to, from) then from, to = to, from end
  return #from .. ":" .. from .. to
end

---Splits positions so that the results of those in one list can be told apart.
---@param batch hubspot.associations.Batch
---@param positions integer[]
---@return integer[][]
function chunk.apart(batch, positions)
  local lists, list_of, count = {}, {}, {}
  for _, position in ipairs(positions) do
    local first = batch.body:first(position)
    local number = list_of[first]
    if not number then
      local key = alike_key(batch.body, position)
      number = (count[key] or 0) + 1
      count[key], list_of[first] = number, number
    end
    lists[number] = lists[number] or {}
    table.insert(lists[number], position)
  end
  return lists
end

---Whether it has all inputs of its batch.
---@return boolean
function Chunk:is_whole()
  return #self.positions == self.batch.body:count()
end

-- Whether its request has all inputs of the batch as they stand in the batch's body.
local function is_plain(self)
  return self:is_whole() and not self.batch.repeats and not self.batch.pages
end

---The request body.
---@return string
function Chunk:json()
  return is_plain(self) and self.batch.body:json() or self:json_of(self.positions)
end

---The request body, for the transport: if it can be, the batch's body itself, of which no copy is made.
---@return string|userdata
function Chunk:payload()
  return is_plain(self) and self.batch.body:payload() or self:json_of(self.positions)
end

---The request body of some of its inputs.
---@param positions integer[]
---@return string
function Chunk:json_of(positions)
  local batch = self.batch
  if batch.pages then return pages.json(batch, positions) end
  return batch.body:select(positions)
end

-- Lists of positions for which a method of the body returns the same, ordered by the first of each.
local function grouped(positions, body, leader)
  local groups, group_of = {}, {}
  for _, position in ipairs(positions) do
    local first = leader(body, position)
    if not group_of[first] then
      group_of[first] = {}
      groups[#groups + 1] = group_of[first]
    end
    table.insert(group_of[first], position)
  end
  return groups
end

---Its positions by their pair of ids, ordered by the first of each.
---@return integer[][]
function Chunk:units()
  if self.batch.repeats then return grouped(self.positions, self.batch.body, self.batch.body.first) end
  local units = {}
  for number, position in ipairs(self.positions) do units[number] = { position } end
  return units
end

---Its positions by the input of the request that has them: its units, or several units together if the shape
---groups.
---@return integer[][]
function Chunk:inputs()
  return grouped(self.positions, self.batch.body, self.batch.body.group)
end

---Splits it into parts of `size` units, or inputs.
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

local function count_characters(text)
  local _, count = text:gsub("[^\128-\191]", "")
  return count
end

-- How many characters of the request body end with the last of these inputs. Without what closes the list, a
-- body of the first inputs is how the whole body begins.
local function characters_up_to(self, inputs, last)
  local positions = {}
  for number = 1, last do
    for _, position in ipairs(inputs[number]) do positions[#positions + 1] = position end
  end
  return count_characters(self:json_of(positions)) - #"]}"
end

---The input at a column of its request body.
---@param inputs integer[][] its own
---@param column integer in characters, from 1
---@return integer[]|nil positions
function Chunk:input_at(inputs, column)
  if column > count_characters(self:json()) then return nil end
  local low, high = 1, #inputs
  while low < high do
    local middle = math.floor((low + high) / 2)
    if characters_up_to(self, inputs, middle) < column then
      low = middle + 1
    else
      high = middle
    end
  end
  return inputs[low]
end

return chunk
