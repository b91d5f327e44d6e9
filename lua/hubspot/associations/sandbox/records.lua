-- The records of an account by the values of their properties: those that the option `records` lists. Where
-- it lists none of an object type, any value with digits in it is the value of the record with that id, so
-- that a test needs no list: "ada101@example.com" is contact 101.

local ascii = require "hubspot.associations.text.ascii"

local records = {}

-- Which properties are not unique. Invented: HubSpot knows it of each property.
local SHARED = {
  firstname = true, lastname = true, name = true, phone = true, city = true, lifecyclestage = true,
  hs_object_id = true,
}

-- HubSpot keeps emails and domains in lower case. That other values are compared by their case is invented.
local FOLDED = { email = true, domain = true }

local function trimmed(value)
  return value:match "^[ \t-\r]*(.-)[ \t-\r]*$"
end

local function key_of(property, value)
  return FOLDED[property] and ascii.lower(trimmed(value)) or value
end

---Whether records can be found by a property.
---@param property string
---@return boolean
function records.is_unique(property)
  return not SHARED[property]
end

-- The index of an object type's list by a property: value -> id. A contact's further emails find it as well.
local function index_of(list, property)
  local index = {}
  for id, properties in pairs(list) do
    local value = properties[property]
    if value then index[key_of(property, value)] = id end
    local others = property == "email" and properties.hs_additional_emails or ""
    for other in others:gmatch "[^;]+" do index[key_of(property, other)] = id end
  end
  return index
end

-- Indices of lists that do not change, by list and property.
local indices = setmetatable({}, { __mode = "k" })

local function indexed(list, property)
  local by_property = indices[list] or {}
  indices[list] = by_property
  by_property[property] = by_property[property] or index_of(list, property)
  return by_property[property]
end

---The record that has a value.
---@param settings table the account's options
---@param object_type string object type id
---@param property string
---@param value string
---@return string|nil id
---@return table<string, string>|nil properties what is known of it
function records.by_value(settings, object_type, property, value)
  local list = settings.records and settings.records[object_type]
  if list then
    local id = indexed(list, property)[key_of(property, value)]
    return id, id and list[id]
  end
  local id = value:match "[1-9]%d*"
  if not id or settings.missing(object_type, id) then return nil end
  return id, { [property] = key_of(property, value) }
end

---The properties of a record, by its id; nil where it does not exist.
---@return table<string, string>|nil
function records.by_id(settings, object_type, id)
  if not id:find "^%d+$" or settings.missing(object_type, id) then return nil end
  local list = settings.records and settings.records[object_type]
  if list then return list[id] end
  return {}
end

return records
