-- GET …/definitions/configurations/{fromObjectType}/{toObjectType}: the limits of a direction.

local limit_inputs = require "hubspot.associations.sandbox.limit_inputs"

local limits_between = {}

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse
function limits_between.handle(call)
  local results, direction = {}, call.direction
  for i, limit in ipairs(call.limits:all(direction.from, direction.to)) do
    results[i] = limit_inputs.result(direction, limit)
  end
  return { status = 200, body = '{"results":[' .. table.concat(results, ",") .. "]}" }
end

return limits_between
