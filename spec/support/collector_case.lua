-- Links that come one at a time, in a simulated world: coroutines that wait for theirs, callbacks, faults of
-- the service, coroutines that are killed, callbacks that raise, a host that is late. Draws a case of a seed,
-- runs it, and checks what a collector promises.

local core = require "hubspot.associations.core"
local random = require "support.random"
local simulation = require "support.simulation"
local virtual_client = require "support.virtual_client"

local collector_case = {}

local CLIENT_FD = 3 -- of virtual_client
local LATEST, LATEST_OF_KILLED = 0.01, 2 -- seconds after its timeout at which a link must have its outcome
local MOST_TURNS = 200000
local MISSING, UNKNOWN_TYPE = 900, 9999

local CHANCES = {
  "lost_request", "lost_response", "unavailable", "bad_gateway", "locked", "delay", "duplicate", "daily",
}

local function check(condition, message, ...)
  if not condition then error(message:format(...), 0) end
end

-- ---- a host with coroutines and descriptors ----

-- The bells of the client, in virtual time.
local function new_notifier(host)
  local number = host.next_fd
  host.next_fd = number + 1
  host.bells[number] = math.huge -- when it is readable
  return {
    fd = function() return number end,
    notify = function(_, seconds) host.bells[number] = host.world.now + (seconds or 0) end,
    reset = function() host.bells[number] = math.huge end,
  }
end

local function new_host(world, luck)
  local host = {
    world = world, luck = luck, bells = {}, next_fd = CLIENT_FD + 1, waits = {}, late = 0,
    happened = false, -- whether the client's descriptor is readable
  }
  host.loop = {
    wait = function(fd, timeout)
      local thread, is_main = coroutine.running()
      assert(thread and not is_main, "only coroutines wait")
      table.insert(host.waits, {
        thread = thread, fd = fd, ends = timeout and world.now + timeout or math.huge,
      })
      coroutine.yield()
    end,
  }
  return host
end

local function readable_at(host, fd)
  if fd ~= CLIENT_FD then return host.bells[fd] or math.huge end
  return host.happened and 0 or host.world.alarm or math.huge
end

local function resume(thread, ...)
  local resumed, raised = coroutine.resume(thread, ...)
  if not resumed then error(debug.traceback(thread, tostring(raised)), 0) end
end

-- Resumes those whose wait is over, in any order, but for some that are late. Returns whether there were any.
local function resume_ready(host)
  local ready, waiting = {}, {}
  for _, wait in ipairs(host.waits) do
    local is_over = math.min(wait.ends, readable_at(host, wait.fd)) <= host.world.now
    local is_late = is_over and host.late > 0 and host.world.random() < host.late
    table.insert(is_over and not is_late and ready or waiting, wait)
  end
  host.waits = waiting
  if #ready > 0 then host.happened = false end
  while #ready > 0 do
    resume(table.remove(ready, host.luck:integer(1, #ready)).thread)
    if #ready == 0 then return true end
  end
  return false
end

local function kill(host, thread)
  for index, wait in ipairs(host.waits) do
    if wait.thread == thread then
      table.remove(host.waits, index)
      return true
    end
  end
  return false
end

-- Runs until nobody waits.
local function run(host)
  local world, turns = host.world, 0
  while #host.waits > 0 do
    turns = turns + 1
    check(turns < MOST_TURNS, "the host never ends")
    if not resume_ready(host) then
      local soonest = world.alarm or math.huge
      for _, wait in ipairs(host.waits) do
        soonest = math.min(soonest, wait.ends, readable_at(host, wait.fd))
      end
      check(soonest < math.huge or #world.events > 0, "%d wait, and nothing comes", #host.waits)
      local events = #world.events
      world:advance(soonest < math.huge and math.max(soonest - world.now, 0.0001) or nil)
      if #world.events < events then host.happened = true end
    end
  end
end

-- ---- a case ----

local function draw(seed)
  local luck = random.new(seed)
  local case = {
    seed = seed, luck = luck, count = luck:integer(20, 150), pace = luck:integer(0, 20) / 1000, chances = {},
    late = luck:integer(1, 3) == 1 and 0.2 or 0, kills = luck:integer(1, 2) == 1,
    options = {
      timeout = luck:integer(2, 60), most = luck:integer(1, 4) > 1 and luck:integer(1, 40) or nil,
      linger = luck:integer(1, 4) == 1 and 0.05 or nil,
      max_pending = luck:integer(1, 4) == 1 and luck:integer(1, 20) or nil,
    },
    rate = luck:integer(1, 2) == 1 and { limit = luck:integer(5, 50), interval = 10 } or nil,
    closes = luck:integer(1, 5) == 1,
  }
  for _ = 1, luck:integer(0, 2) do case.chances[luck:pick(CHANCES)] = luck:integer(1, 6) / 20 end
  return case
end

local function draw_link(case, index)
  local luck = case.luck
  local link = {
    index = index, from = 1000 + index, to = 7, types = 279, outcomes = 0,
    by = luck:integer(1, 4) == 1 and "add" or "link",
    raises = luck:integer(1, 5) == 1,
    at = (index - 1) * case.pace,
  }
  local kind = luck:integer(1, 12)
  if kind == 1 then link.to = MISSING
  elseif kind == 2 then link.types = UNKNOWN_TYPE
  elseif kind == 3 then link.from, link.is_shared = luck:integer(1, 3), true
  elseif kind == 4 then link.from, link.is_invalid = "x", true
  end
  if case.kills and luck:integer(1, 6) == 1 then link.killed_after = luck:integer(0, 2000) / 1000 end
  return link
end

-- A link has its outcome.
local function settle(case, world, link, linked, err)
  link.outcomes = link.outcomes + 1
  link.linked, link.err, link.ended = linked, err, world.now
  check(link.outcomes == 1, "link %d has another outcome", link.index)
  check((linked == true) == (err == nil), "link %d has no outcome", link.index)
  local latest = case.kills and LATEST_OF_KILLED or LATEST
  local took, most = world.now - link.began, case.options.timeout + latest
  check(case.late > 0 or took <= most, "link %d took %.2f s, with a timeout of %d", link.index, took,
    case.options.timeout)
end

local function begin(case, world, links, link)
  local input = { from = link.from, to = link.to, types = link.types }
  link.began = world.now
  if link.by == "add" then
    local added, err = links:add(input, function(...)
      settle(case, world, link, ...)
      if link.raises then
        case.raised = true
        error "a callback"
      end
    end)
    if not added then settle(case, world, link, nil, err) end
  else
    settle(case, world, link, links:link(input))
  end
  if input.types ~= link.types then error "the caller's input was changed" end
end

-- One coroutine for each link, which begins at its time and may be killed.
local function spawn(case, host, links, link)
  local world = host.world
  link.thread = coroutine.create(function() begin(case, world, links, link) end)
  world:after(link.at, function() resume(link.thread) end)
  if not link.killed_after then return end
  world:after(link.at + link.killed_after, function()
    link.is_killed = kill(host, link.thread)
    if link.is_killed then case.killed = case.killed + 1 end
  end)
end

local function act(case, host, client)
  local links = assert(client:collector("contacts", "companies", case.options))
  case.killed, case.links = 0, {}
  for index = 1, case.count do
    local link = draw_link(case, index)
    case.links[index] = link
    spawn(case, host, links, link)
  end
  local ends = case.count * case.pace
  host.world:after(case.closes and ends / 2 or ends + 0.01, function()
    resume(coroutine.create(function()
      local closed, err = links:close(case.closes and { now = true } or nil)
      check(closed or err.kind == "callback", "close: %s", tostring(err))
      case.pending_at_close = links:pending()
    end))
  end)
  host.happened = true
  table.insert(host.waits, { thread = coroutine.create(function() end), fd = -1, ends = ends + 0.02 })
  run(host)
  check(links:pending() == 0, "%d links are pending at the end", links:pending())
  check(case.pending_at_close == 0, "close did not wait")
  return links
end

-- ---- what must be true ----

local function check_link(account, link)
  if link.is_killed and link.by == "link" then return check(link.outcomes == 0, "a dead coroutine ran") end
  check(link.outcomes == 1, "link %d has no outcome", link.index)
  local is_there = account:has("contacts", link.from, "companies", link.to, 279)
  if link.linked then
    check(is_there, "link %d is not there", link.index)
    check(not link.is_invalid and link.to ~= MISSING and link.types ~= UNKNOWN_TYPE, "a bad link is there")
  elseif link.is_invalid then
    check(link.err.kind == "invalid_input" or link.err.kind == "closed" or link.err.kind == "busy",
      "an invalid input: %s", tostring(link.err))
  elseif not link.is_shared and is_there then
    check(link.err.may_be_done, "link %d is there, and its error does not say that it may be: %s", link.index,
      tostring(link.err))
  end
end

---Runs the case of a seed. Raises when a promise is broken.
---@param seed integer
---@return table result { inputs, requests, linked, failed, killed, timeouts, may_be_done, raised }
function collector_case.run(seed)
  local case = draw(seed)
  local world = simulation.world {
    random = case.luck, chances = case.chances,
    account = { rate = case.rate, missing = { tostring(MISSING) } },
  }
  local host, requests = new_host(world, case.luck), 0
  host.late = case.late
  world.on_request = function() requests = requests + 1 end
  local real = core.notifier
  core.notifier = function() return new_notifier(host) end
  local options = { loop = host.loop, max_attempts = 4 }
  local ran, raised = pcall(virtual_client.run, world, options, function(client) act(case, host, client) end)
  core.notifier = real
  if not ran then error(raised, 0) end
  world:settle()
  local result = {
    inputs = case.count, requests = requests, linked = 0, failed = 0, killed = case.killed, timeouts = 0,
    may_be_done = 0, raised = case.raised and 1 or 0,
  }
  for _, link in ipairs(case.links) do
    check_link(world.account, link)
    if link.linked then result.linked = result.linked + 1 end
    if link.err then
      result.failed = result.failed + 1
      if link.err.kind == "timeout" then result.timeouts = result.timeouts + 1 end
      if link.err.may_be_done then result.may_be_done = result.may_be_done + 1 end
    end
  end
  return result
end

return collector_case
