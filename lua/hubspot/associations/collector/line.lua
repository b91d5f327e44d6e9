-- Links, or pairs, in their order. Those that are over drop out wherever they are: they are passed over, and
-- removed when they are as many as the others.

---@class hubspot.associations.Line
local Line = {}
Line.__index = Line

local line = {}

local SPARE = 32 -- entries that are over, beside as many as the others

---@return hubspot.associations.Line
function line.new()
  return setmetatable({ entries = {}, first = 1, last = 0, room = SPARE }, Line)
end

local function compact(self)
  local kept, count = {}, 0
  for number = self.first, self.last do
    local entry = self.entries[number]
    if not entry.is_over then
      count = count + 1
      kept[count] = entry
    end
  end
  self.entries, self.first, self.last, self.room = kept, 1, count, 2 * count + SPARE
end

---Adds one behind the others.
---@param entry table with a field `is_over`
function Line:push(entry)
  if self.last - self.first + 1 >= self.room then compact(self) end
  self.last = self.last + 1
  self.entries[self.last] = entry
end

---The first that is not over.
---@return table|nil
function Line:head()
  while self.first <= self.last do
    local entry = self.entries[self.first]
    if not entry.is_over then return entry end
    self.entries[self.first] = nil
    self.first = self.first + 1
  end
end

---The same, and removes it.
---@return table|nil
function Line:take()
  local entry = self:head()
  if not entry then return nil end
  self.entries[self.first] = nil
  self.first = self.first + 1
  return entry
end

return line
