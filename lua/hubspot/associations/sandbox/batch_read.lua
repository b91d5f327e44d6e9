-- Owns POST …/batch/read: what the records named are linked to, in the one
-- direction asked for. It answers without pages.
-- Never changes the store.

local cjson = require "cjson"
local request_body = require "hubspot.associations.sandbox.request_body"
local types = require "hubspot.associations.types"

local batch_read = {}

local json = cjson.new()

local MAX_INPUTS = 1000

local function result(direction, settings, from_id, to_ids, types_by_id)
  local function wire(id)
    return settings.numeric_ids and tonumber(id) or id
  end
  local to = {}
  for i, to_id in ipairs(to_ids) do
    local list = {}
    for j, entry in ipairs(types_by_id[to_id]) do
      local label = direction:type(entry.category, entry.typeId).label
      list[j] = { category = entry.category, typeId = entry.typeId, label = label or json.null }
    end
    to[i] = { toObjectId = wire(to_id), associationTypes = list }
  end
  return json.encode { from = { id = from_id }, to = to }
end

local function nothing_found(direction, from_id)
  return json.encode {
    status = "error", category = "OBJECT_NOT_FOUND", subCategory = "crm.associations.NO_ASSOCIATIONS_FOUND",
    message = string.format("%s %s has no association with %s", direction.from, from_id, direction.to),
    context = {
      fromObjectId = { from_id },
      fromObjectType = { types.object_name(direction.from) or direction.from },
      toObjectType = { types.object_name(direction.to) or direction.to },
    },
  }
end

---@param direction hubspot.associations.sandbox.Direction
---@param store hubspot.associations.sandbox.Store
---@param settings table the account's options
---@param body string
---@return { results: string[], errors: string[], inputs: integer }|nil batch its parts as JSON
---@return hubspot.associations.sandbox.Refusal|nil
function batch_read.handle(direction, store, settings, body)
  local inputs, refused = request_body.inputs(body, MAX_INPUTS)
  if not inputs then return nil, refused end
  local results, errors = {}, {}
  for i, input in ipairs(inputs) do
    local from_id = request_body.object_id(input)
    if not from_id then
      return nil, request_body.bad_object(input, string.format("inputs[%d]", i - 1))
    end
    local to_ids, types_by_id = store:targets(direction.from, direction.to, from_id)
    if to_ids then
      results[#results + 1] = result(direction, settings, from_id, to_ids, types_by_id)
    else
      errors[#errors + 1] = nothing_found(direction, from_id)
    end
  end
  return { results = results, errors = errors, inputs = #inputs }
end

return batch_read
