-- The inputs that a job has read ahead, in the order of the source, while the records that they name by
-- a property are looked up. The first one leaves once its records are known: with ids in place of the values.
-- Pure: requests and responses are passed on to the look-ups (look_up.lua).

local errors = require "hubspot.associations.errors"
local input_text = require "hubspot.associations.job.input_text"
local look_up = require "hubspot.associations.job.look_up"
local one_line = require "hubspot.associations.text.one_line"

local look_ahead = {}

-- How many inputs are read ahead: two batches, so that one is looked up while the other is sent.
local MOST = 4000

---@class hubspot.associations.AheadInput
---@field index integer in the source
---@field given any the caller's own input
---@field fields table|nil what is sent of it; nil where it is no table, which no look-up can help
---@field from_id string|nil the id of its record of the from side, where that was looked up and found
---@field raised string|nil what the input raised when it was read
---@field text string|nil for a journal: what is given, as text
---@field from hubspot.associations.LookedUp|nil what it waits for, by the field
---@field to hubspot.associations.LookedUp|nil
---@field id hubspot.associations.LookedUp|nil

---@class hubspot.associations.LookAhead
---@field look_ups hubspot.associations.LookUp[] the different ones of both sides
local LookAhead = {}
LookAhead.__index = LookAhead

local FIELDS = { record = { "id", "after" } } -- by shape
local PAIR = { "from", "to", "types", "type", "associationTypeId" }
local SIDES = { "from", "to", "id" }

---@param shape string of the endpoint's inputs
---@param by_field table<string, hubspot.associations.LookUp> "from", "to", "id" -> how it is looked up
---@param keeps_text boolean whether a journal needs the texts of inputs
---@return hubspot.associations.LookAhead
function look_ahead.new(shape, by_field, keeps_text)
  local look_ups = {}
  for _, field in ipairs(SIDES) do
    local one = by_field[field]
    if one and one ~= look_ups[1] then look_ups[#look_ups + 1] = one end
  end
  return setmetatable({
    shape = shape,
    fields = FIELDS[shape] or PAIR,
    by_field = by_field,
    look_ups = look_ups,
    keeps_text = keeps_text,
    inputs = {}, first = 1, last = 0, -- those that were read ahead: number -> AheadInput
    turn = 0, -- which look-up made the last request
  }, LookAhead)
end

---The same for a job, by its options. Sides of one object type and property share what is known.
---@param shape string
---@param values table<string, string> the object types of the job's path
---@param given hubspot.associations.JobOptions
---@param keeps_text boolean
---@return hubspot.associations.LookAhead|nil nil where records are named by their ids
function look_ahead.of(shape, values, given, keeps_text)
  local from, to
  if given.from_property then from = look_up.new(values.fromObjectType, given.from_property) end
  if given.to_property then to = look_up.new(values.toObjectType, given.to_property) end
  if not from and not to then return nil end
  if from and to and from:is_same(to) then to = from end
  local by_field = shape == "record" and { id = from } or { from = from, to = to }
  return look_ahead.new(shape, by_field, keeps_text)
end

-- ---- inputs ----

-- Each field is read once: a proxy may compute it.
local function read_fields(self, given)
  if type(given) ~= "table" then return self.shape == "record" and { id = given } or nil end
  local fields = { from = nil, to = nil, types = nil, problem = rawget(given, "problem") } -- of a bad row
  for _, name in ipairs(self.fields) do fields[name] = given[name] end
  for name in pairs(self.by_field) do
    local value = fields[name]
    if type(value) == "table" and value.known_id == nil then fields[name] = value.id end
  end
  return fields
end

---The fields of an input that say which it is, with values in place of references; or nil and what it raised.
---@param given any
---@return any
---@return string|nil raised
function LookAhead:read(given)
  local was_read, fields = pcall(read_fields, self, given)
  if not was_read then return nil, one_line(fields) end
  return fields
end

---Takes the next input of the source.
---@param index integer
---@param given any
function LookAhead:add(index, given)
  local fields, raised = self:read(given)
  local input = {
    index = index, given = given, fields = fields, raised = raised,
    text = self.keeps_text and not raised and input_text(fields == nil and given or fields) or nil,
    from = nil, to = nil, id = nil, -- named here, so that the table need not grow
  }
  if fields then
    for name, one in pairs(self.by_field) do
      local value = fields[name]
      if type(value) == "table" and value.known_id then
        input[name] = { id = value.known_id } -- a sync's, of an input that names no record on this side
      elseif value ~= nil then
        input[name] = one:want(value)
      end
    end
  end
  self.last = self.last + 1
  self.inputs[self.last] = input
end

---@return boolean
function LookAhead:is_full()
  return self.last - self.first + 1 >= MOST
end

---@return boolean
function LookAhead:is_empty()
  return self.last < self.first
end

---Whether the first input may leave.
---@return boolean
function LookAhead:is_ready()
  local input = self.inputs[self.first]
  if not input then return false end
  for name in pairs(self.by_field) do
    local looked_up = input[name]
    if looked_up and not (looked_up.id or looked_up.error) then return false end
  end
  return true
end

-- What is sent of an input, or the error of the first of its sides.
local function resolved(self, input)
  for _, name in ipairs(SIDES) do
    local looked_up = self.by_field[name] and input[name]
    if looked_up and looked_up.error then
      local err = errors.copy(looked_up.error) -- one value may be of many inputs
      err.field = name
      return nil, err
    end
    if looked_up then input.fields[name] = looked_up.id end
    if looked_up and name == "from" then input.from_id = looked_up.id end
  end
  return input.fields == nil and input.given or input.fields
end

---Takes the first input.
---@return hubspot.associations.AheadInput
function LookAhead:take()
  local input = self.inputs[self.first]
  self.inputs[self.first], self.first = nil, self.first + 1
  return input
end

---The same, once it is ready: with `resolved`, what is sent of it, or with `error`.
---@return hubspot.associations.AheadInput
function LookAhead:take_ready()
  local input = self:take()
  if not input.raised then input.resolved, input.error = resolved(self, input) end
  return input
end

-- ---- questions ----

---The values to ask next, and whose they are; nil when there are none, or too few as long as more inputs can
---be read.
---@param has_more boolean
---@return hubspot.associations.LookUp|nil
---@return hubspot.associations.LookedUp[]|nil
function LookAhead:next_request(has_more)
  for _ = 1, #self.look_ups do
    self.turn = self.turn % #self.look_ups + 1
    local one = self.look_ups[self.turn]
    local entries = one:next_entries(has_more)
    if entries then return one, entries end
  end
end

return look_ahead
