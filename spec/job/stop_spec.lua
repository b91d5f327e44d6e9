-- Checks what stops a job and what does not, and that every input is accounted for when it stops.

local retry = require "hubspot.associations.policy.retry"
local runs = require "support.job_run"
local jobs = require "support.jobs"
local simulation = require "support.simulation"

local counts, input, inputs, iterator = runs.counts, runs.input, runs.inputs, jobs.iterator

local PATH = "/crm/associations/2025-09/contacts/companies/batch/create"

local function to_path(path)
  return function(_, pass, request)
    request.path = path
    return pass(request)
  end
end

local function gateway(status)
  return { status = status, headers = { ["content-type"] = "text/html" }, body = "<html>" }
end

local function holds(request, index)
  return request.body:find('"' .. input(index).from .. '"', 1, true) ~= nil
end

describe("a job stops at once", function()
  -- what is wrong -> the account's options, or its response; the kind of the error
  local CASES = {
    ["an unknown object type"] = { kind = "http",
      respond = function()
        return { status = 400, headers = {}, body = [[{"status":"error",
          "message":"Unable to infer object type from: contacts","correlationId":"x"}]] }
      end },
    ["no resource at the path"] = { kind = "not_found", respond = to_path((PATH:gsub("create", "nothing"))) },
    ["a bad token"] = { kind = "unauthorized", account = { token = "another" } },
    ["scopes that are missing"] = { kind = "forbidden", account = { forbidden = true } },
    ["the daily limit"] = { kind = "daily_limit", account = { rate = { daily = 0 } } },
    ["a redirect"] = { kind = "redirect", respond = function()
      return { status = 302, headers = { location = "https://example.com/" }, body = "" }
    end },
    ["a method that is not allowed"] = { kind = "http", respond = function() return gateway(405) end },
  }

  for name, case in pairs(CASES) do
    it("for " .. name, function()
      for _, lists in ipairs { true, false } do
        local list = inputs(100)
        local seen = runs.run {
          source = lists and list or iterator(list), account = case.account, respond = case.respond,
        }
        assert.equal(case.kind, seen.err.kind)
        assert.equal(1, seen.report.requests)
        assert.equal(0, seen.report.created)
        assert.equal(0, seen.report.failed)
        assert.equal(lists and 100 or 11, seen.report.inputs) -- a full batch looks at the next input
        assert.equal(seen.report.inputs, seen.report.not_sent)
        for index = 1, 10 do assert.equal("not_sent", seen.failures[index].outcome) end
        assert.equal(seen.err, seen.failures[1].error)
      end
    end)
  end

  it("for a token that is rejected again, even if other requests succeed", function()
    local rejected = { status = 401, headers = {}, body = "{}", is_new_token = true, delay = 0 }
    local seen = runs.run {
      source = inputs(100), concurrency = 4,
      respond = function(_, _, request)
        if not holds(request, 15) then return nil end
        rejected.delay = rejected.delay + 1 -- the second time, others have passed since the first
        return rejected
      end,
      latency = 0.5, base = 0.5,
    }
    assert.equal("unauthorized", seen.err and seen.err.kind)
    assert.equal(0, seen.report.failed)
    assert.same({ "not_sent", 2 }, { seen.failures[15].outcome, seen.failures[15].error.attempts })
  end)

  it("and waits for requests in flight", function()
    local seen = runs.run {
      source = inputs(200), concurrency = 4,
      respond = function(number)
        if number == 6 then return { status = 403, headers = {}, body = '{"message":"no"}' } end
      end,
    }
    assert.equal("forbidden", seen.err.kind)
    assert.equal(200, seen.report.inputs)
    assert.equal(seen.report.created, seen.world.account:count())
    assert.is_true(seen.report.requests <= 6 + 4)
    assert.equal(10, (#seen.sizes * 10) - seen.report.created)
  end)

  it("at the daily limit, with what was created before it", function()
    local seen = runs.run { source = inputs(100), account = { rate = { daily = 4 } } }
    assert.equal("daily_limit", seen.err.kind)
    assert.same({ 40, 0, 0, 60 }, counts(seen))
    assert.equal(5, seen.report.requests)
  end)

  it("with the outcome unconfirmed for what may have been done", function()
    local seen = runs.run {
      source = inputs(30),
      respond = function(number, pass)
        if number == 1 then
          pass()
          return gateway(502)
        end
        return { status = 403, headers = {}, body = "{}" }
      end,
    }
    assert.equal("forbidden", seen.err.kind)
    for index = 1, seen.report.unconfirmed do assert.equal("unconfirmed", seen.failures[index].outcome) end
    assert.equal(10, seen.report.unconfirmed)
    assert.equal(20, seen.report.not_sent)
  end)
end)

describe("a job whose token has expired", function()
  it("sends as many requests at a time with the new one", function()
    local seen = runs.run {
      source = inputs(100), concurrency = 4, latency = 1, base = 1,
      respond = function(number)
        if number > 4 then return nil end
        return { status = 401, headers = {}, body = '{"message":"who?"}', is_new_token = true }
      end,
    }
    assert.is_nil(seen.err)
    local sent_at = {}
    for number = 1, 8 do sent_at[number] = seen.sent[number] end
    assert.same({ 0, 0, 0, 0, 2, 2, 2, 2 }, sent_at)
  end)
end)

describe("a batch that never passes", function()
  for _, case in ipairs { { 425, "failed", { 90, 10, 0, 0 } } } do
    it(("is %s after %d, and the rest of the job goes on"):format(case[2], case[1]), function()
      for _, concurrency in ipairs { 1, 4 } do
        local seen = runs.run {
          source = inputs(100), concurrency = concurrency,
          respond = function(_, _, request)
            if holds(request, 15) then return gateway(case[1]) end
          end,
        }
        assert.is_nil(seen.err)
        assert.same(case[3], counts(seen))
        assert.equal(case[2], seen.failures[15].outcome)
        assert.equal(case[1], seen.failures[15].error.status)
        assert.equal(6, seen.failures[15].error.attempts)
        assert.is_true(seen.failures[15].error.retryable)
        assert.equal(9 + 6, seen.report.requests)
        assert.equal(5, seen.report.retries)
      end
    end)
  end

  local function lost(request, pass)
    if holds(request, 15) then
      pass()
      return { dropped = true }
    end
  end

  it("is unconfirmed when its requests are done and their responses lost", function()
    for seed = 1, 10 do
      local store = simulation.memory()
      local seen = runs.run {
        source = inputs(1000), concurrency = 4, latency = 5, seed = seed, store = store,
        respond = function(_, pass, request) return lost(request, pass) end,
      }
      assert.is_nil(seen.err)
      assert.same({ 990, 0, 10, 0 }, counts(seen))
      assert.truthy(store.text:find('"first":11[,}]')) -- others passed meanwhile: that is final
    end
  end)

  -- Whether other requests would still succeed is not known: the outcome is left to a resumed job.
  it("stops the job when all others were done before it first failed", function()
    for seed = 1, 10 do
      local store = simulation.memory()
      local seen = runs.run {
        source = inputs(100), concurrency = 2, seed = seed, store = store, latency = 0.001,
        respond = function(_, pass, request)
          local response = lost(request, pass)
          if response then response.dropped, response.cut, response.delay = nil, true, 30 end
          return response
        end,
      }
      assert.equal("network", seen.err.kind)
      assert.same({ 90, 0, 10, 0 }, counts(seen))
      assert.is_nil(store.text:find('"first":11[,}]'))
      local resumed = runs.run { source = inputs(100), store = store, world = seen.world }
      assert.same({ 100, 0, 0, 0 }, counts(resumed))
      assert.equal(1, resumed.report.requests)
    end
  end)

  it("stops the job, which can be resumed, when it is the only one", function()
    local seen = runs.run { source = inputs(10), respond = function() return gateway(425) end }
    assert.equal("http", seen.err.kind)
    assert.same({ 0, 0, 0, 10 }, counts(seen))
    assert.equal(6, seen.report.requests)
  end)
end)

describe("an outage", function()
  it("stops the job after few requests, with every input accounted for", function()
    for _, concurrency in ipairs { 1, 4, 8 } do
      local seen = runs.run {
        source = inputs(5000), concurrency = concurrency,
        respond = function(number)
          if number > 20 then return gateway(503) end
        end,
      }
      assert.equal("http", seen.err.kind)
      assert.equal(503, seen.err.status)
      assert.equal(5000, seen.report.inputs)
      assert.equal(200, seen.report.created)
      assert.equal(0, seen.report.failed)
      -- 6 attempts for each batch that may be open, and for those that were in flight when it began; and the
      -- halves of one
      assert.is_true(seen.report.requests <= 20 + 6 * 2 * concurrency + 3, tostring(seen.report.requests))
      assert.is_true(seen.report.elapsed < 600)
    end
  end)

  -- A response that was given before the outage may come after the first that tells of it: it is then taken
  -- for a success meanwhile, and the outcome of the batch that failed first goes into the journal.
  it("gives no final outcome to an input that was in flight when it began", function()
    for seed = 1, 10 do
      local seen = runs.run {
        source = inputs(5000), concurrency = 4, seed = seed,
        respond = function(number)
          if number > 20 then return gateway(423) end
        end,
      }
      assert.equal(423, seen.err.status)
      assert.same({ 200, 0, 0, 4800 }, counts(seen))
    end
  end)

  it("in which no request can have been done leaves nothing unconfirmed", function()
    local seen = runs.run {
      source = inputs(100),
      respond = function() return gateway(423) end,
    }
    assert.same({ 0, 0, 0, 100 }, counts(seen))
  end)

  it("that ends in time only delays the job", function()
    local seen
    seen = runs.run {
      source = inputs(300), concurrency = 4, seed = 8,
      respond = function(number)
        if number > 5 and number <= 15 then return gateway(503) end
      end,
    }
    assert.is_nil(seen.err)
    assert.same({ 300, 0, 0, 0 }, counts(seen))
    assert.equal(30 + seen.report.retries, seen.report.requests)
  end)

  it("with a Retry-After of a day stops the job", function()
    local seen = runs.run {
      source = inputs(50),
      respond = function() return { status = 477, headers = { ["retry-after"] = "86400" }, body = "{}" } end,
    }
    assert.equal(477, seen.err.status)
    assert.same({ 0, 0, 0, 50 }, counts(seen))
    assert.is_true(seen.report.elapsed < 300)
  end)

  it("does not count a rate limit against the attempts", function()
    local seen = runs.run {
      source = inputs(10),
      respond = function(number)
        if number <= 12 then
          return { status = 429, headers = {}, body = '{"policyName":"SECONDLY"}' }
        end
      end,
    }
    assert.is_nil(seen.err)
    assert.same({ 10, 0, 0, 0 }, counts(seen))
  end)

  it("stops the job at the deadline when the rate limit lasts", function()
    local seen = runs.run {
      source = inputs(50), requests = 1000,
      respond = function()
        return { status = 429, headers = {}, body = '{"policyName":"TEN_SECONDLY_ROLLING"}' }
      end,
    }
    assert.equal("rate_limited", seen.err.kind)
    assert.same({ 0, 0, 0, 50 }, counts(seen))
    assert.is_true(seen.report.elapsed < 700, tostring(seen.report.elapsed))
  end)

  it("of the rate limit does not fail the batch that it rejects", function()
    local seen = runs.run {
      source = inputs(3000), concurrency = 2,
      respond = function(_, _, request)
        if holds(request, 15) then
          return { status = 429, headers = {}, body = '{"policyName":"SECONDLY"}' }
        end
      end,
    }
    assert.equal(0, seen.report.failed)
    assert.equal("rate_limited", seen.failures[15].error.kind)
    assert.equal("not_sent", seen.failures[15].outcome)
    assert.equal("rate_limited", seen.err.kind)
  end)

  it("does not include single failures, which never use up the budget", function()
    local seen = runs.run {
      source = inputs(2000), batch_size = 1,
      respond = function(number)
        if number % 7 == 0 then return gateway(503) end
      end,
    }
    assert.is_nil(seen.err)
    assert.same({ 2000, 0, 0, 0 }, counts(seen))
    assert.is_true(seen.report.retries > 300)
  end)

  it("that uses up the retry budget stops the retries", function()
    assert.equal("budget", select(2, (function()
      local policy = retry.new({ max_attempts = 1e9, retry_deadline = 1e9 }, function() return 0 end)
      local delay, why
      repeat
        delay, why = policy:after({ kind = "http", status = 503 }, 1, 0)
      until not delay
      return delay, why
    end)()))
    local seen = runs.run {
      source = inputs(5000), max_attempts = 1e6, retry_deadline = 1e6,
      respond = function() return gateway(503) end,
    }
    assert.is_true(seen.report.requests <= 102 + 3, tostring(seen.report.requests))
    assert.equal(503, seen.err.status)
  end)
end)

describe("an unusual response", function()
  local function run_with(body, status)
    return runs.run {
      source = inputs(20),
      respond = function() return { status = status or 201, headers = {}, body = body } end,
    }
  end

  it("does not raise in the job", function()
    for _, body in ipairs {
      "", "null", "[]", "{}", "5", "{", '{"results":{}}', '{"results":[{}]}', '{"results":[[]]}',
      '{"results":["x"]}', '{"errors":[5,"x",true,null,[]]}',
      '{"errors":[{"context":5,"id":{}}],"results":[]}',
      '{"errors":[{"context":{"fromObjectId":{"a":1}},"message":{}}]}', '{"status":5,"results":[]}',
      '{"results":[{"fromObjectId":null,"toObjectId":[]}]}', '{"results":5}', '{"errors":"x","results":[]}',
    } do
      assert.equal(20, run_with(body).report.inputs)
    end
  end)

  it("does not raise in the job when it is a rejection", function()
    for _, body in ipairs {
      "", "null", "[]", "{}", "5", '{"message":5}', '{"message":{"a":1},"context":5,"errors":5}',
      '{"errors":[5,"x",null,{"message":5,"in":[],"context":"x"}]}', '{"context":[1,[2]],"category":{}}',
    } do
      for _, status in ipairs { 400, 401, 403, 404, 409, 413, 418, 422, 423, 429, 477, 500, 599 } do
        assert.equal(20, run_with(body, status).report.inputs)
      end
    end
  end)

  it("does not raise in the job when a result is not an object", function()
    for _, body in ipairs { '{"results":[5]}', '{"results":[true]}' } do
      assert.equal(20, run_with(body).report.inputs)
    end
  end)
end)

describe("a source", function()
  it("that raises stops the job, and what was read is sent, or reported as not sent", function()
    for n = 1, 25 do
      local list = inputs(25)
      local read = 0
      local seen = runs.run { source = function()
        read = read + 1
        if read == n then error "the database went away" end
        return list[read]
      end }
      assert.equal("source", seen.err.kind)
      assert.truthy(seen.err.message:find("the database went away", 1, true))
      assert.equal(n - 1, seen.report.inputs)
      assert.equal(seen.reported, seen.report.not_sent)
      assert.equal(seen.report.created, seen.world.account:count())
      assert.equal(math.floor((n - 1) / 10) * 10, seen.report.created)
    end
  end)

  it("that raises any value stops the job", function()
    for _, value in ipairs { "text", 5, {}, false } do
      local seen = runs.run { source = function() error(value, 0) end }
      assert.equal("source", seen.err.kind)
      assert.equal("string", type(tostring(seen.err)))
      assert.equal(0, seen.report.inputs)
    end
  end)

  it("is not read again after it raised", function()
    local raised = false
    runs.run { concurrency = 4, source = function()
      assert(not raised, "read again")
      raised = true
      error "no"
    end }
    assert.is_true(raised)
  end)

  it("with an input that raises when it is read stops the job, and that input has failed", function()
    local list = inputs(25)
    list[13] = setmetatable({}, { __index = function() error "no such row" end })
    for _, source in ipairs { list, iterator(list) } do
      local seen = runs.run { source = source }
      assert.equal("source", seen.err.kind)
      assert.truthy(seen.err.message:find("no such row", 1, true))
      assert.equal("failed", seen.failures[13].outcome)
      assert.equal(10, seen.report.created)
      assert.equal(1, seen.report.failed)
      assert.equal(source == list and 14 or 2, seen.report.not_sent)
    end
  end)
end)

describe("an input that was read, and did not fit in the last body", function()
  it("is reported as not sent when the job stops", function()
    local long, index = ("1"):rep(1024 * 1024), 0
    local function source()
      index = index + 1
      if index <= 80 then return { from = long .. index, to = "7", types = 279 } end
    end
    local function refuse()
      return { status = 403, headers = {}, body = "{}" }
    end
    local checks = { check_ids = false } -- a longer id than HubSpot has: so a body has room for few
    local seen = runs.run { source = source, batch_size = 2000, checks = checks, respond = refuse }
    assert.equal("forbidden", seen.err.kind)
    assert.is_true(index > 50 and index < 80)
    assert.equal(index, seen.report.inputs)
    assert.same({ 0, 0, 0, index }, counts(seen))
    assert.equal(index, seen.reported)
    local held = seen.failures[index]
    assert.equal(long .. index, held.input.from)
    assert.equal("not_sent", held.outcome)
    assert.equal(seen.err, held.error)
    -- The rest of a list is counted, too, and this input only once.
    local list = {}
    for i = 1, 80 do list[i] = { from = long .. i, to = "7", types = 279 } end
    seen = runs.run { source = list, batch_size = 2000, checks = checks, respond = refuse }
    assert.same({ 0, 0, 0, 80 }, counts(seen))
    assert.equal(index, seen.reported)
  end)
end)

describe("a callback", function()
  it("that returns false ends the job, and every input is accounted for", function()
    local seen = runs.run {
      source = inputs(100), concurrency = 2,
      on_batch = function(batch) return batch.last < 30 end,
    }
    assert.equal("canceled", seen.err.kind)
    assert.equal(100, seen.report.inputs)
    assert.is_true(seen.report.created >= 30 and seen.report.created <= 50)
    assert.equal(0, seen.report.failed + seen.report.unconfirmed)
    assert.equal(seen.report.created, seen.world.account:count())
  end)

  it("that returns nothing, or true, does not end the job", function()
    for _, value in ipairs { true, 0, "false" } do
      local seen = runs.run { source = inputs(30), on_batch = function() return value end }
      assert.is_nil(seen.err)
    end
    assert.is_nil(runs.run({ source = inputs(30), on_batch = function() end }).err)
  end)

  it("for failures ends the job in the same way", function()
    local list = inputs(100)
    list[12] = false
    local seen = runs.run { source = list, on_failure = function() return false end }
    assert.equal("canceled", seen.err.kind)
    assert.equal(100, seen.report.inputs)
    assert.equal(1, seen.report.failed)
    assert.is_true(seen.report.created < 40)
  end)

  it("that raises stops the job, and is not called again", function()
    for _, name in ipairs { "on_batch", "on_failure" } do
      local list, calls = inputs(100), 0
      for index = 11, 100, 10 do list[index] = false end
      local given = { source = list, concurrency = 3 }
      given[name] = function()
        calls = calls + 1
        error "no room"
      end
      local seen = runs.run(given)
      assert.equal("callback", seen.err.kind)
      assert.truthy(seen.err.message:find("no room", 1, true))
      assert.equal(1, calls)
      assert.equal(100, seen.report.inputs)
      assert.equal(seen.report.created, seen.world.account:count())
    end
  end)
end)
