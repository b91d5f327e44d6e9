-- Reads the body of a batch request: the JSON, the list of inputs, and the fields that each input must have.
-- It has a cjson of its own, because settings of the shared one are the host's.

local cjson = require "cjson"
local rejection = require "hubspot.associations.sandbox.rejection"

local request_body = {}

local json = cjson.new()
json.decode_invalid_numbers(false)

local LARGEST_TYPE_ID = 2 ^ 31 - 1

local CATEGORIES = { HUBSPOT_DEFINED = true, USER_DEFINED = true, INTEGRATOR_DEFINED = true, WORK = true }

---Decodes a body that must be a JSON object.
---@param body string|nil
---@return table|nil object
---@return hubspot.associations.sandbox.Rejection|nil
function request_body.decode(body)
  if not body or body == "" then return nil, rejection.no_body() end
  local ok, value = pcall(json.decode, body)
  if not ok then
    return nil, rejection.malformed(body, tonumber(tostring(value):match("at character (%d+)")) or 1)
  end
  if type(value) ~= "table" then return nil, rejection.wrong_type(body, {}, "object", value) end
  return value
end

-- The fields that an object lacks.
local function lacking(object, fields)
  local list
  for _, field in ipairs(fields) do
    if object[field] == nil or object[field] == json.null then
      list = list or {}
      list[#list + 1] = field
    end
  end
  return list
end

-- The rejection of a value that is no object or lacks fields; else nil.
local function object_fault(body, value, path, fields)
  if type(value) ~= "table" then return rejection.wrong_type(body, path, "object", value) end
  local missing = lacking(value, fields)
  if missing then return rejection.required(body, path, missing) end
end

local function extend(path, ...)
  local longer = {}
  for i, step in ipairs(path) do longer[i] = step end
  for _, step in ipairs { ... } do longer[#longer + 1] = step end
  return longer
end

---Decodes a body and checks its list of inputs, but not the inputs themselves.
---@param body string|nil
---@param limit integer the largest number of inputs
---@return table|nil inputs
---@return hubspot.associations.sandbox.Rejection|nil
function request_body.inputs(body, limit)
  local object, rejected = request_body.decode(body)
  if not object then return nil, rejected end
  rejected = object_fault(body, object, {}, { "inputs" })
  if rejected then return nil, rejected end
  local inputs = object.inputs
  if type(inputs) ~= "table" or (next(inputs) ~= nil and inputs[1] == nil) then
    return nil, rejection.wrong_type(body, { "inputs" }, "list", inputs)
  end
  if #inputs == 0 then return nil, rejection.no_inputs() end
  if #inputs > limit then return nil, rejection.too_many_inputs(limit) end
  return inputs
end

---The id in an object such as `{"id": "101"}`. A number becomes its digits.
---@param reference any
---@return string|nil id
function request_body.object_id(reference)
  if type(reference) ~= "table" then return nil end
  local id = reference.id
  if type(id) == "string" then return id end
  if type(id) == "number" then return string.format(id % 1 == 0 and "%.0f" or "%.14g", id) end
  return nil
end

---The rejection of a reference in which `object_id` found no id.
---@param body string
---@param reference any
---@param path (string|integer)[] of the reference
---@return hubspot.associations.sandbox.Rejection
function request_body.reference_fault(body, reference, path)
  return object_fault(body, reference, path, { "id" })
    or rejection.wrong_type(body, extend(path, "id"), "string", reference.id)
end

---Whether an entry of `types` is well-formed.
---@param entry any
---@return boolean
function request_body.is_type(entry)
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

---The rejection of a malformed input of a create. It is only called when the batch is rejected, so it need
---not be fast.
---@param body string
---@param input any
---@param index integer from 1
---@return hubspot.associations.sandbox.Rejection
function request_body.input_fault(body, input, index)
  local path = { "inputs", index }
  local rejected = object_fault(body, input, path, { "from", "to", "types" })
  if rejected then return rejected end
  for _, side in ipairs { "from", "to" } do
    if not request_body.object_id(input[side]) then
      return request_body.reference_fault(body, input[side], extend(path, side))
    end
  end
  for number, entry in ipairs(type(input.types) == "table" and input.types or {}) do
    if not request_body.is_type(entry) then
      return type_fault(body, entry, extend(path, "types", number))
    end
  end
  return rejection.wrong_type(body, extend(path, "types"), "list", input.types)
end

return request_body
