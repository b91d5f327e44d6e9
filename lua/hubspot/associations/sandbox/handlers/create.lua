-- POST …/batch/create: links pairs of records by the types given. The whole body is checked first; then each
-- input is either written or listed in the errors.

local association_inputs = require "hubspot.associations.sandbox.association_inputs"
local association_result = require "hubspot.associations.sandbox.association_result"
local batch_response = require "hubspot.associations.sandbox.batch_response"
local record_checks = require "hubspot.associations.sandbox.record_checks"

local create = {}

local function write(call, parsed)
  local results, errors, result_count = {}, {}, 0
  local direction, links, settings = call.direction, call.links, call.settings
  local numeric = settings.numeric_ids
  for i = 1, #parsed.from do
    local from_id, to_id, types = parsed.from[i], parsed.to[i], parsed.types[i]
    if record_checks.pair(errors, settings, direction, from_id, to_id) then
      links:write(direction, from_id, to_id, types)
      result_count = result_count + 1
      results[result_count] = association_result.write(direction, numeric, from_id, to_id, types)
    end
  end
  return results, errors
end

-- The documented status of a full success, where it is not 201.
local SUCCESS = { ["2026-09"] = 200 }

create.writes = true

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function create.handle(call)
  local direction, settings, body = call.direction, call.settings, call.request.body
  local parsed, rejected = association_inputs.read(direction, body, call.most)
  rejected = rejected or record_checks.rejection(direction, parsed, settings, body)
  if rejected then return nil, rejected end
  local results, errors = write(call, parsed)
  local status = not results[1] and errors[1] and "CANCELED" or "COMPLETE"
  return {
    status = errors[1] and 207 or settings.status or SUCCESS[call.version] or 201,
    body = batch_response.write(status, results, errors, call.date),
    inputs = #parsed.from,
  }
end

return create
