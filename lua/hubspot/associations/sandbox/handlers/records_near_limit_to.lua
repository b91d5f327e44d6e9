-- GET …/limits/associations/records/{fromObjectType}/to: the object types to which records of one are at a
-- limit or near it.

local direction_of = require "hubspot.associations.sandbox.direction"
local limit_report = require "hubspot.associations.sandbox.limit_report"

local records_near_limit_to = {}

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse
function records_near_limit_to.handle(call)
  local from = direction_of.object_type_id(call.parameters.fromObjectType)
  return { status = 200, body = limit_report.write(call, "to", from) }
end

return records_near_limit_to
