-- POST …/batch/archive: removes all types of pairs of records.

local record_inputs = require "hubspot.associations.sandbox.record_inputs"
local removal = require "hubspot.associations.sandbox.removal"

local archive = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function archive.handle(call)
  local parsed, rejected = record_inputs.fans(call.request.body, call.most)
  if not parsed then return nil, rejected end
  return removal.of(call, parsed)
end

return archive
