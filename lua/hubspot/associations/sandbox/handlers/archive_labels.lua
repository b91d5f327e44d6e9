-- POST …/batch/labels/archive: removes types of pairs of records. Without the unlabeled type, a pair is
-- linked no more.

local association_inputs = require "hubspot.associations.sandbox.association_inputs"
local removal = require "hubspot.associations.sandbox.removal"

local archive_labels = { writes = true }

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function archive_labels.handle(call)
  local parsed, rejected = association_inputs.read(call.direction, call.request.body, call.most)
  if not parsed then return nil, rejected end
  return removal.of(call, parsed)
end

return archive_labels
