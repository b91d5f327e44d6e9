-- Benchmark of reading, listing, archiving and mirroring: this module beside what is written by hand, and
-- HubSpot's own client for Node.js, on the same server. BENCH_RECORDS says how many (100,000).

local jobs = require "support.jobs"

local DIFFERS = require "support.family".DIFFERS

local ROUNDS = tonumber(os.getenv "BENCH_JOB_ROUNDS") or 3
local RECORDS = tonumber(os.getenv "BENCH_RECORDS") or 100000

local MODULE = '"$LUA" bench/peers/family_module.lua'
local SOCKET = '"$LUA" bench/peers/family_socket.lua'
local OFFICIAL = 'if command -v node >/dev/null; then node bench/peers/family_official.js; '
  .. 'else echo "missing node"; fi'

local function row(title, operation, count, command)
  return {
    title = title,
    operation = operation,
    count = count,
    command = ("export BENCH_OPERATION=%s BENCH_INPUTS=%d; %s"):format(operation, count, command),
  }
end

local few = math.max(1, math.floor(RECORDS / 10))
local MIRRORED = RECORDS - RECORDS % 3 -- 3 links each
local by_hand, official = "LuaSocket's http.request + lua-cjson", "HubSpot's client for Node.js"
local ROWS = {
  row("read_all, 3 links each", "read", few, MODULE),
  row("read_all, 3 links each", "read", RECORDS, MODULE),
  row("  " .. by_hand, "read", RECORDS, SOCKET),
  row("  " .. official, "read", RECORDS, OFFICIAL),
  row("archive_all, 20 pairs of each record", "archive", RECORDS, MODULE),
  row("  " .. by_hand, "archive", RECORDS, SOCKET),
  row("  " .. official, "archive", RECORDS, OFFICIAL),
  row("list_all of one record", "list", RECORDS, MODULE),
  row("  " .. by_hand, "list", RECORDS, SOCKET),
  row("  " .. official, "list", RECORDS, OFFICIAL),
  row("sync_all, a mirror of which 1 % differ", "mirror", MIRRORED, MODULE),
  row("  the same in memory, " .. by_hand, "mirror", MIRRORED, SOCKET),
}

jobs.measure(ROWS, os.getenv "BENCH_SERVER_PID", ROUNDS)

print ""
print "Reading, archiving and listing, from a server that answers at once: CPU time of the client's process"
print(("for each record, pair or link, and its peak memory. The median of %d rounds."):format(ROUNDS))
print ""
print(("  %-52s %9s %9s %9s %12s"):format("", "count", "us each", "peak MiB", "ours takes"))

-- What this module takes of another's CPU time.
local function share(mine, theirs)
  if mine == theirs or mine.figure.problem then return "" end
  return ("%.2f"):format(mine.figure.cpu / theirs.figure.cpu)
end

local mine
for _, each in ipairs(ROWS) do
  local figure = each.figure
  if not each.title:find "^  " then mine = each end
  if figure.problem then
    print(("  %-52s %s"):format(each.title, figure.problem))
  else
    print(("  %-52s %9d %9.2f %9.1f %12s"):format(
      each.title, each.count, figure.cpu * 1e6 / each.count, figure.peak / 1024, share(mine, each)
    ))
  end
end
print ""
for _, each in ipairs(ROWS) do
  local requests = each.figure.requests
  if requests and requests > 0 then print(("  %-52s %d requests"):format(each.title, requests)) end
end
local links = MIRRORED / DIFFERS
local least = math.ceil(MIRRORED / 3 / 1000) + math.ceil(links / 2000) + math.ceil(links / 100)
print(("  %-52s %d requests, without a second reading"):format("to be expected of the mirrors", least))
print ""
print "  ours takes: this module's CPU time, in parts of that client's"
