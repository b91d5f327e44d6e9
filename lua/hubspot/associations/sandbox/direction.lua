-- A direction, such as contacts to companies: which association types exist in it, and the texts that all
-- responses about it share, built once, because a batch has up to 2,000 results.
-- It does not know which records exist or are linked.

local cjson = require "cjson"
local store = require "hubspot.associations.sandbox.store"
local type_data = require "hubspot.associations.type_data"
local types = require "hubspot.associations.types"

local direction = {}
direction.__index = direction

local json = cjson.new()

local SHOWN_LABELS = {
  primary = "Primary",
  parent_to_child = "Child Company",
  child_to_parent = "Parent Company",
}

local KINDS = {
  "unlabeled", "primary", "child_to_parent", "parent_to_child", "billing", "signer", "upcoming",
}

local INVERSE_KINDS = { parent_to_child = "child_to_parent", child_to_parent = "parent_to_child" }

local SINGULAR = {}
for id, name in type_data.OBJECT_TYPES:gmatch "(%S+) (%S+) %S+\n" do SINGULAR[id] = name end

local function hash_of(text)
  local hash = 0
  for i = 1, #text do hash = (hash * 31 + text:byte(i)) % 2 ^ 31 end
  return hash
end

---The object type id that a path parameter stands for. HubSpot's own objects have fixed ids. A custom object
---is `2-<digits>`, or `p_<name>`, whose id the sandbox derives from the name.
---@param name string
---@return string|nil object_type_id
function direction.object_type_id(name)
  local id = types.object_type_id(name) or name:match("^2%-%d+$")
  if id or not name:find("^p_[%w_]+$") then return id end
  return string.format("2-%.0f", hash_of(name))
end

---The name of an object type that HubSpot's errors use, such as "contact".
---@param object_type_id string
---@return string
function direction.singular(object_type_id)
  return SINGULAR[object_type_id] or object_type_id
end

---@class hubspot.associations.sandbox.Direction
---@field known table<string, table<integer, hubspot.associations.sandbox.Type>> by category and id

---@param from string object type id
---@param to string object type id
---@param settings table the account's options
---@param labels hubspot.associations.sandbox.Labels
---@return hubspot.associations.sandbox.Direction
function direction.new(from, to, settings, labels)
  local number = settings.numeric_ids and "" or '"'
  return setmetatable({
    from = from, to = to, labels = labels, known = {},
    is_custom = not (types.object_name(from) and types.object_name(to)),
    before_from_id = string.format('{"fromObjectTypeId":"%s","fromObjectId":%s', from, number),
    before_to_id = string.format('%s,"toObjectTypeId":"%s","toObjectId":%s', number, to, number),
    before_labels = number .. ',"labels":[',
  }, direction)
end

-- ---- which types there are ----

-- Whether one of the account's labels exists in this direction; its text, and its inverse if it has a
-- direction.
local function judge_label(self, type_id)
  local definition, exists = self.labels:get(type_id)
  if not definition then return { exists = exists } end
  local from, to = definition.from, definition.to
  local fits = not from or from == self.from and to == self.to
  return {
    exists = fits, label = definition.label, inverse = definition.inverse,
    from = not fits and from or nil, to = not fits and to or nil,
  }
end

-- The text of one of HubSpot's labels. Those that are not in the table are invented.
local function shown_label(kind)
  if kind == "unlabeled" then return nil end
  return SHOWN_LABELS[kind] or (kind:gsub("^%l", string.upper))
end

-- Whether a type exists in this direction, its label and its inverse; or the other direction to which it
-- belongs. The HUBSPOT_DEFINED ids of custom objects differ by account, so all are accepted there.
local function judge(self, category, type_id)
  if category == "USER_DEFINED" then return judge_label(self, type_id) end
  if category ~= "HUBSPOT_DEFINED" or self.is_custom then return { exists = true } end
  local kind = types.label(self.from, self.to, type_id)
  if kind then
    local inverse = types.id(self.to, self.from, INVERSE_KINDS[kind] or kind)
    return { exists = true, kind = kind, label = shown_label(kind), inverse = inverse or false }
  end
  local from, to = types.direction_of_id(type_id)
  return {
    exists = false,
    from = from and (types.object_type_id(from) or from), to = to and (types.object_type_id(to) or to),
  }
end

-- The side whose record can have one primary company only.
local function primary_of(self, kind)
  if kind ~= "primary" then return nil end
  local company = types.object_type_id "company"
  return self.to == company and "from" or self.from == company and "to" or nil
end

---@class hubspot.associations.sandbox.Type
---@field category string
---@field type_id integer
---@field exists boolean
---@field from string|nil for a type of another direction: the object type id of that direction's from side,
---  or the name if HubSpot publishes no id
---@field to string|nil the same of the to side
---@field label string|nil
---@field json string the label as JSON; empty when there is none
---@field shown string|nil what a read shows of it, as JSON, once it has
---@field prefix string the beginning of its associations' keys in the store
---@field inverse integer|false|nil id of the type that the other direction shows; false when there is none
---@field primary_of "from"|"to"|nil the side whose record can have one association of this type only

---An association type, by category and id. It is looked up once, and kept in `known`.
---@param category string
---@param type_id integer
---@return hubspot.associations.sandbox.Type
function direction:type(category, type_id)
  local by_id = self.known[category]
  if not by_id then
    by_id = {}
    self.known[category] = by_id
  end
  local entry = by_id[type_id]
  if not entry then
    entry = judge(self, category, type_id)
    entry.category, entry.type_id = category, type_id
    entry.json = entry.label and json.encode(entry.label) or ""
    entry.prefix = store.prefix(self.from, self.to, category, type_id)
    entry.primary_of = primary_of(self, entry.kind)
    if entry.inverse == nil then entry.inverse = type_id end -- invented: one id for both directions
    by_id[type_id] = entry
  end
  return entry
end

---The type that this direction shows for one that was written in the other.
---@param category string
---@param type_id integer of the other direction
---@return hubspot.associations.sandbox.Type|nil
function direction:inverse_of(category, type_id)
  self.other = self.other or direction.new(self.to, self.from, self, self.labels)
  local inverse = self.other:type(category, type_id).inverse
  return inverse and self:type(category, inverse) or nil
end

-- The unlabeled type of custom objects has an id that differs by account. This one is invented: it is made of
-- the object types, and the same in both directions.
local function custom_unlabeled(self)
  local one, other = self.from, self.to
  if one > other then one, other = other, one end
  return math.floor(100000 + hash_of(one .. ">" .. other) % 900000)
end

---The unlabeled type, which every labelled write adds.
---@return hubspot.associations.sandbox.Type|nil nil when HubSpot documents none for its own two objects
function direction:unlabeled()
  if self.default == nil then -- each read of a link asks for it
    local id = types.id(self.from, self.to) or self.is_custom and custom_unlabeled(self)
    self.default = id and self:type("HUBSPOT_DEFINED", id) or false
  end
  return self.default or nil
end

---The unlabeled type that the other direction shows.
---@return hubspot.associations.sandbox.Type|nil
function direction:unlabeled_back()
  self.other = self.other or direction.new(self.to, self.from, self, self.labels)
  return self.other:unlabeled()
end

---The types that are known in this direction: HubSpot's own, and then the account's labels.
---@return hubspot.associations.sandbox.Type[]
function direction:types()
  local list, ids = {}, {}
  for _, kind in ipairs(KINDS) do ids[#ids + 1] = types.id(self.from, self.to, kind) end
  table.sort(ids)
  for i, id in ipairs(ids) do list[i] = self:type("HUBSPOT_DEFINED", id) end
  if not list[1] then list[1] = self:unlabeled() end
  for _, id in ipairs((self.labels:list())) do
    local entry = self:type("USER_DEFINED", id)
    if entry.exists then list[#list + 1] = entry end
  end
  return list
end

---@param access "read"|"write"
---@return string[] scopes that such a call in this direction needs
function direction:scopes(access)
  local scopes = {}
  for _, object_type in ipairs { self.from, self.to } do
    scopes[#scopes + 1] = ("crm.objects.%s.%s"):format(types.object_name(object_type) or "custom", access)
  end
  if scopes[1] == scopes[2] then scopes[2] = nil end
  return scopes
end

return direction
