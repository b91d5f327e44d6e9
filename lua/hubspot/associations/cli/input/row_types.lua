-- The association types of a row, by what the command does with them: needs them, or takes none.

local association_types = require "hubspot.associations.cli.association_types"
local core = require "hubspot.associations.core"

local row_types = {}

---@class hubspot.associations.cli.GivenTypes
---@field type any what the row has: a text, or in JSON a value; nil or "" for none
---@field to any the id on the other side
---@field category any the category of types that are a number only; nil or "" where the row has none

local function is_none(value)
  return value == nil or type(value) == "string" and not value:find "[^ \t-\r]"
end

-- Types in the form of an input: text is read as in CSV; numbers, alone or in a list, get the category.
local function read(types, category)
  if type(types) == "string" then return association_types.read_cell(types, category) end
  if type(types) == "number" then return association_types.typed(types, category) end
  if type(types) == "table" then
    for index, entry in ipairs(types) do
      if type(entry) == "number" then types[index] = association_types.typed(entry, category) end
    end
  end
  return types
end

local function read_with_category(given)
  local category = given.category
  if not core.is_category(category) then
    return nil, ("expected a category in upper case, such as USER_DEFINED, found %q"):format(
      tostring(category)), "category"
  end
  local types, why = read(given.type, category)
  if types ~= nil then why = association_types.contradiction(types, category) end
  if why then return nil, why end
  return types
end

---@param given hubspot.associations.cli.GivenTypes
---@param settings hubspot.associations.cli.RowSettings
---@return any types as an input has them; nil where the command takes none
---@return string|nil message what is wrong
---@return string|nil column where, when it is not the type's
---@return boolean|nil is_typed true when the row has types, and the command takes none
function row_types.of(given, settings)
  local has_type, has_category = not is_none(given.type), not is_none(given.category)
  if settings.empty_to and is_none(given.to) and not has_type then return nil end
  if settings.takes ~= "associations" then
    if settings.typed and (has_type or has_category) then return nil, settings.typed, nil, true end
    return nil
  end
  local types, why, column
  if has_category and has_type then
    types, why, column = read_with_category(given)
  elseif has_type then
    types, why = read(given.type, settings.category)
  elseif has_category then
    return nil, "the row has a category, and no type"
  else
    types = settings.default
    why = types == nil and settings.untyped or nil
  end
  if types ~= nil and settings.guard then why = settings.guard(types) end
  if why then return nil, why, column end
  return types
end

---The text for a bad row's types, which is invalid when it is fed back, and has the row's category when it is
---corrected.
---@param given hubspot.associations.cli.GivenTypes
---@return any
function row_types.text(given)
  if is_none(given.category) or is_none(given.type) then return given.type end
  if type(given.type) ~= "string" and type(given.type) ~= "number" then
    return association_types.UNREADABLE
  end
  local text = type(given.type) == "number" and ("%.0f"):format(given.type) or given.type
  return text:find(":", 1, true) and text or ("%s:%s"):format(tostring(given.category), text)
end

return row_types
