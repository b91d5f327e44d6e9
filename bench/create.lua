-- Benchmark of one call: which peers are measured, what is set against what, and the tables.
-- Prints whether a target was met; never fails for it.
--   create.lua          with a full batch
--   create.lua one      with one input; BENCH_SIZE is 1, too

local facts = require "support.facts"
local rounds = require "support.rounds"
local summary = require "support.summary"

local ROUNDS = tonumber(os.getenv "BENCH_ROUNDS") or 15

local is_one = arg[1] == "one"

-- One peer a row: name, file, what it is; and the variables of its environment.
local PEERS = {
  { "module", "module.lua", "client:create" },
  { "socket_http", "socket_http.lua", "LuaSocket's http.request + lua-cjson" },
  { "socket_kept", "socket_kept.lua", "a LuaSocket connection kept alive + lua-cjson" },
  { "lua_curl", "lua_curl.lua", "Lua-cURL + lua-cjson" },
  { "official", "create_node.js", "HubSpot's client for Node.js", "BENCH_WAY=official" },
  { "fetch", "create_node.js", "Node.js, fetch", "BENCH_WAY=fetch" },
  { "python", "create_python.py", "Python, http.client" },
  { "floor", "floor", "floor: libcurl in C, the answer discarded" },
}
local PARTS = {
  { "body_module", "body_module.lua", "body: add_list and json" },
  { "body_cjson", "body_cjson.lua", "body: cjson.encode" },
  { "decode_module", "decode_module.lua", "answer: core.decode" },
  { "decode_cjson", "decode_cjson.lua", "answer: cjson.decode" },
}

-- One ratio a row: what, against what, the target that it is to reach.
local RATIOS = {
  { "module", "socket_kept", 0.5 },
  { "module", "socket_http", 0.3 },
  { "module", "lua_curl", 0.7 },
  { "module", "floor" },
  { "body_module", "body_cjson", 0.5 },
  { "decode_module", "decode_cjson" },
}
if is_one then RATIOS = { { "module", "socket_http", 1 }, { "module", "floor", 2 } } end
if not is_one then
  for _, row in ipairs(PARTS) do table.insert(PEERS, row) end
end

-- What runs a file of that ending.
local INTERPRETERS = { lua = os.getenv "LUA", js = "node", py = "python3" }

local function command_of(file, variables)
  local interpreter = INTERPRETERS[file:match "%.(%l+)$"]
  if not interpreter then return ('"%s/bench/%s"'):format(os.getenv "BUILD", file) end
  return ('if command -v "%s" >/dev/null; then %s "%s" bench/peers/%s; else echo "missing %s"; fi'):format(
    interpreter, variables or "", interpreter, file, interpreter
  )
end

local commands, order, titles = {}, {}, {}
for i, row in ipairs(PEERS) do
  local name, file, title = row[1], row[2], row[3]
  order[i] = name
  titles[name] = title
  commands[name] = command_of(file, row[4])
end

local figures = rounds.measure(commands, order, ROUNDS)

print(("CPU time of the client's process for %s, in microseconds."):format(
  is_one and "a call with one input" or "one batch of 2,000 inputs"
))
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

summary.begin(is_one and "one input" or "a batch of 2,000 inputs", "µs of CPU")
local mine = figures.module.median
for _, row in ipairs(PEERS) do
  local name, theirs = row[1], figures[row[1]].median
  if not name:find "_module$" and not name:find "_cjson$" then
    summary.add(titles[name], theirs, theirs and mine and theirs / mine, figures[name].problem)
  end
end
