-- PUT …/{fromObjectId}/associations/default/{toObjectType}/{toObjectId}: links one pair by the unlabeled
-- type.

local batch_response = require "hubspot.associations.sandbox.batch_response"
local default_results = require "hubspot.associations.sandbox.default_results"
local record_checks = require "hubspot.associations.sandbox.record_checks"

local put_default = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function put_default.handle(call)
  local rejected = default_results.rejection(call.direction) or record_checks.single(call)
  if rejected then return nil, rejected end
  local from_id, to_id, results = call.parameters.fromObjectId, call.parameters.toObjectId, {}
  call.links:write_default(call.direction, from_id, to_id)
  default_results.append(results, call.direction, from_id, to_id)
  return { status = 200, body = batch_response.write("COMPLETE", results, {}, call.date), inputs = 1 }
end

return put_default
