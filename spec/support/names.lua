-- Sets of names, for specs that compare two lists of them.

local names = {}

--- The names of a set, in order.
---@param set table<string, any>
---@return string[]
function names.of(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- Adds all that a pattern captures in a text to a set.
---@param set table<string, boolean>
---@param text string
---@param pattern string
function names.collect(set, text, pattern)
  for found in text:gmatch(pattern) do set[found] = true end
end

return names
