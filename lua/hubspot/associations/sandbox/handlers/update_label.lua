-- PUT …/labels: changes the texts of a label.

local label_body = require "hubspot.associations.sandbox.label_body"

local update_label = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function update_label.handle(call)
  local fields, rejected = label_body.read(call.request.body, { "associationTypeId", "label" })
  if not fields then return nil, rejected end
  local entry
  entry, rejected = label_body.type(call, fields.associationTypeId)
  if not entry then return nil, rejected end
  call.labels:update(entry.type_id, fields.label, fields.inverseLabel)
  return { status = 204, body = "", changes_types = true }
end

return update_label
