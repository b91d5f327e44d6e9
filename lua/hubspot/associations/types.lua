-- Owns HubSpot's own object types and association types, as data, with the
-- look-ups on them: names, ids, directions. The ids are from HubSpot's
-- documentation.
-- Never does any I/O, and knows no account's custom objects or labels.

local types = {}

-- One object type a row: object type id, singular, plural.
local OBJECT_TYPES = {
  { "0-1", "contact", "contacts" },
  { "0-2", "company", "companies" },
  { "0-3", "deal", "deals" },
  { "0-5", "ticket", "tickets" },
  { "0-48", "call", "calls" },
}

-- One HUBSPOT_DEFINED association type a row: from, to, association type id, label.
-- A type has a direction: 1 links a contact to a company, 2 a company to a contact.
local ASSOCIATION_TYPES = {
  { "contact", "company", 1, "primary" },
  { "contact", "company", 279, "unlabeled" },
  { "company", "contact", 2, "primary" },
  { "company", "contact", 280, "unlabeled" },
  { "deal", "contact", 3, "unlabeled" },
  { "contact", "deal", 4, "unlabeled" },
  { "deal", "company", 5, "primary" },
  { "deal", "company", 341, "unlabeled" },
  { "company", "deal", 6, "primary" },
  { "company", "deal", 342, "unlabeled" },
  { "contact", "ticket", 15, "unlabeled" },
  { "ticket", "contact", 16, "unlabeled" },
  { "company", "ticket", 25, "primary" },
  { "company", "ticket", 340, "unlabeled" },
  { "ticket", "company", 26, "primary" },
  { "ticket", "company", 339, "unlabeled" },
  { "deal", "ticket", 27, "unlabeled" },
  { "ticket", "deal", 28, "unlabeled" },
  { "contact", "call", 193, "unlabeled" },
  { "call", "contact", 194, "unlabeled" },
  { "company", "call", 181, "unlabeled" },
  { "call", "company", 182, "unlabeled" },
  { "deal", "call", 205, "unlabeled" },
  { "call", "deal", 206, "unlabeled" },
  { "contact", "contact", 449, "unlabeled" },
  { "company", "company", 450, "unlabeled" },
  { "company", "company", 13, "parent_to_child" },
  { "company", "company", 14, "child_to_parent" },
}

local object_type_ids, object_names = {}, {}
for _, row in ipairs(OBJECT_TYPES) do
  local id, singular, plural = row[1], row[2], row[3]
  object_type_ids[id], object_type_ids[singular], object_type_ids[plural] = id, id, id
  object_names[id] = plural
end

-- "0-1>0-2" -> { ids = { primary = 1, … }, labels = { [1] = "primary", … } }
local directions = {}
for _, row in ipairs(ASSOCIATION_TYPES) do
  local key = object_type_ids[row[1]] .. ">" .. object_type_ids[row[2]]
  local direction = directions[key] or { ids = {}, labels = {} }
  directions[key] = direction
  direction.ids[row[4]] = row[3]
  direction.labels[row[3]] = row[4]
end

local function direction_of(from, to)
  local from_id, to_id = object_type_ids[from], object_type_ids[to]
  return from_id and to_id and directions[from_id .. ">" .. to_id]
end

---The object type id of one of HubSpot's own object types.
---@param name string singular, plural, or the object type id itself
---@return string|nil object_type_id such as "0-1"; nil for a custom or unknown object
function types.object_type_id(name)
  return object_type_ids[name]
end

---The plural name of one of HubSpot's own object types.
---@param name string singular, plural, or object type id
---@return string|nil plural such as "contacts"
function types.object_name(name)
  return object_names[object_type_ids[name] or false]
end

---The HUBSPOT_DEFINED association type id for a direction.
---@param from string object name or object type id
---@param to string object name or object type id
---@param label? "unlabeled"|"primary"|"parent_to_child"|"child_to_parent" default "unlabeled"
---@return integer|nil association_type_id
function types.id(from, to, label)
  local direction = direction_of(from, to)
  if not direction then return nil end
  return direction.ids[label or "unlabeled"]
end

---Which label a HUBSPOT_DEFINED association type id stands for.
---@param from string object name or object type id
---@param to string object name or object type id
---@param id integer association type id
---@return string|nil label as `types.id` takes it; nil when the direction has no such type
function types.label(from, to, id)
  local direction = direction_of(from, to)
  if not direction or id == nil then return nil end
  return direction.labels[id]
end

---Whether a HUBSPOT_DEFINED association type exists for a direction.
---@param from string object name or object type id
---@param to string object name or object type id
---@param id integer association type id
---@return boolean
function types.exists(from, to, id)
  return types.label(from, to, id) ~= nil
end

return types
