-- Checks what a worker removes from its queue, and in which order, with a queue and jobs that the spec makes.
-- spec/redis/work_spec.lua has real ones.

local core = require "hubspot.associations.core"
local worker = require "hubspot.associations.work.worker"

local PATH_ERROR = {
  kind = "http", status = 400, reason = "object_type",
  message = "Unable to infer object type from: compannies",
}

describe("a worker", function()
  local entries, removed, reasons, taken_from, read, slept, failed
  local now, clock = core.now, 0

  local function entry(id, pair, kind)
    return {
      id = id, pair = pair or "pair of " .. id, endpoint = "create", from_type = "contacts",
      to_type = kind or "companies", input = { from = id, to = 1 }, stream = "0",
    }
  end

  before_each(function()
    entries, removed, reasons, taken_from, read, clock, slept, failed = {}, {}, {}, nil, 0, 0, 0, nil
    core.now = function() return clock end
  end)

  after_each(function() core.now = now end)

  -- A queue with one stream. It is another's from the renewal or the removal on that `taken_from` names.
  local function queue()
    local self = { max_dead = 1 }
    function self.hold(_, _, held, _, is_working)
      if failed then return nil, failed end
      local is_taken = is_working and taken_from == "hold"
      local now_held = is_taken and {} or next(held) and held or { ["0"] = "1" }
      return { worker = "1", workers = 1, dead = 0, held = now_held }
    end
    function self.read()
      read = read + 1
      local list = {}
      for index, each in ipairs(entries) do list[index] = each end
      return list
    end
    function self.settle(_, _, _, _, settled)
      if taken_from == "settle" then return false end
      for _, each in ipairs(settled) do
        reasons[#reasons + 1] = each.reason
        removed[#removed + 1] = each.entry.id .. (each.reason and ": " .. each.reason.outcome or "")
        for index, other in ipairs(entries) do
          if other == each.entry then table.remove(entries, index) break end
        end
      end
      return true
    end
    function self.status() return { depth = #entries } end
    function self.leave() end
    return self
  end

  -- Runs a worker whose jobs are runs of `job(endpoint, inputs, on_batch, step)`, once a step, which returns
  -- whether it is done, and its error.
  local function run(job, options)
    local session = {
      options = { batch_size = 100 },
      wakeups = {
        wait = function() clock = clock + 1 end, end_work = function() end,
        sleep = function(_, seconds) slept = slept + seconds end,
      },
    }
    local function start(endpoint, arguments)
      local runner, steps = { is_canceled = false }, 0
      function runner.step()
        steps = steps + 1
        local done, err = job(arguments, arguments.options.on_batch, steps, runner.is_canceled, endpoint)
        runner.err = err
        return done
      end
      function runner.result() return { requests = 1 }, runner.err end
      function runner.timeout() return 0 end
      function runner.cancel() runner.is_canceled = true end
      return runner
    end
    local given = { until_empty = true, poll = 0.2 }
    for name, value in pairs(options or {}) do given[name] = value end
    return worker.run({ queue = queue(), session = session, start = start }, given, 2)
  end

  local function failure(index, outcome)
    return { index = index, outcome = outcome, error = { message = "it is so" } }
  end

  it("gives what is unconfirmed its outcome before what was added to its pair later", function()
    entries = { entry("a", "one pair"), entry("b", "one pair"), entry("c") }
    local report, err = run(function(_, on_batch)
      on_batch { first = 1, last = 1, failures = { failure(1, "unconfirmed") } }
      on_batch { first = 2, last = 2, failures = {} }
      return true, { kind = "unauthorized", message = "401", retryable = false }
    end)
    assert.equal("unauthorized", err.kind)
    assert.same({ "a: unconfirmed", "b" }, removed)
    assert.same({ 1, 1 }, { report.done, report.failed })
    assert.equal(1, #entries)
  end)

  it("keeps HubSpot's reasons with what has failed, in short", function()
    entries = { entry("a"), entry("b") }
    run(function(_, on_batch)
      local long = failure(2, "failed")
      long.error = { message = ("x"):rep(5000), category = ("y"):rep(5000) }
      local explained = failure(1, "failed")
      explained.error = { message = "it is not valid", context = { reason = { "the type is archived" } } }
      on_batch { first = 1, last = 2, failures = { explained, long } }
      return true
    end)
    assert.equal("it is not valid: the type is archived", reasons[1].message)
    assert.same({ 1003, 1003 }, { #reasons[2].message, #reasons[2].category })
  end)

  it("keeps what is unconfirmed as its job stopped", function()
    entries = { entry("a") }
    run(function(_, on_batch)
      on_batch { first = 1, last = 1, failures = { failure(1, "unconfirmed") } }
      return true, { kind = "unauthorized", message = "401", retryable = false }
    end)
    assert.same({}, removed)
  end)

  it("ends within half a second when it is told to, however long it would wait for Redis", function()
    failed = { kind = "network", message = "refused", retryable = true }
    local pauses = {}
    local _, err = run(nil, {
      on_error = function(_, pause) pauses[#pauses + 1] = pause end,
      stop = function() return slept > 1 + 2 + 4 + 1.2 end,
    })
    assert.is_nil(err)
    assert.same({ 1, 2, 4, 8 }, pauses)
    assert.equal(1 + 2 + 4 + 1.5, slept)
  end)

  it("makes dead letters of entries whose object type HubSpot does not know, and goes on", function()
    entries = { entry("a", nil, "compannies"), entry("b"), entry("c", nil, "compannies") }
    local report, err = run(function(arguments, on_batch)
      if arguments.values.toObjectType == "compannies" then return true, PATH_ERROR end
      on_batch { first = 1, last = 1, failures = {} }
      return true
    end)
    assert.is_nil(err)
    table.sort(removed)
    assert.same({ "a: failed", "b", "c: failed" }, removed)
    assert.same({ 1, 2 }, { report.done, report.failed })
  end)

  for _, where in ipairs { "settle", "hold" } do
    it("sends nothing more of a stream that is another's, as " .. where .. " says", function()
      entries = { entry("a"), entry("b") }
      local canceled_at
      local report, err = run(function(_, on_batch, step, is_canceled)
        if step == 1 then
          on_batch { first = 1, last = 1, failures = {} }
          taken_from = where
        end
        canceled_at = canceled_at or is_canceled and step
        return is_canceled or step > 1000, { kind = "canceled", message = "it was canceled" }
      end, { on_error = function() taken_from, entries = nil, {} end })
      assert.is_nil(err)
      assert.equal(where == "hold" and 4 or 2, canceled_at) -- it renews every 1.5 s
      assert.equal(2, read)
      assert.same({ where == "hold" and 1 or 0, 0 }, { report.done, report.failed })
    end)
  end

  it("raises for what is no queue", function()
    assert.matches("expected one made by redis.queue, found a number",
      select(2, pcall(worker.run, { queue = 1 }, {}, 2)))
  end)
end)
