-- PUT …/{fromObjectId}/associations/{toObjectType}/{toObjectId}: links one pair by the types given.

local association_inputs = require "hubspot.associations.sandbox.association_inputs"
local association_result = require "hubspot.associations.sandbox.association_result"
local record_checks = require "hubspot.associations.sandbox.record_checks"

local put = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function put.handle(call)
  local direction, settings = call.direction, call.settings
  local from_id, to_id = call.parameters.fromObjectId, call.parameters.toObjectId
  local types, rejected = association_inputs.types(direction, call.request.body, to_id)
  rejected = rejected or record_checks.single(call)
  if rejected then return nil, rejected end
  call.links:write(direction, from_id, to_id, types)
  return {
    status = settings.status or 201,
    body = association_result.write(direction, settings.numeric_ids, from_id, to_id, types),
    inputs = 1,
  }
end

return put
