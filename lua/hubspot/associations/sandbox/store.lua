-- The associations of an account: a set in order of arrival, each in the direction in which it was written.
-- An association is one string, which takes far less memory than a table when there are a million of them.
-- What an association means is known to links.lua only.

local store = {}
store.__index = store

local PARTS = "^([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/]+)/(.+)$"

---@class hubspot.associations.sandbox.Store
---@return hubspot.associations.sandbox.Store
function store.new()
  return setmetatable({
    held = {}, -- key -> its position in `order`
    order = {}, -- keys; a key that was removed, or added again later, is skipped
    last = 0, -- the last position in `order`
    size = 0, -- how many associations are held
    by_record = {}, indexed = 0, -- the index for reads, and up to which position it goes
  }, store)
end

---The beginning of the keys of all associations of one type and direction. From id, "/" and to id follow it.
---@param from_type string object type id
---@param to_type string object type id
---@param category string
---@param type_id integer
---@return string prefix
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

-- Only reads need the index, so it is brought up to date by them.
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

---The records that have or had associations in a direction.
---@return table<string, true> ids
function store:records(from_type, to_type)
  catch_up(self)
  local prefix, ids = from_type .. "/" .. to_type .. "/", {}
  for record in pairs(self.by_record) do
    if record:sub(1, #prefix) == prefix then ids[record:sub(#prefix + 1)] = true end
  end
  return ids
end

---The associations of a record with records of an object type, in whichever direction they were written.
---@return string[]|nil to_ids in order of arrival; nil when there has never been one
---@return table<string, table[]>|nil entries to id -> list of { key, category, type_id, is_reverse }; the
---  caller has to skip those whose key is no longer held
function store:targets(from_type, to_type, from_id)
  catch_up(self)
  local targets = self.by_record[from_type .. "/" .. to_type .. "/" .. from_id]
  if targets then return targets.ids, targets.entries end
end

return store
