-- What specs of jobs share. Starts no server, and opens no client.

local core = require "hubspot.associations.core"

local jobs = {}

local PATIENCE = 5 -- seconds

--- Inputs that are good, each of a pair of its own, from contacts to companies.
---@param count integer
---@return table[]
function jobs.inputs(count)
  local list = {}
  for index = 1, count do list[index] = { from = 100000 + index, to = 200000 + index, types = 279 } end
  return list
end

--- Steps a job to its end, as a host does that only watches the descriptor.
---@param job table
---@return table|nil report
---@return table|nil err
function jobs.finish(job)
  while not job:step() do
    if not core.poll(job:fd(), PATIENCE) then error("the job waits, and nothing comes", 2) end
  end
  return job:result()
end

--- Raises when the outcomes do not add up to the inputs, or when there were not so many inputs.
---@param report table
---@param count? integer
function jobs.assert_adds_up(report, count)
  local succeeded = report.created or report.archived or report.read
  local sum = succeeded + report.failed + report.unconfirmed + report.not_sent
  if sum ~= report.inputs then error(("%d outcomes of %d inputs"):format(sum, report.inputs), 2) end
  if count and count ~= sum then error(("%d inputs, not %d"):format(sum, count), 2) end
end

---An iterator over a list, as a source.
---@param list table
---@param count integer|nil how many there are, where the list has holes
---@return fun(): any
function jobs.iterator(list, count)
  local index = 0
  return function()
    index = index + 1
    if index <= (count or #list) then return list[index] end
  end
end

return jobs
