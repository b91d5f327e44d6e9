-- GET …/labels: the association types of a direction.

local json = require "hubspot.associations.sandbox.json"

local labels = {}

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse
function labels.handle(call)
  local results = {}
  for i, entry in ipairs(call.direction:types()) do
    results[i] = { category = entry.category, typeId = entry.type_id, label = entry.label or json.null }
  end
  return { status = 200, body = json.encode { results = results } }
end

return labels
