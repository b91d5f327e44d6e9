-- How long a step blocks the host: the CPU time between two turns of its loop, for any number of requests in
-- flight or waiting coroutines. The garbage collector is stopped: its pauses depend on all that the host has
-- in memory.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local jobs = require "support.jobs"
local sandbox = require "support.sandbox"
local slowdown = require "support.slowdown"

local LONGEST = 0.020 * slowdown -- seconds of CPU: twice what is promised, whose figure is `make bench`'s
local ATTEMPTS = 3 -- on a busy machine, a turn may take longer for no fault of ours
local BATCH = 2000

local server

before_each(function()
  server = sandbox.start()
  collectgarbage()
  collectgarbage "stop"
end)

after_each(function()
  collectgarbage "restart"
  server:close()
end)

local function open(options)
  options.token, options.base_url = "pat-na1-0000-1111-2222-3333", server:url()
  return assert(associations.new(options))
end

-- Measures turns of a host: returns a function that runs one, and a function that returns the longest.
local function stopwatch()
  local longest = 0
  return function(turn, ...)
    local began = os.clock()
    local result = turn(...)
    longest = math.max(longest, os.clock() - began)
    return result
  end, function() return longest end
end

-- The shortest of the longest turns of some attempts.
local function shortest(attempt)
  local best = math.huge
  for _ = 1, ATTEMPTS do
    best = math.min(best, attempt())
    if best < LONGEST then break end
  end
  return best
end

-- Steps a job to its end, calling `at(n)` after the n-th step. Returns the longest step.
local function longest_step(options, source, job_options, at)
  return shortest(function()
    server:reset()
    local client = open(options)
    local timed, longest = stopwatch()
    local job = assert(timed(client.start, client, "contacts", "companies", source, job_options))
    local steps = 0
    while not timed(job.step, job) do
      steps = steps + 1
      if at then at(steps, job, client) end
      core.poll(job:fd(), job:timeout() or 5)
    end
    local report = job:result()
    jobs.assert_adds_up(report, #source)
    client:close()
    return longest()
  end)
end

describe("a step of a job blocks the host for at most 10 ms", function()
  for concurrency, batch_size in pairs { [4] = BATCH, [20] = BATCH, [80] = BATCH / 4 } do
    it(("with %d requests in flight"):format(concurrency), function()
      local options = { concurrency = concurrency, batch_size = batch_size }
      local longest = longest_step(options, jobs.inputs(concurrency * batch_size))
      assert.is_true(longest < LONGEST, longest)
    end)
  end

  it("when many responses are there at once", function()
    local longest = longest_step({ concurrency = 10 }, jobs.inputs(10 * BATCH), nil, function(step)
      if step == 20 then core.poll(nil, 1) end -- a host that is busy with its own
    end)
    assert.is_true(longest < LONGEST, longest)
  end)

  it("when results are decoded", function()
    local longest = longest_step({ concurrency = 10 }, jobs.inputs(6 * BATCH), { on_batch = function() end })
    assert.is_true(longest < LONGEST, longest)
  end)

  for _, ending in ipairs { "cancel", "close" } do
    it("when it is ended with many requests in flight: " .. ending, function()
      local list = jobs.inputs(40 * BATCH)
      local longest = longest_step({ concurrency = 40 }, list, nil, function(step, job, client)
        if step ~= 30 then return end
        if ending == "cancel" then job:cancel() else client:close() end
      end)
      assert.is_true(longest < LONGEST, longest)
    end)
  end

  it("when all inputs are invalid", function()
    local list = {}
    for i = 1, 5 * BATCH do list[i] = { from = "none", to = i, types = 279 } end
    local longest = longest_step({}, list, { on_failure = function() end })
    assert.is_true(longest < LONGEST, longest)
  end)

  it("when its list is long", function()
    local list, client = jobs.inputs(1000000), open {}
    local timed, longest = stopwatch()
    local job = assert(timed(client.start, client, "contacts", "companies", list))
    job:cancel()
    while not timed(job.step, job) do core.poll(job:fd(), job:timeout() or 5) end
    assert.same({ 1000000, 1000000 }, { job:result().inputs, job:result().not_sent })
    assert.is_true(longest() < LONGEST, longest())
  end)
end)

it("a long list with a hole is an error before anything is sent", function()
  local list, client = jobs.inputs(100000), open {}
  list[99990] = nil
  local report, err = client:create_all("contacts", "companies", list)
  assert.is_nil(report)
  assert.same({ "invalid_input", "source" }, { err.kind, err.field })
  assert.equal(0, #server:associations())
end)

-- ---- coroutines ----

-- A loop of a host whose coroutines all share one client.
local function host()
  local self = { waiting = {}, ended = 0 }
  self.loop = { wait = function(fd, timeout) coroutine.yield(fd, timeout) end }

  local function resume(thread)
    local resumed, fd, timeout = coroutine.resume(thread)
    assert(resumed, fd)
    if coroutine.status(thread) == "dead" then
      self.ended = self.ended + 1
    else
      local due = timeout and core.now() + timeout or math.huge
      table.insert(self.waiting, { thread = thread, fd = fd, due = due })
    end
  end

  function self.spawn(action) resume(coroutine.create(action)) end

  -- One turn: resumes all coroutines whose time is over or whose descriptor is readable.
  function self.turn()
    local due = math.huge
    for _, one in ipairs(self.waiting) do due = math.min(due, one.due) end
    local readable = core.poll(self.waiting[1].fd, due < math.huge and math.max(0, due - core.now()) or 5)
    local now, all = core.now(), self.waiting
    self.waiting = {}
    for _, one in ipairs(all) do
      if readable or one.due <= now then resume(one.thread) else table.insert(self.waiting, one) end
    end
  end

  return self
end

describe("a turn of a host with many coroutines takes at most 10 ms", function()
  local function longest_turn(count, action)
    return shortest(function()
      server:reset()
      local subject = host()
      local client = open { loop = subject.loop, concurrency = 2 }
      for _ = 1, count do subject.spawn(function() action(client) end) end
      core.poll(nil, 1) -- busy with its own
      local timed, longest = stopwatch()
      while #subject.waiting > 0 do timed(subject.turn) end
      assert.equal(count, subject.ended)
      client:close()
      return longest()
    end)
  end

  it("whose calls all have their responses", function()
    local list = jobs.inputs(BATCH)
    local longest = longest_turn(40, function(client)
      assert.equal(BATCH, #assert(client:create("contacts", "companies", list)).results)
    end)
    assert.is_true(longest < LONGEST, longest)
  end)

  it("each with a job", function()
    local list = jobs.inputs(2 * BATCH)
    local longest = longest_turn(20, function(client)
      assert.equal(2 * BATCH, client:create_all("contacts", "companies", list).created)
    end)
    assert.is_true(longest < LONGEST, longest)
  end)
end)
