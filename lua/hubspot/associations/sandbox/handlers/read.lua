-- POST …/batch/read: the records to which the given ones are linked, in pages.

local batch_response = require "hubspot.associations.sandbox.batch_response"
local direction_of = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local request_body = require "hubspot.associations.sandbox.request_body"

local read = {}

local function type_list(types)
  local list = {}
  for i, entry in ipairs(types) do
    list[i] = { category = entry.category, typeId = entry.type_id, label = entry.label or json.null }
  end
  return json.encode(list)
end

-- Put together from texts, because an id may be larger than a Lua number can hold.
local function result(settings, from_id, links, first)
  local quote = settings.numeric_ids and "" or '"'
  local to, last = {}, math.min(#links, first + settings.page_size - 1)
  for i = first, last do
    to[#to + 1] = ('{"toObjectId":%s%s%s,"associationTypes":%s}'):format(
      quote, links[i].id, quote, type_list(links[i].types))
  end
  local paging = ""
  if last < #links then -- the form of a cursor is invented
    paging = ',"paging":' .. json.encode { next = { after = ("page%%3D%d"):format(last + 1) } }
  end
  return ('{"from":{"id":%s},"to":[%s]%s}'):format(json.encode(from_id), table.concat(to, ","), paging)
end

local function nothing_found(direction, from_id)
  local from, to = direction_of.singular(direction.from), direction_of.singular(direction.to)
  return json.encode {
    status = "error", category = "OBJECT_NOT_FOUND", subCategory = "crm.associations.NO_ASSOCIATIONS_FOUND",
    message = ("No %s is associated with %s %s."):format(to, from, from_id),
    context = { fromObjectId = { from_id }, fromObjectType = { from }, toObjectType = { to } },
  }
end

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function read.handle(call)
  local direction, body = call.direction, call.request.body
  local inputs, rejected = request_body.inputs(body, call.most)
  if not inputs then return nil, rejected end
  local results, errors = {}, {}
  for i, input in ipairs(inputs) do
    local from_id = request_body.object_id(input)
    if not from_id then return nil, request_body.reference_fault(body, input, { "inputs", i }) end
    local first = type(input.after) == "string" and tonumber(input.after:match "^page%%3D(%d+)$") or 1
    local list = call.links:of(direction, from_id)
    if list[first] then
      results[#results + 1] = result(call.settings, from_id, list, first)
    else
      errors[#errors + 1] = nothing_found(direction, from_id)
    end
  end
  return {
    status = errors[1] and 207 or 200,
    body = batch_response.write("COMPLETE", results, errors, call.date),
  }
end

return read
