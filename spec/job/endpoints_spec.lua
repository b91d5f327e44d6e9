-- Checks jobs of the endpoints that remove, or link by the default type: what is sent, and which input gets
-- which outcome. (create: the other specs of this folder; read: pages_spec.lua.)

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local runs = require "support.job_run"

local function run(endpoint, given)
  given.endpoint = endpoint
  local respond = given.respond
  local sent = {}
  function given.respond(number, pass, request)
    sent[number] = cjson.decode(request.body).inputs
    return respond and respond(number, pass, request)
  end
  local seen = runs.run(given)
  seen.bodies = sent
  return seen
end

local function respond(status, fields)
  return { status = status, headers = {}, body = fields and cjson.encode(fields) or "" }
end

local function missing(side, id)
  return {
    status = "error", category = "OBJECT_NOT_FOUND",
    subCategory = "crm.associations." .. side .. "_NOT_FOUND",
    message = "No record with ID " .. id .. " exists", context = { id = { id } },
  }
end

local function too_many(most)
  return respond(400, {
    status = "error", category = "VALIDATION_ERROR",
    message = ("The maximum number of inputs supported in a batch is %d. Please reduce it."):format(most),
  })
end

local PAIRS = { { from = 1, to = 2 }, { from = 3, to = 4 }, { from = 1, to = 5 }, { from = 1, to = 2 } }

describe("a job that archives", function()
  it("groups pairs by their from, and gives each pair its outcome", function()
    for _, response in ipairs {
      respond(204), respond(200), respond(200, { status = "COMPLETE", results = {} }),
      respond(200, { status = "COMPLETE", results = {}, errors = {}, numErrors = 0 }),
    } do
      local seen = run("archive", { source = PAIRS, respond = function() return response end })
      assert.same({ 4, 0, 0, 0 }, runs.counts(seen))
      assert.equal(4, seen.report.archived)
      assert.is_nil(seen.report.created)
      assert.same({ {
        { from = { id = "1" }, to = { { id = "2" }, { id = "5" } } },
        { from = { id = "3" }, to = { { id = "4" } } },
      } }, seen.bodies)
    end
  end)

  it("calls on_batch with its own outcome", function()
    local batches = {}
    run("archive", { source = PAIRS, on_batch = function(batch) batches[#batches + 1] = batch end })
    assert.equal(1, #batches)
    assert.equal(4, batches[1].archived)
    assert.same({}, batches[1].results)
  end)

  it("fails the pairs that a 200 names; the others succeeded", function()
    local seen = run("archive", {
      source = PAIRS,
      respond = function()
        return respond(200, { status = "COMPLETE", results = {}, errors = { missing("TO_OBJECT", "5") } })
      end,
    })
    assert.same({ 3, 1, 0, 0 }, runs.counts(seen))
    assert.equal("No record with ID 5 exists", seen.failures[3].error.message)
    assert.equal(1, #seen.bodies)
  end)

  it("believes nothing when the batch was canceled, or an error names nobody", function()
    for _, fields in ipairs {
      { status = "CANCELED", results = {} },
      { status = "CANCELED", results = { { from = { id = "1" } } } },
      { status = "FAILED" },
      { status = "COMPLETE", results = {}, errors = { { status = "error", message = "no" } } },
      { status = "COMPLETE", results = {}, errors = { "no" } },
      { status = "COMPLETE", results = {}, numErrors = 1 },
      { status = "COMPLETE", results = {}, numErrors = 2, errors = { missing("TO_OBJECT", "5") } },
      { status = "COMPLETE", results = {}, numErrors = 2, errors = { missing("TO_OBJECT", "2") } },
    } do
      local seen = run("archive", { source = PAIRS, respond = function() return respond(200, fields) end })
      assert.equal(0, seen.report.archived)
    end
  end)

  it("believes nothing when there are more errors than are read", function()
    local errors = {}
    for i = 1, 8001 do errors[i] = missing("TO_OBJECT", i == 8001 and "5" or "2") end
    local seen = run("archive", {
      source = PAIRS,
      respond = function() return respond(200, { status = "COMPLETE", results = {}, errors = errors }) end,
    })
    assert.equal(0, seen.report.archived)
  end)

  it("takes a body that is no JSON for no success, and an error neither", function()
    for _, body in ipairs { "<html>Welcome</html>", '{"status":"error","message":"internal error"}' } do
      local seen = run("archive", {
        source = PAIRS,
        respond = function(number)
          return number == 1 and { status = 200, headers = {}, body = body } or respond(204)
        end,
      })
      assert.same({ 4, 0, 0, 0 }, runs.counts(seen))
      assert.equal(2, #seen.bodies)
    end
  end)

  it("sends at most 100 different from, and 2,000 pairs", function()
    local source = {}
    for i = 1, 4500 do source[i] = { from = i % 150 + 1, to = i } end
    local function accept() return respond(204) end
    local seen = run("archive", { source = source, batch_size = 2000, respond = accept })
    assert.same({ 4500, 0, 0, 0 }, runs.counts(seen))
    for _, inputs in ipairs(seen.bodies) do assert.is_true(#inputs <= 100) end
    source = {}
    for i = 1, 4500 do source[i] = { from = i % 10 + 1, to = i } end
    seen = run("archive", { source = source, batch_size = 2000, respond = accept })
    assert.same({ 2000, 2000, 500 }, seen.sizes)
  end)

  it("takes the number in a rejection for a number of groups, which outranks batch_size", function()
    local source = {}
    for i = 1, 120 do source[i] = { from = math.ceil(i / 3), to = i } end -- 40 groups of three
    local seen = run("archive", {
      source = source, batch_size = 60,
      respond = function(number) return number == 1 and too_many(7) or respond(204) end,
    })
    assert.same({ 120, 0, 0, 0 }, runs.counts(seen))
    assert.equal(20, #seen.bodies[1])
    local counts = {}
    for i = 2, #seen.bodies do counts[i - 1] = #seen.bodies[i] end
    assert.same({ 7, 7, 6, 7, 7, 6 }, counts)
    assert.same({ 60, 21, 21, 18, 21, 21, 18 }, seen.sizes)
  end)

  it("finds the pair at fault by halves: of groups first, and then of one group", function()
    local source = {}
    for i = 1, 32 do source[i] = { from = i <= 16 and 1 or i, to = 100 + i } end
    local seen = run("archive", {
      source = source, batch_size = 100,
      respond = function(_, _, request)
        local is_bad = request.body:find('"105"', 1, true)
        return is_bad and respond(400, { status = "error", category = "VALIDATION_ERROR", message = "no" })
          or respond(204)
      end,
    })
    assert.same({ 31, 1, 0, 0 }, runs.counts(seen))
    assert.equal("no", seen.failures[5].error.message)
    assert.is_true(#seen.bodies < 24, #seen.bodies .. " requests")
  end)

  it("refuses types, and a list of nothing", function()
    local seen = run("archive", {
      source = { { from = 1, to = 2, types = 1 }, { from = 1, to = {} }, { from = 1, to = 3 } },
      respond = function() return respond(204) end,
    })
    assert.same({ 1, 2, 0, 0 }, runs.counts(seen))
    assert.equal("types", seen.failures[1].error.field)
    assert.equal("to.id", seen.failures[2].error.field)
    assert.same({ { { from = { id = "1" }, to = { { id = "3" } } } } }, seen.bodies)
  end)

  it("tells which input a column of the body is in", function()
    local source = {
      { from = 1, to = 11 }, { from = 2, to = 12 }, { from = 1, to = 13 }, { from = 3, to = 14 },
    }
    local seen = run("archive", {
      source = source,
      respond = function(_, _, request)
        local column = request.body:find('"12"', 1, true)
        if not column then return respond(204) end
        local message = ("Invalid input JSON on line 1, column %d: no"):format(column)
        return respond(400, { status = "error", category = "VALIDATION_ERROR", message = message })
      end,
    })
    assert.same({ 3, 1, 0, 0 }, runs.counts(seen))
    assert.truthy(seen.failures[2])
    assert.equal(3, #seen.bodies)
  end)

  it("sends again what may have been done, and says unconfirmed when it stays so", function()
    local seen = run("archive", {
      source = PAIRS,
      respond = function(number) return number == 1 and { dropped = true, status = 0 } or respond(204) end,
    })
    assert.same({ 4, 0, 0, 0 }, runs.counts(seen))
    assert.equal(2, seen.report.requests)
  end)
end)

describe("a job that archives labels", function()
  it("sends the types of each pair, those of equal pairs together", function()
    local label = { associationCategory = "USER_DEFINED", associationTypeId = 36 }
    local seen = run("archive_labels", {
      source = {
        { from = 1, to = 2, types = 1 }, { from = 3, to = 4, types = label },
        { from = 1, to = 2, types = label },
      },
      respond = function() return respond(204) end,
    })
    assert.same({ 3, 0, 0, 0 }, runs.counts(seen))
    assert.equal(3, seen.report.archived)
    assert.equal(2, #seen.bodies[1])
    assert.equal(2, #seen.bodies[1][1].types)
  end)

  it("takes the number in a rejection for the batch size", function()
    local source = {}
    for i = 1, 40 do source[i] = { from = i, to = i, types = 1 } end
    local seen = run("archive_labels", {
      source = source, batch_size = 20,
      respond = function(number) return number == 1 and too_many(5) or respond(204) end,
    })
    assert.same({ 40, 0, 0, 0 }, runs.counts(seen))
    assert.same({ 20, 5, 5, 5, 5, 5, 5, 5, 5 }, seen.sizes)
  end)
end)

-- The results of create_default for a pair: both directions.
local function directions(from, to)
  local function one(a, b, id)
    return {
      from = { id = a }, to = { id = b },
      associationSpec = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = id },
    }
  end
  return one(from, to, 279), one(to, from, 280)
end

describe("a job that links by the default type", function()
  it("takes both directions of a pair for the one that was asked for", function()
    local seen = run("create_default", {
      source = { { from = 1, to = 2 }, { from = 3, to = 4 } },
      respond = function()
        local a, b = directions("1", "2")
        local c, d = directions("3", "4")
        return respond(200, { status = "COMPLETE", results = { b, a, c, d } })
      end,
    })
    assert.same({ 2, 0, 0, 0 }, runs.counts(seen))
    assert.equal(2, seen.report.created)
    assert.equal(1, #seen.bodies)
  end)

  it("never takes the other direction of (5, 7) for (7, 5)", function()
    local seen = run("create_default", {
      source = { { from = 5, to = 7 }, { from = 7, to = 5 }, { from = 8, to = 9 }, { from = 5, to = 7 } },
      respond = function(_, _, request)
        local results = {}
        for _, input in ipairs(cjson.decode(request.body).inputs) do
          if input.from.id ~= "7" then -- the service leaves (7, 5) out
            results[#results + 1], results[#results + 2] = directions(input.from.id, input.to.id)
          end
        end
        return respond(200, { status = "COMPLETE", results = results })
      end,
    })
    assert.same({ 3, 0, 1, 0 }, runs.counts(seen))
    assert.equal("unconfirmed", seen.failures[2].outcome)
    assert.equal(2, #seen.bodies[1])
    assert.same({ { from = { id = "7" }, to = { id = "5" } } }, seen.bodies[2])
  end)

  it("takes a result of one direction, too, and fails what errors name", function()
    local seen = run("create_default", {
      source = { { from = 1, to = 2 }, { from = 3, to = 4 } },
      respond = function()
        local a, errors = (directions("1", "2")), { missing("FROM_OBJECT", "3") }
        return respond(200, { status = "COMPLETE", results = { a }, errors = errors })
      end,
    })
    assert.same({ 1, 1, 0, 0 }, runs.counts(seen))
  end)

  it("refuses types", function()
    local seen = run("create_default", { source = { { from = 1, to = 2, types = 1 } } })
    assert.same({ 0, 1, 0, 0 }, runs.counts(seen))
    assert.equal("types", seen.failures[1].error.field)
  end)
end)

describe("a journal", function()
  it("is resumed for each endpoint, with its outcome", function()
    local simulation = require "support.simulation"
    for endpoint, source in pairs {
      archive = PAIRS, create_default = PAIRS, read = { 1, 2, 3 },
      archive_labels = { { from = 1, to = 2, types = 1 }, { from = 3, to = 4, types = 1 } },
    } do
      local store = simulation.memory()
      local function job(world)
        return run(endpoint, {
          source = source, batch_size = 2, store = store, world = world, on_record = function() end,
        })
      end
      local first = job()
      assert.is_nil(first.err)
      local second = job(first.world)
      assert.same(runs.counts(first), runs.counts(second))
      assert.equal(0, second.report.requests)
      assert.equal(#source, second.report.resumed)
      for line in store.text:gmatch "[^\n]+" do assert(core.decode(line)) end
    end
  end)
end)
