-- Which line of FILE a row stands in, for rows that are named by their index only. Keeps where the two stop
-- running in parallel: after a header, an empty line or a cell of several lines.

---@class hubspot.associations.cli.LineNumbers
local LineNumbers = {}
LineNumbers.__index = LineNumbers

local line_numbers = {}

---@return hubspot.associations.cli.LineNumbers
function line_numbers.new()
  return setmetatable({ count = 0, index_of = {}, line_of = {} }, LineNumbers)
end

---Notes the next row: its index is one more than that of the row before.
---@param index integer
---@param line integer
function LineNumbers:add(index, line)
  local last = self.count
  if last > 0 and line - self.line_of[last] == index - self.index_of[last] then return end
  self.count = last + 1
  self.index_of[self.count], self.line_of[self.count] = index, line
end

---@param index integer of a row that was noted
---@return integer line
function LineNumbers:of(index)
  local low, high = 1, self.count
  while low < high do
    local middle = math.floor((low + high + 1) / 2)
    if self.index_of[middle] <= index then low = middle else high = middle - 1 end
  end
  return self.line_of[low] + index - self.index_of[low]
end

return line_numbers
