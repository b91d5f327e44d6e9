-- Checks the budget with a real redis-server: the script and its stand-in agree, processes share the limit,
-- and each goes on when Redis dies or hangs, and comes back.

local c_host = require "support.c_host"
local core = require "hubspot.associations.core"
local random = require "support.random"
local redis_server = require "support.redis_server"
local redis_stand_in = require "support.redis_stand_in"
local sandbox = require "support.sandbox"
local script = require "hubspot.associations.redis.budget_script"

local missing = redis_server.missing()
if missing then
  describe("a budget on Redis", function() pending(missing) end)
  return
end

local associations = require "hubspot.associations"
local redis = require "hubspot.associations.redis"

local KEYS = { "{a}state", "{a}charges", "{a}members", "{a}waiting" }

describe("the script of the budget", function()
  -- What a process may say, in any order.
  local function draw(source, epochs, count)
    local values = { name = tostring(count), want = tostring(source:integer(0, 5)), valid = "200",
      recent = tostring(source:integer(0, 20)), processes = tostring(source:integer(1, 9)) }
    if not source:one_in(5) then
      values.member = tostring(source:integer(1, 6))
      values.epoch = source:one_in(9) and "lost" or epochs[1]
    end
    if source:one_in(6) then values.debt = tostring(source:integer(1, 9)) end
    if source:one_in(6) then
      values.limit, values.interval = tostring(source:integer(20, 60)), "10000"
      if source:one_in(2) then values.remaining = tostring(source:integer(0, 20)) end
      if source:one_in(2) then values.age = tostring(source:integer(0, 1000)) end
    end
    if source:one_in(30) then values.rate = tostring(source:integer(20, 60)) end
    if source:one_in(40) then values.limited = source:one_in(2) and "SECONDLY" or "TEN_SECONDLY_ROLLING" end
    if source:one_in(80) then values.limited, values.retry_after = "", "2000" end
    if source:one_in(4) and values.member then
      values.returned = ("%d:%d:1"):format(count - source:integer(1, 9), source:integer(1, 3))
    end
    local list = {}
    for name, value in pairs(values) do
      list[#list + 1], list[#list + 2] = name, value
    end
    return list
  end

  it("grants the same in Redis as in the stand-in", function()
    local server = redis_server.start()
    local connection = assert(redis.new { url = server:url() })
    -- Redis's clock cannot be set: only this line differs from what Redis runs.
    local timed, count_of = script:gsub('redis%.call%("TIME"%)', '{ ARGV[#ARGV - 1], ARGV[#ARGV] }')
    assert.equal(1, count_of)
    local in_redis = connection:script(timed)
    for seed = 1, 5 do
      assert(connection:call "FLUSHALL")
      local source, now, epochs = random.new(seed), 1e9, {}
      local stand_in = redis_stand_in.new(function() return now end)
      for count = 1, 200 do
        now = now + source:integer(0, 400) / 1000 - (source:one_in(50) and 3600 or 0)
        local given = draw(source, epochs, count)
        given[#given + 1] = ("%.0f"):format(math.floor(now))
        given[#given + 1] = ("%.0f"):format(math.floor(now % 1 * 1e6))
        local expected = stand_in:eval(script, KEYS, given)
        local found = assert(in_redis:call(KEYS, (table.unpack or unpack)(given))) -- luacheck: ignore
        assert.same(expected, found, ("seed %d, call %d"):format(seed, count))
        epochs[1] = found[2]
      end
    end
    connection:close()
    server:close()
  end)
end)

describe("a budget on Redis", function()
  local server, account, clients, events

  before_each(function()
    server = redis_server.start()
    account = sandbox.start { rate = { limit = 40, interval = 2 } }
    clients, events = {}, {}
  end)

  after_each(function()
    for _, client in ipairs(clients) do client:close() end
    account:close()
    server:close()
  end)

  local function inputs()
    local count = 0
    return function()
      count = count + 1
      return { from = count, to = count, types = 279 }
    end
  end

  local function new(options)
    local given = {
      token = "t", base_url = account:url(), batch_size = 1,
      budget = redis.budget { url = server:url(), account = "a" },
      on_event = function(event)
        if event.type == "budget" then events[#events + 1] = event end
        if event.status == 429 then events.rejected = (events.rejected or 0) + 1 end
      end,
    }
    for name, value in pairs(options or {}) do given[name] = value end
    local client = assert(associations.new(given))
    clients[#clients + 1] = client
    return client
  end

  -- Steps jobs until a time, or until something is true.
  local function run(jobs, seconds, is_over)
    local ends = core.now() + seconds
    while core.now() < ends and not (is_over and is_over()) do
      for _, job in ipairs(jobs) do job:step() end
      core.poll(jobs[1]:fd(), 0.002)
    end
  end

  local function start(count)
    local jobs = {}
    for index = 1, count do
      jobs[index] = assert(new():start("contacts", "companies", inputs()))
    end
    return jobs
  end

  it("is shared by the jobs of several clients", function()
    local jobs = start(4)
    run(jobs, 7)
    local least, sum = math.huge, 0
    for _, job in ipairs(jobs) do
      least, sum = math.min(least, job:progress().created), sum + job:progress().created
    end
    assert.is_true(sum >= 0.85 * 40 * 3, "sent " .. sum)
    assert.is_true(sum <= 40 * 4)
    assert.is_true(least >= 0.5 * sum / 4, "the slowest sent " .. least)
    assert.is_true((events.rejected or 0) <= 0.02 * sum, tostring(events.rejected))
  end)

  it("lets a call pass", function()
    local client = new()
    for index = 1, 20 do
      assert(client:create("contacts", "companies", { { from = index, to = 1, types = 279 } }))
    end
    assert.same({}, events)
  end)

  it("takes a forked child for a process of its own", function()
    if c_host.missing() then pending(c_host.missing()) end
    local result = c_host.run({ c_host.build "fork", account:url(), server:url() }, { stdin = [[
      local url, redis_url = ...
      local client = assert(require "hubspot.associations".new {
        token = "t", base_url = url,
        budget = require "hubspot.associations.redis".budget { url = redis_url, account = "a" },
      })
      local function create(from)
        for to = 1, 5 do
          assert(client:create("contacts", "companies", { { from = from, to = to, types = 279 } }))
        end
      end
      create(1)
      local first = fork()
      if first == 0 then create(2) return leave("_exit", 0) end
      local second = fork()
      if second == 0 then create(3) return leave("_exit", 0) end
      create(4)
      assert(wait(first) == 0 and wait(second) == 0)
    ]], env = { LD_PRELOAD = os.getenv "LD_PRELOAD" } }) -- a sanitizer's, as its core is used
    assert.same({ code = 0, stdout = "", stderr = "" }, result)
    local connection = assert(redis.new { url = server:url() })
    local charged, leases = 0, connection:call("ZRANGE", "hubspot-associations:budget:{a}:charges", 0, -1)
    for _, lease in ipairs(leases) do charged = charged + lease:match "^%d+" end
    assert.is_true(charged >= 20, charged .. " are charged")
    assert.equal(3, connection:call("ZCARD", "hubspot-associations:budget:{a}:members"))
    connection:close()
  end)

  it("lets links pass that are made one at a time", function()
    local client = new()
    local began = core.now()
    for index = 1, 10 do
      assert(client:link("contacts", "companies", { from = index, to = 1, types = 279 }))
    end
    assert.is_true(core.now() - began < 1, tostring(core.now() - began))
    assert.equal(10, #account:associations())
  end)

  it("is done without when Redis dies, and taken up when it is there again", function()
    local jobs = start(2)
    run(jobs, 1)
    assert.same({}, events)
    server:kill()
    run(jobs, 15, function() return #events >= 2 end)
    assert.same({ "alone", "alone" }, { events[1].state, events[2].state })
    assert.equal("Redis", events[1].error.service)
    local before = jobs[1]:progress().created
    run(jobs, 15, function() return jobs[1]:progress().created > before end)
    server:start()
    run(jobs, 15, function() return #events >= 4 end)
    assert.same({ "shared", "shared" }, { events[3].state, events[4].state })
    assert.equal(2, math.max(events[3].processes, events[4].processes))
  end)

  it("is done without when Redis hangs", function()
    local jobs = start(1)
    run(jobs, 1)
    server:signal "STOP"
    run(jobs, 15, function() return #events >= 1 end)
    assert.equal("alone", events[1].state)
    assert.equal("Redis has not replied for a second", events[1].error.message)
    server:signal "CONT"
    run(jobs, 15, function() return #events >= 2 end)
    assert.equal("shared", events[2].state)
  end)

  it("runs its script again after Redis has forgotten it", function()
    local client = new()
    local connection = assert(redis.new { url = server:url() })
    for _ = 1, 3 do
      assert(client:create("contacts", "companies", { { from = 1, to = 1, types = 279 } }))
      assert(connection:call("SCRIPT", "FLUSH"))
    end
    assert.same({}, events)
    connection:close()
  end)

  it("shows no password", function()
    local budget = redis.budget { url = "redis://user:secret-word@127.0.0.1:1" }
    local client = new { budget = budget }
    assert(client:create("contacts", "companies", { { from = 1, to = 1, types = 279 } }))
    assert.equal("alone", events[1].state)
    assert.is_nil(tostring(events[1].error):find "secret%-word")
  end)
end)

describe("the options of a budget", function()
  it("are checked", function()
    local function raised(options) return select(2, pcall(redis.budget, options)) end
    assert.matches("redis.budget: expected a table of options", raised(nil))
    assert.matches("redis.budget: option url: expected redis", raised {})
    assert.matches("redis.budget: option url: expected redis", raised { url = "http://x" })
    assert.matches("option account: expected a string", raised { url = "redis://x", account = "{a}" })
    assert.matches("option rate: expected a whole number from 1 to 10000, found 0$",
      raised { url = "redis://x", rate = 0 })
    assert.matches('option account: .*, found "a b"$', raised { url = "redis://x", account = "a b" })
    assert.matches("found a string$", raised "redis://:secret-word@x")
    assert.matches("found a string$", raised { url = "redis://x", account = "redis://:secret-word@x" })
    assert.matches("found a boolean$", raised { url = true })
    assert.matches("option rat is unknown; there are account, rate, url", raised { rat = 1 })
  end)

  it("have the rate, in place of the client's", function()
    local budget = redis.budget { url = "redis://127.0.0.1:1" }
    local raised = select(2, pcall(associations.new, { token = "t", rate = 5, budget = budget }))
    assert.matches("option rate: give it to the budget", raised)
  end)
end)
