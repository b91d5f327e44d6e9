-- Which association type of the other direction belongs to a type. HubSpot's own are in the built-in table.
-- Of an account's labels, HubSpot does not say it: it makes both directions of a label at once, with the same
-- text, or with type ids that follow each other.

local types = require "hubspot.associations.types"

local inverses = {}

-- The kind of the other direction's type, where it is another.
local KIND = { child_to_parent = "parent_to_child", parent_to_child = "child_to_parent" }

local function built_in(entry, from, to)
  local kind = types.label(from, to, entry.typeId)
  return kind and types.id(to, from, KIND[kind] or kind)
end

-- The only entry that fits; nil when there are several, or none.
local function only(list, fits)
  local found
  for _, entry in ipairs(list) do
    if fits(entry) then
      if found then return nil end
      found = entry
    end
  end
  return found
end

local function inverse(entry, back, from, to)
  if entry.category == "HUBSPOT_DEFINED" then
    local id = built_in(entry, from, to)
    return id and (only(back, function(other)
      return other.category == "HUBSPOT_DEFINED" and other.typeId == id
    end) or { typeId = id })
  end
  if type(entry.typeId) ~= "number" then return nil end
  local is_one_list = types.object_name(from) == types.object_name(to) or from == to
  local function is_alike(other)
    return other.category == entry.category and type(other.typeId) == "number"
      and (is_one_list or other.typeId ~= entry.typeId)
  end
  local same = only(back, function(other)
    return is_alike(other) and other.label == entry.label
  end)
  return same or only(back, function(other)
    return is_alike(other) and math.abs(other.typeId - entry.typeId) == 1
  end)
end

---@param there table[] the types of a direction, as HubSpot lists them
---@param back table[] those of the other direction
---@param from string
---@param to string
---@return table<integer, table> number in `there` -> the entry of `back`; nil where that is not clear
function inverses.of(there, back, from, to)
  local found = {}
  for number, entry in ipairs(there) do found[number] = inverse(entry, back, from, to) end
  return found
end

return inverses
