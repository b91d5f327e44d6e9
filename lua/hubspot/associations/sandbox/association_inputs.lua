-- Reads the inputs of a batch whose shape is "association": each has from, to and types. It rejects the batch
-- for inputs that are not well-formed, and for types that do not exist in the direction.

local direction_of = require "hubspot.associations.sandbox.direction"
local rejection = require "hubspot.associations.sandbox.rejection"
local request_body = require "hubspot.associations.sandbox.request_body"

local association_inputs = {}

local extend, object_fault, object_id = request_body.extend, request_body.object_fault, request_body.object_id

local LARGEST_TYPE_ID = 2 ^ 31 - 1 -- HubSpot's; not the core's, which the sandbox does without

local CATEGORIES = { HUBSPOT_DEFINED = true, USER_DEFINED = true, INTEGRATOR_DEFINED = true, WORK = true }

-- ---- inputs that are not well-formed ----

local function is_type(entry)
  if type(entry) ~= "table" or not CATEGORIES[entry.associationCategory] then return false end
  local id = entry.associationTypeId
  return type(id) == "number" and id % 1 == 0 and id >= 1 and id <= LARGEST_TYPE_ID
end

-- The rejection of an entry of `types` that is not well-formed.
local function type_fault(body, entry, path)
  local rejected = object_fault(body, entry, path, { "associationCategory", "associationTypeId" })
  if rejected then return rejected end
  local field, expected = "associationTypeId", "int"
  if not CATEGORIES[entry.associationCategory] then
    field, expected = "associationCategory", "AssociationCategory"
  end
  return rejection.wrong_type(body, extend(path, field), expected, entry[field])
end

-- The rejection of an input that is not well-formed. It is only called when the batch is rejected, so it need
-- not be fast.
local function input_fault(body, input, index)
  local path = { "inputs", index }
  local rejected = object_fault(body, input, path, { "from", "to", "types" })
  if rejected then return rejected end
  for _, side in ipairs { "from", "to" } do
    if not object_id(input[side]) then
      return request_body.reference_fault(body, input[side], extend(path, side))
    end
  end
  for number, entry in ipairs(type(input.types) == "table" and input.types or {}) do
    if not is_type(entry) then
      return type_fault(body, entry, extend(path, "types", number))
    end
  end
  return rejection.wrong_type(body, extend(path, "types"), "list", input.types)
end

-- ---- reading ----

-- An input's types as the direction has them: one Type, or a list if there are several or none. Nil when they
-- are not well-formed.
local function resolve(direction, list)
  if type(list) ~= "table" or list[1] == nil and next(list) ~= nil then return nil end
  local resolved = {}
  for j = 1, #list do
    local entry = list[j]
    if not is_type(entry) then return nil end
    resolved[j] = direction:type(entry.associationCategory, entry.associationTypeId)
  end
  return resolved[2] and resolved or resolved[1] or resolved
end

-- One pass over all inputs, fast for the usual ones: string ids, and one type that has been seen before.
local function read_all(direction, inputs, body)
  local from_ids, to_ids, resolved = {}, {}, {}
  local known = direction.known
  for i = 1, #inputs do
    local input = inputs[i]
    if type(input) ~= "table" then return nil, input_fault(body, input, i) end
    local from, to, list = input.from, input.to, input.types
    local from_id = type(from) == "table" and from.id
    local to_id = type(to) == "table" and to.id
    if type(from_id) ~= "string" then from_id = object_id(from) end
    if type(to_id) ~= "string" then to_id = object_id(to) end
    local entry = type(list) == "table" and list[2] == nil and list[1]
    local by_id = type(entry) == "table" and known[entry.associationCategory]
    local found = by_id and by_id[entry.associationTypeId] or resolve(direction, list)
    if not (from_id and to_id and found) then return nil, input_fault(body, input, i) end
    from_ids[i], to_ids[i], resolved[i] = from_id, to_id, found
  end
  return { from = from_ids, to = to_ids, types = resolved }
end

-- ---- types of other directions ----

-- HubSpot takes the object types from the association type. For a type of the opposite direction it looks for
-- the to id among the records of the from side, as was observed. That it never finds one there is invented:
-- the link would be a wrong one.
local function of_another_direction(direction, entry, to_id)
  if entry.from == direction.to and entry.to == direction.from then
    return rejection.invalid_object(direction_of.singular(entry.to), to_id)
  end
  local side = entry.from ~= direction.from and "from" or "to"
  local number = entry.category == "HUBSPOT_DEFINED" and 0 or 1 -- invented: 1
  local definition = ("%d-%d"):format(number, entry.type_id)
  return rejection.wrong_direction(side, direction[side], entry[side], definition)
end

-- Types that do not exist or belong to another direction.
local function find_bad_types(direction, parsed)
  local unknown, is_listed, misplaced, at = {}, {}, nil, nil
  local function judge(entry, i)
    if entry.exists then return end
    if entry.from then
      if not misplaced then misplaced, at = entry, i end
    elseif not is_listed[entry] then
      is_listed[entry] = true
      unknown[#unknown + 1] = entry
    end
  end
  for i, types in ipairs(parsed.types) do
    if types.category then
      judge(types, i)
    else
      for _, entry in ipairs(types) do judge(entry, i) end
    end
  end
  if unknown[1] then return rejection.invalid_types(unknown) end
  return misplaced and of_another_direction(direction, misplaced, parsed.to[at])
end

---The types in a body that is a list of them, as the PUT of one pair has it.
---@param direction hubspot.associations.sandbox.Direction
---@param body string|nil
---@param to_id string
---@return hubspot.associations.sandbox.Type|hubspot.associations.sandbox.Type[]|nil
---@return hubspot.associations.sandbox.Rejection|nil
function association_inputs.types(direction, body, to_id)
  local list, rejected = request_body.decode(body)
  if not list then return nil, rejected end
  local types = resolve(direction, list)
  if not types then
    for i, entry in ipairs(list) do
      if not is_type(entry) then return nil, type_fault(body, entry, { i }) end
    end
    return nil, rejection.wrong_type(body, {}, "list", list)
  end
  rejected = find_bad_types(direction, { types = { types }, to = { to_id } })
  if rejected then return nil, rejected end
  return types
end

---@class hubspot.associations.sandbox.Pairs the inputs of a batch, by position
---@field from string[] ids
---@field to string[]
---@field types table[]|nil a Type, or a list of them
---@field paths table|nil where in the body an id is, of inputs that are not from and to: side -> path

---@param direction hubspot.associations.sandbox.Direction
---@param body string|nil
---@param limit integer the largest number of inputs
---@return hubspot.associations.sandbox.Pairs|nil
---@return hubspot.associations.sandbox.Rejection|nil
function association_inputs.read(direction, body, limit)
  local inputs, rejected = request_body.inputs(body, limit)
  if not inputs then return nil, rejected end
  local parsed
  parsed, rejected = read_all(direction, inputs, body)
  rejected = rejected or find_bad_types(direction, parsed)
  if rejected then return nil, rejected end
  return parsed
end

return association_inputs
