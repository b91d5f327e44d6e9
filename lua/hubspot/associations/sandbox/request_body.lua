-- Owns reading a batch request's body: its JSON, its list of inputs, and the
-- objects the inputs name.
-- Never keeps state, and never shares cjson settings with anyone.

local cjson = require "cjson"
local refusal = require "hubspot.associations.sandbox.refusal"

local request_body = {}

local json = cjson.new()
json.decode_invalid_numbers(false)

---Decodes a body that must be a JSON object.
---@param body string|nil
---@return table|nil object
---@return hubspot.associations.sandbox.Refusal|nil
function request_body.decode(body)
  if not body or body == "" then
    return nil, refusal.malformed("a request body was expected, but none found")
  end
  local ok, value = pcall(json.decode, body)
  if not ok then
    local message = tostring(value)
    return nil, refusal.malformed("not JSON", tonumber(message:match("at character (%d+)")))
  end
  if type(value) ~= "table" then return nil, refusal.malformed("expected an object", 1) end
  return value
end

---A missing field and a field of the wrong type are told apart.
---@param value any what stands in the field
---@param path string
---@param expected string
---@return hubspot.associations.sandbox.Refusal
function request_body.bad_field(value, path, expected)
  if value == nil or value == json.null then
    return refusal.field(path, "Some required fields were not set", "REQUIRED_FIELD")
  end
  return refusal.field(path, "Expected " .. expected, "INVALID_TYPE")
end

---Decodes a body and checks its list of inputs, but not what is in them.
---@param body string|nil
---@param limit integer inputs that the endpoint takes
---@return table|nil inputs
---@return hubspot.associations.sandbox.Refusal|nil
function request_body.inputs(body, limit)
  local object, refused = request_body.decode(body)
  if not object then return nil, refused end
  local inputs = object.inputs
  if type(inputs) ~= "table" or (next(inputs) ~= nil and inputs[1] == nil) then
    return nil, request_body.bad_field(inputs, "inputs", "a list")
  end
  local count = #inputs
  if count == 0 then return nil, refusal.field("inputs", "Must not be empty", "EMPTY_LIST") end
  if count > limit then return nil, refusal.too_many_inputs(count, limit) end
  return inputs
end

---The id that an object such as `{"id": "101"}` names. A number is read as its digits.
---@param reference any
---@return string|nil id
function request_body.object_id(reference)
  if type(reference) ~= "table" then return nil end
  local id = reference.id
  if type(id) == "string" and id ~= "" then return id end
  if type(id) == "number" and id % 1 == 0 then return string.format("%.0f", id) end
  return nil
end

---Why `object_id` found none.
---@param reference any
---@param path string of the reference
---@return hubspot.associations.sandbox.Refusal
function request_body.bad_object(reference, path)
  if type(reference) ~= "table" then return request_body.bad_field(reference, path, "an object") end
  return request_body.bad_field(reference.id, path .. ".id", "a string that is not empty")
end

return request_body
