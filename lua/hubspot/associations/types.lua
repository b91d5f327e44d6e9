-- HubSpot's own object types and association types: look-ups by name, id and direction.
-- Each look-up searches the text of type_data.lua: a script that links one pair must not pay for tables of
-- hundreds of types. Does no I/O, and knows nothing of an account's custom objects and labels.
-- Needs no C core: the sandbox uses it, too.

local ascii = require "hubspot.associations.text.ascii"
local digits_of = require "hubspot.associations.text.digits"
local type_data = require "hubspot.associations.type_data"

local types = {}

local find, gmatch, match, sub = string.find, string.gmatch, string.match, string.sub

local LONGEST_LINE = 200 -- of the association types

local UNLABELED = "unlabeled"

---@alias hubspot.associations.Kind
---| "unlabeled" # each direction has just one
---| "primary" | "child_to_parent" | "parent_to_child" | "billing" | "signer" | "upcoming"

---@class hubspot.associations.ObjectType
---@field id string|nil nil where HubSpot publishes none
---@field name string singular
---@field plural string

-- Object types by id, singular and plural.
local object_types = {}
for id, name, plural in type_data.OBJECT_TYPES:gmatch "([^ ]+) ([^ ]+) ([^ ]+)\n" do
  local object_type = { id = id ~= "-" and id or nil, name = name, plural = plural }
  object_types[name], object_types[plural] = object_type, object_type
  if object_type.id then object_types[id] = object_type end
end

local function object_type_of(name)
  if type(name) ~= "string" then return nil end
  return object_types[name] or object_types[ascii.lower(name)]
end

-- A direction's types, "unlabeled=279;primary=1;": empty where none is known.
local function types_from(from, to)
  local name = "\n" .. from.name .. ">" .. to.name .. " "
  local _, last = find(type_data.ASSOCIATION_TYPES, name, 1, true)
  return last and match(type_data.ASSOCIATION_TYPES, "[^\n]+", last + 1) or ""
end

local function types_between(from, to)
  from, to = object_type_of(from), object_type_of(to)
  return from and to and types_from(from, to) or ""
end

-- An association type id as it stands in a direction's types; nil for what is none.
local function entry_of(id)
  local digits = type(id) == "number" and id > 0 and digits_of(id)
  return digits and "=" .. digits .. ";" or nil
end

local function id_of_kind(list, kind)
  return tonumber(match(";" .. list, ";" .. kind .. "=(%d+)"))
end

---The object type id of one of HubSpot's own object types.
---@param name string singular, plural, or the object type id itself, in any case
---@return string|nil object_type_id such as "0-1"; nil for a custom or unknown object, and for the few whose
---  id HubSpot does not publish
function types.object_type_id(name)
  local object_type = object_type_of(name)
  return object_type and object_type.id
end

---The plural name of one of HubSpot's own object types.
---@param name string singular, plural, or object type id, in any case
---@return string|nil plural such as "contacts"; nil for a custom or unknown object
function types.object_name(name)
  local object_type = object_type_of(name)
  return object_type and object_type.plural
end

---The HUBSPOT_DEFINED association type id for a direction.
---@param from string object name or object type id
---@param to string object name or object type id
---@param kind? hubspot.associations.Kind default "unlabeled"
---@return integer|nil association_type_id
function types.id(from, to, kind)
  if kind ~= nil and (type(kind) ~= "string" or find(kind, "[^a-z_]")) then return nil end
  return id_of_kind(types_between(from, to), kind or UNLABELED)
end

---The names of a direction's HUBSPOT_DEFINED association types: the kinds, and HubSpot's own name of the
---unlabeled type, such as "contact_to_company".
---@param from string object name or object type id
---@param to string object name or object type id
---@return table<string, integer> ids by name; empty where none is known
function types.names(from, to)
  local names = {}
  for kind, id in gmatch(types_between(from, to), "([a-z_]+)=(%d+)") do names[kind] = tonumber(id) end
  if names[UNLABELED] then
    names[object_type_of(from).name .. "_to_" .. object_type_of(to).name] = names[UNLABELED]
  end
  return names
end

---Which kind a HUBSPOT_DEFINED association type id is of.
---@param from string object name or object type id
---@param to string object name or object type id
---@param id integer association type id
---@return hubspot.associations.Kind|nil kind nil when the direction is not known to have such a type
function types.label(from, to, id)
  local entry = entry_of(id)
  return entry and match(types_between(from, to), "([a-z_]+)" .. entry)
end

---All HUBSPOT_DEFINED association types, in the order of the table; or those of a direction.
---@param from? string object name or object type id
---@param to? string object name or object type id
---@return { from: string, to: string, kind: hubspot.associations.Kind, id: integer }[] from and to are plural
function types.list(from, to)
  local is_known = (not from or object_type_of(from)) and (not to or object_type_of(to))
  if not is_known then return {} end
  from, to = from and object_type_of(from), to and object_type_of(to)
  local list = {}
  for one, other, entries in type_data.ASSOCIATION_TYPES:gmatch "\n([a-z_]+)>([a-z_]+) ([^\n]+)" do
    if (not from or from.name == one) and (not to or to.name == other) then
      for kind, id in entries:gmatch "([a-z_]+)=(%d+);" do
        list[#list + 1] = {
          from = object_types[one].plural, to = object_types[other].plural, kind = kind, id = tonumber(id),
        }
      end
    end
  end
  return list
end

---Whether a HUBSPOT_DEFINED association type is known for a direction.
---@param from string object name or object type id
---@param to string object name or object type id
---@param id integer association type id
---@return boolean
function types.exists(from, to, id)
  return types.label(from, to, id) ~= nil
end

---The direction that a HUBSPOT_DEFINED association type id has: an id is never used for two.
---@param id integer association type id
---@return string|nil from plural, such as "contacts"; nil when the id is not known
---@return string|nil to
---@return hubspot.associations.Kind|nil kind
function types.direction_of_id(id)
  local entry = entry_of(id)
  local at = entry and find(type_data.ASSOCIATION_TYPES, entry, 1, true)
  if not at then return nil end
  local line = sub(type_data.ASSOCIATION_TYPES, math.max(1, at - LONGEST_LINE), at - 1)
  local from, to, kind = match(line, "\n([a-z_]+)>([a-z_]+) [^\n]-([a-z_]+)$")
  return object_types[from].plural, object_types[to].plural, kind
end

-- What the type is in the direction that was asked for, for people.
local function right_type(list, kind, from, to)
  local same, unlabeled = id_of_kind(list, kind), id_of_kind(list, UNLABELED)
  if same then return ("from %s to %s it is %d"):format(from, to, same) end
  if unlabeled then return ("from %s to %s the unlabeled type is %d"):format(from, to, unlabeled) end
  return ("from %s to %s no type of HubSpot's own is known"):format(from, to)
end

---What is wrong with HUBSPOT_DEFINED association type ids in a direction: a function of an id, which returns
---nil, or a sentence that names the right id when the given one is known to belong to another direction.
---HubSpot takes the two object types from the type id: with another direction's, it means other records than
---the caller does.
---@param from string object name or object type id
---@param to string object name or object type id
---@return (fun(id: integer): string|nil)|nil reason nil when one of the two is custom or unknown: nothing is
---  known of such a direction's ids
function types.checker(from, to)
  local from_type, to_type = object_type_of(from), object_type_of(to)
  if not from_type or not to_type then return nil end
  local list = types_from(from_type, to_type)
  return function(id)
    local entry = entry_of(id)
    if not entry or find(list, entry, 1, true) then return nil end
    local other_from, other_to, kind = types.direction_of_id(id)
    if not other_from then return nil end
    local shown = kind == UNLABELED and "" or (" (%s)"):format(kind)
    return ("%d%s links %s to %s; %s"):format(id, shown, other_from, other_to,
      right_type(list, kind, from_type.plural, to_type.plural))
  end
end

return types
