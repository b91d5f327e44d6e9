-- Reads the inputs of batches that name records without association types: pairs, a record with a list of
-- others, single records. It rejects a batch for inputs that are not well-formed.

local rejection = require "hubspot.associations.sandbox.rejection"
local request_body = require "hubspot.associations.sandbox.request_body"

local record_inputs = {}

local extend, object_id = request_body.extend, request_body.object_id

-- The id of a reference, or the rejection of the batch.
local function id_at(body, reference, path)
  local id = object_id(reference)
  if id then return id end
  return nil, request_body.reference_fault(body, reference, path)
end

-- Calls read(parsed, input, path) for each input, until it returns a rejection.
local function read_each(body, limit, fields, read)
  local inputs, rejected = request_body.inputs(body, limit)
  if not inputs then return nil, rejected end
  local parsed = { from = {}, to = {}, paths = {} }
  for i, input in ipairs(inputs) do
    local path = { "inputs", i }
    rejected = request_body.object_fault(body, input, path, fields) or read(parsed, input, path)
    if rejected then return nil, rejected end
  end
  return parsed
end

---The inputs of the shape "pair": each has from and to.
---@param body string|nil
---@param limit integer the largest number of inputs
---@return hubspot.associations.sandbox.Pairs|nil
---@return hubspot.associations.sandbox.Rejection|nil
function record_inputs.pairs(body, limit)
  return read_each(body, limit, { "from", "to" }, function(parsed, input, path)
    local from, no_from = id_at(body, input.from, extend(path, "from"))
    if not from then return no_from end
    local to, no_to = id_at(body, input.to, extend(path, "to"))
    if not to then return no_to end
    local i = path[2]
    parsed.from[i], parsed.to[i] = from, to
  end)
end

---The pairs of inputs of the shape "fan": each has from, and to as a list.
---@param body string|nil
---@param limit integer the largest number of inputs
---@return hubspot.associations.sandbox.Pairs|nil
---@return hubspot.associations.sandbox.Rejection|nil
function record_inputs.fans(body, limit)
  return read_each(body, limit, { "from", "to" }, function(parsed, input, path)
    local from, no_from = id_at(body, input.from, extend(path, "from"))
    if not from then return no_from end
    local list = input.to
    if type(list) ~= "table" or next(list) ~= nil and list[1] == nil then
      return rejection.wrong_type(body, extend(path, "to"), "list", list)
    end
    for k, reference in ipairs(list) do
      local to, no_to = id_at(body, reference, extend(path, "to", k))
      if not to then return no_to end
      local i = #parsed.from + 1
      parsed.from[i], parsed.to[i] = from, to
      parsed.paths[i] = { from = extend(path, "from", "id"), to = extend(path, "to", k, "id") }
    end
  end)
end

---The inputs of the shape "record": each has an id, and may have a cursor, `after`.
---@param body string|nil
---@param limit integer the largest number of inputs
---@return { from: string[], to: string[], after: table<integer, string>, paths: table }|nil
---@return hubspot.associations.sandbox.Rejection|nil
function record_inputs.records(body, limit)
  local after = {}
  local parsed, rejected = read_each(body, limit, { "id" }, function(parsed, input, path)
    local from, no_from = id_at(body, input, path)
    if not from then return no_from end
    local i = path[2]
    parsed.from[i] = from
    parsed.paths[i] = { from = extend(path, "id") }
    if type(input.after) == "string" then after[i] = input.after end
  end)
  if parsed then parsed.after = after end
  return parsed, rejected
end

return record_inputs
