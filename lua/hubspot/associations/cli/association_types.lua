-- Association types as text, in a cell or an argument: "279", "USER_DEFINED:30", several of these, separated
-- by spaces, or one name, such as "Decision maker". Reads and writes. What a name means is the library's to
-- know.

local core = require "hubspot.associations.core"

local association_types = {}

local EXPECTED = ("expected an association type id (a whole number from 1 to %d), or a name"):format(
  core.MAX_TYPE_ID
)

---Written for a type that no text says exactly: `read` finds it invalid.
local UNREADABLE = "?"
association_types.UNREADABLE = UNREADABLE

---An association type as an input has it.
---@param id integer
---@param category string
---@return integer|table
function association_types.typed(id, category)
  if category == "HUBSPOT_DEFINED" then return id end
  return { associationCategory = category, associationTypeId = id }
end

local typed = association_types.typed

local function read_one(word, category)
  local named, digits = word:match "^([^:]*):(%d+)$"
  if named and not core.is_category(named) then return nil end
  local id = tonumber(digits or word:match "^%d+$" or "")
  if id and id >= 1 and id <= core.MAX_TYPE_ID then return typed(id, named or category) end
end

-- A text that is no list of ids, as a name. One without a letter, such as "279;1" or "1.0", and one whose
-- words all look like ids, such as "WORK:0", are mistakes, and no names.
local function read_name(text)
  if not text:find "[A-Za-z\128-\255]" then return nil, EXPECTED end
  for word in text:gmatch "[^ \t-\r]+" do
    if not word:find "^%d+$" and not word:find "^[A-Za-z_]+:%d+$" then
      return text:match "^[ \t-\r]*(.-)[ \t-\r]*$"
    end
  end
  return nil, EXPECTED
end

---@param text string
---@param category string|nil of those that are a number only, "HUBSPOT_DEFINED"
---@return integer|table|string|nil types as an input has them: ids only if every word is one, else a name
---@return string|nil message
function association_types.read(text, category)
  category = category or "HUBSPOT_DEFINED"
  local list = {}
  for word in text:gmatch "[^ \t-\r]+" do
    local entry = read_one(word, category)
    if not entry then return read_name(text) end
    list[#list + 1] = entry
  end
  if #list == 0 then return nil, EXPECTED end
  return #list == 1 and list[1] or list
end

---The same for a cell of a file, with a message that shows the text.
---@param text string
---@param category string of those that are a number only
---@return integer|table|string|nil types
---@return string|nil message
function association_types.read_cell(text, category)
  local types, expected = association_types.read(text, category)
  if not expected then return types end
  local hint = text:find "%d[,;|/]" and "; spaces stand between several" or ""
  return nil, ("%s, found %q%s"):format(expected, text, hint)
end

-- Types as a list.
local function entries_of(types)
  if type(types) ~= "table" or #types == 0 then return { types } end
  return types
end

---Why types do not have the category that their row says; nil when they have, and for names.
---@param types any as an input has them
---@param category string
---@return string|nil message
function association_types.contradiction(types, category)
  for _, entry in ipairs(entries_of(types)) do
    local found = type(entry) == "number" and "HUBSPOT_DEFINED"
      or type(entry) == "table" and entry.associationCategory or category
    if found ~= category then
      return ("its type is of category %s, and the row says %s"):format(tostring(found), category)
    end
  end
end

---Those of the text that are HubSpot's own.
---@param text string
---@param category string|nil of those that are a number only
---@return integer[]
function association_types.hubspot_ids(text, category)
  local ids = {}
  for _, entry in ipairs(entries_of(association_types.read(text, category))) do
    if type(entry) == "number" then ids[#ids + 1] = entry end
  end
  return ids
end

local function write_one(entry, with_category)
  if type(entry) == "number" then
    entry = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = entry }
  end
  if type(entry) ~= "table" then return UNREADABLE end
  local name, id = entry.associationCategory, entry.associationTypeId
  if not core.is_category(name) then return UNREADABLE end
  if type(id) ~= "number" or id % 1 ~= 0 then return UNREADABLE end
  local digits = ("%.0f"):format(id)
  local is_plain = name == "HUBSPOT_DEFINED" and not with_category
  return is_plain and digits or name .. ":" .. digits
end

---The text from which `read` makes the same types; for invalid types, text that is invalid; empty for nil.
---@param types any an input's
---@param with_category boolean whether HUBSPOT_DEFINED is written, too: without it, a number means that
---@return string
function association_types.write(types, with_category)
  if types == nil then return "" end
  if type(types) == "string" then return association_types.read(types) == types and types or UNREADABLE end
  local words = {}
  for index, entry in ipairs(entries_of(types)) do words[index] = write_one(entry, with_category) end
  return table.concat(words, " ")
end

return association_types
