-- Checks jobs that read back what they wrote: when, how often, and what becomes of what HubSpot does not
-- show.

local cjson = require "cjson"
local clients = require "support.clients"
local errors = require "hubspot.associations.errors"
local jobs = require "support.jobs"
local runs = require "support.job_run"
local sandbox = require "support.sandbox"
local simulation = require "support.simulation"
local types = require "hubspot.associations.types"
local verification = require "hubspot.associations.job.verification"

local PRIMARY, UNLABELED = 1, 279

-- Runs a job that verifies. `seen.reads` has the ids of each request that read; `respond` is told whether a
-- request does.
local function run(given)
  local reads, on_send, respond = {}, given.on_send, given.respond
  given.verify = true
  function given.on_send(chunk)
    if chunk.reader then
      local ids = {}
      for _, input in ipairs(cjson.decode(chunk:json()).inputs) do ids[#ids + 1] = input.id end
      reads[#reads + 1] = ids
    end
    if on_send then on_send(chunk) end
  end
  function given.respond(number, pass, request)
    if not respond then return nil end
    return respond(number, pass, request, request.path:find("/read", 1, true) ~= nil)
  end
  local seen = runs.run(given)
  seen.reads = reads
  return seen
end

-- Writes links { from, to, type ids } before the job; by the unlabeled type, if none is given.
local function link(world, inputs)
  local list = {}
  for i, input in ipairs(inputs) do
    list[i] = { from = { id = input[1] }, to = { id = input[2] }, types = {} }
    for j, id in ipairs(input[3] or { UNLABELED }) do
      list[i].types[j] = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = id }
    end
  end
  local response = world.account:handle {
    method = "POST", path = "/crm/associations/2025-09/contacts/companies/batch/create",
    headers = { authorization = "Bearer simulated", ["content-type"] = "application/json" },
    body = cjson.encode { inputs = list },
  }
  assert(response.status < 300, response.body)
end

local function new_world(account)
  return simulation.world { random = require "support.random".new(5), account = account }
end

local function label(id)
  return { { associationCategory = "USER_DEFINED", associationTypeId = id } }
end

describe("a job that verifies", function()
  it("reads once, after a pause, what HubSpot shows by then", function()
    local seen = run { source = runs.inputs(25), account = { visible_after = 0.9 } }
    assert.same({ 25, 0, 0, 0 }, runs.counts(seen))
    assert.equal(3, #seen.reads)
    assert.equal(6, seen.report.requests)
    assert.is_true(seen.world.now > 1 and seen.world.now < 2)
  end)

  it("reads a record once, however many of its links were written", function()
    local inputs = {}
    for i = 1, 10 do inputs[i] = { from = 100 + i % 2, to = 200 + i, types = UNLABELED } end
    local seen = run { source = inputs }
    assert.same({ { "101", "100" } }, seen.reads)
  end)

  it("reads again, twice at most, only records of what was not shown", function()
    local seen = run {
      source = runs.inputs(4), account = { visible_after = 0 },
      respond = function(number, pass, _, is_read)
        if not is_read or number > 3 then return nil end
        return runs.rewrite(pass(), function(batch) table.remove(batch.results, 2) end)
      end,
    }
    assert.same({ 4, 0, 0, 0 }, runs.counts(seen))
    assert.equal(4, #seen.reads[1])
    for round = 2, #seen.reads do assert.equal(1, #seen.reads[round]) end
  end)

  it("leaves unconfirmed what HubSpot does not show in three reads, and says what it lacks", function()
    local seen = run { source = runs.inputs(3), account = { visible_after = 60 } }
    assert.same({ 0, 0, 3, 0 }, runs.counts(seen))
    assert.is_nil(seen.err)
    assert.equal(3, #seen.reads)
    assert.is_true(seen.world.now > 7 and seen.world.now < 9)
    local err = seen.failures[2].error
    assert.is_true(errors.is(err))
    assert.equal("unverified", err.kind)
    assert.equal("HubSpot accepted it, but in 3 reads shows no link of the two records", err.message)
    assert.equal(runs.input(2).from, seen.failures[2].input.from)
  end)

  it("compares the types of each input, also of those that were sent as one", function()
    local seen = run {
      batch_size = 10, account = { labels = { ["36"] = "A", ["37"] = "B" } },
      source = {
        { from = 1, to = 2, types = label(36) },
        { from = 1, to = 2, types = label(37) },
        { from = 1, to = 2, types = UNLABELED },
      },
      respond = function(_, pass, _, is_read)
        if not is_read then return nil end
        return runs.rewrite(pass(), function(batch)
          local list = batch.results[1].to[1].associationTypes
          for i = #list, 1, -1 do
            if list[i].typeId == 37 then table.remove(list, i) end
          end
        end)
      end,
    }
    assert.same({ 2, 0, 1, 0 }, runs.counts(seen))
    assert.equal("HubSpot accepted it, but in 3 reads shows a link without USER_DEFINED=37",
      seen.failures[2].error.message)
  end)

  it("verifies a pair before a later input of the pair is sent", function()
    local seen = run {
      batch_size = 1, concurrency = 3,
      account = { labels = { ["36"] = "A", ["37"] = "B" }, visible_after = 1.5 },
      source = { { from = 1, to = 2, types = label(36) }, { from = 1, to = 2, types = label(37) } },
    }
    assert.same({ 2, 0, 0, 0 }, runs.counts(seen))
  end)

  it("sees that another input took the primary company away", function()
    local seen = run {
      source = { { from = 1, to = 2, types = PRIMARY }, { from = 1, to = 3, types = PRIMARY } },
    }
    assert.same({ 1, 0, 1, 0 }, runs.counts(seen))
    assert.equal("HubSpot accepted it, but in 3 reads shows a link without HUBSPOT_DEFINED=1",
      seen.failures[1].error.message)
  end)

  it("follows the pages of a record that has many links", function()
    local world, links = new_world { page_size = 7, visible_after = 0.5 }, {}
    for i = 1, 40 do links[i] = { "1", tostring(500 + i) } end
    link(world, links)
    local seen = run {
      world = world, source = { { from = 1, to = 9000, types = UNLABELED } }, requests = 100,
    }
    assert.same({ 1, 0, 0, 0 }, runs.counts(seen))
    assert.equal(6, #seen.reads)
  end)

  it("goes on with other batches meanwhile, and keeps a bounded number of them open", function()
    local most = 0
    local seen = run {
      source = runs.inputs(100), batch_size = 1, concurrency = 2, latency = 0.01,
      on_step = function(job) most = math.max(most, job.open_batches) end,
    }
    assert.same({ 100, 0, 0, 0 }, runs.counts(seen))
    assert.equal(2 + 1 + verification.MOST_WAITING, most)
    assert.is_true(seen.world.now < 10) -- one after the other would take 100 s
  end)

  it("keeps the failures of the write, and verifies the rest", function()
    local seen = run {
      source = { runs.input(1), { from = "4041", to = "7", types = UNLABELED }, true, runs.input(2) },
    }
    assert.same({ 2, 2, 0, 0 }, runs.counts(seen))
    assert.equal(2, #seen.reads[1])
  end)

  it("gives on_batch a batch once, when it is verified", function()
    local batches = {}
    local seen = run {
      source = runs.inputs(20), account = { visible_after = 2 },
      on_batch = function(batch) batches[#batches + 1] = batch.created end,
    }
    assert.same({ 10, 10 }, batches)
    assert.equal(20, seen.report.created)
  end)

  it("leaves unconfirmed the inputs of a record that cannot be read, with HubSpot's words", function()
    local seen = run {
      source = runs.inputs(5),
      respond = function(_, _, request, is_read)
        if is_read and request.body:find(runs.input(3).from, 1, true) then
          return {
            status = 400, headers = {}, body = cjson.encode {
              status = "error", category = "VALIDATION_ERROR", message = "this record cannot be read",
            },
          }
        end
      end,
    }
    assert.same({ 4, 0, 1, 0 }, runs.counts(seen))
    local err = seen.failures[3].error
    assert.equal("VALIDATION_ERROR", err.category)
    assert.truthy(err.message:find("could not be verified: .*this record cannot be read"))
  end)

  it("reads a record that cannot be read no more, while others are", function()
    local reads = 0
    local seen = run {
      source = runs.inputs(30), batch_size = 1, concurrency = 2,
      respond = function(_, _, request, is_read)
        if not is_read or not request.body:find(runs.input(2).from, 1, true) then return nil end
        reads = reads + 1
        return { status = 500, headers = {}, body = '{"message":"internal error"}' }
      end,
    }
    assert.is_nil(seen.err)
    assert.same({ 29, 0, 1, 0 }, runs.counts(seen))
    assert.equal(6, reads) -- the attempts at one request
    assert.equal(500, seen.failures[2].error.status)
  end)

  it("keeps to the size of a read that HubSpot allows", function()
    local seen = run { source = runs.inputs(40), account = { max_inputs = { read = 5 } } }
    assert.same({ 40, 0, 0, 0 }, runs.counts(seen))
    assert.equal(4 + 1 + 8, seen.report.requests)
  end)

  it("has no more requests in flight with its reads than without", function()
    local in_flight, most = 0, 0
    local seen = run {
      source = runs.inputs(100), read_size = 1, concurrency = 3,
      on_send = function()
        in_flight = in_flight + 1
        most = math.max(most, in_flight)
      end,
      on_response = function() in_flight = in_flight - 1 end,
    }
    assert.same({ 100, 0, 0, 0 }, runs.counts(seen))
    assert.equal(3, most)
  end)

  it("that may not read stops, loses nothing, and records nothing", function()
    local store = simulation.memory()
    local seen = run {
      source = runs.inputs(25), store = store,
      respond = function(_, _, _, is_read)
        if is_read then return { status = 403, headers = {}, body = '{"message":"no scope"}' } end
      end,
    }
    assert.equal("forbidden", seen.err.kind)
    assert.equal("unconfirmed", seen.failures[1].outcome)
    assert.equal("forbidden", seen.failures[1].error.kind)
    assert.equal(0, seen.report.created)
    assert.equal(25, seen.report.unconfirmed + seen.report.not_sent)
    local second = run { source = runs.inputs(25), store = store, world = seen.world }
    assert.same({ 25, 0, 0, 0 }, runs.counts(second))
    assert.equal(0, second.report.resumed)
  end)

  it("stops at the daily limit of its reads", function()
    local seen = run {
      source = runs.inputs(25),
      respond = function(_, _, _, is_read)
        if not is_read then return nil end
        return { status = 429, headers = {}, body = '{"policyName":"DAILY","message":"enough"}' }
      end,
    }
    assert.equal("daily_limit", seen.err.kind)
    assert.equal(0, seen.report.created)
  end)

  it("reads again after a failure that may pass", function()
    local failed = 0
    local seen = run {
      source = runs.inputs(10),
      respond = function(_, _, _, is_read)
        if is_read and failed < 3 then
          failed = failed + 1
          return { status = 503, headers = {}, body = "" }
        end
      end,
    }
    assert.same({ 10, 0, 0, 0 }, runs.counts(seen))
    assert.equal(3, seen.report.retries)
  end)

  it("that is canceled leaves unconfirmed what was not verified, which a resumed one sends again", function()
    for _, at in ipairs { 0.05, 0.5, 1.05, 1.15, 2, 3.1 } do
      local store, list = simulation.memory(), runs.inputs(30)
      local first = run {
        source = list, store = store, concurrency = 3, account = { visible_after = 2 },
        on_step = function(job, world)
          if world.now >= at then job:cancel(errors.new { kind = "canceled", message = "enough" }) end
        end,
      }
      assert.equal("canceled", first.err.kind)
      if at < 1 then assert.equal(0, first.report.created) end -- nothing was read by then
      local sent = 0
      local second = run {
        source = list, store = store, world = first.world,
        on_send = function(chunk) sent = sent + (chunk.reader and 0 or #chunk.positions) end,
      }
      assert.equal(30 - first.report.created, sent)
      assert.equal(first.report.created, second.report.resumed)
      assert.same({ 30, 0, 0, 0 }, runs.counts(second))
    end
  end)

  it("takes what its journal records as it is", function()
    local store = simulation.memory()
    local first = runs.run { source = runs.inputs(20), store = store }
    local second = run { source = runs.inputs(20), store = store, world = first.world }
    assert.equal(20, second.report.resumed)
    assert.equal(0, #second.reads)
  end)

  it("counts in a dry run the requests that it takes at least", function()
    local report = simulation.run(new_world(), {
      source = runs.inputs(25), verify = true, dry_run = true, batch_size = 10, read_size = 4,
      concurrency = 1,
    })
    assert.equal(25, report.not_sent)
    assert.equal(3 + 3 + 3 + 2, report.requests)
  end)
end)

describe("a job of another endpoint that verifies", function()
  it("archives: leaves unconfirmed what is still there", function()
    local world = new_world()
    link(world, { { "1", "2" }, { "1", "3" }, { "4", "5" } })
    local seen = run {
      endpoint = "archive", world = world,
      source = { { from = 1, to = 2 }, { from = 1, to = 3 }, { from = 4, to = 5 }, { from = 6, to = 7 } },
      respond = function(_, _, request, is_read)
        if is_read or not request.body:find '"3"' then return nil end
        link(world, { { "1", "2" }, { "1", "3" } })
        world.account:handle {
          method = "DELETE", path = "/crm/v4/objects/contacts/1/associations/companies/2",
          headers = { authorization = "Bearer x" }, body = "",
        }
        return { status = 204, headers = {}, body = "" }
      end,
    }
    assert.same({ 2, 0, 2, 0 }, runs.counts(seen))
    assert.equal("HubSpot accepted it, but in 3 reads still shows a link of the two records",
      seen.failures[2].error.message)
  end)

  it("archives: leaves unconfirmed a pair of a record of which not all links were read", function()
    local world, links = new_world { page_size = 7 }, {}
    for i = 1, 20 do links[i] = { "1", tostring(500 + i) } end
    link(world, links)
    local seen = run {
      endpoint = "archive", world = world, source = { { from = 1, to = 520 }, { from = 3, to = 4 } },
      respond = function(_, _, request, is_read)
        if is_read and request.body:find('"after"', 1, true) then
          return { status = 400, headers = {}, body = '{"message":"no such page"}' }
        elseif not is_read then
          return { status = 204, headers = {}, body = "" }
        end
      end,
    }
    assert.same({ 1, 0, 1, 0 }, runs.counts(seen))
    assert.truthy(seen.failures[1].error.message:find("no such page", 1, true))
  end)

  it("archives: waits until HubSpot no longer shows it", function()
    local world = new_world { visible_after = 2.5 }
    link(world, { { "1", "2" } })
    world:advance(10)
    local seen = run { endpoint = "archive", world = world, source = { { from = 1, to = 2 } } }
    assert.same({ 1, 0, 0, 0 }, runs.counts(seen))
    assert.equal(2, #seen.reads)
  end)

  it("archives labels: only these types have to be gone", function()
    local world = new_world()
    link(world, { { "1", "2", { PRIMARY } }, { "3", "4", { PRIMARY } } })
    local seen = run {
      endpoint = "archive_labels", world = world,
      source = { { from = 1, to = 2, types = PRIMARY }, { from = 3, to = 4, types = UNLABELED } },
    }
    assert.same({ 2, 0, 0, 0 }, runs.counts(seen))
    assert.equal(1, #seen.reads)
  end)

  it("archives labels: says which are still there", function()
    local world = new_world()
    link(world, { { "1", "2", { PRIMARY } } })
    local seen = run {
      endpoint = "archive_labels", world = world, source = { { from = 1, to = 2, types = PRIMARY } },
      respond = function(_, _, _, is_read)
        return not is_read and { status = 204, headers = {}, body = "" } or nil
      end,
    }
    assert.same({ 0, 0, 1, 0 }, runs.counts(seen))
    assert.equal("HubSpot accepted it, but in 3 reads still shows HUBSPOT_DEFINED=1",
      seen.failures[1].error.message)
  end)

  it("creates by the default type: looks for that type", function()
    local PAIRS = { { from = 1, to = 2 }, { from = 3, to = 4 } }
    local seen = run { endpoint = "create_default", source = PAIRS, account = { visible_after = 1.5 } }
    assert.same({ 2, 0, 0, 0 }, runs.counts(seen))
    seen = run {
      endpoint = "create_default", source = PAIRS,
      respond = function(_, pass, _, is_read)
        if not is_read then return nil end
        return runs.rewrite(pass(), function(batch) batch.results[1].to[1].associationTypes[1].typeId = 5 end)
      end,
    }
    assert.same({ 1, 0, 1, 0 }, runs.counts(seen))
    assert.truthy(seen.failures[1].error.message:find("HUBSPOT_DEFINED=279", 1, true))
  end)
end)

describe("verification over HTTP", function()
  local server

  after_each(function()
    clients.close()
    server:close()
  end)

  it("of a custom object is by any type", function()
    assert.is_nil(types.id("contacts", "2-123"))
    server = sandbox.start()
    local client = clients.open(server:url(), {})
    local report = assert(client:create_default_all("contacts", "2-123", { { from = 1, to = 2 } },
      { verify = true }))
    assert.equal(1, report.created)
    assert.equal(2, report.requests)
    assert.is_true(report.elapsed >= 1)
  end)

  it("is of the records that were looked up", function()
    server = sandbox.start()
    local client = clients.open(server:url(), {})
    local report = assert(client:create_all("contacts", "companies", {
      { from = "ada101@example.com", to = "202.example.com", types = UNLABELED },
      { from = "nobody@example.com", to = "203.example.com", types = UNLABELED },
    }, { verify = true, from_property = "email", to_property = "domain" }))
    assert.same({ 1, 1, 0 }, { report.created, report.failed, report.unconfirmed })
    assert.equal(1, #server:associations())
  end)

  it("is over at once when the client is closed, or the job is canceled", function()
    server = sandbox.start { visible_after = 600 }
    for _, how in ipairs { "close", "cancel" } do
      local client = clients.open(server:url(), {})
      local job = assert(client:start("contacts", "companies", jobs.inputs(3), { verify = true }))
      repeat job:step() until job:timeout() and job:timeout() > 0.1
      assert.equal(0, job:progress().created)
      assert.equal("verify", select(2, job:waiting()))
      if how == "close" then client:close() else job:cancel() end
      local report, err = jobs.finish(job)
      assert.equal(how == "close" and "closed" or "canceled", err.kind)
      assert.equal(3, report.unconfirmed)
      assert.is_true(report.elapsed < 1)
    end
  end)

  it("is no option of a job that reads", function()
    server = sandbox.start()
    local client = clients.open(server:url(), {})
    local called, message = pcall(client.read_all, client, "contacts", "companies", { 1 },
      { verify = true, on_record = function() end })
    assert.is_false(called)
    assert.truthy(message:find("client:read_all: option verify is an option of jobs that write", 1, true))
  end)
end)
