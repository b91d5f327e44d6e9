-- Hostile responses: time and memory stay in proportion to the request, and no input is taken for another. No
-- I/O. Time is counted in instructions, not in seconds.

local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local matching = require "hubspot.associations.job.matching"
local runs = require "support.job_run"

-- Where a result has the ids of its input.
local PATHS = { from = { "fromObjectId" }, to = { "toObjectId" } }

local COUNT = 2000 -- inputs

-- Raises if the action takes more than `most` instructions of the interpreter. (LuaJIT does not count code
-- that it has compiled.)
local function within(most, action)
  local count, thousand = 0, 1000
  debug.sethook(function()
    count = count + thousand
    if count > most then error("more than " .. most .. " instructions", 2) end
  end, "", thousand)
  local done, raised = pcall(action)
  debug.sethook()
  assert(done, raised)
end

local function body_of(count, from)
  local body, positions = core.body(), {}
  for position = 1, count do
    assert(body:add { from = from or 100000 + position, to = 200000 + position, types = 279 })
    positions[position] = position
  end
  return body, positions
end

local function entries(count, entry)
  local list = {}
  for i = 1, count do list[i] = entry end
  return list
end

describe("a hostile response", function()
  it("with a hundred thousand details costs no more than an honest one", function()
    local body, positions = body_of(COUNT)
    local details = entries(100000, { id = "1" })
    within(5e6, function() matching.suspects(body, positions, { errors = details }) end)
    local response = { status = "COMPLETE", errors = details }
    within(5e6, function() matching.match(body, positions, response, PATHS) end)
  end)

  it("with thousands of errors that all name what all inputs share costs no more, either", function()
    local body, positions = body_of(COUNT, 7)
    local errors = entries(100000, { context = { fromObjectId = { "7" } }, message = "no" })
    local matched
    within(20e6, function()
      matched = matching.match(body, positions, { status = "COMPLETE", errors = errors }, PATHS)
    end)
    assert.same({}, matched.missing)
    within(20e6, function() matching.suspects(body, positions, { errors = errors }) end)
  end)

  it("an honest one is read in full: each of 2,000 errors about an input of its own", function()
    local body, positions = body_of(COUNT, 7)
    local errors = {}
    for position = 1, COUNT do
      errors[position] = {
        context = { fromObjectId = { "7" }, toObjectId = { tostring(200000 + position) } },
        message = tostring(position),
      }
    end
    local matched = matching.match(body, positions, { status = "COMPLETE", errors = errors }, PATHS)
    for position = 1, COUNT do assert.equal(tostring(position), matched.failed[position].message) end
    assert.equal(COUNT, #matching.suspects(body, positions, { errors = errors }).loose)
  end)

  it("an honest one is read in full: each of 2,000 errors about what hundreds of inputs share", function()
    for _, shared in ipairs { 1, 2, 5, 20, 100 } do
      local body, positions, errors = core.body(), {}, {}
      for position = 1, COUNT do
        local from = tostring(7000 + position % shared)
        assert(body:add { from = from, to = 200000 + position, types = 279 })
        positions[position] = position
        errors[position] = { context = { fromObjectId = { from } }, message = "no" }
      end
      local matched = matching.match(body, positions, { status = "COMPLETE", errors = errors }, PATHS)
      assert.same({}, matched.missing)
      for position = 1, COUNT do assert.is_table(matched.failed[position]) end
      assert.equal(COUNT, #matching.suspects(body, positions, { errors = errors }).loose)
    end
  end)

  it("an honest one is read in full: each of 2,000 errors about a pair of shared ids", function()
    local body, positions, errors = core.body(), {}, {}
    for position = 1, COUNT do
      local from, to = tostring(100 + position % 45), tostring(500 + math.floor(position / 45))
      assert(body:add { from = from, to = to, types = 279 })
      positions[position] = position
      local context = { fromObjectId = { from }, toObjectId = { to } }
      errors[position] = { context = context, message = tostring(position) }
    end
    local matched = matching.match(body, positions, { status = "COMPLETE", errors = errors }, PATHS)
    for position = 1, COUNT do assert.equal(tostring(position), matched.failed[position].message) end
  end)

  it("cannot make one pair of ids of another", function()
    local body = core.body { check_ids = false }
    assert(body:add { from = "a", to = "b\0c", types = 279 })
    local results = { { fromObjectId = "a\0b", toObjectId = "c" } }
    assert.same({ 1 }, matching.match(body, { 1 }, { status = "COMPLETE", results = results }, PATHS).missing)
  end)

  it("blames nobody by a number that stands for several ids", function()
    local body = core.body()
    assert(body:add { from = "9007199254740992", to = "1", types = 279 })
    assert(body:add { from = "9007199254740993", to = "2", types = 279 })
    local errors = core.decode '[{"message":"no","context":{"fromObjectId":[9007199254740993]}}]'
    local matched = matching.match(body, { 1, 2 }, { status = "COMPLETE", errors = errors }, PATHS)
    assert.is_nil(matched.failed[1])
  end)

  it("of more values than any response has is no response", function()
    for _, text in ipairs { ("[0,%s0]"):format(("0,"):rep(1100000)), "[" .. ("[[]],"):rep(600000) .. "0]" } do
      local decoded, why = core.decode(text)
      assert.is_nil(decoded)
      assert.matches("more values than a response has", why, 1, true)
    end
    assert.equal(1000000, #core.decode("[" .. ("0,"):rep(999999) .. "0]"))
  end)

  it("that rejects at great length is shortened", function()
    local long = '{"message":"no","category":"X","context":{"a":["' .. ("x"):rep(2 * 1024 * 1024) .. '"]}}'
    local _, err = responses.read({ status = 400, headers = {}, body = long, date = 0 }, "batch")
    assert.equal("http", err.kind)
    assert.is_true(#err.body <= 4096 and #err.message < 300)
    assert.matches('{"message":"no","category":"X"', err.message, 1, true)
  end)

  it("that names an input at great length leaves little of that in a report", function()
    local body, positions = body_of(2)
    local function entry(id, message, size)
      return { message = message, context = { fromObjectId = { id }, x = { ("x"):rep(size) } } }
    end
    local errors = { entry("100001", ("m"):rep(100000), 70000), entry("100002", "short", 1000) }
    local failed = matching.match(body, positions, { status = "COMPLETE", errors = errors }, PATHS).failed
    assert.equal(("m"):rep(4096), failed[1].message)
    assert.is_nil(failed[1].context)
    assert.same(errors[2].context, failed[2].context)
  end)

  it("that rejects a job's inputs at some length, one by one, leaves little of that in its report", function()
    local details = ('{"message":"bad"},'):rep(10000) .. "{}"
    local seen = runs.run { source = runs.inputs(20), batch_size = 10, respond = function()
      return { status = 400, headers = {}, body = '{"message":"no","errors":[' .. details .. "],"
        .. '"category":"' .. ("x"):rep(10000) .. '","subCategory":[' .. ("[],"):rep(1000) .. "[]]}" }
    end }
    assert.equal(20, seen.report.failed)
    for _, failure in pairs(seen.failures) do
      assert.matches("^no", (failure.error.message:gsub("^rejected together.-: ", "")))
      for _, field in ipairs { "errors", "category", "subCategory" } do
        assert.is_nil(failure.error[field])
      end
      assert.is_true(#failure.error.body <= 4096)
    end
  end)
end)
