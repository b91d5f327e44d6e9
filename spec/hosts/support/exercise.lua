-- What runs inside every host, in its own Lua: calls that look synchronous, one client for several
-- coroutines, links one at a time, a timer of the host that must not be late, a client that another coroutine
-- closes. It reports facts, and does not judge them. Runs under Lua 5.1 to 5.4 and LuaJIT.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"

local exercise = {}

local PATIENCE = 20 -- seconds
local TICK = 0.01

-- What a host supplies.
---@class exercise.Host
---@field url string the sandbox's
---@field loop table of the module
---@field spawn fun(action: fun()): any runs action in a coroutine of its own; may return what kills it
---@field sleep fun(seconds: number) waits in a coroutine

local function input(id)
  return { from = id, to = "9" .. id, types = 279 }
end

local function new_client(host, on_event)
  return assert(associations.new {
    token = "secret",
    base_url = host.url,
    loop = host.loop,
    batch_size = 10,
    on_event = on_event,
  })
end

-- Runs all actions at once, and waits for their end. `meanwhile` gets what kills each, and returns how many
-- were killed.
local function together(host, actions, meanwhile)
  local left, kills = #actions, {}
  for index, action in ipairs(actions) do
    kills[index] = host.spawn(function()
      action()
      left = left - 1
    end) or false
  end
  if meanwhile then left = left - meanwhile(kills) end
  local deadline = core.now() + PATIENCE
  while left > 0 do
    if core.now() > deadline then error(left .. " of " .. #actions .. " coroutines did not end") end
    host.sleep(0.005)
  end
end

-- Starts a timer of the host. Returns a function that ends it, and returns its worst delay and its ticks.
local function tick(host)
  local due, worst, ticks = nil, 0, 0
  local function look()
    worst = math.max(worst, core.now() - due)
  end
  host.spawn(function()
    due = core.now() + TICK
    while due do
      host.sleep(TICK)
      if not due then return end
      look()
      due, ticks = core.now() + TICK, ticks + 1
    end
  end)
  host.sleep(TICK) -- it has begun
  return function()
    look()
    due = nil
    return worst, ticks
  end
end

local function timed(action, ...)
  local began = core.now()
  local first, second = action(...)
  return core.now() - began, first, second
end

-- The ids in the results of a batch, sorted, as one word.
local function ids_of(batch)
  local ids = {}
  for _, result in ipairs(batch.results) do ids[#ids + 1] = result.fromObjectId end
  table.sort(ids)
  return table.concat(ids, "+")
end

local function create_one(host, facts)
  local client = new_client(host)
  local elapsed, batch, meta = timed(client.create, client, "contacts", "companies", { input "101" })
  assert(batch, meta)
  facts.create_ids, facts.create_status, facts.create_elapsed = ids_of(batch), meta.status, elapsed
  client:close()
end

local function create_many(host, facts)
  local client = new_client(host)
  local inputs = {}
  for index = 1, 40 do inputs[index] = input(tostring(2000 + index)) end
  local elapsed, report, err = timed(client.create_all, client, "contacts", "companies", inputs)
  assert(report and not err, err)
  facts.all_inputs, facts.all_created, facts.all_elapsed = report.inputs, report.created, elapsed
  client:close()
end

-- Several calls and a job with one client, all at once.
local function share(host, facts)
  local client = new_client(host)
  local right, actions = 0, {}
  for index = 1, 8 do
    actions[index] = function()
      local id = tostring(3000 + index)
      local batch, err = client:create("contacts", "companies", { input(id) })
      if ids_of(assert(batch, err)) == id then right = right + 1 end
    end
  end
  actions[#actions + 1] = function()
    local inputs = {}
    for index = 1, 20 do inputs[index] = input(tostring(4000 + index)) end
    local report, err = client:create_all("contacts", "companies", inputs)
    facts.shared_created = assert(report, err).created
  end
  facts.shared_elapsed = timed(together, host, actions)
  facts.shared_right = right
  client:close()
end

-- A client is closed while two coroutines wait; then another is opened.
local function close(host, facts)
  local client = new_client(host)
  local function wait()
    local batch, err = client:create("contacts", "companies", { input "501" })
    facts.closed_kind = batch and "none" or err.kind
  end
  local function wait_for_all()
    local report, err = client:create_all("contacts", "companies", { input "502", input "503" })
    facts.closed_all_kind = err and err.kind or "none"
    facts.closed_all_created = report and report.created or "none"
  end
  local function end_it()
    host.sleep(0.05)
    client:close()
  end
  facts.closed_elapsed = timed(together, host, { wait, wait_for_all, end_it })
  facts.closed_later = select(2, client:create("contacts", "companies", { input "504" })).kind
  local another = new_client(host)
  together(host, {
    function()
      local batch, err = another:create("contacts", "companies", { input "505" })
      facts.another_ids = ids_of(assert(batch, err))
    end,
  })
  another:close()
end

-- Links one at a time: some coroutines, each of which links several pairs.
local function link(host, facts)
  facts.link_requests, facts.linked = 0, 0
  local client = new_client(host, function(event)
    if event.type == "request" then facts.link_requests = facts.link_requests + 1 end
  end)
  local actions = {}
  for index = 1, 8 do
    actions[index] = function()
      for count = 1, 3 do
        assert(client:link("contacts", "companies", input(tostring(6000 + 10 * index + count))))
        facts.linked = facts.linked + 1
      end
    end
  end
  facts.linked_elapsed = timed(together, host, actions)
  client:close()
end

-- Coroutines that wait for their links die, the first one among them: it waits for all. In a host that cannot
-- kill them, none does.
local function kill(host, facts)
  local client = new_client(host)
  facts.survived, facts.killed = 0, 0
  local actions = {}
  for index = 1, 6 do
    actions[index] = function()
      assert(client:link("contacts", "companies", input(tostring(7000 + index))))
      facts.survived = facts.survived + 1
    end
  end
  facts.survived_elapsed = timed(together, host, actions, function(kills)
    host.sleep(0.05)
    for _, index in ipairs { 1, 2, 4 } do
      if kills[index] then
        kills[index]()
        facts.killed = facts.killed + 1
      end
    end
    return facts.killed
  end)
  client:close()
end

-- What the documentation teaches for options that make no client.
local function check(facts)
  local passed, raised = pcall(function() associations.check(associations.new { token = "" }) end)
  facts.check_raised = not passed and type(raised) == "string" and raised:match "^[%w_]+" or type(raised)
end

---Runs all of it. Call it in a coroutine.
---@param host exercise.Host
---@return table<string, string|number> facts
function exercise.run(host)
  local facts = {}
  local finish = tick(host)
  create_one(host, facts)
  create_many(host, facts)
  share(host, facts)
  link(host, facts)
  kill(host, facts)
  facts.worst, facts.ticks = finish()
  close(host, facts)
  check(facts)
  return facts
end

---The facts as lines of text, and "end".
---@param facts table
---@return string
function exercise.text(facts)
  local lines = {}
  for name, value in pairs(facts) do lines[#lines + 1] = name .. "=" .. tostring(value) .. "\n" end
  table.sort(lines)
  return table.concat(lines) .. "end\n"
end

---The sandbox's address, for the scripts of hosts.
---@return string
function exercise.url()
  return assert(os.getenv "SANDBOX_URL", "SANDBOX_URL is not set")
end

return exercise
