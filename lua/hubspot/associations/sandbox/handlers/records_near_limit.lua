-- GET …/limits/associations/records/from: the object types that have records at a limit or near it.

local limit_report = require "hubspot.associations.sandbox.limit_report"

local records_near_limit = {}

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse
function records_near_limit.handle(call)
  return { status = 200, body = limit_report.write(call, "from") }
end

return records_near_limit
