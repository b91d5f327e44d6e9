-- The labels of an account: its USER_DEFINED association types. A label has a type id in one direction, and,
-- unless it stands for any direction, one in the other; the two are created, changed and deleted together.

local labels = {}
labels.__index = labels

---@class hubspot.associations.sandbox.Label
---@field label string
---@field name string|nil
---@field from string|nil object type id; nil for a label that exists in any direction
---@field to string|nil
---@field inverse integer|false|nil the type id in the other direction

---@class hubspot.associations.sandbox.Labels
---@field is_open boolean whether a USER_DEFINED id without a definition exists, too

---@param definitions table<integer, hubspot.associations.sandbox.Label>|nil the option `labels`, checked;
---  nil: every id exists
---@return hubspot.associations.sandbox.Labels
function labels.new(definitions)
  local self = setmetatable({ is_open = definitions == nil, by_id = {}, deleted = {}, last = 0 }, labels)
  for id, definition in pairs(definitions or {}) do
    local copy = {}
    for name, value in pairs(definition) do copy[name] = value end
    self.by_id[id] = copy
    self.last = math.max(self.last, id)
  end
  return self
end

---The definition of a type id, and whether the id exists.
---@param id integer
---@return hubspot.associations.sandbox.Label|nil
---@return boolean exists
function labels:get(id)
  local definition = self.by_id[id]
  return definition, definition ~= nil or self.is_open and not self.deleted[id]
end

---Whether a pair of object types has a label of this name, or of this text, in either direction.
---@param from string object type id
---@param to string object type id
---@return boolean
function labels:is_taken(from, to, name, label)
  for _, definition in pairs(self.by_id) do
    local is_ours = definition.from == from and definition.to == to
    local is_theirs = definition.from == to and definition.to == from
    if (is_ours or is_theirs) and definition.name == name then return true end
    if is_ours and definition.label == label then return true end
  end
  return false
end

-- An id that no label has, and none had: a test may have written one that was never defined.
local function next_id(self)
  self.last = self.last + 1
  return self.last
end

---Defines a label in both directions. That a label of one text between records of one object type has a
---single type id is invented.
---@param from string object type id
---@param to string object type id
---@param given { name: string, label: string, inverseLabel: string|nil }
---@return integer type_id
---@return integer inverse
function labels:create(from, to, given)
  local id = next_id(self)
  local inverse_label = given.inverseLabel or given.label
  local inverse = from == to and inverse_label == given.label and id or next_id(self)
  self.by_id[inverse] = { label = inverse_label, name = given.name, from = to, to = from, inverse = id }
  self.by_id[id] = { label = given.label, name = given.name, from = from, to = to, inverse = inverse }
  return id, inverse
end

---Changes the texts of a label. That one of the same text in both directions keeps that is invented.
---@param id integer of a label that is defined
---@param label string
---@param inverse_label string|nil
function labels:update(id, label, inverse_label)
  local definition = self.by_id[id]
  local inverse = definition.inverse and self.by_id[definition.inverse]
  if inverse and (inverse_label or inverse.label == definition.label) then
    inverse.label = inverse_label or label
  end
  definition.label = label
end

---Deletes a label in both directions.
---@param id integer
function labels:delete(id)
  local definition = self.by_id[id]
  local inverse = definition and definition.inverse
  for _, gone in ipairs { id, inverse or nil } do
    self.by_id[gone], self.deleted[gone] = nil, true
  end
end

---The labels that are defined, by type id.
---@return integer[] ids sorted
---@return table<integer, hubspot.associations.sandbox.Label> definitions
function labels:list()
  local ids = {}
  for id in pairs(self.by_id) do ids[#ids + 1] = id end
  table.sort(ids)
  return ids, self.by_id
end

return labels
