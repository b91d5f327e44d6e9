-- Benchmark of a host that ticks: the longest step of a job, which is how long it holds the host.
-- Prints whether the target was met; never fails for it.

local ROUNDS = tonumber(os.getenv "BENCH_JOB_ROUNDS") or 3
local INPUTS = 400000
local MOST = 10 -- milliseconds

print ""
print(("The longest step of a job of %d inputs, milliseconds of CPU, the median of %d rounds:"):format(
  INPUTS, ROUNDS
))
print ""
print(("  %-24s %9s %9s"):format("", "longest", "steps"))
for _, concurrency in ipairs { 4, 20, 100 } do
  local command = ('BENCH_INPUTS=%d BENCH_CONCURRENCY=%d "%s" bench/peers/steps_module.lua'):format(
    INPUTS, concurrency, os.getenv "LUA"
  )
  local samples, steps = {}, nil
  for round = 1, ROUNDS do
    local output = io.popen(command)
    local longest, count = output:read("*a"):match "^(%S+) (%d+)"
    output:close()
    samples[round], steps = tonumber(longest) or math.huge, count
  end
  table.sort(samples)
  local longest = samples[math.ceil(#samples / 2)]
  print(("  %3d requests in flight   %9.1f %9s target at most %d ms: %s"):format(
    concurrency, longest, steps or "failed", MOST, longest <= MOST and "met" or "NOT met"
  ))
end
