-- DELETE …/{fromObjectId}/associations/{toObjectType}/{toObjectId}: removes all types of one pair. That a
-- pair which is not linked gets a 204, too, is invented.

local record_checks = require "hubspot.associations.sandbox.record_checks"

local delete = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function delete.handle(call)
  local rejected = record_checks.single(call)
  if rejected then return nil, rejected end
  call.links:remove(call.direction, call.parameters.fromObjectId, call.parameters.toObjectId)
  return { status = 204, body = "", inputs = 1 }
end

return delete
