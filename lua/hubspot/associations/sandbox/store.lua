-- Owns the associations a sandbox account holds: a set in order of arrival, each in the direction in which it
-- was written. Each is one flat string, which costs far less than a table when there are a million of them.
-- Never judges what it is given, and knows nothing of what it means.

local store = {}
store.__index = store

local PARTS = "^([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/]+)/(.+)$"

---@class hubspot.associations.sandbox.Store
---@return hubspot.associations.sandbox.Store
function store.new()
  return setmetatable({
    held = {}, -- key -> its place in the order
    order = {}, -- keys; one that is held elsewhere, or no more, is skipped
    last = 0, -- place in the order
    size = 0, -- associations held
    by_record = {}, indexed = 0,
  }, store)
end

---The part of a key that all associations of one type and direction share.
---@param from_type string object type id
---@param to_type string object type id
---@param category string
---@param type_id integer
---@return string prefix append from id, "/", to id for the key
function store.prefix(from_type, to_type, category, type_id)
  return string.format("%s/%s/%s/%d/", from_type, to_type, category, type_id)
end

---@param key string prefix, from id, "/", to id
function store:add(key)
  if self.held[key] then return end
  local last = self.last + 1
  self.held[key] = last
  self.order[last] = key
  self.last = last
  self.size = self.size + 1
end

---@param key string
function store:remove(key)
  if not self.held[key] then return end
  self.held[key] = nil
  self.size = self.size - 1
end

---@return table[] list in order of arrival, with HubSpot's field names
function store:list()
  local list = {}
  for i = 1, self.last do
    if self.held[self.order[i]] == i then
      local from_type, to_type, category, type_id, from_id, to_id = self.order[i]:match(PARTS)
      list[#list + 1] = {
        fromObjectTypeId = from_type, fromObjectId = from_id,
        toObjectTypeId = to_type, toObjectId = to_id,
        associationCategory = category, associationTypeId = tonumber(type_id),
      }
    end
  end
  return list
end

local function index(self, record, other_id, entry)
  local targets = self.by_record[record] or { ids = {}, entries = {} }
  self.by_record[record] = targets
  local list = targets.entries[other_id]
  if not list then
    list = {}
    targets.entries[other_id] = list
    table.insert(targets.ids, other_id)
  end
  for _, known in ipairs(list) do
    if known.key == entry.key and known.is_reverse == entry.is_reverse then return end
  end
  list[#list + 1] = entry
end

-- Only reads need this index, so it catches up when one comes.
local function catch_up(self)
  for i = self.indexed + 1, self.last do
    local key = self.order[i]
    local from_type, to_type, category, type_id, from_id, to_id = key:match(PARTS)
    type_id = tonumber(type_id)
    index(self, from_type .. "/" .. to_type .. "/" .. from_id, to_id,
      { key = key, category = category, type_id = type_id, is_reverse = false })
    index(self, to_type .. "/" .. from_type .. "/" .. to_id, from_id,
      { key = key, category = category, type_id = type_id, is_reverse = true })
  end
  self.indexed = self.last
end

---The associations of a record with records of a type, whichever side they were written from.
---@return string[]|nil to_ids in order of arrival; nil when there never was one
---@return table<string, table[]>|nil entries by to id: lists of { key, category, type_id, is_reverse }; those
---  that are no longer held have to be left out
function store:targets(from_type, to_type, from_id)
  catch_up(self)
  local targets = self.by_record[from_type .. "/" .. to_type .. "/" .. from_id]
  if targets then return targets.ids, targets.entries end
end

return store
