-- Association types as text, "USER_DEFINED:5": what a sync compares, sorts and writes. A list of them is a
-- text, too, in a fixed order and separated by commas, so that equal lists are equal strings. Pure.

local core = require "hubspot.associations.core"
local ascii = require "hubspot.associations.text.ascii"
local digits_of = require "hubspot.associations.text.digits"

local type_keys = {}

local HUBSPOT_DEFINED = "HUBSPOT_DEFINED"

---The key of a category and an id; nil where they are no type.
---@param category any
---@param id any
---@return string|nil
function type_keys.of(category, id)
  local number = tonumber(id)
  if not core.is_category(category) or not number then return nil end
  if number % 1 ~= 0 or number < 1 or number > core.MAX_TYPE_ID then return nil end
  return category .. ":" .. digits_of(number)
end

---A list as text: sorted, each key once.
---@param list string[]
---@return string
function type_keys.join(list)
  local is_seen, sorted = {}, {}
  for _, key in ipairs(list) do
    if not is_seen[key] then
      is_seen[key] = true
      sorted[#sorted + 1] = key
    end
  end
  table.sort(sorted, ascii.before)
  return table.concat(sorted, ",")
end

---@param text string
---@return string[]
function type_keys.split(text)
  local list = {}
  for key in text:gmatch "[^,]+" do list[#list + 1] = key end
  return list
end

---The types of an input, as core.body writes them.
---@param json string objects, separated by commas
---@return string
function type_keys.of_json(json)
  local list = {}
  for category, id in json:gmatch '{"associationCategory":"([A-Z0-9_]+)","associationTypeId":(%d+)}' do
    list[#list + 1] = category .. ":" .. id
  end
  return type_keys.join(list)
end

---@param key string
---@return string category
---@return integer id
function type_keys.parts(key)
  local category, id = key:match "^(.-):(%d+)$"
  return category, tonumber(id)
end

---@param list string[]|nil
---@return table<string, boolean>
function type_keys.set(list)
  local set = {}
  for _, key in ipairs(list or {}) do set[key] = true end
  return set
end

---The types of an input.
---@param list string[]
---@return table[]
function type_keys.input(list)
  local types = {}
  for index, key in ipairs(list) do
    local category, id = type_keys.parts(key)
    types[index] = { associationCategory = category, associationTypeId = id }
  end
  return types
end

---Whether a write replaces the type: one of the account's own.
---@param key string
---@return boolean
function type_keys.is_custom(key)
  return key:sub(1, #HUBSPOT_DEFINED + 1) ~= HUBSPOT_DEFINED .. ":"
end

---The key of one of HubSpot's own types; nil for no id.
---@param id integer|nil
---@return string|nil
function type_keys.own(id)
  return id and HUBSPOT_DEFINED .. ":" .. digits_of(id) or nil
end

return type_keys
