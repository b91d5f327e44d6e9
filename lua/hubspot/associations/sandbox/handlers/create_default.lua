-- POST …/batch/associate/default: links pairs of records by the unlabeled type.

local batch_response = require "hubspot.associations.sandbox.batch_response"
local default_results = require "hubspot.associations.sandbox.default_results"
local record_checks = require "hubspot.associations.sandbox.record_checks"
local record_inputs = require "hubspot.associations.sandbox.record_inputs"

local create_default = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function create_default.handle(call)
  local direction, settings, body = call.direction, call.settings, call.request.body
  local parsed, rejected = record_inputs.pairs(body, call.most)
  rejected = rejected or default_results.rejection(direction)
    or record_checks.rejection(direction, parsed, settings, body)
  if rejected then return nil, rejected end
  local results, errors = {}, {}
  for i = 1, #parsed.from do
    local from_id, to_id = parsed.from[i], parsed.to[i]
    if record_checks.pair(errors, settings, direction, from_id, to_id) then
      call.links:write_default(direction, from_id, to_id)
      default_results.append(results, direction, from_id, to_id)
    end
  end
  local status = not results[1] and errors[1] and "CANCELED" or "COMPLETE"
  return {
    status = settings.status or 200, -- as documented: with errors, too
    body = batch_response.write(status, results, errors, call.date),
    inputs = #parsed.from,
  }
end

return create_default
