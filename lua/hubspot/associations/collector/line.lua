-- Links, or pairs, in their order. Each may drop out at any time, wherever it is: so they are linked both
-- ways, in a ring through the line itself.

---@class hubspot.associations.Line
---@field before table the last entry, or the line
---@field behind table the first entry, or the line
local Line = {}
Line.__index = Line

local line = {}

---@return hubspot.associations.Line
function line.new()
  local self = setmetatable({ before = nil, behind = nil }, Line)
  self.before, self.behind = self, self
  return self
end

---Adds one behind the others.
---@param entry table its fields `before` and `behind` are the line's
function Line:push(entry)
  local last = self.before
  entry.before, entry.behind = last, self
  last.behind, self.before = entry, entry
end

---The first one.
---@return table|nil
function Line:head()
  local first = self.behind
  if first ~= self then return first end
end

---Removes one from the line that it is in.
---@param entry table
function line.remove(entry)
  local before, behind = entry.before, entry.behind
  before.behind, behind.before = behind, before
  entry.before, entry.behind = false, false -- it keeps no other one alive
end

return line
