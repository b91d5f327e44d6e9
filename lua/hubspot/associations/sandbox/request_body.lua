-- Owns reading a batch request's body: its JSON, its list of inputs, and what the inputs must have.
-- Never keeps state, and never shares cjson settings with anyone.

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

-- The fields that an object has not.
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

-- What is wrong with an object: it is none, or lacks fields.
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

---Decodes a body and checks its list of inputs, but not what is in them.
---@param body string|nil
---@param limit integer inputs that the endpoint takes
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

---The id that an object such as `{"id": "101"}` names. A number is read as its digits.
---@param reference any
---@return string|nil id
function request_body.object_id(reference)
  if type(reference) ~= "table" then return nil end
  local id = reference.id
  if type(id) == "string" then return id end
  if type(id) == "number" then return string.format(id % 1 == 0 and "%.0f" or "%.14g", id) end
  return nil
end

---What is wrong with a reference of which `object_id` found no id.
---@param body string
---@param reference any
---@param path (string|integer)[] of the reference
---@return hubspot.associations.sandbox.Rejection
function request_body.reference_fault(body, reference, path)
  return object_fault(body, reference, path, { "id" })
    or rejection.wrong_type(body, extend(path, "id"), "string", reference.id)
end

---Whether an entry of `types` is as described.
---@param entry any
---@return boolean
function request_body.is_type(entry)
  if type(entry) ~= "table" or not CATEGORIES[entry.associationCategory] then return false end
  local id = entry.associationTypeId
  return type(id) == "number" and id % 1 == 0 and id >= 1 and id <= LARGEST_TYPE_ID
end

-- What is wrong with an entry of `types`.
local function type_fault(body, entry, path)
  local rejected = object_fault(body, entry, path, { "associationCategory", "associationTypeId" })
  if rejected then return rejected end
  local field, expected = "associationTypeId", "int"
  if not CATEGORIES[entry.associationCategory] then
    field, expected = "associationCategory", "AssociationCategory"
  end
  return rejection.wrong_type(body, extend(path, field), expected, entry[field])
end

---The rejection of an input of a create that is not as described. Called on the way out only: slow is fine.
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
