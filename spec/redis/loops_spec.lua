-- Checks that calls of many coroutines share a connection to Redis, in event loops: replies go to whom they
-- belong, a loop is not stalled, and a connection that ends wakes all.

local core = require "hubspot.associations.core"
local redis_server = require "support.redis_server"
local slowdown = require "support.slowdown"

local missing = redis_server.missing()
if missing then
  describe("a connection to Redis in an event loop", function() pending(missing) end)
  return
end

local redis = require "hubspot.associations.redis"

-- Each host runs functions as coroutines until all have ended, and can sleep.
local HOSTS = {}

function HOSTS.cqueues()
  local cqueues = require "cqueues"
  return {
    loop = require "hubspot.associations.loop.cqueues",
    sleep = cqueues.sleep,
    run = function(actions)
      local controller = cqueues.new()
      for _, action in ipairs(actions) do controller:wrap(action) end
      assert(controller:loop())
    end,
  }
end

function HOSTS.luv()
  local uv = require "luv"
  return {
    loop = require "hubspot.associations.loop.luv",
    sleep = function(seconds)
      local thread, timer = coroutine.running(), uv.new_timer()
      timer:start(math.ceil(seconds * 1000), 0, function()
        timer:close()
        assert(coroutine.resume(thread))
      end)
      coroutine.yield()
    end,
    run = function(actions)
      for _, action in ipairs(actions) do assert(coroutine.resume(coroutine.create(action))) end
      uv.run()
    end,
  }
end

-- A loop of a host that only sleeps, as nginx's and HAProxy's are.
function HOSTS.sleeping()
  local cqueues = require "cqueues"
  local host = HOSTS.cqueues()
  host.loop = require("hubspot.associations.loop.generic").sleeping(cqueues.sleep)
  return host
end

for name, make in pairs(HOSTS) do
  describe("a connection to Redis, in the loop of " .. name .. ",", function()
    local is_there, host = pcall(make)
    if not is_there then
      pending(name .. " is not installed")
      return
    end

    local server, connection

    before_each(function()
      server = redis_server.start()
      connection = assert(redis.new { url = server:url(), timeout = 1 * slowdown, loop = host.loop })
    end)

    after_each(function()
      connection:close()
      server:close()
    end)

    -- The most CPU time that passes between two turns of a coroutine that wants one every 2 ms: what the
    -- host is kept from doing. The machine's other work does not count.
    local function watch_turns(is_over)
      local worst = 0
      return function()
        while not is_over() do
          local began = os.clock()
          host.sleep(0.002)
          worst = math.max(worst, os.clock() - began)
        end
      end, function() return worst end
    end

    -- Has 100 coroutines make calls. Returns what their host was kept from doing, and how many connections
    -- there were.
    local function run_hundred()
      local done, actions, clients = 0, {}, nil
      for number = 1, 100 do
        actions[number] = function()
          for round = 1, 20 do
            local word = ("%d of %d"):format(round, number)
            local reply = connection:call("ECHO", word)
            if reply ~= word then error("the reply of another: " .. tostring(reply)) end
            if round % 7 == number % 7 then
              assert.same({ word, "PONG" }, connection:pipeline { { "ECHO", word }, { "PING" } })
            end
          end
          if number == 50 then clients = connection:call("CLIENT", "LIST") end
          done = done + 1
        end
      end
      local watcher, worst = watch_turns(function() return done == 100 end)
      actions[101] = watcher
      collectgarbage() -- of other specs
      host.run(actions)
      assert.equal(100, done)
      return worst(), select(2, clients:gsub("\n", ""))
    end

    it("gives 100 coroutines their own replies, on one connection, and stalls no host", function()
      local worst, count
      for _ = 1, 3 do -- a collection of garbage may fall into a turn
        worst, count = run_hundred()
        assert.equal(1, count)
        if worst < 0.012 * slowdown then break end -- 2 ms of them are the pause
      end
      assert.is_true(worst < 0.012 * slowdown, worst)
    end)

    it("wakes all with an error, in time, when Redis hangs, and goes on when it is back", function()
      local ended, longest = {}, 0
      local actions = {}
      for number = 1, 10 do
        actions[number] = function()
          connection:call "PING"
          if number == 1 then server:signal "STOP" end
          host.sleep(0.05)
          local began = core.now()
          local _, err = connection:call("INCR", "count")
          longest = math.max(longest, core.now() - began)
          ended[#ended + 1] = err and err.kind
        end
      end
      host.run(actions)
      assert.equal(10, #ended)
      for _, kind in ipairs(ended) do assert.equal("timeout", kind) end
      assert.is_true(longest < 1.5 * slowdown, longest)
      server:signal "CONT"
      host.run { function() assert.equal("PONG", connection:call "PING") end }
    end)

    it("wakes all when it is closed, and when Redis dies", function()
      local kinds = {}
      local function wait_for_nothing()
        local _, err = connection:call("BLPOP", "none", 0)
        kinds[#kinds + 1] = err.kind
      end
      host.run { wait_for_nothing, wait_for_nothing, function()
        host.sleep(0.05)
        server:kill()
      end }
      assert.same({ "network", "network" }, kinds)
      server:start()
      host.run { wait_for_nothing, wait_for_nothing, function()
        host.sleep(0.05)
        connection:close()
      end }
      assert.same({ "network", "network", "closed", "closed" }, kinds)
    end)

    it("drops the reply of a coroutine that is gone, and no other", function()
      local replies = {}
      local lost = coroutine.create(function() connection:call("ECHO", "lost") end)
      host.run { function()
        replies[1] = connection:call "PING"
        if name ~= "cqueues" and name ~= "sleeping" then
          coroutine.resume(lost)
          lost = nil
          collectgarbage()
        end
        replies[2] = connection:call("ECHO", "kept")
      end }
      assert.same({ "PONG", "kept" }, replies)
    end)
  end)
end
