-- Counts the rows that are the same as one before: same records, same types. Exactly for 500,000 rows; of a
-- longer file, it knows at least the 250,000 rows before each, so that memory does not grow with the file.

local association_types = require "hubspot.associations.cli.association_types"
local core = require "hubspot.associations.core"
local digits_of = require "hubspot.associations.text.digits"

local duplicates = {}

local KEPT = 250000 -- rows; twice as many are kept at most

---@class hubspot.associations.cli.Duplicates
---@field count integer
local Duplicates = {}
Duplicates.__index = Duplicates

---@param kept integer|nil
---@return hubspot.associations.cli.Duplicates
function duplicates.new(kept)
  return setmetatable({ count = 0, seen = core.seen(kept or KEPT) }, Duplicates)
end

local function id_text(side)
  if type(side) == "string" then return side end -- in most rows
  if type(side) == "table" then side = side.id end
  if type(side) == "number" then side = digits_of(side) end
  return type(side) == "string" and side or nil
end

-- The types of a row as text. Rows without types of their own share those of --type.
local function types_text(self, types)
  if types == nil then return "" end
  if types ~= self.types then
    self.types = types
    self.text = type(types) == "table" and association_types.write(types, true) or tostring(types)
  end
  return self.text
end

---@param row table an input of a job; one without ids is bad, and no duplicate
function Duplicates:add(row)
  if row.problem then return end
  local from = id_text(row.from == nil and row.id or row.from)
  if from and self.seen:add(from, id_text(row.to) or "", types_text(self, row.types)) then
    self.count = self.count + 1
  end
end

return duplicates
