-- Reads the body of a request: the JSON, a batch's list of inputs, references to records.
-- It has a cjson of its own, because settings of the shared one are the host's.

local cjson = require "cjson"
local rejection = require "hubspot.associations.sandbox.rejection"

local request_body = {}

local json = cjson.new()
json.decode_invalid_numbers(false)

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

---The rejection of a value that is no object, or lacks fields.
---@param body string
---@param value any
---@param path (string|integer)[] of the value
---@param fields string[] which it must have
---@return hubspot.associations.sandbox.Rejection|nil
function request_body.object_fault(body, value, path, fields)
  if type(value) ~= "table" then return rejection.wrong_type(body, path, "object", value) end
  local missing = lacking(value, fields)
  if missing then return rejection.required(body, path, missing) end
end

---A path that goes on from another one.
---@param path (string|integer)[]
---@return (string|integer)[]
function request_body.extend(path, ...)
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
  rejected = request_body.object_fault(body, object, {}, { "inputs" })
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
  return request_body.object_fault(body, reference, path, { "id" })
    or rejection.wrong_type(body, request_body.extend(path, "id"), "string", reference.id)
end


return request_body
