-- DELETE …/labels/{associationTypeId}: deletes a label in both directions. That pairs which had it stay
-- linked, by their other types or else by the unlabeled one, is invented.

local label_body = require "hubspot.associations.sandbox.label_body"

local delete_label = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function delete_label.handle(call)
  local entry, rejected = label_body.type(call, tonumber(call.parameters.associationTypeId))
  if not entry then return nil, rejected end
  call.links:remove_label(call.direction, entry)
  call.labels:delete(entry.type_id)
  return { status = 204, body = "", changes_types = true }
end

return delete_label
