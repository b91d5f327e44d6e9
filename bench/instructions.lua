-- Counts the instructions that the client's process takes for one input, under valgrind's callgrind: unlike
-- times, they are the same on a busy machine. Fails when a count is more than 1.05 of that in
-- docs/performance.md. Each is the difference of two runs, of which one does more: so that what both begin
-- with does not count.

local PERFORMANCE = "docs/performance.md"
local MOST_GROWTH = 1.05
local SIZE = 2000
local BATCHES = { 4, 12 } -- of the first run, and of the second

-- One count a row: its title, the peer, the variables of its environment, and the peer whose count is taken
-- off.
local ROWS = {
  { "write", "body_module" },
  { "decode", "decode_module" },
  { "confirm", "confirm_module" },
  { "create", "module" },
  { "job", "job_module", "BENCH_CONCURRENCY=4 BENCH_ON_BATCH=0", "job_source" },
  { "job with on_batch", "job_module", "BENCH_CONCURRENCY=4 BENCH_ON_BATCH=1", "job_source" },
}

-- With the seed of Lua's hashes fixed (fixed_time.c), counts still depend on when responses come: the lowest
-- of so many runs is repeatable.
local RUNS = 3

local function count_once(peer, variables, batches)
  local command = ('BENCH_BATCHES=%d BENCH_WARMUP=1 BENCH_INPUTS=%d %s LD_PRELOAD="%s" '
    .. 'valgrind --tool=callgrind --callgrind-out-file=/dev/null "%s" bench/peers/%s.lua 2>&1'):format(
    batches, batches * SIZE, variables or "", os.getenv "BENCH_PRELOAD" or "", os.getenv "LUA", peer
  )
  local output = io.popen(command)
  local text = output:read "*a"
  output:close()
  return tonumber(text:match "Collected : (%d+)") or error(peer .. " failed under valgrind:\n" .. text, 0)
end

local function count(peer, variables, batches)
  local lowest = math.huge
  for _ = 1, RUNS do lowest = math.min(lowest, count_once(peer, variables, batches)) end
  return lowest
end

local function per_input(peer, variables)
  local few, many = BATCHES[1], BATCHES[2]
  return (count(peer, variables, many) - count(peer, variables, few)) / ((many - few) * SIZE)
end

-- The counts in the document: its rows are `| title | count |`, in the section of that name.
local function recorded()
  local counts = {}
  local file = io.open(PERFORMANCE, "r")
  if not file then return counts end
  local section = file:read("*a"):match "## Instructions%s*\n(.*)" or ""
  file:close()
  for title, number in section:gmatch "\n| ([%l_ ]-) +| +([%d,]+) |" do
    counts[title] = tonumber((number:gsub(",", "")))
  end
  return counts
end

local counts, has_grown = recorded(), false
print "Instructions for one input, of batches of 2,000; of a job, beyond the caller's iterator:"
print ""
print(("  %-20s %9s %9s"):format("", "counted", "recorded"))
for _, row in ipairs(ROWS) do
  local title, counted = row[1], per_input(row[2], row[3])
  if row[4] then counted = counted - per_input(row[4]) end
  local before = counts[title]
  local verdict = not before and "not in " .. PERFORMANCE
    or counted > before * MOST_GROWTH and "grew by more than 5 %"
    or ""
  has_grown = has_grown or verdict ~= ""
  print(("  %-20s %9.0f %9s %s"):format(title, counted, before or "", verdict))
end
if has_grown then
  print ""
  print("Mend what grew; or, if it is worth it, write the new counts into " .. PERFORMANCE)
  os.exit(1)
end
