-- What every peer that is a whole job begins and ends with: its source, its measurement.
-- One job to a process, so that its peak memory is the job's.

local batch = require "support.batch"
local core = require "hubspot.associations.core"
local peer = require "support.peer"

local job = {}

local TICKS = 100 -- of a second: in these, Linux counts the CPU time of processes

-- An iterator over `count` inputs.
local function source(count, input)
  local index = 0
  return function()
    if index == count then return nil end
    index = index + 1
    return input(index, count)
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

-- Seconds of CPU of the processes that this one started, and that ended; 0 where the system does not tell.
local function of_children()
  local file = io.open("/proc/self/stat", "r")
  if not file then return 0 end
  local fields = file:read("*a"):match "%) (.*)"
  file:close()
  local user, system = fields:match("^%S+" .. (" %S+"):rep(12) .. " (%d+) (%d+)")
  return (user + system) / TICKS
end

---Runs the job once and prints its seconds of CPU, its seconds by the clock, its peak memory in KiB, and how
---many requests it says that it sent.
---@param run fun(source: fun(): table|nil, count: integer): integer|nil
---@param input? fun(index: integer, count: integer): any batch.input by default
function job.measure(run, input)
  local count = tonumber(peer.variable "BENCH_INPUTS")
  local clock, cpu = core.now(), os.clock()
  local requests = run(source(count, input or batch.input), count)
  cpu, clock = os.clock() - cpu + of_children(), core.now() - clock
  print(("%.4f %.4f %d %d"):format(cpu, clock, peak(), requests or 0))
end

return job
