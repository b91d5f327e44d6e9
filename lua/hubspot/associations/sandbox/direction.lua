-- Owns what a sandbox account knows of one direction, such as contacts to
-- companies: which association types exist in it, and the texts that every
-- answer about it shares, built once.
-- Never knows which records exist or are linked.

local cjson = require "cjson"
local types = require "hubspot.associations.types"

local direction = {}
direction.__index = direction

local json = cjson.new()

local SHOWN_LABELS = {
  primary = "Primary",
  parent_to_child = "Child Company",
  child_to_parent = "Parent Company",
}

---The object type id behind a path parameter. HubSpot's own objects have fixed ids. A custom
---object is `2-<digits>`, or `p_<name>`, whose id the sandbox derives from the name.
---@param name string
---@return string|nil object_type_id
function direction.object_type_id(name)
  local id = types.object_type_id(name) or name:match("^2%-%d+$")
  if id or not name:find("^p_[%w_]+$") then return id end
  local hash = 0
  for i = 1, #name do hash = (hash * 31 + name:byte(i)) % 2 ^ 31 end
  return string.format("2-%.0f", hash)
end

---@class hubspot.associations.sandbox.Direction
---@param from string object type id
---@param to string object type id
---@param settings table the account's options
---@param store hubspot.associations.sandbox.Store
---@return hubspot.associations.sandbox.Direction
function direction.new(from, to, settings, store)
  local number = settings.numeric_ids and "" or '"'
  return setmetatable({
    from = from, to = to, labels = settings.labels, store = store, known = {},
    custom = not (types.object_name(from) and types.object_name(to)),
    before_from_id = string.format('{"fromObjectTypeId":"%s","fromObjectId":%s', from, number),
    before_to_id = string.format('%s,"toObjectTypeId":"%s","toObjectId":%s', number, to, number),
    before_labels = number .. ',"labels":[',
  }, direction)
end

-- Whether a type exists, and its label. The ids of custom objects' HUBSPOT_DEFINED types
-- differ by account, so any passes there.
local function judge(self, category, type_id)
  if category == "USER_DEFINED" then
    if not self.labels then return true end
    return self.labels[type_id] ~= nil, self.labels[type_id]
  end
  if category ~= "HUBSPOT_DEFINED" or self.custom then return true end
  local label = types.label(self.from, self.to, type_id)
  return label ~= nil, SHOWN_LABELS[label]
end

---@class hubspot.associations.sandbox.Type
---@field category string
---@field type_id integer
---@field exists boolean
---@field label string|nil
---@field json string the label as JSON; empty when there is none
---@field prefix string|nil of its associations' keys in the store; nil when it does not exist

---What is known of one association type. Learnt once, and kept in `known` by category and id.
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
    local exists, label = judge(self, category, type_id)
    entry = {
      category = category, type_id = type_id, exists = exists,
      label = label, json = label and json.encode(label) or "",
      prefix = exists and self.store:prefix(self.from, self.to, category, type_id) or nil,
    }
    by_id[type_id] = entry
  end
  return entry
end

---@return string scopes the scopes that writing in this direction needs
function direction:scopes()
  local scopes = {}
  for _, object_type in ipairs { self.from, self.to } do
    scopes[#scopes + 1] = string.format("crm.objects.%s.write", types.object_name(object_type) or "custom")
  end
  if scopes[1] == scopes[2] then scopes[2] = nil end
  return scopes
end

return direction
