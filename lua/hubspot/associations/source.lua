-- Where a job's inputs come from: a list, or an iterator that returns the next one, and nil at the end.

local source = {}

---@param from table|function
---@return (fun(): boolean, any) read true and the next input, or false at the end
---@return integer|nil total how many there are, where that is known
function source.reader(from)
  if type(from) == "function" then
    return function()
      local input = from()
      return input ~= nil, input
    end
  end
  local total, index = #from, 0
  return function()
    if index == total then return false end
    index = index + 1
    return true, from[index] -- a hole is an input too, one that will be refused
  end, total
end

return source
