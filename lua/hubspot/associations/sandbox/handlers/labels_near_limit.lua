-- GET …/limits/associations/labels: how many labels each pair of object types has, of the number that HubSpot
-- allows. That each direction is listed, and which fields an object type has, is invented.

local json = require "hubspot.associations.sandbox.json"
local limit_report = require "hubspot.associations.sandbox.limit_report"

local labels_near_limit = {}

local MOST = 50

local function object_type(id)
  local singular, plural = limit_report.names(id)
  return { id = id, name = singular, labels = { singular = singular, plural = plural } }
end

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse
function labels_near_limit.handle(call)
  local results, by_direction = {}, {}
  local ids, definitions = call.labels:list()
  for _, id in ipairs(ids) do
    local label = definitions[id]
    if label.from then
      local key = label.from .. ">" .. label.to
      local entry = by_direction[key]
      if not entry then
        entry = {
          fromObjectType = object_type(label.from), toObjectType = object_type(label.to),
          allLabels = {}, limit = MOST, usage = 0,
        }
        by_direction[key], results[#results + 1] = entry, entry
      end
      entry.allLabels[#entry.allLabels + 1] = label.label
      entry.usage = entry.usage + 1
      entry.percentage = entry.usage / MOST * 100
    end
  end
  return { status = 200, body = json.encode { results = results } }
end

return labels_near_limit
