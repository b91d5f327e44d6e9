-- Checks a dry run: all inputs are read and checked as in a job, and nothing is sent. For create_all and
-- start; without a server, as nothing may connect to one.

local associations = require "hubspot.associations"
local endpoints = require "hubspot.associations.api.endpoints"
local job_of = require "hubspot.associations.job.job"
local clients = require "support.clients"
local jobs = require "support.jobs"
local process = require "support.process"
local sandbox = require "support.sandbox"

local NOWHERE = "http://127.0.0.1:1"

local client, asked

before_each(function()
  asked = 0
  client = assert(associations.new { base_url = NOWHERE, batch_size = 10, token = function()
    asked = asked + 1
  end })
end)

after_each(function()
  client:close()
  clients.close()
end)

local function with(options)
  options.dry_run = true
  return options
end

-- The two methods. Each returns what create_all returns.
local WAYS = {
  create_all = function(source, options)
    return client:create_all("contacts", "companies", source, with(options))
  end,
  start = function(source, options)
    local job, err = client:start("contacts", "companies", source, with(options))
    if not job then return nil, err end
    return jobs.finish(job)
  end,
}

local function counts(report)
  return {
    report.inputs, report.created, report.failed, report.unconfirmed, report.not_sent, report.requests,
  }
end

for name, run in pairs(WAYS) do
  describe("a dry run by " .. name, function()
    after_each(function()
      assert.equal(0, asked) -- the token function
    end)

    it("counts the valid inputs, the invalid ones, and the requests that the job would need", function()
      local list = jobs.inputs(35)
      list[3], list[20], list[21] = { from = 1, types = 279 }, { from = 1, to = 2, types = 280 }, true
      local report, err = run(list, {})
      assert.is_nil(err)
      assert.same({ 35, 0, 3, 0, 32, 4 }, counts(report))
      assert.equal(0, report.retries)
      local fields = {}
      for i, failure in ipairs(report.failures) do
        fields[i] = { failure.index, failure.outcome, failure.error.kind, failure.error.field }
      end
      assert.same({
        { 3, "failed", "invalid_input", "to" }, { 20, "failed", "invalid_input", "types" },
        { 21, "failed", "invalid_input", "input" },
      }, fields)
      assert.equal(list[3], report.failures[1].input)
    end)

    it("counts no request for a batch with invalid inputs only", function()
      local list = jobs.inputs(20)
      for i = 1, 10 do list[i].to = nil end
      assert.same({ 20, 0, 10, 0, 10, 1 }, counts(run(list, {})))
      assert.same({ 0, 0, 0, 0, 0, 0 }, counts(run({}, {})))
    end)

    it("calls on_failure for invalid inputs only, and on_batch for each batch", function()
      local list, reported, batches = jobs.inputs(12), {}, {}
      list[11].to = "#N/A"
      local report = run(list, {
        on_failure = function(failure) reported[#reported + 1] = failure.index end,
        on_batch = function(batch)
          batches[#batches + 1] = { batch.first, batch.last, batch.created, #batch.failures, #batch.results }
        end,
      })
      assert.same({ 11 }, reported)
      assert.same({ { 1, 10, 0, 0, 0 }, { 11, 12, 0, 1, 0 } }, batches)
      assert.is_nil(report.failures)
    end)

    it("opens no journal", function()
      local folder = process.make_folder()
      finally(function() process.remove_folder(folder) end)
      assert(run(jobs.inputs(3), { journal = folder .. "/none/journal" }))
      assert(run(jobs.inputs(3), { journal = folder .. "/journal" }))
      assert.is_nil(io.open(folder .. "/journal"))
    end)

    it("reads an iterator to its end, or accounts for what was read if it fails", function()
      local index = 0
      local report, err = run(function()
        index = index + 1
        if index == 26 then error("the disk is gone", 0) end
        return { from = index, to = index ~= 7 and index or nil, types = 279 }
      end, {})
      assert.equal("source", err.kind)
      assert.same({ 25, 0, 1, 0, 24, 3 }, counts(report))
      assert.equal(1, #report.failures)
    end)

    it("returns an error for an invalid source", function()
      local report, err = run({ [1] = {}, [3] = {} }, {})
      assert.same({ nil, "invalid_input", "source" }, { report, err.kind, err.field })
    end)

    it("may be ended by a callback", function()
      local list = jobs.inputs(40)
      list[15].from = false
      local report, err = run(list, { on_failure = function() return false end })
      assert.equal("canceled", err.kind)
      assert.same({ 40, 0, 1, 0, 39, 2 }, counts(report))
    end)
  end)
end

describe("a dry run", function()
  it("does not wait for the rate limit of a client", function()
    local server = sandbox.start { rate = { limit = 0, interval = 100 } }
    finally(function() server:close() end)
    local limited = clients.open(server:url(), { retry_deadline = 1 })
    assert.is_nil((limited:create("contacts", "companies", jobs.inputs(1))))
    local list = jobs.inputs(30)
    assert.same({ 30, 0, 0, 0, 30, 1 }, counts(assert(limited:create_all("contacts", "companies", list,
      { dry_run = true }))))
  end)

  it("finds the invalid inputs and the number of requests of the job", function()
    local server = sandbox.start()
    finally(function() server:close() end)
    local list = jobs.inputs(95)
    for i = 3, 95, 26 do list[i] = { from = "00101", to = 1, types = 1 } end
    for i = 16, 95, 26 do list[i] = { from = 1, to = 1.5, types = 1 } end
    for i = 51, 55 do list[i] = { from = 100001, to = 200001, types = i % 2 + 1 } end -- of one pair
    local real = clients.open(server:url(), { batch_size = 10 })
    local predicted = assert(real:create_all("contacts", "companies", list, { dry_run = true }))
    local done = assert(real:create_all("contacts", "companies", list))
    assert.same({ predicted.failed, predicted.not_sent, predicted.requests },
      { done.failed, done.created, server:statistics().requests })
    local function reasons(report)
      local by_index = {}
      for _, failure in ipairs(report.failures) do by_index[failure.index] = tostring(failure.error) end
      return by_index
    end
    assert.same(reasons(done), reasons(predicted))
  end)

  it("can be canceled midway", function()
    local job = assert(client:start("contacts", "companies", function() return jobs.inputs(1)[1] end,
      { dry_run = true }))
    for _ = 1, 3 do assert.is_false(job:step()) end
    job:cancel()
    local report, err = jobs.finish(job)
    assert.equal("canceled", err.kind)
    assert.equal(report.inputs, report.not_sent)
    assert.is_true(report.inputs > 0)
  end)

  it("is requested by a boolean", function()
    assert.error_matches(function()
      client:create_all("contacts", "companies", {}, { dry_run = "yes" })
    end, "option dry_run: expected a boolean")
  end)
end)

describe("a dry run", function()
  it("hands over what it resolved, for those within the library that go on with it", function()
    local body_checks, seen = { shape = "association" }, {}
    local given = { { from = "1", to = 2, types = 279 }, { from = "x" }, { from = "3", to = "4", types = 1 } }
    local job = assert(job_of.new({
      source = given, endpoint = endpoints.create, checks = body_checks, batch_size = 10, concurrency = 1,
      max_failures = 10, dry_run = true,
      on_checked = function(batch)
        for position = 1, batch.body:count() do
          local from, to = batch.body:ids(position)
          seen[position] = {
            batch:index(position), batch:input(position), from, to, batch.body:types(position),
          }
        end
      end,
    }, 0))
    repeat until job:next(0) == "done"
    local function type_text(id)
      return ('{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":%d}'):format(id)
    end
    assert.same({ { 1, given[1], "1", "2", type_text(279) }, { 3, given[3], "3", "4", type_text(1) } }, seen)
    assert.equal(2, job:finish(0).not_sent)
  end)
end)
