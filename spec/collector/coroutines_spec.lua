-- Checks those who wait for their links in coroutines: that few are woken, and that another one drives when
-- the one that did is killed.

local clients = require "support.clients"
local core = require "hubspot.associations.core"
local sandboxes = require "support.sandbox"

local PATIENCE = 10 -- seconds

describe("coroutines that share a collector", function()
  local sandbox, client, waits, wakes

  setup(function() sandbox = sandboxes.start { latency = 0.02 } end)
  teardown(function() sandbox:close() end)

  before_each(function()
    sandbox:reset()
    waits, wakes = {}, 0
    client = clients.open(sandbox:url(), {
      loop = {
        wait = function(fd, timeout)
          local thread = coroutine.running()
          waits[thread] = { fd = fd, ends = timeout and core.now() + timeout or math.huge }
          coroutine.yield()
        end,
      },
    })
  end)
  after_each(clients.close)

  -- Resumes those whose wait is over, until nobody waits.
  local function run()
    local ends = core.now() + PATIENCE
    while next(waits) do
      local ready, is_readable = {}, {}
      for thread, wait in pairs(waits) do
        if is_readable[wait.fd] == nil then is_readable[wait.fd] = core.poll(wait.fd, 0) end
        if is_readable[wait.fd] or core.now() >= wait.ends then ready[#ready + 1] = thread end
      end
      for _, thread in ipairs(ready) do
        waits[thread], wakes = nil, wakes + 1
        assert(coroutine.resume(thread))
      end
      assert(core.now() < ends, "they wait, and nothing comes")
      if #ready == 0 then core.poll(nil, 0.001) end
    end
  end

  local function spawn(action)
    local thread = coroutine.create(action)
    assert(coroutine.resume(thread))
    return thread
  end

  local function input(index)
    return { from = 500000 + index, to = 7, types = 279 }
  end

  -- Five links that wait in coroutines, and the kinds of the errors with which they end.
  local function five_that_fail()
    local links, errs = assert(client:collector("contacts", "companies")), {}
    for index = 1, 5 do
      spawn(function()
        local _, err = links:link(input(index))
        errs[index] = err.kind
      end)
    end
    return links, errs
  end

  it("have each their outcome, and are woken seldom", function()
    local links, count = assert(client:collector("contacts", "companies")), 0
    for index = 1, 100 do
      spawn(function()
        for round = 1, 5 do
          assert(links:link(input(index * 10 + round)))
          count = count + 1
        end
      end)
    end
    run()
    assert.equal(500, count)
    assert.equal(500, #sandbox:associations())
    assert.is_true(sandbox:statistics().requests <= 15)
    assert.is_true(wakes < 1500, wakes)
  end)

  it("do not need the room that others may fill", function()
    local links, count = assert(client:collector("contacts", "companies", { max_pending = 7 })), 0
    for index = 1, 30 do
      spawn(function()
        assert(links:link(input(index)))
        count = count + 1
      end)
    end
    local added, err = links:add(input(31))
    assert.same({ "busy" }, { added or err.kind })
    run()
    assert.equal(30, count)
  end)

  it("go on when some of them are killed, whoever drives", function()
    local links, done, threads = assert(client:collector("contacts", "companies")), {}, {}
    for index = 1, 20 do
      threads[index] = spawn(function()
        assert(links:link(input(index)))
        done[index] = true
      end)
    end
    for index = 1, 10 do waits[threads[index]] = nil end -- one of them drives
    run()
    for index = 11, 20 do assert.is_true(done[index]) end
    assert.equal(0, links:pending())
    assert.equal(20, #sandbox:associations())
  end)

  it("end with an error when the client is closed", function()
    local _, errs = five_that_fail()
    client:close()
    run()
    assert.same({ "closed", "closed", "closed", "closed", "closed" }, errs)
  end)

  it("end at once when the collector is closed now, whoever leads", function()
    local links, errs = five_that_fail()
    links:close { now = true }
    assert.equal(0, links:pending())
    run()
    assert.same({ "closed", "closed", "closed", "closed", "closed" }, errs)
  end)

  it("are woken once each, with one leader for those that are sent together", function()
    local links = assert(client:collector("contacts", "companies"))
    for index = 1, 100 do spawn(function() assert(links:link(input(index))) end) end
    local descriptors, count = {}, 0
    for _, wait in pairs(waits) do
      if not descriptors[wait.fd] then count = count + 1 end
      descriptors[wait.fd] = (descriptors[wait.fd] or 0) + 1
    end
    assert.equal(2, count) -- the first link, and the leader of the others, wait for the client's own
    assert.equal(2, descriptors[client.session.wakeups:fd()])
    run()
    assert.is_true(wakes < 130, wakes)
  end)

  it("have their outcome in time when another one handles the response", function()
    local links, ends = assert(client:collector("contacts", "companies")), {}
    for index = 1, 3 do
      spawn(function()
        assert(links:link(input(index)))
        ends[index] = core.now()
      end)
    end
    local deadline = core.now() + 0.1
    while core.now() < deadline do
      links:step() -- as a host does that ticks
      core.poll(nil, 0.001)
    end
    local began = core.now()
    run()
    for index = 1, 3 do assert.is_true(ends[index] - began < 0.2) end
  end)
end)
