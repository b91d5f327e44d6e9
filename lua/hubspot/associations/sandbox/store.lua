-- The associations of an account: a set in order of arrival, each in the direction in which it was written.
-- An association is one string, which takes far less memory than a table when there are a million of them.
-- What an association means is known to links.lua only.

local store = {}
store.__index = store

local PARTS = "^([^/]+)/([^/]+)/([^/]+)/([^/]+)/([^/]+)/(.+)$"

---@class hubspot.associations.sandbox.Store
---@param settings table|nil { now, visible_after }: for how long reads show what was before a write
---@return hubspot.associations.sandbox.Store
function store.new(settings)
  return setmetatable({
    settings = settings or { visible_after = 0 },
    changes = {}, -- key -> what reads do not show yet: { was, { at, is_held }, ... }
    held = {}, -- key -> its position in `order`
    order = {}, -- keys; a key that was removed, or added again later, is skipped
    last = 0, -- the last position in `order`
    size = 0, -- how many associations are held
    by_direction = {}, indexed = 0, -- the index for reads, and up to which position it goes
    expanded = {}, -- what reads get, of the records with many associations
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

-- Takes note that an association is added or removed, if reads are not to show it yet.
local function note_change(self, key, is_held)
  local settings = self.settings
  if settings.visible_after == 0 then return end
  local changes = self.changes[key] or { was = not is_held }
  changes[#changes + 1] = { at = settings.now() + settings.visible_after, is_held = is_held }
  self.changes[key] = changes
end

---Whether a read shows an association.
---@param key string
---@return boolean
function store:shows(key)
  local changes = self.changes[key]
  if not changes then return self.held[key] ~= nil end
  local now, shown = self.settings.now(), changes.was
  for _, change in ipairs(changes) do
    if change.at <= now then shown = change.is_held end
  end
  if changes[#changes].at <= now then self.changes[key] = nil end
  return shown
end

---@param key string prefix, from id, "/", to id
function store:add(key)
  if self.held[key] then return end
  note_change(self, key, true)
  local last = self.last + 1
  self.held[key] = last
  self.order[last] = key
  self.last = last
  self.size = self.size + 1
end

---@param key string
function store:remove(key)
  if not self.held[key] then return end
  note_change(self, key, false)
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

-- ---- the index, which only reads need: they bring it up to date ----

-- Positions in `order` by direction and record. Those of associations that were written in the other
-- direction are negative. A record with one association, which most have in one direction, has no list.
local function index(self, from_type, to_type, id, position)
  local direction = from_type .. "/" .. to_type
  local records = self.by_direction[direction]
  if not records then
    records = {}
    self.by_direction[direction] = records
  end
  local before = records[id]
  if before == nil then
    records[id] = position
  elseif type(before) == "number" then
    records[id] = { before, position }
  else
    before[#before + 1] = position
  end
end

local function catch_up(self)
  for i = self.indexed + 1, self.last do
    local from_type, to_type, _, _, from_id, to_id = self.order[i]:match(PARTS)
    index(self, from_type, to_type, from_id, i)
    index(self, to_type, from_type, to_id, -i)
  end
  self.indexed = self.last
end

-- Adds the associations at further positions to what `targets` returns.
local function expand(self, targets, positions)
  for at = targets.count + 1, #positions do
    local position = positions[at]
    local key = self.order[math.abs(position)]
    local _, _, category, type_id, from_id, to_id = key:match(PARTS)
    local other = position > 0 and to_id or from_id
    local list = targets.entries[other]
    if not list then
      list = {}
      targets.entries[other] = list
      table.insert(targets.ids, other)
    end
    list[#list + 1] = {
      key = key, category = category, type_id = tonumber(type_id), is_reverse = position < 0,
    }
  end
  targets.count = #positions
  return targets
end

-- From how many associations on what `targets` returns is kept: a record with many is read in many pages.
local MANY = 100

---The records that have or had associations in a direction.
---@return table<string, any> ids the keys are ids
function store:records(from_type, to_type)
  catch_up(self)
  return self.by_direction[from_type .. "/" .. to_type] or {}
end

---The associations of a record with records of an object type, in whichever direction they were written.
---@return string[]|nil to_ids in order of arrival; nil when there has never been one
---@return table<string, table[]>|nil entries to id -> list of { key, category, type_id, is_reverse }; the
---  caller has to skip those whose key is no longer held, and one may be there twice
function store:targets(from_type, to_type, from_id)
  local positions = self:records(from_type, to_type)[from_id]
  if not positions then return nil end
  if type(positions) == "number" then positions = { positions } end
  local targets = self.expanded[positions] or { ids = {}, entries = {}, count = 0 }
  if #positions >= MANY then self.expanded[positions] = targets end
  expand(self, targets, positions)
  return targets.ids, targets.entries
end

return store
