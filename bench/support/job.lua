-- What every peer that is a whole job begins and ends with: its source, its measurement.
-- One job to a process, so that its peak memory is the job's.

local batch = require "support.batch"
local core = require "hubspot.associations.core"
local peer = require "support.peer"

local job = {}

-- An iterator over `count` inputs, each a fresh table.
local function source(count)
  local index = 0
  return function()
    if index == count then return nil end
    index = index + 1
    return batch.input(index)
  end
end

-- The most memory that this process ever had resident, in KiB; 0 where the system does not tell.
local function peak()
  local file = io.open("/proc/self/status", "r")
  if not file then return 0 end
  local status = file:read "*a"
  file:close()
  return tonumber(status:match "VmHWM:%s*(%d+)")
end

---Runs the job once and prints its seconds of CPU, its seconds by the clock, and its peak memory in KiB.
---@param run fun(source: fun(): table|nil, count: integer)
function job.measure(run)
  local count = tonumber(peer.variable "BENCH_INPUTS")
  local clock, cpu = core.now(), os.clock()
  run(source(count), count)
  cpu, clock = os.clock() - cpu, core.now() - clock
  print(("%.4f %.4f %d"):format(cpu, clock, peak()))
end

return job
