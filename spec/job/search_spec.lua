-- Checks how a job finds the inputs for which HubSpot rejects a whole batch, and what the search costs. The
-- numbers of requests are fixed here, so that a change which costs more is noticed.

local runs = require "support.job_run"

local counts, input, inputs = runs.counts, runs.input, runs.inputs

local BATCH = 2000

-- 2,000 inputs, of which `bad` have an id that the account rejects, spread evenly, and from first to last.
local function with_bad_rows(bad, names_rejected, count, batch_size, concurrency)
  count = count or BATCH
  local list, rejected, is_bad = inputs(count), {}, {}
  for i = 1, bad do
    local index = bad == 1 and 1234 or 1 + math.floor((i - 1) * (count - 1) / (bad - 1))
    list[index] = { from = "9" .. (10000 + i), to = "7", types = 279 }
    rejected[i], is_bad[index] = list[index].from, true
  end
  local seen = runs.run {
    source = list, batch_size = batch_size or BATCH, concurrency = concurrency,
    account = { rejected = rejected, names_rejected = names_rejected },
  }
  assert.is_nil(seen.err)
  assert.equal(count, seen.report.inputs)
  return seen, is_bad
end

-- Every bad row failed, and no other did.
local function assert_exact(seen, is_bad, bad)
  assert.same({ seen.report.inputs - bad, bad, 0, 0 }, counts(seen))
  for index in pairs(is_bad) do
    assert.equal("failed", seen.failures[index].outcome)
    assert.equal(400, seen.failures[index].error.status)
    assert.is_nil(seen.failures[index].error.message:find("together", 1, true))
  end
  assert.equal(seen.report.inputs - bad, seen.world.account:count())
end

local function assert_at_most(requests, seen)
  assert.is_true(seen.report.requests <= requests, ("%d requests"):format(seen.report.requests))
end

describe("bad rows among 2,000", function()
  it("cost one row each if the rejection names them", function()
    for _, case in ipairs { { 1, 3 }, { 2, 5 }, { 20, 43 } } do
      local bad, requests = case[1], case[2]
      local seen, is_bad = with_bad_rows(bad, true)
      assert_exact(seen, is_bad, bad)
      assert_at_most(requests, seen)
    end
  end)

  it("cost one row each if the rejection names none, by halving", function()
    for _, case in ipairs { { 1, 23 }, { 2, 41 }, { 20, 301 } } do
      local bad, requests = case[1], case[2]
      local seen, is_bad = with_bad_rows(bad, false)
      assert_exact(seen, is_bad, bad)
      assert_at_most(requests, seen)
    end
  end)

  it("cost no more than the limit of divisions if all are bad", function()
    for _, names in ipairs { true, false } do
      local seen = with_bad_rows(2000, names)
      assert.same({ 0, 2000, 0, 0 }, counts(seen))
      assert_at_most(807, seen)
      assert.equal(0, seen.world.account:count())
    end
  end)

  it("cost no more than the limit over the whole job if all rows of all batches are bad", function()
    for _, names in ipairs { true, false } do
      for _, concurrency in ipairs { 1, 4 } do
        local seen = with_bad_rows(2000, names, 2000, 100, concurrency)
        assert.same({ 0, 2000, 0, 0 }, counts(seen))
        assert_at_most(20 + 2 * 400 + 20 * 2 * 8, seen) -- 8: of each batch, to find one bad row among 100
        assert.equal(0, seen.world.account:count())
      end
    end
  end)

  it("cost no more after successes of whole batches", function()
    local list, rejected = inputs(8000), {}
    for index = 6001, 8000 do
      list[index] = { from = "9" .. index, to = "7", types = 279 }
      rejected[#rejected + 1] = list[index].from
    end
    local seen = runs.run {
      source = list, batch_size = 1000, account = { rejected = rejected, names_rejected = false },
    }
    assert.same({ 6000, 2000, 0, 0 }, counts(seen))
    assert_at_most(6 + 2 * 400 + 2 * 2 * 11 + 2, seen)
  end)

  it("leave a later batch enough divisions to find its one bad row", function()
    local list, rejected = inputs(2200), {}
    local function spoil(index)
      list[index] = { from = "9" .. (10000 + index), to = "7", types = 279 }
      rejected[#rejected + 1] = list[index].from
    end
    for index = 1, 2000 do spoil(index) end
    spoil(2001)
    spoil(2177)
    local seen = runs.run {
      source = list, batch_size = 100, account = { rejected = rejected, names_rejected = false },
    }
    assert.same({ 198, 2002, 0, 0 }, counts(seen))
    assert.is_truthy(seen.failures[1999].error.together) -- past the budget
    assert.is_nil(seen.failures[2001].error.together)
    assert.is_nil(seen.failures[2177].error.together)
  end)

  it("beyond the limit fail together, and the errors say so", function()
    local seen = with_bad_rows(2000, false)
    local together = 0
    for _, failure in pairs(seen.failures) do
      local count = failure.error.together
      if count then
        together = together + 1
        local words = ("rejected together with %d others"):format(count - 1)
        assert.truthy(failure.error.message:find(words, 1, true))
      end
    end
    assert.is_true(together > 1000)
  end)

  it("are all found, and no good row is lost, as long as there are good ones among them", function()
    for _, names in ipairs { true, false } do
      for _, bad in ipairs { 60, 800, 1500 } do
        local seen, is_bad = with_bad_rows(bad, names)
        assert_exact(seen, is_bad, bad)
        assert_at_most(2 * BATCH, seen)
      end
    end
  end)

  it("among 20,000 rows, 3 in 100, cost at most 2 log2(2,000) requests each", function()
    local seen, is_bad = with_bad_rows(607, false, 20000)
    assert_exact(seen, is_bad, 607)
    assert_at_most(7308, seen)
    assert.is_true(7308 < 2 * 607 * math.log(2000) / math.log(2))
  end)

  it("are found in each batch as long as parts pass", function()
    local seen, is_bad = with_bad_rows(40, true, 10000)
    assert_exact(seen, is_bad, 40)
    assert_at_most(5 + 40 * 2, seen)
    seen, is_bad = with_bad_rows(200, false, 2000, 100) -- more than 800 rejections
    assert_exact(seen, is_bad, 200)
    assert_at_most(1714, seen)
  end)

  it("are found when other failures disturb the search", function()
    local rejected = input(777).from
    local seen = runs.run {
      source = inputs(BATCH), batch_size = BATCH,
      account = { rejected = { rejected }, names_rejected = false },
      respond = function(number)
        if number % 3 == 0 then return { status = 503, headers = {}, body = "" } end
      end,
    }
    assert.is_nil(seen.err)
    assert.same({ 1999, 1, 0, 0 }, counts(seen))
    assert.is_true(seen.report.requests <= 40)
  end)
end)

describe("the rejection of a batch", function()
  it("is searched after 422 as after 400", function()
    local seen = runs.run {
      source = inputs(10),
      respond = function(_, _, request)
        if request.body:find(input(6).from, 1, true) then
          return { status = 422, headers = {}, body = '{"message":"no"}' }
        end
      end,
    }
    assert.same({ 9, 1, 0, 0 }, counts(seen))
    assert.equal(422, seen.failures[6].error.status)
  end)

  it("that names the wrong input costs requests, but no row", function()
    local seen = runs.run {
      source = inputs(64), batch_size = 64,
      respond = function(_, _, request)
        if request.body:find(input(40).from, 1, true) then
          return { status = 400, headers = {}, body = '{"message":"bad: inputs[0].from.id"}' }
        end
      end,
    }
    assert.same({ 63, 1, 0, 0 }, counts(seen))
    assert.equal("failed", seen.failures[40].outcome)
    assert.is_true(seen.report.requests <= 2 * 64)
  end)

  -- Messages that resemble one about the size, which would reduce the batch size for the rest of the job.
  local function sizes_after(body)
    local seen = runs.run {
      source = inputs(100),
      respond = function(_, _, request)
        if request.body:find(input(4).from, 1, true) then
          return { status = 400, headers = {}, body = body }
        end
      end,
    }
    assert.same({ 99, 1, 0, 0 }, counts(seen))
    assert.equal("failed", seen.failures[4].outcome)
    local later = {}
    for i = #seen.sizes - 8, #seen.sizes do later[#later + 1] = seen.sizes[i] end
    return later
  end

  local WHOLE = { 10, 10, 10, 10, 10, 10, 10, 10, 10 }

  it("that names inputs is not taken for one of the size", function()
    for _, body in ipairs {
      '{"message":"Invalid input JSON: inputs[3].from.id exceeds the maximum length"}',
      '{"message":"inputs[0].types: at most 50 labels per record"}',
      ('{"message":"Too many labels in the input","context":{"fromObjectId":["%s"]}}'):format(input(4).from),
      '{"message":"Too many labels in the batch","errors":[{"message":"x","in":"inputs[3].types"}]}',
    } do
      assert.same(WHOLE, sizes_after(body), body)
    end
  end)

  it("that names an id which one input has on both sides costs no other input with that id", function()
    local list = inputs(10)
    list[3] = { from = "5002", to = "5002", types = 280 } -- of companies to contacts: the to id is at fault
    list[6] = { from = "5002", to = "7", types = 279 }
    list[8] = { from = "5002", to = "5002", types = 279 }
    local seen = runs.run { source = list }
    assert.same({ 9, 1, 0, 0 }, counts(seen))
    assert.equal("failed", seen.failures[3].outcome)
    assert.same({ "CONTACT=5002 is not valid" }, seen.failures[3].error.context.INVALID_OBJECT_IDS)
  end)

  it("that names all its inputs is not taken for one of the size", function()
    assert.same(WHOLE, sizes_after '{"message":"Input: at most 50 labels","context":{"toObjectId":["7"]}}')
  end)

  it("that names all inputs is searched by halving", function()
    local seen = runs.run {
      source = inputs(8),
      respond = function(_, _, request)
        if request.body:find(input(3).from, 1, true) then
          return { status = 400, headers = {}, body = '{"message":"bad","context":{"toObjectId":["7"]}}' }
        end
      end,
    }
    assert.same({ 7, 1, 0, 0 }, counts(seen))
    assert.is_true(seen.report.requests <= 7)
  end)
end)

describe("a batch with too many inputs", function()
  it("reduces the batch size for the rest of the job", function()
    local seen = runs.run { source = inputs(1000), batch_size = 100, account = { max_inputs = 30 } }
    assert.is_nil(seen.err)
    assert.same({ 1000, 0, 0, 0 }, counts(seen))
    -- HubSpot's message names the limit: batches of 30 from then on.
    local rejected = 0
    for _, status in ipairs(seen.statuses) do rejected = rejected + (status == 400 and 1 or 0) end
    assert.equal(1, rejected)
    for i = 6, #seen.sizes - 1 do assert.equal(30, seen.sizes[i]) end
  end)

  it("costs a few requests for each request in flight", function()
    local seen = runs.run {
      source = inputs(4000), batch_size = 500, concurrency = 4, account = { max_inputs = 100 },
    }
    assert.same({ 4000, 0, 0, 0 }, counts(seen))
    local rejected = 0
    for _, status in ipairs(seen.statuses) do rejected = rejected + (status == 400 and 1 or 0) end
    assert.is_true(rejected <= 5 * 7, tostring(rejected))
  end)

  it("is reduced down to a single input", function()
    local seen = runs.run { source = inputs(20), account = { max_inputs = 1 } }
    assert.same({ 20, 0, 0, 0 }, counts(seen))
    seen = runs.run {
      source = inputs(20),
      respond = function() return { status = 413, headers = {}, body = "" } end,
    }
    assert.same({ 0, 20, 0, 0 }, counts(seen))
    assert.is_true(seen.report.requests <= 19 + 20)
  end)

  it("may also have bad rows", function()
    local seen = runs.run {
      source = inputs(200), batch_size = 100,
      account = { max_inputs = 30, rejected = { input(5).from, input(150).from }, names_rejected = false },
    }
    assert.same({ 198, 2, 0, 0 }, counts(seen))
  end)
end)
