-- Which records are at a limit of the account, or near it, for the endpoints that report them.

local direction_of = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local limits = require "hubspot.associations.sandbox.limits"
local type_names = require "hubspot.associations.types"

local limit_report = {}

---@param object_type_id string
---@return string singular
---@return string plural
function limit_report.names(object_type_id)
  local singular = direction_of.singular(object_type_id)
  return singular, type_names.object_name(object_type_id) or singular
end

local function note(found, object_type, usage, most)
  local entry = found[object_type] or { at = false, near = false }
  if usage >= most then
    entry.at = true
  elseif usage >= most * limits.NEAR then
    entry.near = true
  end
  if entry.at or entry.near then found[object_type] = entry end
end

---The object types with records at a limit or near it, as the body of a response.
---@param call hubspot.associations.sandbox.Call
---@param side "from"|"to" the side whose object types are listed
---@param from string|nil object type id: only limits from it
---@return string json
function limit_report.write(call, side, from)
  local found = {}
  for _, limit in ipairs(call.limits:all(from)) do
    local direction = call.between(limit.from, limit.to)
    for _, usage in pairs(call.links:counts(direction, limit.category, limit.type_id)) do
      note(found, limit[side], usage, limit.most)
    end
  end
  local ids, results = {}, {}
  for id in pairs(found) do ids[#ids + 1] = id end
  table.sort(ids)
  for i, id in ipairs(ids) do
    local singular, plural = limit_report.names(id)
    results[i] = {
      objectTypeId = id, singularLabel = singular, pluralLabel = plural,
      hasRecordsAtLimit = found[id].at, hasRecordsNearLimit = found[id].near,
    }
  end
  return json.encode { results = results }
end

return limit_report
