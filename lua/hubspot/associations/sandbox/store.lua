-- Owns the associations a sandbox account holds: a set in order of arrival.
-- Each is one flat string, which costs far less than a table when there are
-- a million of them.
-- Never judges what it is given.

local store = {}
store.__index = store

local PARTS = "^([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/]+)/(.+)$"

---@class hubspot.associations.sandbox.Store
---@return hubspot.associations.sandbox.Store
function store.new()
  return setmetatable({ held = {}, order = {}, size = 0, categories = {}, by_from = {}, indexed = 0 }, store)
end

---The part of a key that all associations of one type and direction share.
---@param from_type string object type id
---@param to_type string object type id
---@param category string
---@param type_id integer
---@return string prefix append from id, "/", to id for the key
function store:prefix(from_type, to_type, category, type_id)
  self.categories[category] = true
  return string.format("%s/%s/%s/%d/", from_type, to_type, category, type_id)
end

---@param key string prefix, from id, "/", to id
function store:add(key)
  if self.held[key] then return end
  self.held[key] = true
  local size = self.size + 1
  self.order[size] = key
  self.size = size
end

---@param category? string any category when absent
---@return boolean
function store:has(from_type, from_id, to_type, to_id, type_id, category)
  local suffix = from_id .. "/" .. to_id
  local categories = category and { [category] = true } or self.categories
  for name in pairs(categories) do
    if self.held[string.format("%s/%s/%s/%d/", from_type, to_type, name, type_id) .. suffix] then
      return true
    end
  end
  return false
end

---@return table[] list in order of arrival, with HubSpot's field names
function store:list()
  local list = {}
  for i = 1, self.size do
    local from_type, to_type, category, type_id, from_id, to_id = self.order[i]:match(PARTS)
    list[i] = {
      fromObjectTypeId = from_type, fromObjectId = from_id,
      toObjectTypeId = to_type, toObjectId = to_id,
      associationCategory = category, associationTypeId = tonumber(type_id),
    }
  end
  return list
end

-- Only reads need this index, so it catches up when one comes.
local function catch_up(self)
  for i = self.indexed + 1, self.size do
    local from_type, to_type, category, type_id, from_id, to_id = self.order[i]:match(PARTS)
    local key = from_type .. "/" .. to_type .. "/" .. from_id
    local targets = self.by_from[key] or { ids = {}, types = {} }
    self.by_from[key] = targets
    if not targets.types[to_id] then
      targets.ids[#targets.ids + 1] = to_id
      targets.types[to_id] = {}
    end
    local list = targets.types[to_id]
    list[#list + 1] = { category = category, typeId = tonumber(type_id) }
  end
  self.indexed = self.size
end

---What one record is linked to.
---@return string[]|nil to_ids in order of arrival; nil when there is none
---@return table<string, { category: string, typeId: integer }[]>|nil types by to id
function store:targets(from_type, to_type, from_id)
  catch_up(self)
  local targets = self.by_from[from_type .. "/" .. to_type .. "/" .. from_id]
  if targets then return targets.ids, targets.types end
end

return store
