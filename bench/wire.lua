-- Benchmark of what a full batch goes over: client:create in the clear and over TLS, in HTTP/1.1 and HTTP/2,
-- with and without gzip. TLS and HTTP/2 are nginx's, in front of the server that the other benchmarks use.
-- Prints whether a target was met; never fails for it.

local nginx = require "support.nginx" -- of spec/
local rounds = require "support.rounds"
local peer = require "support.peer"
local summary = require "support.summary"

local ROUNDS = tonumber(os.getenv "BENCH_ROUNDS") or 15
local MOST = 1.3 -- times the CPU of HTTP/1.1, both over TLS

local ROWS = {
  { name = "clear", title = "HTTP/1.1 in the clear", version = "1.1" },
  { name = "clear_gzip", title = "HTTP/1.1 in the clear, gzip", version = "1.1", is_gzip = true },
  { name = "tls_1", title = "HTTP/1.1 over TLS", version = "1.1", is_tls = true },
  { name = "tls_1_gzip", title = "HTTP/1.1 over TLS, gzip", version = "1.1", is_tls = true, is_gzip = true },
  { name = "tls_2", title = "HTTP/2 over TLS", version = "2", is_tls = true },
  { name = "tls_2_gzip", title = "HTTP/2 over TLS, gzip", version = "2", is_tls = true, is_gzip = true },
}

local URLS = { [false] = peer.variable "BENCH_BASE_URL", [true] = peer.variable "BENCH_GZIP_URL" }

-- An nginx in front of each server; nil, and why, when there is none.
local function start_fronts()
  local missing = nginx.missing()
  if missing then return nil, missing == "no nginx" and "nginx" or "nginx with HTTP/2" end
  local fronts = {}
  for is_gzip, url in pairs(URLS) do
    local started, front = pcall(nginx.start, { upstream = tonumber(url:match "%d+$") })
    if not started then return nil, "what it needs (" .. tostring(front):gsub("%s+", " ") .. ")" end
    fronts[is_gzip] = front
  end
  return fronts
end

local function command_of(row, fronts, missing)
  local url, ca = URLS[row.is_gzip or false], ""
  if row.is_tls then
    if not fronts then return ("echo 'missing %s'"):format(missing) end
    local front = fronts[row.is_gzip or false]
    url, ca = front:url(), ("BENCH_CA_FILE='%s'"):format(front.ca)
  end
  return ('BENCH_HTTP_VERSION=%s BENCH_BASE_URL=%s %s "%s" bench/peers/module.lua'):format(
    row.version, url, ca, os.getenv "LUA"
  )
end

local function print_ratio(figures, mine, theirs, most)
  local one, other = figures[mine.name].median, figures[theirs.name].median
  local ratio = one and other and one / other
  local result = ratio and ("%.2f"):format(ratio) or "not measured"
  if ratio and most then
    result = ("%s target at most %.2f: %s"):format(result, most, ratio <= most and "met" or "NOT met")
  end
  print(("  %-30s / %-30s %s"):format(mine.title, theirs.title, result))
end

-- A compressed response has fewer bytes and takes more CPU: on a line below this rate, it is there sooner.
local function print_break_even(figures, plain, compressed, bytes_saved)
  local dearer = figures[plain.name].median and figures[compressed.name].median - figures[plain.name].median
  if not dearer then return end
  local line = dearer <= 0 and "any line" or ("a line below %.0f Mbit/s"):format(bytes_saved * 8 / dearer)
  print(("  %-30s %+5.0f µs; the response is there sooner on %s"):format(compressed.title, dearer, line))
end

local fronts, missing = start_fronts()
local commands, order, rows = {}, {}, {}
for i, row in ipairs(ROWS) do
  order[i], rows[row.name] = row.name, row
  commands[row.name] = command_of(row, fronts, missing)
end
local figures = rounds.measure(commands, order, ROUNDS)
for _, front in pairs(fronts or {}) do front:close() end

print ""
print "client:create of 2,000 inputs by what it goes over, in microseconds of CPU of the client's process;"
print(("the median of %d rounds, on one connection each, which take turns."):format(ROUNDS))
print ""
print(("  %-30s %9s %9s %9s"):format("", "median", "lowest", "highest"))
for _, row in ipairs(ROWS) do
  local figure = figures[row.name]
  if figure.median then
    print(("  %-30s %9.0f %9.0f %9.0f"):format(row.title, figure.median, figure.lowest, figure.highest))
  else
    print(("  %-30s %s"):format(row.title, figure.problem))
  end
end
print ""
print_ratio(figures, rows.tls_2, rows.tls_1, MOST)
print_ratio(figures, rows.tls_2_gzip, rows.tls_1_gzip, MOST)
print_ratio(figures, rows.tls_1, rows.clear)
print ""
local function size(variable)
  return #peer.contents(peer.variable(variable))
end
local plain, compressed = size "BENCH_ANSWER", size "BENCH_GZIP_ANSWER"
print(("  The request has %.0f KB, the response %.0f KB, and %.0f KB with gzip."):format(
  size "BENCH_BODY" / 1000, plain / 1000, compressed / 1000
))
print_break_even(figures, rows.clear, rows.clear_gzip, plain - compressed)
print_break_even(figures, rows.tls_1, rows.tls_1_gzip, plain - compressed)
print_break_even(figures, rows.tls_2, rows.tls_2_gzip, plain - compressed)

-- One row, after those of bench/create.lua, which are in the clear: it is how HubSpot is asked.
local clear, default = figures.clear.median, figures.tls_2
local ratio = default.median and clear and default.median / clear
summary.add("client:create, " .. rows.tls_2.title, default.median, ratio, default.problem)
