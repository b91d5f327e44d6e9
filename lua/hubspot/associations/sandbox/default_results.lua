-- What the endpoints of default associations respond for a pair: both of its directions, as was observed for
-- the PUT of one pair. That the batch does so, too, is invented.

local json = require "hubspot.associations.sandbox.json"
local rejection = require "hubspot.associations.sandbox.rejection"

local default_results = {}

---The rejection of a direction that has no default type. Its words are invented.
---@param direction hubspot.associations.sandbox.Direction
---@return hubspot.associations.sandbox.Rejection|nil
function default_results.rejection(direction)
  if direction:unlabeled() then return nil end
  local message = ("No default association type between %s and %s"):format(direction.from, direction.to)
  return rejection.invalid(message)
end

local function result(from_id, to_id, entry)
  return json.encode {
    from = { id = from_id }, to = { id = to_id },
    associationSpec = { associationCategory = entry.category, associationTypeId = entry.type_id },
  }
end

---Appends the results of a pair.
---@param results string[] as JSON
---@param direction hubspot.associations.sandbox.Direction
---@param from_id string
---@param to_id string
function default_results.append(results, direction, from_id, to_id)
  local entry = direction:unlabeled()
  results[#results + 1] = result(from_id, to_id, entry)
  local inverse = direction:unlabeled_back()
  if inverse then results[#results + 1] = result(to_id, from_id, inverse) end
end

return default_results
