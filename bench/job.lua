-- Benchmark of a job: create_all over an iterator, against a server that answers each input.
-- Prints whether a target was met; never fails for it.
--   job.lua instant     the server answers at once: CPU time per input, and peak memory
--   job.lua delayed     it takes BENCH_DELAY_MS for each request: inputs per second of the ideal

local jobs = require "support.jobs"
local summary = require "support.summary"

local batch = require "support.batch"

local ROUNDS = tonumber(os.getenv "BENCH_JOB_ROUNDS") or 3
local INPUTS = tonumber(os.getenv "BENCH_JOB_INPUTS") or 1000000
local AT_ONCE, DELAYED = 4, 8 -- requests in flight: the default; what the ideal is reckoned with
local MOST_GROWTH = { bare = 1024, told = 1536 } -- KiB, between a tenth of the inputs and all of them
local LEAST_SHARE = 0.9
local BUSY = 0.9 -- of one core: a client that is, is what limits the job

local server = os.getenv "BENCH_SERVER_PID"

-- A row: title, peer, inputs, variables of its environment.
local function row(title, peer, inputs, variables)
  return {
    title = title,
    inputs = inputs,
    command = ('BENCH_INPUTS=%d %s "%s" bench/peers/%s'):format(
      inputs, variables or "", os.getenv "LUA", peer
    ),
  }
end

local function module_row(title, inputs, concurrency, on_batch)
  local variables = ("BENCH_CONCURRENCY=%d BENCH_ON_BATCH=%d"):format(concurrency, on_batch and 1 or 0)
  return row(title, "job_module.lua", inputs, variables)
end

-- A whole number of batches.
local function share_of_inputs(share)
  return math.max(1, math.floor(INPUTS * share / batch.SIZE + 0.5)) * batch.SIZE
end

local function number(value)
  local digits, count = ("%.0f"):format(value), 1
  while count > 0 do
    digits, count = digits:gsub("^(%d+)(%d%d%d)", "%1,%2")
  end
  return digits
end

local function verdict(target, met)
  return (" target %s: %s"):format(target, met and "met" or "NOT met")
end

-- ---- at once ----

local function print_instant(rows)
  print(("  %-52s %9s %9s %9s %9s"):format("", "inputs", "us/input", "inputs/s", "peak MiB"))
  for _, each in ipairs(rows) do
    local figure = each.figure
    if figure.problem then
      print(("  %-52s %s"):format(each.title, figure.problem))
    else
      print(("  %-52s %9s %9.2f %9s %9.1f"):format(
        each.title,
        number(each.inputs),
        figure.cpu * 1e6 / each.inputs,
        number(each.inputs / figure.clock),
        figure.peak / 1024
      ))
    end
  end
end

local function print_growth(title, few, many, most)
  if few.figure.problem or many.figure.problem then return end
  local growth = many.figure.peak - few.figure.peak
  print(("  %-52s %.2f MiB%s"):format(
    title, growth / 1024, verdict(("at most %.1f MiB"):format(most / 1024), growth <= most)
  ))
end

local function per_input(each)
  return each.figure.cpu / each.inputs
end

local function print_ratio(title, mine, theirs, source)
  if mine.figure.problem or theirs.figure.problem then return end
  local own = source.figure.problem and "" or (" (%.2f without the iterator's own)"):format(
    (per_input(mine) - per_input(source)) / (per_input(theirs) - per_input(source))
  )
  print(("  %-52s %.2f%s"):format(title, per_input(mine) / per_input(theirs), own))
end

local function instant()
  local few = share_of_inputs(0.1)
  local rows = {
    row("the iterator alone", "job_source.lua", few),
    module_row("create_all, no callbacks", few, AT_ONCE),
    module_row("create_all, no callbacks", INPUTS, AT_ONCE),
    module_row("create_all, on_batch", few, AT_ONCE, true),
    module_row("create_all, on_batch", INPUTS, AT_ONCE, true),
    row("one at a time, LuaSocket's http.request + lua-cjson", "job_socket.lua", few),
  }
  jobs.measure(rows, server, ROUNDS)
  local source, bare_few, bare, told_few, told, by_hand = rows[1], rows[2], rows[3], rows[4], rows[5], rows[6]
  print(("A job over an iterator, %d requests in flight, a server that answers at once:"):format(AT_ONCE))
  print "CPU time of the client's process and its peak memory, each job in a process of its own."
  print(("The median of %d rounds."):format(ROUNDS))
  print ""
  print_instant(rows)
  print ""
  print_growth("growth of peak memory, no callbacks", bare_few, bare, MOST_GROWTH.bare)
  print_growth("growth of peak memory, on_batch", told_few, told, MOST_GROWTH.told)
  print_ratio("CPU per input: no callbacks / by hand", bare, by_hand, source)
  print_ratio("CPU per input: on_batch / by hand", told, by_hand, source)
  summary.begin(("a job of %s inputs, for each"):format(number(INPUTS)), "µs of CPU")
  for _, each in ipairs { source, bare, told, by_hand } do
    local problem = each.figure.problem
    summary.add(
      each.title, not problem and per_input(each) * 1e6,
      not (problem or bare.figure.problem) and per_input(each) / per_input(bare), problem
    )
  end
end

-- ---- with a delay ----

local function print_delayed(rows, ideal)
  print(("  %-52s %9s %9s %9s %7s %7s"):format("", "inputs", "inputs/s", "of ideal", "client", "server"))
  for _, each in ipairs(rows) do
    local figure = each.figure
    if figure.problem then
      print(("  %-52s %s"):format(each.title, figure.problem))
    else
      local rate = each.inputs / figure.clock
      print(("  %-52s %9s %9s %9.3f %6.0f%% %7s"):format(
        each.title,
        number(each.inputs),
        number(rate),
        rate / ideal,
        figure.cpu / figure.clock * 100,
        figure.server and ("%.0f%%"):format(figure.server / figure.clock * 100) or "unknown"
      ))
    end
  end
end

local function print_share(each, ideal)
  local figure = each.figure
  if figure.problem then return end
  local share = each.inputs / figure.clock / ideal
  local limit = ""
  if share < LEAST_SHARE then
    local cpu = figure.cpu + (figure.server or 0)
    local busy = figure.cpu / figure.clock >= BUSY
    limit = (": %.2f s of CPU in %.2f s by the clock: the CPU is %s"):format(
      cpu, figure.clock, busy and "the limit" or "not the limit"
    )
  end
  print(("  %-52s %.3f%s%s"):format(
    each.title, share, verdict("at least 0.90", share >= LEAST_SHARE), limit
  ))
end

local function delayed()
  local delay = tonumber(os.getenv "BENCH_DELAY_MS") / 1000
  local ideal = DELAYED * batch.SIZE / delay
  local inputs, few = share_of_inputs(0.4), share_of_inputs(0.04)
  local rows = {
    module_row("create_all, no callbacks", inputs, DELAYED),
    module_row("create_all, on_batch", inputs, DELAYED, true),
    row("one at a time, LuaSocket's http.request + lua-cjson", "job_socket.lua", few),
  }
  jobs.measure(rows, server, 1)
  print(("The same, %d requests in flight, against a server that takes %.0f ms for each."):format(
    DELAYED, delay * 1000
  ))
  print(("The ideal is %d × %s / %.1f s = %s inputs per second."):format(
    DELAYED, number(batch.SIZE), delay, number(ideal)
  ))
  print "Client, server: CPU time of its process, as a share of the time by the clock."
  print ""
  print_delayed(rows, ideal)
  print ""
  print_share(rows[1], ideal)
  print_share(rows[2], ideal)
end

print ""
local benchmark = arg[1] == "delayed" and delayed or instant
benchmark()
