-- The budget of a fleet in virtual time: the script of Redis, run by a stand-in, and 50 processes. What share
-- of the account's limit they use, how many requests are answered with 429, and whether each gets its part.

local random = require "support.random"
local fleet = require "support.fleet"
local redis_stand_in = require "support.redis_stand_in"
local script = require "hubspot.associations.redis.budget_script"

local WARM_UP, LONG = 30, 100 -- seconds

-- A fleet whose clocks differ by hours.
local function world_of(count, given, process)
  given.random = random.new(given.seed or 1)
  local world = fleet.world(given)
  for index = 1, count do
    local each = { ahead = index * 3600 }
    for name, value in pairs(process or {}) do each[name] = value end
    world:add(each)
  end
  return world
end

local function assert_at_least(expected, found, what)
  assert.is_true(found >= expected, ("%s: %.4f"):format(what, found))
end

local function assert_at_most(expected, found, what)
  assert.is_true(found <= expected, ("%s: %.4f"):format(what, found))
end

local function assert_shared(measured)
  assert_at_least(0.95, measured.used, "used")
  assert_at_most(0.01, measured.rejected, "answered 429")
  assert_at_least(0.5, measured.slowest, "the slowest process")
end

describe("a budget in virtual time", function()
  for _, count in ipairs { 1, 8, 50 } do
    it(("is used up by %d processes, each of which gets its part"):format(count), function()
      local world = world_of(count, {})
      world:run(WARM_UP)
      assert_shared(world:measure(LONG))
    end)
  end

  it("is shared when Redis is 50 ms away", function()
    local world = world_of(50, { redis_latency = 0.05 })
    world:run(WARM_UP)
    assert_shared(world:measure(LONG))
  end)

  -- Those with one request at a time are in the line only while they wait.
  for _, mix in ipairs { { 1, 8, 20 }, { 4, 4, 50 }, { 5, 5, 10 } } do
    local few, many, lanes = mix[1], mix[2], mix[3]
    local what = ("%d with one request at a time beside %d with %d"):format(few, many, lanes)
    it("gives each process the same: " .. what, function()
      local world = world_of(many, {}, { lanes = lanes })
      for _ = 1, few do world:add { lanes = 1 } end
      world:run(WARM_UP)
      local measured = world:measure(LONG)
      assert_shared(measured)
      assert_at_least(0.85, measured.slowest, "the slowest process")
    end)
  end

  it("gives a process that wants less than its part what it wants", function()
    local world = world_of(8, {}, { lanes = 20 })
    local modest = world:add { lanes = 1, pace = 2.3 } -- as many as 4 in 10 s
    world:run(WARM_UP)
    world:measure(LONG)
    assert_at_least(0.75 * LONG / 2.5, modest.accepted, "the modest one")
  end)

  it("gives those that stay their part while others come and go", function()
    local world = world_of(4, {}, { lanes = 20 })
    local stays = { world:add { lanes = 1 }, world:add { lanes = 1 }, world.processes[1] }
    local function come()
      local process = world:add { lanes = 20 }
      world:after(7, function()
        process.is_dead = true
        come()
      end)
    end
    come()
    world:run(WARM_UP)
    local measured = world:measure(LONG)
    assert_at_least(0.95, measured.used, "used")
    assert_at_most(0.01, measured.rejected, "answered 429")
    for index, process in ipairs(stays) do
      assert_at_least(0.8 * 100 * LONG / 10 / 8, process.accepted, "process " .. index)
    end
  end)

  it("goes to those who need it", function()
    local world = world_of(49, {}, { lanes = 1, pace = 60 })
    local busy = world:add { lanes = 4 }
    world:run(WARM_UP)
    local measured = world:measure(LONG)
    assert_at_most(0.01, measured.rejected, "answered 429")
    assert_at_least(0.9 * (100 * LONG / 10 - 49 * LONG / 60), busy.accepted, "the busy one")
  end)

  it("costs Redis less than two scripts for a request", function()
    local world = world_of(50, {})
    world:run(WARM_UP)
    assert_at_most(100, world:measure(LONG).calls, "scripts a second")
  end)

  it("takes up the part of a process that dies", function()
    local world = world_of(8, {})
    world:run(WARM_UP)
    for index = 1, 7 do world.processes[index].is_dead = true end
    world:run(15)
    local measured = world:measure(LONG)
    assert_at_least(0.95, measured.used, "used")
    assert_at_most(0.01, measured.rejected, "answered 429")
  end)

  it("learns the limit from the headers that one process sees", function()
    local world = world_of(50, { limit = 190 })
    world:run(WARM_UP)
    assert_shared(world:measure(LONG))
    assert.equal(190, world.processes[50].member.limit)
  end)

  it("takes nothing of what it sent before it knew the interval for that of others", function()
    local world = world_of(4, { limit = 40, interval = 2, latency = 0.004, redis_latency = 0.001 })
    world:run(6)
    assert_at_least(3 * 40, world.accepted, "sent")
    assert.equal(0, world.rejected)
  end)

  it("goes on after an interval when the clock of Redis is set back", function()
    local world = world_of(8, {})
    world:run(WARM_UP)
    world.redis_ahead = -900
    assert_at_most(0.1, world:measure(15).rejected, "answered 429")
    world:run(15)
    assert_shared(world:measure(LONG))
  end)

  it("keeps to a rate that is lower than the account's", function()
    local world = world_of(8, { limit = 100 }, { rate = 40 })
    world:run(WARM_UP)
    local measured = world:measure(LONG)
    assert.equal(0, world.rejected)
    assert_at_least(0.95 * 0.4, measured.used, "used")
    assert_at_most(0.41, measured.used, "used")
  end)

  it("keeps to the lowest of the rates that its processes give, and says so to the others", function()
    local world = world_of(4, { limit = 100 }, { rate = 80 })
    world:add {}
    world:run(WARM_UP)
    local low = world:add { rate = 40 }
    world:run(WARM_UP)
    local measured = world:measure(LONG)
    assert_at_least(0.95 * 0.4, measured.used, "used")
    assert_at_most(0.41, measured.used, "used")
    assert.equal(0, world.rejected)
    assert.equal(4, #world.told)
    for _, event in ipairs(world.told) do
      assert.same({ "lowered", 40, 10 }, { event.state, event.limit, event.interval })
      assert_at_least(5, event.processes, "processes")
    end
    low.is_dead = true
    world:run(60)
    measured = world:measure(LONG)
    assert_at_least(0.95 * 0.8, measured.used, "used without it")
    assert_at_most(0.81, measured.used, "used without it")
  end)

  -- It sends so many in an interval, whatever it is answered, evenly or at random times.
  for _, other in ipairs { { 20, false }, { 40, false }, { 60, false }, { 40, true } } do
    local share, at_random = other[1], other[2]
    local what = ("another program that uses %d %%%s"):format(share, at_random and " at random times" or "")
    it("leaves its part to " .. what, function()
      local world, rejected = world_of(8, {}), 0
      local function send()
        if world.account:take(world.now) then rejected = rejected + 1 end
        local luck = at_random and -math.log(world.random:integer(1, 1000) / 1000) or 1
        world:after(luck * 10 / share, send)
      end
      send()
      world:run(WARM_UP)
      rejected = 0
      local measured = world:measure(LONG)
      assert_at_most(at_random and 0.03 or 0.02, measured.rejected, "answered 429")
      assert_at_most(0.25, rejected / (share * LONG / 10), "the other one's 429s")
      assert_at_least(0.8 * (100 - share) / 100, measured.used, "used")
      assert_at_least(0.5, measured.slowest, "the slowest process")
    end)
  end

  it("pauses all after a 429 with Retry-After", function()
    local world = world_of(8, { retry_after = true })
    world:run(WARM_UP)
    for _ = 1, 100 do world.account:take(world.now) end -- another program
    world:run(20)
    assert_at_most(30, world.rejected, "answered 429")
    world:run(15)
    assert_shared(world:measure(LONG))
  end)
end)

describe("the line of a budget", function()
  local now, server, names

  before_each(function()
    now, names = 1000, 0
    server = redis_stand_in.new(function() return now end)
  end)

  -- What a process gets that asks for so many; and its name.
  local function ask(name, want)
    names = names + 1
    local given = {
      "name", tostring(names), "want", tostring(want), "valid", "200", "rate", "10", "recent", "0",
    }
    if name then given[#given + 1], given[#given + 2] = "member", name end
    local reply = server:eval(script, { "state", "charges", "members", "waiting" }, given)
    return tonumber(reply[3]), reply[1], tonumber(reply[4])
  end

  it("gives each as much in an interval, however often it asks and for how much", function()
    local _, greedy = ask(nil, 10)
    local small = select(2, ask(nil, 1))
    local got = 0
    for step = 1, 2000 do
      now = now + 0.05
      ask(greedy, 20)
      if step % 10 == 0 then got = got + ask(small, 1) end
    end
    assert_at_least(4 * 10, got, "the small one")
    assert_at_most(5 * 10, got, "the small one")
  end)

  -- One request is free after 10.2 s, no other before 15 s; two processes wait for it.
  local function wait_for_one()
    ask(nil, 1)
    now = now + 5
    ask(nil, 9)
    now = now + 4.5
    local _, first = ask(nil, 1)
    local _, second = ask(nil, 1)
    now = now + 0.71
    return first, second
  end

  it("gives one of two that were charged as much to the one that has waited longer", function()
    local first, second = wait_for_one()
    assert.equal(0, (ask(second, 1)))
    assert.equal(1, (ask(first, 1)))
    assert.equal(0, (ask(second, 1)))
  end)

  it("keeps no place for one that does not ask again", function()
    local _, second = wait_for_one()
    assert.equal(0, (ask(second, 1)))
    now = now + 1
    assert.equal(1, (ask(second, 1)))
  end)

  it("gives out evenly what several wait for, and at once what one waits for", function()
    local _, first = ask(nil, 10)
    now = now + 10
    assert.equal(0, (ask(first, 10)))
    now = now + 0.21
    assert.equal(10, (ask(first, 10)))
    now = now + 10
    assert.equal(0, (ask(first, 10)))
    local _, second = ask(nil, 10)
    now = now + 0.21
    local got = 0
    for _ = 1, 200 do
      got = got + ask(first, 10) + ask(second, 10)
      if got < 10 then now = now + 0.05 end
    end
    assert.equal(10, got)
    assert_at_least(1020.42 + 7 * 10 / 13, now, "the last one")
  end)
end)

describe("a fleet without Redis", function()
  for _, how in ipairs { "refuses", "hangs" } do
    it(("goes on, each at its share, and says so: Redis %s"):format(how), function()
      local world = world_of(8, {})
      world:run(WARM_UP)
      assert.same({}, world.told)
      world.is_away = how
      world:run(WARM_UP)
      local measured = world:measure(LONG)
      assert_at_least(0.9, measured.used, "used")
      assert_at_most(0.01, measured.rejected, "answered 429")
      assert_at_least(0.9, measured.slowest, "the slowest process")
      assert.equal(8, #world.told)
      for _, event in ipairs(world.told) do
        assert.same({ "budget", "alone", 12 }, { event.type, event.state, event.limit })
        assert.is_string(event.error.message)
      end
    end)
  end

  it("comes back when Redis does, and says so", function()
    local world = world_of(8, {})
    world:run(WARM_UP)
    world.is_away = "refuses"
    world:run(WARM_UP)
    world.is_away = nil
    local measured = world:measure(WARM_UP)
    assert_at_most(0.1, measured.rejected, "answered 429")
    assert.equal(16, #world.told)
    for index = 9, 16 do assert.equal("shared", world.told[index].state) end
    assert_shared(world:measure(LONG))
  end)

  it("takes a tenth when it never had one", function()
    local world = fleet.world { random = random.new(1) }
    world.is_away = "refuses"
    world:add { lanes = 20 }
    world:run(WARM_UP)
    local measured = world:measure(LONG)
    assert_at_most(0.1, measured.used, "used")
    assert_at_least(0.09, measured.used, "used")
  end)

  for _, how in ipairs { "refuses", "hangs" } do
    local what = "takes turns where there are more processes than requests in an interval: Redis " .. how
    it(what .. ", from the first turn on", function()
      local world = world_of(50, { limit = 10 })
      world:run(WARM_UP)
      world.is_away = how
      local first, later = world:measure(55), world:measure(220) -- a round, and four
      for name, measured in pairs { ["the first turn"] = first, ["later turns"] = later } do
        assert_at_least(0.85, measured.used, "used, " .. name)
        assert_at_most(0.01, measured.rejected, "answered 429, " .. name)
      end
      assert_at_least(0.9, later.used, "used")
      assert_at_least(0.9, later.slowest, "the slowest process")
    end)
  end
end)

describe("a Redis that has lost its memory", function()
  it("charges what the processes sent before", function()
    local world = world_of(8, {})
    for _ = 1, 20 do
      world:run(4 + 7 * world.random:integer(0, 1000) / 1000)
      world.redis:lose()
    end
    assert_at_most(0.05, world.rejected / (world.accepted + world.rejected), "answered 429")
    world:run(WARM_UP)
    assert_shared(world:measure(LONG))
  end)
end)
