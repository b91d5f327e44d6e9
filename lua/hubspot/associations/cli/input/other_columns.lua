-- The columns of the FILEs that the command does not read, for the file of failures: all of them, in the
-- order in which they are first seen. Columns of one name are one column, but for those of the same file.

local cells = require "hubspot.associations.text.cells"
local places = require "hubspot.associations.cli.input.places"

---@class hubspot.associations.cli.OtherColumn
---@field name string
---@field number integer|nil of its field; nil where a row has only this column, its text

---@class hubspot.associations.cli.OtherColumns
---@field names string[]
---@field private of_file table file -> number in `names` -> hubspot.associations.cli.OtherColumn
local OtherColumns = {}
OtherColumns.__index = OtherColumns

local other_columns = {}

---@return hubspot.associations.cli.OtherColumns
function other_columns.new()
  return setmetatable({ names = {}, of_file = {}, by_name = {} }, OtherColumns)
end

---Adds those of a file.
---@param file integer its number
---@param columns hubspot.associations.cli.OtherColumn[]
function OtherColumns:add(file, columns)
  local mine, seen = {}, {}
  for _, column in ipairs(columns) do
    seen[column.name] = (seen[column.name] or 0) + 1
    local key = ("%d %s"):format(seen[column.name], column.name)
    local at = self.by_name[key]
    if not at then
      at = #self.names + 1
      self.names[at], self.by_name[key] = column.name, at
    end
    mine[at] = column
  end
  self.of_file[file] = mine
end

---What a row has in them.
---@param place integer|nil
---@param kept string[]|string|nil its fields, or its text, as its reader kept them
---@return string[] as many as there are names
function OtherColumns:values(place, kept)
  local file = place and places.read(place)
  local mine, values = self.of_file[file] or {}, {}
  for at = 1, #self.names do
    local column, text = mine[at], nil
    if column then text = column.number and kept and kept[column.number] or not column.number and kept end
    values[at] = text and cells.read(text) or ""
  end
  return values
end

return other_columns
