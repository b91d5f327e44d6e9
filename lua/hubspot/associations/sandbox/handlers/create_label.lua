-- POST …/labels: defines a label of the account, in both directions.

local json = require "hubspot.associations.sandbox.json"
local label_body = require "hubspot.associations.sandbox.label_body"
local rejection = require "hubspot.associations.sandbox.rejection"

local create_label = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function create_label.handle(call)
  local fields, rejected = label_body.read(call.request.body, { "name", "label" })
  if not fields then return nil, rejected end
  local labels, from, to = call.labels, call.direction.from, call.direction.to
  if labels:is_taken(from, to, fields.name, fields.label) then
    return nil, rejection.invalid(("A label of the name %s or the text %s already exists"):format(
      fields.name, fields.label))
  end
  local id, inverse = labels:create(from, to, fields)
  local results = {}
  for i, type_id in ipairs { id, inverse ~= id and inverse or nil } do
    local label = labels:get(type_id)
    results[i] = {
      category = "USER_DEFINED", typeId = type_id, label = label.label,
      fromObjectTypeId = label.from, toObjectTypeId = label.to,
    }
  end
  return { status = 200, body = json.encode { results = results }, changes_types = true }
end

return create_label
