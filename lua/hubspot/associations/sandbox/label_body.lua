-- Reads the bodies of the calls that create or change a label.

local rejection = require "hubspot.associations.sandbox.rejection"
local request_body = require "hubspot.associations.sandbox.request_body"

local label_body = {}

local EXPECTED = {
  name = { "string", "String" }, label = { "string", "String" }, inverseLabel = { "string", "String" },
  associationTypeId = { "number", "int" },
}

---@param body string|nil
---@param required string[]
---@return table|nil fields
---@return hubspot.associations.sandbox.Rejection|nil
function label_body.read(body, required)
  local fields, rejected = request_body.decode(body)
  rejected = rejected or request_body.object_fault(body, fields, {}, required)
  if rejected then return nil, rejected end
  for name, expected in pairs(EXPECTED) do
    if fields[name] ~= nil and type(fields[name]) ~= expected[1] then
      return nil, rejection.wrong_type(body, { name }, expected[2], fields[name])
    end
  end
  return fields
end

---The type that a call changes or deletes, or the rejection of an id that is no label of the direction.
---@param call hubspot.associations.sandbox.Call
---@param type_id number|nil
---@return hubspot.associations.sandbox.Type|nil
---@return hubspot.associations.sandbox.Rejection|nil
function label_body.type(call, type_id)
  local is_id = type_id and type_id % 1 == 0 and type_id >= 1 and type_id < 2 ^ 31
  local entry = is_id and call.direction:type("USER_DEFINED", type_id)
  if entry and entry.exists and call.labels:get(type_id) then return entry end
  return nil, rejection.invalid_types { { category = "USER_DEFINED", type_id = is_id and type_id or 0 } }
end

return label_body
