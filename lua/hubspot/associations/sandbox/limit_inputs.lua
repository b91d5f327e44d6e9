-- The batches about limits: reads their inputs, and writes their results.

local batch_response = require "hubspot.associations.sandbox.batch_response"
local direction_of = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local rejection = require "hubspot.associations.sandbox.rejection"
local request_body = require "hubspot.associations.sandbox.request_body"

local limit_inputs = {}

local LARGEST = 2 ^ 31 - 1

local TYPES = { category = "string", typeId = "int", maxToObjectIds = "int" }

local function is_well_formed(expected, value)
  if expected == "string" then return type(value) == "string" end
  return type(value) == "number" and value % 1 == 0 and value >= 0 and value <= LARGEST
end

local function input_fault(body, input, path, fields)
  local rejected = request_body.object_fault(body, input, path, fields)
  if rejected then return rejected end
  for _, field in ipairs(fields) do
    if not is_well_formed(TYPES[field], input[field]) then
      return rejection.wrong_type(body, request_body.extend(path, field), TYPES[field], input[field])
    end
  end
end

-- The inputs with types that exist, and an error for each of the others.
local function read(call, fields)
  local body, direction = call.request.body, call.direction
  local inputs, rejected = request_body.inputs(body, call.most)
  if not inputs then return nil, rejected end
  local known, errors = {}, {}
  for i, input in ipairs(inputs) do
    rejected = input_fault(body, input, { "inputs", i }, fields)
    if rejected then return nil, rejected end
  end
  local from, to = direction_of.singular(direction.from), direction_of.singular(direction.to)
  for _, input in ipairs(inputs) do
    if direction:type(input.category, input.typeId).exists then
      known[#known + 1] = input
    else
      errors[#errors + 1] = json.encode(rejection.invalid_type(from, to, input.category, input.typeId).fields)
    end
  end
  return { known = known, errors = errors, count = #inputs }
end

---A limit as the responses show it.
---@param direction hubspot.associations.sandbox.Direction
---@param limit hubspot.associations.sandbox.Limit
---@return string json
function limit_inputs.result(direction, limit)
  return json.encode {
    category = limit.category, typeId = limit.type_id, userEnforcedMaxToObjectIds = limit.most,
    label = direction:type(limit.category, limit.type_id).label or json.null,
  }
end

local function respond(call, parsed, results, status)
  local failed = parsed.errors[1] ~= nil
  return {
    status = failed and 207 or status, inputs = parsed.count,
    body = batch_response.write(failed and not parsed.known[1] and "CANCELED" or "COMPLETE",
      results, parsed.errors, call.date),
  }
end

---Sets the limits of a batch. That a limit is created where there is one, and changed where there is none, is
---invented.
---@param call hubspot.associations.sandbox.Call
---@param status integer of a response without errors
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function limit_inputs.set(call, status)
  local parsed, rejected = read(call, { "category", "typeId", "maxToObjectIds" })
  if not parsed then return nil, rejected end
  local results, direction = {}, call.direction
  for i, input in ipairs(parsed.known) do
    local limit = {
      from = direction.from, to = direction.to,
      category = input.category, type_id = input.typeId, most = input.maxToObjectIds,
    }
    call.limits:set(limit)
    results[i] = limit_inputs.result(direction, limit)
  end
  return respond(call, parsed, results, status)
end

---Removes the limits of a batch.
---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function limit_inputs.remove(call)
  local parsed, rejected = read(call, { "category", "typeId" })
  if not parsed then return nil, rejected end
  for _, input in ipairs(parsed.known) do
    call.limits:remove(call.direction.from, call.direction.to, input.category, input.typeId)
  end
  if call.version == "v4" and not parsed.errors[1] then
    return { status = 204, body = "", inputs = parsed.count }
  end
  return respond(call, parsed, {}, 200)
end

return limit_inputs
