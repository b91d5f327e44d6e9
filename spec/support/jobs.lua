-- What specs of jobs share. Starts no server, and opens no client.

local jobs = {}

--- Inputs that are good, each of a pair of its own, from contacts to companies.
---@param count integer
---@return table[]
function jobs.inputs(count)
  local list = {}
  for index = 1, count do list[index] = { from = 100000 + index, to = 200000 + index, types = 279 } end
  return list
end

return jobs
