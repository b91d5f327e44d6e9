-- Peer: a daemon in luv that links one pair at a time: events come from a timer, 1,000 a second, and 200
-- coroutines link them. Starts a sandbox with a limit of 100 requests in 10 seconds. Prints the CPU time for
-- each link in microseconds, the links, how many of them failed, how many there were in a second, the
-- requests, and the median, the 99th percentile and the longest of what a link took since its event, in ms.
--   BENCH_OPERATION=link      client:link
--   BENCH_OPERATION=batches   by hand: what comes in 200 ms goes in one create
--   BENCH_OPERATION=none      the same program without linking

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local peer = require "support.peer"
local sandboxes = require "support.sandbox"

local uv = peer.need "luv"

local RATE, INTERVAL = 1000, 0.2
local LATENCY, LIMIT = 0.05, { limit = 100, interval = 10 }
local COROUTINES = { link = 200, none = 200, batches = 300 } -- 200 that wait 250 ms each link 800 in a second

local sandbox = sandboxes.start { latency = LATENCY, rate = LIMIT }
local client = associations.check(associations.new {
  token = "pat-na1-00000000-0000-0000-0000-000000000000",
  base_url = sandbox:url(),
  loop = require "hubspot.associations.loop.luv",
})

-- ---- what is measured ----

local operations = {}

function operations.none() return true end

function operations.link(input) return client:link("contacts", "companies", input) end

local batch -- what came since the last one was sent

local function send()
  local sent = batch
  batch = nil
  local created = client:create("contacts", "companies", sent.inputs)
  local is_done = created and #created.results == #sent.inputs
  for _, thread in ipairs(sent.threads) do assert(coroutine.resume(thread, is_done)) end
end

function operations.batches(input)
  if not batch then
    batch = { inputs = {}, threads = {} }
    local timer = uv.new_timer()
    timer:start(math.ceil(INTERVAL * 1000), 0, function()
      timer:close()
      coroutine.wrap(send)()
    end)
  end
  local place = #batch.inputs + 1
  batch.inputs[place], batch.threads[place] = input, coroutine.running()
  return coroutine.yield()
end

-- ---- the host ----

local name = peer.variable "BENCH_OPERATION"
local operation, count = operations[name], math.floor(tonumber(peer.variable "BENCH_SECONDS") * RATE)
local times, failed, begun = {}, 0, 0
local idle, events, first = {}, {}, 1 -- coroutines without an event, events without a coroutine
local started, cpu = core.now(), os.clock()

local function link(number)
  if not operation { from = 1000000 + number, to = 7, types = 279 } then failed = failed + 1 end
  times[#times + 1] = (core.now() - started - number / RATE) * 1000
end

local function work()
  while true do
    local number = events[first]
    if number then
      first = first + 1
    else
      idle[#idle + 1] = coroutine.running()
      number = coroutine.yield()
    end
    link(number)
  end
end

for _ = 1, COROUTINES[name] do coroutine.wrap(work)() end
local timer = uv.new_timer()
timer:start(1, 1, function()
  local due = math.min(count, math.floor((core.now() - started) * RATE))
  for number = begun + 1, due do
    local thread = table.remove(idle)
    if thread then
      assert(coroutine.resume(thread, number))
    else
      events[#events + 1] = number
    end
  end
  begun = due
  if due == count then timer:close() end
end)
uv.run()
cpu = os.clock() - cpu
local clock = core.now() - started

table.sort(times)
local function share(part) return times[math.ceil(#times * part)] end
print(("%.2f %d %d %.0f %d %.1f %.1f %.1f"):format(
  cpu * 1e6 / #times, #times, failed, #times / clock, sandbox:statistics().requests,
  share(0.5), share(0.99), share(1)
))
sandbox:close()
