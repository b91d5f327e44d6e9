-- POST …/objects/{fromObjectType}/batch/read: records by their ids, or by the values of a property.

local batch_response = require "hubspot.associations.sandbox.batch_response"
local direction_of = require "hubspot.associations.sandbox.direction"
local json = require "hubspot.associations.sandbox.json"
local record_inputs = require "hubspot.associations.sandbox.record_inputs"
local records = require "hubspot.associations.sandbox.records"
local rejection = require "hubspot.associations.sandbox.rejection"
local request_body = require "hubspot.associations.sandbox.request_body"

local read_objects = { reads_records = true }

local MOST = 100

-- What a body asks for: { ids, property, shown }, or its rejection.
local function read(call)
  local body = call.request.body
  local parsed, rejected = record_inputs.records(body, math.min(call.most, MOST))
  if not parsed then return nil, rejected end
  local object = request_body.decode(body)
  local property, shown = object.idProperty, object.properties
  if property ~= nil and type(property) ~= "string" then
    return nil, rejection.wrong_type(body, { "idProperty" }, "String", property)
  end
  if property and not records.is_unique(property) then
    return nil, rejection.not_unique(call.object_type, property)
  end
  return { ids = parsed.from, property = property, shown = type(shown) == "table" and shown or {} }
end

-- A record as a result, with the properties that were asked for: null where it has none.
local function result_of(id, properties, shown)
  local kept = { hs_object_id = id }
  for _, name in ipairs(shown) do kept[name] = properties[name] or json.null end
  return json.encode { id = id, properties = kept, archived = false }
end

-- HubSpot names all records that it did not find in one error.
local function not_found(object_type, ids)
  local noun = direction_of.singular(object_type):upper()
  return json.encode {
    status = "error", category = "OBJECT_NOT_FOUND",
    message = ("Could not get some %s objects, they may be deleted or not exist. Check that ids are valid.")
      :format(noun),
    context = { ids = ids },
  }
end

-- The id and the properties of a record; nil where it does not exist.
local function find(call, property, value)
  if property then return records.by_value(call.settings, call.object_type, property, value) end
  local properties = records.by_id(call.settings, call.object_type, value)
  return properties and value, properties
end

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function read_objects.handle(call)
  local asked, rejected = read(call)
  if not asked then return nil, rejected end
  local results, missing, is_listed = {}, {}, {}
  for _, value in ipairs(asked.ids) do
    local id, properties = find(call, asked.property, value)
    if not id then
      missing[#missing + 1] = value
    elseif not is_listed[value] then -- invented: a value that is asked for twice has one result
      results[#results + 1] = result_of(id, properties, asked.shown)
      is_listed[value] = true
    end
  end
  local errors = missing[1] and { not_found(call.object_type, missing) } or {}
  return {
    status = errors[1] and 207 or 200,
    body = batch_response.write("COMPLETE", results, errors, call.date),
  }
end

return read_objects
