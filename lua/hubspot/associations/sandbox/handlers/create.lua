-- POST …/batch/create: links pairs of records by the types given. The whole body is checked first; then each
-- input is either written or listed in the errors.

local batch_response = require "hubspot.associations.sandbox.batch_response"
local direction_of = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local rejection = require "hubspot.associations.sandbox.rejection"
local request_body = require "hubspot.associations.sandbox.request_body"

local create = {}

local find = string.find
local object_id = request_body.object_id

-- ---- reading the inputs ----

-- An input's types as the direction has them: one Type, or a list if there are several or none. Nil when they
-- are not well-formed.
local function resolve(direction, list)
  if type(list) ~= "table" or list[1] == nil and next(list) ~= nil then return nil end
  local resolved = {}
  for j = 1, #list do
    local entry = list[j]
    if not request_body.is_type(entry) then return nil end
    resolved[j] = direction:type(entry.associationCategory, entry.associationTypeId)
  end
  return resolved[2] and resolved or resolved[1] or resolved
end

---@class hubspot.associations.sandbox.Pairs the inputs of a batch, by position
---@field from string[] ids
---@field to string[]
---@field types table[] a Type, or a list of them

-- One pass over all inputs, fast for the usual ones: string ids, and one type that has been seen before.
local function read_inputs(direction, inputs, body)
  local from_ids, to_ids, resolved = {}, {}, {}
  local known = direction.known
  for i = 1, #inputs do
    local input = inputs[i]
    if type(input) ~= "table" then return nil, request_body.input_fault(body, input, i) end
    local from, to, list = input.from, input.to, input.types
    local from_id = type(from) == "table" and from.id
    local to_id = type(to) == "table" and to.id
    if type(from_id) ~= "string" then from_id = object_id(from) end
    if type(to_id) ~= "string" then to_id = object_id(to) end
    local entry = type(list) == "table" and list[2] == nil and list[1]
    local by_id = type(entry) == "table" and known[entry.associationCategory]
    local found = by_id and by_id[entry.associationTypeId] or resolve(direction, list)
    if not (from_id and to_id and found) then return nil, request_body.input_fault(body, input, i) end
    from_ids[i], to_ids[i], resolved[i] = from_id, to_id, found
  end
  return { from = from_ids, to = to_ids, types = resolved }
end

-- ---- rejections of the whole batch ----

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

-- Calls judge(object type, id) for the records of the inputs until it returns something. Returns that, and
-- the record's position and side.
local function find_record(direction, parsed, judge)
  if not judge then return nil end
  for i = 1, #parsed.from do
    local found = judge(direction.from, parsed.from[i])
    if found then return found, i, "from" end
    found = judge(direction.to, parsed.to[i])
    if found then return found, i, "to" end
  end
end

-- How the rejection of a batch for one record says so, by the option's values.
local WAYS = {
  named = function(_, object_type, id)
    return rejection.invalid_object(direction_of.singular(object_type), id)
  end,
  column = function(body, _, id, path)
    return rejection.wrong_type(body, path, "long", id)
  end,
  anonymous = function()
    return rejection.internal(400)
  end,
}

local function find_rejected(direction, parsed, settings, body)
  local way, i, side = find_record(direction, parsed, settings.refused)
  if not way then return nil end
  if way == true then way = settings.names_refused and "named" or "anonymous" end
  return WAYS[way](body, direction[side], parsed[side][i], { "inputs", i, side, "id" })
end

local function find_poison(direction, parsed, settings)
  local status = find_record(direction, parsed, settings.poison)
  return status and (status == 409 and rejection.conflict() or rejection.internal(status))
end

-- ---- results and errors ----

local function not_found(object_type, id, side)
  local name = direction_of.singular(object_type)
  return json.encode {
    status = "error", category = "OBJECT_NOT_FOUND",
    subCategory = ("crm.associations.%s_OBJECT_NOT_FOUND"):format(side),
    message = ("No %s with ID %s exists"):format(name, id),
    context = { objectType = { name }, id = { id } },
  }
end

-- That an id which is no number does not exist is invented.
local function is_missing(missing, object_type, id)
  return not find(id, "^%d+$") or missing(object_type, id)
end

local function labels_json(types)
  if types.category then return types.json end
  local labels = {}
  for _, entry in ipairs(types) do
    if entry.json ~= "" then labels[#labels + 1] = entry.json end
  end
  return table.concat(labels, ",")
end

-- JSON allows no leading zeros in a number.
local function digits(id)
  return (id:gsub("^0+(%d)", "%1"))
end

local function take_inputs(direction, links, settings, parsed)
  local results, errors, result_count = {}, {}, 0
  local missing, numeric = settings.missing, settings.numeric_ids
  local before_from_id, before_to_id = direction.before_from_id, direction.before_to_id
  local before_labels = direction.before_labels
  for i = 1, #parsed.from do
    local from_id, to_id, types = parsed.from[i], parsed.to[i], parsed.types[i]
    local from_missing = is_missing(missing, direction.from, from_id)
    local to_missing = is_missing(missing, direction.to, to_id)
    if from_missing then errors[#errors + 1] = not_found(direction.from, from_id, "FROM") end
    if to_missing then errors[#errors + 1] = not_found(direction.to, to_id, "TO") end
    if not from_missing and not to_missing then
      links:write(direction, from_id, to_id, types)
      if numeric then from_id, to_id = digits(from_id), digits(to_id) end
      result_count = result_count + 1
      results[result_count] = before_from_id .. from_id .. before_to_id .. to_id
        .. before_labels .. labels_json(types) .. "]}"
    end
  end
  return results, errors
end

-- The documented status of a full success, where it is not 201.
local SUCCESS = { ["2026-09"] = 200 }

create.writes = true

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function create.handle(call)
  local direction, settings, body = call.direction, call.settings, call.request.body
  local inputs, rejected = request_body.inputs(body, settings.max_inputs)
  if not inputs then return nil, rejected end
  local parsed
  parsed, rejected = read_inputs(direction, inputs, body)
  rejected = rejected
    or find_bad_types(direction, parsed)
    or find_rejected(direction, parsed, settings, body)
    or find_poison(direction, parsed, settings)
  if rejected then return nil, rejected end
  local results, errors = take_inputs(direction, call.links, settings, parsed)
  local status = not results[1] and errors[1] and "CANCELED" or "COMPLETE"
  return {
    status = errors[1] and 207 or settings.status or SUCCESS[call.version] or 201,
    body = batch_response.write(status, results, errors, call.date),
    inputs = #inputs,
  }
end

return create
