-- GET …/definitions/configurations/all: the limits of all directions.

local limit_inputs = require "hubspot.associations.sandbox.limit_inputs"

local limits = {}

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse
function limits.handle(call)
  local results = {}
  for i, limit in ipairs(call.limits:all()) do
    results[i] = limit_inputs.result(call.between(limit.from, limit.to), limit)
  end
  return { status = 200, body = '{"results":[' .. table.concat(results, ",") .. "]}" }
end

return limits
