-- Counts the rows that are the same as one before: same records, same types. Exactly for 200,000 rows; of a
-- longer file, it knows at least the 100,000 rows before each, so that memory does not grow with the file.

local association_types = require "hubspot.associations.cli.association_types"
local digits_of = require "hubspot.associations.text.digits"

local duplicates = {}

local KEPT = 100000 -- rows of a generation: there are two, and the older one is dropped

---@class hubspot.associations.cli.Duplicates
---@field count integer
local Duplicates = {}
Duplicates.__index = Duplicates

---@param kept integer|nil
---@return hubspot.associations.cli.Duplicates
function duplicates.new(kept)
  return setmetatable({ count = 0, kept = kept or KEPT, young = {}, size = 0, old = {} }, Duplicates)
end

local function id_text(side)
  if type(side) == "table" then side = side.id end
  if type(side) == "number" then side = digits_of(side) end
  return type(side) == "string" and side or nil
end

-- What a row has to have in common with another. Nil for one without ids, which is bad.
local function key_of(row)
  local from = id_text(row.from == nil and row.id or row.from)
  if not from then return nil end
  local types = row.types
  if type(types) == "table" then types = association_types.write(types, true) end
  return ("%s\n%s\n%s"):format(from, id_text(row.to) or "", tostring(types))
end

---@param row table an input of a job
function Duplicates:add(row)
  local key = not row.problem and key_of(row)
  if not key then return end
  if self.young[key] or self.old[key] then
    self.count = self.count + 1
    return
  end
  self.young[key], self.size = true, self.size + 1
  if self.size >= self.kept then self.old, self.young, self.size = self.young, {}, 0 end
end

return duplicates
