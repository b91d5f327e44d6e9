-- Runs jobs in processes of their own, in turn, round after round, and says what each took.
-- Knows no peer: each is a command that prints its seconds of CPU, its seconds by the clock, its peak memory
-- in KiB and, if it likes, its requests; or "missing" and a name.

local jobs = {}

-- Linux counts a process's CPU time in hundredths of a second for others to read.
local TICKS = 100

-- Seconds of CPU that the server has taken so far; nil where the system does not tell.
local function server_cpu(pid)
  local file = io.open(("/proc/%s/stat"):format(pid), "r")
  if not file then return nil end
  local fields = file:read("*a"):match "%) (.*)"
  file:close()
  local user, system = fields:match("^%S+" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
  return (user + system) / TICKS
end

local function median(samples, field)
  local sorted = {}
  for i, sample in ipairs(samples) do sorted[i] = sample[field] end
  table.sort(sorted)
  local middle = #sorted / 2
  if middle % 1 ~= 0 then return sorted[middle + 0.5], sorted[1], sorted[#sorted] end
  return (sorted[middle] + sorted[middle + 1]) / 2, sorted[1], sorted[#sorted]
end

local function run(row, pid)
  local before = server_cpu(pid)
  local output = io.popen(row.command)
  local line = output:read "*l" or ""
  output:close()
  local missing = line:match "^missing (.+)"
  if missing then return nil, missing .. " is not installed" end
  local cpu, clock, peak, requests = line:match "^(%S+) (%S+) (%d+) ?(%d*)$"
  if not cpu then return nil, "it failed" end
  local after = server_cpu(pid)
  return {
    cpu = tonumber(cpu),
    clock = tonumber(clock),
    peak = tonumber(peak),
    requests = tonumber(requests),
    server = before and after and after - before,
  }
end

---@class bench.JobFigure
---@field problem string|nil why there are no numbers
---@field cpu number seconds of the client's process, the median; and so on
---@field clock number seconds
---@field peak number KiB
---@field peak_lowest number
---@field peak_highest number
---@field requests integer|nil those of the first round
---@field server number|nil seconds of the server's process

---@param rows table[] { command, … }; each gets its `figure`
---@param pid string the server's process
---@param count integer how many rounds
function jobs.measure(rows, pid, count)
  for _, row in ipairs(rows) do row.samples = {} end
  for _ = 1, count do
    for _, row in ipairs(rows) do
      local sample, problem = run(row, pid)
      row.problem = row.problem or problem
      row.samples[#row.samples + 1] = sample
    end
  end
  for _, row in ipairs(rows) do
    local figure = { problem = row.problem }
    if not row.problem then
      figure.cpu = median(row.samples, "cpu")
      figure.clock = median(row.samples, "clock")
      figure.peak, figure.peak_lowest, figure.peak_highest = median(row.samples, "peak")
      figure.requests = row.samples[1].requests
      figure.server = row.samples[1].server and median(row.samples, "server")
    end
    row.figure = figure
  end
end

return jobs
