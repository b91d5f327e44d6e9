-- Owns POST …/batch/create: checks the whole body first, then takes each input
-- into the store or into the list of errors, one or the other.
-- Never writes a status line or a header.

local json = require "hubspot.associations.sandbox.json"
local refusal = require "hubspot.associations.sandbox.refusal"
local request_body = require "hubspot.associations.sandbox.request_body"

local batch_create = {}

local find = string.find
local object_id, bad_field = request_body.object_id, request_body.bad_field

local LARGEST_TYPE_ID = 2 ^ 31 - 1

-- The fault of one entry of `types`, as field, expectation; nothing when it is sound.
local function type_fault(entry)
  if type(entry) ~= "table" then return "", "an object" end
  local category, id = entry.associationCategory, entry.associationTypeId
  if type(category) ~= "string" or not category:find("^[A-Z][A-Z_]*$") then
    return ".associationCategory", "a category"
  end
  if type(id) ~= "number" or id % 1 ~= 0 or id < 1 or id > LARGEST_TYPE_ID then
    return ".associationTypeId", "an integer"
  end
end

-- The refusal of an input that is not as documented. Only called on the way out: slow is fine.
local function input_fault(input, i)
  local path = string.format("inputs[%d]", i - 1)
  if type(input) ~= "table" then return bad_field(input, path, "an object") end
  for _, side in ipairs { "from", "to" } do
    if not object_id(input[side]) then
      return request_body.bad_object(input[side], path .. "." .. side)
    end
  end
  local list = input.types
  if type(list) ~= "table" or #list == 0 then
    if type(list) == "table" and next(list) == nil then list = nil end
    return bad_field(list, path .. ".types", "a list")
  end
  for j, entry in ipairs(list) do
    local field, expected = type_fault(entry)
    if field then
      local value = entry
      if field ~= "" then value = entry[field:sub(2)] end
      return bad_field(value, string.format("%s.types[%d]%s", path, j - 1, field), expected)
    end
  end
end

-- What the direction knows of an input's types: one entry, or a list where there are several.
-- Nil when they are not as documented. An entry found has been checked before.
local function resolve(direction, list)
  if type(list) ~= "table" or list[1] == nil then return nil end
  local resolved = {}
  for j = 1, #list do
    local entry = list[j]
    if type_fault(entry) then return nil end
    resolved[j] = direction:type(entry.associationCategory, entry.associationTypeId)
  end
  return resolved[2] and resolved or resolved[1]
end

-- One pass over all inputs. Its fast path is the usual input: string ids, one type seen before.
local function check_inputs(direction, inputs)
  local from_ids, to_ids, resolved = {}, {}, {}
  local known = direction.known
  for i = 1, #inputs do
    local input = inputs[i]
    if type(input) ~= "table" then return nil, input_fault(input, i) end
    local from, to, list = input.from, input.to, input.types
    local from_id = type(from) == "table" and from.id
    local to_id = type(to) == "table" and to.id
    if type(from_id) ~= "string" or from_id == "" then from_id = object_id(from) end
    if type(to_id) ~= "string" or to_id == "" then to_id = object_id(to) end
    local entry = type(list) == "table" and list[2] == nil and list[1]
    local by_id = type(entry) == "table" and known[entry.associationCategory]
    local found = by_id and by_id[entry.associationTypeId] or resolve(direction, list)
    if not (from_id and to_id and found) then return nil, input_fault(input, i) end
    from_ids[i], to_ids[i], resolved[i] = from_id, to_id, found
  end
  return from_ids, to_ids, resolved
end

-- The refusal of the batch for the first id in it that the account cannot read.
local function find_unreadable(direction, settings, from_ids, to_ids)
  local refused = settings.refused
  if not refused then return nil end
  for i = 1, #from_ids do
    local side = refused(direction.from, from_ids[i]) and "from" or refused(direction.to, to_ids[i]) and "to"
    if side then
      local path = settings.names_refused and string.format("inputs[%d].%s.id", i - 1, side) or nil
      return refusal.unreadable_id(path, side == "from" and from_ids[i] or to_ids[i])
    end
  end
end

local function is_missing(missing, object_type, id)
  return find(id, "%D") or missing(object_type, id)
end

local function not_found(direction, from_id, to_id, from_missing, to_missing)
  local context, subjects = {}, {}
  if from_missing then
    context.fromObjectId = { from_id }
    subjects[1] = direction.from .. " " .. from_id
  end
  if to_missing then
    context.toObjectId = { to_id }
    subjects[#subjects + 1] = direction.to .. " " .. to_id
  end
  return {
    status = "error", category = "OBJECT_NOT_FOUND", context = context,
    message = "No such record: " .. table.concat(subjects, ", "),
  }
end

local function no_such_type(direction, from_id, to_id, entry)
  local id = string.format("%d", entry.type_id)
  return {
    status = "error", category = "VALIDATION_ERROR",
    message = string.format("No association type %s %s from %s to %s",
      entry.category, id, direction.from, direction.to),
    context = { fromObjectId = { from_id }, toObjectId = { to_id }, associationTypeId = { id } },
  }
end

-- The one of several types that does not exist, if any.
local function unknown_of(list)
  for _, entry in ipairs(list) do
    if not entry.exists then return entry end
  end
end

local function labels_json(list)
  local labels = {}
  for _, entry in ipairs(list) do
    if entry.json ~= "" then labels[#labels + 1] = entry.json end
  end
  return table.concat(labels, ",")
end

-- JSON has no number that begins with 0.
local function digits(id)
  return (id:gsub("^0+(%d)", "%1"))
end

---@param direction hubspot.associations.sandbox.Direction
---@param store hubspot.associations.sandbox.Store
---@param settings table the account's options
---@param body string
---@return { results: string[], errors: string[], inputs: integer }|nil batch its parts as JSON
---@return hubspot.associations.sandbox.Refusal|nil
function batch_create.handle(direction, store, settings, body)
  local inputs, refused = request_body.inputs(body, settings.max_inputs)
  if not inputs then return nil, refused end
  local from_ids, to_ids, resolved = check_inputs(direction, inputs)
  if not from_ids then return nil, to_ids end
  refused = find_unreadable(direction, settings, from_ids, to_ids)
  if refused then return nil, refused end

  local results, errors, result_count = {}, {}, 0
  local missing, numeric = settings.missing, settings.numeric_ids
  local from_type, to_type = direction.from, direction.to
  local before_from_id, before_to_id = direction.before_from_id, direction.before_to_id
  local before_labels = direction.before_labels
  for i = 1, #inputs do
    local from_id, to_id, entry = from_ids[i], to_ids[i], resolved[i]
    local several = entry[1] and entry
    local unknown
    if several then
      unknown = unknown_of(several)
    elseif not entry.exists then
      unknown = entry
    end
    local from_missing = is_missing(missing, from_type, from_id)
    local to_missing = is_missing(missing, to_type, to_id)
    if from_missing or to_missing then
      errors[#errors + 1] = json.encode(not_found(direction, from_id, to_id, from_missing, to_missing))
    elseif unknown then
      errors[#errors + 1] = json.encode(no_such_type(direction, from_id, to_id, unknown))
    else
      for j = 1, several and #several or 1 do
        store:add((several and several[j] or entry).prefix .. from_id .. "/" .. to_id)
      end
      if numeric then from_id, to_id = digits(from_id), digits(to_id) end
      result_count = result_count + 1
      results[result_count] = before_from_id .. from_id .. before_to_id .. to_id
        .. before_labels .. (several and labels_json(several) or entry.json) .. "]}"
    end
  end
  return { results = results, errors = errors, inputs = #inputs }
end

return batch_create
