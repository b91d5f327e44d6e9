-- What the batches that remove associations share. A 204 in v4 lists nothing. That a dated version lists the
-- records that do not exist, and that v4 says nothing of them, is invented.

local batch_response = require "hubspot.associations.sandbox.batch_response"
local record_checks = require "hubspot.associations.sandbox.record_checks"

local removal = {}

---Removes pairs, or types of them.
---@param call hubspot.associations.sandbox.Call
---@param parsed hubspot.associations.sandbox.Pairs without types, all of a pair are removed
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function removal.of(call, parsed)
  local direction, settings = call.direction, call.settings
  local rejected = record_checks.rejection(direction, parsed, settings, call.request.body)
  if rejected then return nil, rejected end
  local errors, removed = {}, false
  for i = 1, #parsed.from do
    local from_id, to_id, types = parsed.from[i], parsed.to[i], parsed.types and parsed.types[i]
    if record_checks.pair(errors, settings, direction, from_id, to_id) then
      if types and types.category then types = { types } end
      call.links:remove(direction, from_id, to_id, types)
      removed = true
    end
  end
  if call.version == "v4" then return { status = 204, body = "", inputs = #parsed.from } end
  local status = errors[1] and not removed and "CANCELED" or "COMPLETE"
  return {
    status = errors[1] and 207 or 200,
    body = batch_response.write(status, {}, errors, call.date),
    inputs = #parsed.from,
  }
end

return removal
