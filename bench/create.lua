-- Benchmark of one call: which peers are measured, what is set against what, and the tables.
-- Prints whether a target was met; never fails for it.

local facts = require "support.facts"
local rounds = require "support.rounds"

local ROUNDS = tonumber(os.getenv "BENCH_ROUNDS") or 15

-- One peer a row: name, file, what it is.
local PEERS = {
  { "module", "module.lua", "client:create" },
  { "socket_http", "socket_http.lua", "LuaSocket's http.request + lua-cjson" },
  { "socket_kept", "socket_kept.lua", "a LuaSocket connection kept alive + lua-cjson" },
  { "floor", "floor", "floor: libcurl in C, the answer discarded" },
  { "body_module", "body_module.lua", "body: add_list and json" },
  { "body_cjson", "body_cjson.lua", "body: cjson.encode" },
  { "decode_module", "decode_module.lua", "answer: core.decode" },
  { "decode_cjson", "decode_cjson.lua", "answer: cjson.decode" },
}

-- One ratio a row: what, against what, the target that it is to reach.
local RATIOS = {
  { "module", "socket_http", 0.75 },
  { "module", "socket_kept" },
  { "module", "floor" },
  { "body_module", "body_cjson", 0.5 },
  { "decode_module", "decode_cjson" },
}

local commands, order, titles = {}, {}, {}
for i, row in ipairs(PEERS) do
  local name, file, title = row[1], row[2], row[3]
  order[i] = name
  titles[name] = title
  if file:find "%.lua$" then
    commands[name] = ('"%s" bench/peers/%s'):format(os.getenv "LUA", file)
  else
    commands[name] = ('"%s/bench/%s"'):format(os.getenv "BUILD", file)
  end
end

local figures = rounds.measure(commands, order, ROUNDS)

print "CPU time of the client's process for one batch of 2,000 inputs, in microseconds."
print(("The median of %d rounds, each of %s batches in a process of its own;"):format(
  ROUNDS, os.getenv "BENCH_BATCHES"
))
print "peers take turns, and one server answers all of them."
print ""
facts()
print ""
print(("  %-50s %9s %9s %9s"):format("", "median", "lowest", "highest"))
for _, name in ipairs(order) do
  local figure = figures[name]
  if figure.median then
    print(("  %-50s %9.0f %9.0f %9.0f"):format(titles[name], figure.median, figure.lowest, figure.highest))
  else
    print(("  %-50s %s"):format(titles[name], figure.problem))
  end
end

local function verdict(ratio, target)
  if not target then return "" end
  return (" target at most %.2f: %s"):format(target, ratio <= target and "met" or "NOT met")
end

print ""
print "  Ratios of the medians"
for _, row in ipairs(RATIOS) do
  local mine, theirs = figures[row[1]].median, figures[row[2]].median
  local result = "not measured"
  if mine and theirs then result = ("%.2f%s"):format(mine / theirs, verdict(mine / theirs, row[3])) end
  print(("  %-24s / %-46s %s"):format(titles[row[1]], titles[row[2]], result))
end
