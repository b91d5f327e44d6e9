-- What a write means for a pair of records, by HubSpot's documentation and by observation: both directions
-- show it, a label adds the unlabeled type, the pair's custom labels are replaced, and a record has one
-- primary company. Whether a write is valid is checked before.

local store = require "hubspot.associations.sandbox.store"

local links = {}
links.__index = links

---@class hubspot.associations.sandbox.Links
---@param settings table|nil the account's options
---@return hubspot.associations.sandbox.Links
function links.new(settings)
  return setmetatable({
    store = store.new(settings),
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

-- The types that a direction has for the entries of a pair, or, with `is_read`, those that a read shows.
local function types_of(self, direction, entries, is_read)
  local list, seen = {}, {}
  local function show(entry)
    if not entry or seen[entry] then return end
    seen[entry] = true
    list[#list + 1] = entry
  end
  for _, entry in ipairs(entries) do
    if is_read and self.store:shows(entry.key) or not is_read and self.store.held[entry.key] then
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

---A page of the records to which a record is linked, and the types.
---@param direction hubspot.associations.sandbox.Direction
---@param from_id string
---@param first integer where the page begins, from 1
---@param size integer how many records it has at most
---@return { id: string, types: hubspot.associations.sandbox.Type[] }[]
---@return integer|nil next where the next page begins; nil when there is none
function links:page(direction, from_id, first, size)
  local list = {}
  local ids, entries = self.store:targets(direction.from, direction.to, from_id)
  for at = first, #(ids or {}) do
    local types = types_of(self, direction, entries[ids[at]], true)
    if types[1] then
      if #list == size then return list, at end
      list[#list + 1] = { id = ids[at], types = types }
    end
  end
  return list, nil
end

---Links a pair by the unlabeled type, and keeps its labels: that it does is invented.
---@param direction hubspot.associations.sandbox.Direction one that has an unlabeled type
---@param from_id string
---@param to_id string
function links:write_default(direction, from_id, to_id)
  self.store:add(direction:unlabeled().prefix .. from_id .. "/" .. to_id)
end

-- A pair that is primary no more must not come back as an unlabeled one when another pair becomes primary.
local function forget_primary(self, direction, from_id, to_id, key)
  local name = name_of(direction, from_id, to_id)
  for _, record in ipairs { direction.from .. "/" .. from_id, direction.to .. "/" .. to_id } do
    local primary = self.primaries[record]
    if primary and primary.name == name then
      primary.keys[key] = nil
      if not next(primary.keys) then self.primaries[record] = nil end
    end
  end
end

-- Whether an association of a pair is one of the types, as this direction shows it.
local function is_of(direction, entry, types)
  local shown = direction:type(entry.category, entry.type_id)
  if entry.is_reverse then shown = direction:inverse_of(entry.category, entry.type_id) end
  for _, one in ipairs(types) do
    if shown == one then return true end
  end
  return false
end

-- Whether the types contain the one that cannot be removed without all others.
local function has_unlabeled(direction, types)
  local unlabeled = direction:unlabeled()
  for _, one in ipairs(types) do
    if one == unlabeled then return true end
  end
  return false
end

---Removes types of a pair, in both directions. A pair that has no other stays linked by the unlabeled type;
---without types, or with the unlabeled one among them, it is linked no more.
---@param direction hubspot.associations.sandbox.Direction
---@param from_id string
---@param to_id string
---@param types hubspot.associations.sandbox.Type[]|nil
function links:remove(direction, from_id, to_id, types)
  local _, entries = self.store:targets(direction.from, direction.to, from_id)
  local removes_all = not types or has_unlabeled(direction, types)
  local removed, kept = false, false
  for _, entry in ipairs(entries and entries[to_id] or {}) do
    if self.store.held[entry.key] then
      if removes_all or is_of(direction, entry, types) then
        self.store:remove(entry.key)
        forget_primary(self, direction, from_id, to_id, entry.key)
        removed = true
      else
        kept = true
      end
    end
  end
  if removed and not kept and not removes_all and direction:unlabeled() then
    self:write_default(direction, from_id, to_id)
  end
end

---Removes a label of the account from all pairs of a direction.
---@param direction hubspot.associations.sandbox.Direction
---@param label hubspot.associations.sandbox.Type
function links:remove_label(direction, label)
  local inverse = label.inverse
  for _, one in ipairs(self.store:list()) do
    local id = one.associationCategory == "USER_DEFINED" and one.associationTypeId
    local from, to = one.fromObjectTypeId, one.toObjectTypeId
    if id == label.type_id and from == direction.from and to == direction.to then
      self:remove(direction, one.fromObjectId, one.toObjectId, { label })
    elseif id and id == inverse and from == direction.to and to == direction.from then
      self:remove(direction, one.toObjectId, one.fromObjectId, { label })
    end
  end
end

---How many records each record is linked to by a type.
---@param direction hubspot.associations.sandbox.Direction
---@param category string
---@param type_id integer
---@return table<string, integer> counts by record id
function links:counts(direction, category, type_id)
  local counts, wanted = {}, direction:type(category, type_id)
  for from_id in pairs(self.store:records(direction.from, direction.to)) do
    for _, target in ipairs((self:page(direction, from_id, 1, math.huge))) do
      for _, one in ipairs(target.types) do
        if one == wanted then counts[from_id] = (counts[from_id] or 0) + 1 end
      end
    end
  end
  return counts
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
