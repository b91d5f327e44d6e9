-- Checks the job when nothing fails: what it reads, sends and reports, and how it handles responses that
-- leave inputs out. Simulated: virtual time, an account in memory.

local errors = require "hubspot.associations.errors"
local jobs = require "hubspot.associations.job.job"
local iterator = require("support.jobs").iterator
local runs = require "support.job_run"
local random = require "support.random"

local counts, input, inputs, rewrite = runs.counts, runs.input, runs.inputs, runs.rewrite

-- Leaves the results of these inputs out of a response.
local function without(response, ...)
  local left_out = {}
  for _, index in ipairs { ... } do left_out[input(index).from] = true end
  return rewrite(response, function(batch)
    local kept = {}
    for _, result in ipairs(batch.results) do
      if not left_out[("%.0f"):format(result.fromObjectId)] then kept[#kept + 1] = result end
    end
    batch.results = kept
  end)
end

describe("a job", function()
  it("creates every input, in as few requests as the batch size allows", function()
    for _, case in ipairs { { 1, 10, 1 }, { 10, 10, 1 }, { 11, 10, 2 }, { 95, 10, 10 }, { 7, 1, 7 } } do
      local seen = runs.run { source = inputs(case[1]), batch_size = case[2] }
      assert.is_nil(seen.err)
      assert.same({ case[1], 0, 0, 0 }, counts(seen))
      assert.equal(case[3], seen.report.requests)
      assert.equal(0, seen.report.retries)
      assert.equal(case[1], seen.world.account:count())
      assert.equal(0, seen.reported)
    end
  end)

  it("does the same with a list and with an iterator", function()
    local list = inputs(57)
    list[5], list[30] = true, { from = "404", to = "7", types = 279 }
    local of_list = runs.run { source = list }
    local of_iterator = runs.run { source = iterator(list) }
    assert.same(counts(of_list), counts(of_iterator))
    assert.same({ 55, 2, 0, 0 }, counts(of_list))
    assert.same(of_list.sizes, of_iterator.sizes)
    assert.equal(list[30], of_iterator.failures[30].input)
  end)

  it("stops when an iterator ends with false, or with a reason, as file:read does", function()
    for _, ending in ipairs { { false }, { nil, "disk read error" } } do
      local calls = 0
      local seen = runs.run { source = function()
        calls = calls + 1
        if calls <= 15 then return input(calls) end
        return ending[1], ending[2]
      end, batch_size = 10 }
      assert.equal("source", seen.err.kind)
      assert.matches(ending[2] or "returned false", seen.err.message, 1, true)
      assert.equal(16, calls)
      assert.same({ 10, 0, 0, 5 }, counts(seen))
    end
  end)

  it("sends nothing for an empty source", function()
    for _, source in ipairs { {}, function() return nil end } do
      local seen = runs.run { source = source }
      assert.is_nil(seen.err)
      assert.same({ 0, 0, 0, 0 }, counts(seen))
      assert.equal(0, seen.report.requests)
      assert.equal(0, seen.report.inputs)
    end
  end)

  it("does not call an iterator again after its end", function()
    local calls = 0
    runs.run { source = function()
      calls = calls + 1
      assert(calls <= 21)
      return calls <= 20 and input(calls) or nil
    end, concurrency = 4 }
    assert.equal(21, calls)
  end)

  it("fails an invalid input with its index, and costs no other", function()
    local list = inputs(30)
    list[3], list[14] = { from = "1", types = 279 }, "text"
    local seen = runs.run { source = list }
    assert.same({ 28, 2, 0, 0 }, counts(seen))
    assert.equal(3, seen.report.requests)
    for _, index in ipairs { 3, 14 } do
      assert.equal("invalid_input", seen.failures[index].error.kind)
      assert.equal(index, seen.failures[index].error.index)
    end
    assert.equal("to", seen.failures[3].error.field)
  end)

  -- `#` of a list with holes may be any of its borders: inputs after the first hole might not be read at all.
  it("does not accept a list with holes, or a table that is not a list", function()
    local wrong = { { input(1), nil, input(3) }, { from = "1", to = "2", types = 279 }, { [0] = input(1) } }
    for hole = 1, 29 do
      local list = inputs(30)
      list[hole] = nil
      wrong[#wrong + 1] = list
    end
    for _, source in ipairs(wrong) do
      local job, err = jobs.new({ source = source, batch_size = 10, concurrency = 1 }, 0)
      assert.is_nil(job)
      assert.is_true(errors.is(err))
      assert.equal("invalid_input", err.kind)
      assert.equal("source", err.field)
      assert.is_false(err.retryable)
    end
  end)

  it("sends nothing when all inputs are invalid", function()
    local list = {}
    for index = 1, 500 do list[index] = { from = "", to = "1", types = 1 } end
    local seen = runs.run { source = list }
    assert.same({ 0, 500, 0, 0 }, counts(seen))
    assert.equal(0, seen.report.requests)
  end)

  it("keeps exactly as many requests in flight as it may", function()
    for _, concurrency in ipairs { 1, 3, 8 } do
      local in_flight, most = 0, 0
      runs.run {
        source = inputs(300), concurrency = concurrency,
        on_send = function()
          in_flight = in_flight + 1
          most = math.max(most, in_flight)
        end,
        on_batch = function() in_flight = in_flight - 1 end,
      }
      assert.equal(concurrency, most)
    end
  end)

  it("takes about as long as its requests, divided by concurrency", function()
    local function elapsed(concurrency)
      return runs.run({ source = inputs(800), concurrency = concurrency, latency = 0.5 }).report.elapsed
    end
    assert.is_true(elapsed(1) / elapsed(8) > 6)
  end)

  it("has at most one more open batch than its concurrency, however long one of them waits", function()
    for _, concurrency in ipairs { 1, 4 } do
      local alive, most = setmetatable({}, { __mode = "k" }), 0
      local seen = runs.run {
        source = iterator(inputs(2000)), concurrency = concurrency,
        respond = function(number, _, request) -- a batch that never passes, and others that wait, too
          if number % 4 == 0 or request.body:find(input(15).from, 1, true) then
            return { status = 500, headers = {}, body = "" }
          end
        end,
        on_send = function(chunk)
          alive[chunk.batch] = true
          collectgarbage()
          local count = 0
          for _ in pairs(alive) do count = count + 1 end
          most = math.max(most, count)
        end,
      }
      assert.same({ 1999, 0, 1, 0 }, counts(seen))
      assert.is_true(most <= concurrency + 1, ("%d batches for %d"):format(most, concurrency))
    end
  end)

  it("reads no further ahead than the batches that it may have open", function()
    local read, landed, most = 0, 0, 0
    local list = inputs(500)
    runs.run {
      concurrency = 3,
      source = function()
        read = read + 1
        most = math.max(most, read - landed)
        return list[read]
      end,
      on_batch = function(batch) landed = landed + batch.last - batch.first + 1 end,
    }
    assert.is_true(most <= 4 * 10 + 1, tostring(most))
  end)

  it("loses no input that does not fit in a request body", function()
    local zeros, index = ("1"):rep(1024 * 1024), 0
    local inputs_sent = {}
    local seen = runs.run {
      source = function()
        index = index + 1
        if index == 69 then return true end
        if index <= 70 then return { from = zeros .. index, to = "7", types = 279 } end
      end,
      batch_size = 2000,
      checks = { check_ids = false }, -- a longer id than HubSpot has: so a body has room for few
      -- Checking 70 MiB takes the account a while; this spec is only about which inputs arrive.
      respond = function(_, _, request)
        local results = {}
        for id in request.body:gmatch '"from":{"id":"(%d+)"' do
          inputs_sent[#inputs_sent + 1] = tonumber(id:sub(#zeros + 1))
          results[#results + 1] = '{"fromObjectId":"' .. id .. '","toObjectId":"7"}'
        end
        return { status = 201, headers = {},
          body = '{"status":"COMPLETE","results":[' .. table.concat(results, ",") .. "]}" }
      end,
    }
    assert.is_nil(seen.err)
    assert.same({ 69, 1, 0, 0 }, counts(seen))
    assert.equal(2, seen.report.requests)
    for i = 1, 68 do assert.equal(i, inputs_sent[i]) end
    assert.equal(70, inputs_sent[69])
    assert.equal(69, seen.failures[69].index) -- none is counted twice
  end)
end)

describe("the outcomes of a job", function()
  it("are reported with index, input and error", function()
    local list = inputs(25)
    list[12] = { from = "404123", to = "7", types = 279 }
    local seen = runs.run { source = list }
    local failure = seen.failures[12]
    assert.equal(1, seen.reported)
    assert.equal(12, failure.index)
    assert.equal(list[12], failure.input)
    assert.equal("failed", failure.outcome)
    assert.equal("http", failure.error.kind)
    assert.same({ "404123" }, failure.error.context.id)
    assert.is_nil(seen.report.failures)
  end)

  it("are in the report, up to max_failures, if there is no callback", function()
    local list = {}
    for index = 1, 1100 do list[index] = false end
    local report = runs.run({ source = list, collect = false }).report
    assert.equal(1100, report.failed)
    assert.equal(1000, #report.failures)
    assert.equal(100, report.failures_dropped)
    list = inputs(30)
    list[9] = { from = "4041", to = "7", types = 279 }
    report = runs.run({ source = list, collect = false }).report
    assert.equal(9, report.failures[1].index)
    assert.is_nil(report.failures_dropped)
  end)

  it("are reported batch by batch, with HubSpot's results", function()
    local list, next_index, created = inputs(47), 1, 0
    list[8], list[33] = false, { from = "4041", to = "7", types = 279 }
    local seen = runs.run {
      source = list,
      on_batch = function(batch)
        assert.equal(next_index, batch.first)
        next_index = batch.last + 1
        assert.equal(batch.created, #batch.results)
        assert.equal(batch.last - batch.first + 1, batch.created + #batch.failures)
        created = created + batch.created
        assert.equal(batch.last, batch.report.inputs)
      end,
    }
    assert.equal(48, next_index)
    assert.equal(45, created)
    assert.same({ 45, 2, 0, 0 }, counts(seen))
  end)

  it("are the same for two inputs of the same pair", function()
    local list = inputs(6)
    list[4], list[5] = input(1), input(1)
    local seen = runs.run { source = list }
    assert.same({ 6, 0, 0, 0 }, counts(seen))
    assert.equal(1, seen.report.requests)
    list[2], list[6] = { from = "404", to = "7", types = 279 }, { from = 404, to = 7, types = 279 }
    seen = runs.run { source = list }
    assert.same({ 4, 2, 0, 0 }, counts(seen))
    assert.equal(1, seen.report.requests)
  end)

  it("differ for inputs of one pair, one of whose types is not valid", function()
    local list = inputs(6)
    list[3] = { from = input(1).from, to = "7", types = 1 }
    list[5] = { from = input(1).from, to = "7", types = 4 }
    local seen = runs.run { source = list }
    assert.same({ 5, 1, 0, 0 }, counts(seen))
    assert.equal("failed", seen.failures[5].outcome)
    assert.equal(2, seen.report.requests)
  end)
end)

describe("an input that a response leaves out", function()
  it("is sent once more, without the others, and then created", function()
    local seen = runs.run {
      source = inputs(10),
      respond = function(number, pass)
        if number == 1 then return without(pass(), 4) end
      end,
    }
    assert.same({ 10, 0, 0, 0 }, counts(seen))
    assert.same({ 10, 1 }, seen.sizes)
    assert.equal(0, seen.report.retries)
  end)

  it("is unconfirmed when it is left out again, after exactly one more request", function()
    for _, collects in ipairs { false, true } do
      local seen = runs.run {
        source = inputs(10),
        on_batch = collects and function() end or nil,
        respond = function(_, pass) return without(pass(), 2, 4, 9) end,
      }
      assert.is_nil(seen.err)
      assert.same({ 7, 0, 3, 0 }, counts(seen))
      assert.same({ 10, 3 }, seen.sizes)
      for _, index in ipairs { 2, 4, 9 } do
        assert.equal("unconfirmed", seen.failures[index].outcome)
        assert.equal("decode", seen.failures[index].error.kind)
      end
    end
  end)

  it("is unconfirmed when all responses are empty, after two requests per batch", function()
    local seen = runs.run {
      source = inputs(50),
      respond = function(_, pass)
        return rewrite(pass(), function(batch) batch.results = {} end)
      end,
    }
    assert.same({ 0, 0, 50, 0 }, counts(seen))
    assert.equal(10, seen.report.requests)
  end)

  it("fails when the second response has an error for it", function()
    local list = inputs(10)
    list[3] = { from = "404", to = "7", types = 279 }
    local seen = runs.run {
      source = list,
      respond = function(number, pass)
        if number == 1 then
          return rewrite(pass(), function(batch) batch.errors, batch.numErrors = nil, nil end)
        end
      end,
    }
    assert.same({ 9, 1, 0, 0 }, counts(seen))
    assert.same({ 10, 1 }, seen.sizes)
  end)

  it("fails with an error that names no input when it is the only one left", function()
    local seen = runs.run {
      source = inputs(10),
      respond = function(_, pass)
        return rewrite(without(pass(), 2, 3), function(batch)
          batch.errors = { { status = "error", message = "one of them is bad" } }
        end)
      end,
    }
    assert.same({ 8, 2, 0, 0 }, counts(seen))
    assert.equal("one of them is bad", seen.failures[2].error.message)
  end)

  it("fails with one of two errors that name no input, as a record on either side may be missing", function()
    local seen = runs.run {
      source = inputs(1),
      respond = function()
        return { status = 207, headers = {}, body = [[{"status":"COMPLETE","results":[],"errors":[
          {"status":"error","message":"no contact"},{"status":"error","message":"no company"}]}]] }
      end,
    }
    assert.same({ 0, 1, 0, 0 }, counts(seen))
    assert.equal("no contact", seen.failures[1].error.message)
  end)

  it("is sent once more even if other requests fail in between", function()
    local seen = runs.run {
      source = inputs(10),
      respond = function(number, pass)
        if number == 2 or number == 3 then return { status = 503, headers = {}, body = "" } end
        return without(pass(), 5)
      end,
    }
    assert.same({ 9, 0, 1, 0 }, counts(seen))
    assert.same({ 10, 1, 1, 1 }, seen.sizes)
    assert.equal(2, seen.report.retries)
  end)

  it("does not end the job while it waits to be sent again", function()
    local seen = runs.run {
      source = inputs(100), concurrency = 4,
      respond = function(_, pass) return without(pass(), 15, 66) end,
    }
    assert.same({ 98, 0, 2, 0 }, counts(seen))
    assert.equal(12, seen.report.requests)
  end)
end)

describe("a response whose status is", function()
  local function with_status(status, keep, times)
    return runs.run {
      source = inputs(10),
      respond = function(number, pass)
        if number > times then return nil end
        return rewrite(pass(), function(batch)
          batch.status = status
          for i = #batch.results, keep + 1, -1 do batch.results[i] = nil end
        end)
      end,
    }
  end

  it("PENDING or PROCESSING has the inputs that it does not list sent again", function()
    for _, status in ipairs { "PENDING", "PROCESSING" } do
      for _, kept in ipairs { 0, 4 } do
        local seen = with_status(status, kept, 1)
        assert.same({ 10, 0, 0, 0 }, counts(seen))
        assert.same({ 10, 10 - kept }, seen.sizes)
      end
    end
  end)

  it("PENDING or PROCESSING again leaves the inputs unconfirmed, and says so", function()
    for _, status in ipairs { "PENDING", "PROCESSING" } do
      local seen = with_status(status, 0, 9)
      assert.same({ 0, 0, 10, 0 }, counts(seen))
      assert.equal(2, seen.report.requests)
      assert.truthy(seen.failures[1].error.message:find(status, 1, true))
    end
  end)

  it("CANCELED, in either spelling, is not a success", function()
    for _, status in ipairs { "CANCELED", "CANCELLED" } do
      local seen = with_status(status, 0, 9)
      assert.same({ 0, 0, 10, 0 }, counts(seen))
      assert.truthy(seen.failures[1].error.message:find(status, 1, true))
      seen = with_status(status, 0, 1)
      assert.same({ 10, 0, 0, 0 }, counts(seen))
    end
  end)

  it("any of these confirms what it lists", function()
    for _, status in ipairs { "PENDING", "PROCESSING", "CANCELED", "COMPLETE", "SOMETHING_NEW" } do
      local seen = with_status(status, 10, 9)
      assert.same({ 10, 0, 0, 0 }, counts(seen))
      assert.equal(1, seen.report.requests)
    end
  end)

  it("missing confirms what it lists", function()
    assert.same({ 10, 0, 0, 0 }, counts(with_status(nil, 10, 9)))
    assert.same({ 8, 0, 2, 0 }, counts(with_status(nil, 4, 9))) -- four in each of two responses
  end)

  it("PENDING has its inputs sent again after a pause", function()
    local waited = 0
    random.check(20, function(luck)
      local seen = runs.run {
        source = inputs(5), seed = luck:integer(1, 1e6), latency = 0.001,
        respond = function(number, pass)
          if number == 1 then
            return rewrite(pass(), function(batch) batch.status, batch.results = "PENDING", {} end)
          end
        end,
      }
      waited = waited + seen.sent[2] - seen.sent[1]
    end)
    assert.is_true(waited / 20 > 0.1)
  end)
end)
