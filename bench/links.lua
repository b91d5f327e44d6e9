-- Benchmark of links one at a time: client:link beside batches that are made by hand, in luv, under HubSpot's
-- limit; and a lone link beside client:create. Prints whether a target was met; never fails for it.

local rounds = require "support.rounds"
local summary = require "support.summary"

local ROUNDS, LONE_ROUNDS = tonumber(os.getenv "BENCH_LINK_ROUNDS") or 3, 15
local SECONDS = os.getenv "BENCH_SECONDS"
local MOST_CPU = 15 -- microseconds, without the host's
local MOST_MS = 3 * (50 + 100) -- three times the latency and the time between two requests
local LUA = os.getenv "LUA"

local ROWS = {
  { operation = "link", title = "client:link" },
  { operation = "batches", title = "by hand: what comes in 200 ms, in one create" },
  { operation = "none", title = "the same program without linking" },
}
local LONE = { "create", "link" }
local FIELDS = { "cpu", "links", "failed", "rate", "requests", "median", "most", "longest" }

local function verdict(target, met)
  return (" target at most %s: %s"):format(target, met and "met" or "NOT met")
end

-- ---- under load ----

local function run(row)
  local output = io.popen(('BENCH_OPERATION=%s "%s" bench/peers/links_luv.lua'):format(row.operation, LUA))
  local figures = {}
  for number in (output:read "*l" or ""):gmatch "%S+" do
    local field = FIELDS[#figures + 1]
    figures[#figures + 1] = number
    figures[field or ""] = tonumber(number)
  end
  output:close()
  return #figures == #FIELDS and figures.longest and figures
end

-- Keeps the round with the lowest CPU time. False if something is missing.
local function measure()
  for _ = 1, ROUNDS do
    for _, row in ipairs(ROWS) do
      local figures = run(row)
      if not figures then return false end
      row.highest = math.max(row.highest or 0, figures.cpu)
      if not row.best or figures.cpu < row.best.cpu then row.best = figures end
    end
  end
  return true
end

local function print_load()
  print(("  %-46s %7s %7s %7s %6s %8s %6s %6s %7s"):format(
    "", "us/link", "highest", "links/s", "failed", "requests", "median", "99 %", "longest"
  ))
  for _, row in ipairs(ROWS) do
    local best = row.best
    print(("  %-46s %7.1f %7.1f %7.0f %6d %8d %6.0f %6.0f %7.0f"):format(
      row.title, best.cpu, row.highest, best.rate, best.failed, best.requests,
      best.median, best.most, best.longest
    ))
  end
  local link, by_hand, host = ROWS[1].best, ROWS[2].best, ROWS[3].best
  local own, theirs = link.cpu - host.cpu, by_hand.cpu - host.cpu
  summary.add("beside it: client:link in luv, one at a time", own)
  print ""
  print(("  client:link, without the host's share: %.1f us%s"):format(
    own, verdict(MOST_CPU .. " us", own <= MOST_CPU)
  ))
  print(("  by hand, without the host's share: %.1f us"):format(theirs))
  print(("  the longest link: %.0f ms%s"):format(
    link.longest, verdict(MOST_MS .. " ms", link.longest <= MOST_MS)
  ))
end

local function load()
  print "Links one at a time in luv, 1,000 a second; 50 ms of latency, a limit of 100 requests in 10 seconds."
  print(("Of %d rounds of %s seconds, the one with the lowest CPU time. Times in milliseconds."):format(
    ROUNDS, SECONDS
  ))
  print ""
  if measure() then print_load() else print "  not measured: luv is not installed, or a run failed" end
end

-- ---- alone ----

local function alone()
  local commands = {}
  for _, operation in ipairs(LONE) do
    commands[operation] = ('BENCH_OPERATION=%s "%s" bench/peers/lone_module.lua'):format(operation, LUA)
  end
  local figures = rounds.measure(commands, LONE, LONE_ROUNDS)
  print "One link at a time and nothing else, to a server that responds at once: microseconds by the clock,"
  print(("the median of %d rounds."):format(LONE_ROUNDS))
  print ""
  print(("  %-24s %9s %9s %9s"):format("", "median", "lowest", "highest"))
  for _, operation in ipairs(LONE) do
    local figure = figures[operation]
    print(figure.problem and ("  client:%-17s %s"):format(operation, figure.problem)
      or ("  client:%-17s %9.0f %9.0f %9.0f"):format(operation, figure.median, figure.lowest, figure.highest))
  end
  local create, link = figures.create.lowest, figures.link.lowest
  if not (create and link) then return end
  print ""
  print(("  link / create: %.2f%s"):format(link / create, verdict("1", link <= create)))
end

print ""
load()
print ""
alone()
