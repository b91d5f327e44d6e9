-- What a write means for a pair of records, by HubSpot's documentation and by observation: both directions
-- show it, a label adds the unlabeled type, the pair's custom labels are replaced, and a record has one
-- primary company. Whether a write is valid is checked before.

local store = require "hubspot.associations.sandbox.store"

local links = {}
links.__index = links

---@class hubspot.associations.sandbox.Links
---@return hubspot.associations.sandbox.Links
function links.new()
  return setmetatable({
    store = store.new(),
    labels = {}, -- name of a pair -> keys of its USER_DEFINED types
    primaries = {}, -- record with a primary company -> { name of the pair, keys, key of the unlabeled type }
  }, links)
end

-- The name of a pair, the same for both directions.
local function name_of(direction, from_id, to_id)
  local from, to = direction.from .. "/" .. from_id, direction.to .. "/" .. to_id
  return from < to and from .. "/" .. to or to .. "/" .. from
end

-- The primary company until now stays linked, without that label.
local function make_primary(self, direction, entry, key, ids, from_id, to_id)
  local record = entry.primary_of == "from" and direction.from .. "/" .. from_id
    or direction.to .. "/" .. to_id
  local before = self.primaries[record]
  if before and before.name ~= name_of(direction, from_id, to_id) then
    for primary in pairs(before.keys) do self.store:remove(primary) end
    if before.unlabeled then self.store:add(before.unlabeled) end
    before = nil
  end
  if not before then
    local unlabeled = direction:unlabeled()
    before = {
      name = name_of(direction, from_id, to_id),
      keys = {},
      unlabeled = unlabeled and unlabeled.prefix .. ids,
    }
    self.primaries[record] = before
  end
  before.keys[key] = true
end

local function add(self, direction, entry, ids, from_id, to_id)
  local key = entry.prefix .. ids
  if entry.primary_of then make_primary(self, direction, entry, key, ids, from_id, to_id) end
  if entry.category == "USER_DEFINED" then
    local name = name_of(direction, from_id, to_id)
    self.labels[name] = self.labels[name] or {}
    table.insert(self.labels[name], key)
  end
  self.store:add(key)
end

---Writes one type of a pair, or several.
---@param direction hubspot.associations.sandbox.Direction
---@param from_id string
---@param to_id string
---@param types hubspot.associations.sandbox.Type|hubspot.associations.sandbox.Type[]
function links:write(direction, from_id, to_id, types)
  if not types.category and not types[1] then return end -- an empty list: nothing is linked
  if next(self.labels) then
    local name = name_of(direction, from_id, to_id)
    for _, key in ipairs(self.labels[name] or {}) do self.store:remove(key) end
    self.labels[name] = nil
  end
  local ids = from_id .. "/" .. to_id
  if types.category then return add(self, direction, types, ids, from_id, to_id) end
  for _, entry in ipairs(types) do add(self, direction, entry, ids, from_id, to_id) end
end

-- The types that a direction shows for the entries of a pair.
local function types_of(self, direction, entries)
  local list, seen = {}, {}
  local function show(entry)
    local key = entry and entry.category .. "=" .. entry.type_id
    if not key or seen[key] then return end
    seen[key] = true
    list[#list + 1] = entry
  end
  for _, entry in ipairs(entries) do
    if self.store.held[entry.key] then
      if entry.is_reverse then
        show(direction:inverse_of(entry.category, entry.type_id))
      else
        show(direction:type(entry.category, entry.type_id))
      end
      show(direction:unlabeled())
    end
  end
  return list
end

---The records to which a record is linked, and the types.
---@param direction hubspot.associations.sandbox.Direction
---@param from_id string
---@return { id: string, types: hubspot.associations.sandbox.Type[] }[]
function links:of(direction, from_id)
  local list = {}
  local ids, entries = self.store:targets(direction.from, direction.to, from_id)
  for _, id in ipairs(ids or {}) do
    local types = types_of(self, direction, entries[id])
    if types[1] then list[#list + 1] = { id = id, types = types } end
  end
  return list
end

---Whether a direction shows a type of a pair.
---@param direction hubspot.associations.sandbox.Direction
---@param category? string any when absent
---@return boolean
function links:has(direction, from_id, to_id, type_id, category)
  local _, entries = self.store:targets(direction.from, direction.to, from_id)
  for _, entry in ipairs(types_of(self, direction, entries and entries[to_id] or {})) do
    if entry.type_id == type_id and (not category or entry.category == category) then return true end
  end
  return false
end

return links
