-- Checks the client's methods of jobs and lists over real HTTP, against the sandbox: what is linked, read and
-- removed, and what each method takes.

local clients = require "support.clients"
local jobs = require "support.jobs"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"
local sandbox = require "support.sandbox"

describe("the methods of jobs", function()
  local server, client

  before_each(function()
    server = sandbox.start { page_size = 2 }
    client = clients.open(server:url(), { batch_size = 3 })
  end)
  after_each(function()
    clients.close()
    server:close()
  end)

  -- Reads records: id -> the ids of their links, sorted, and how many parts they came in.
  local function read(from, to, source, given)
    local links, parts = {}, {}
    given = given or {}
    function given.on_record(page)
      links[page.id] = links[page.id] or {}
      for _, one in ipairs(page.links) do table.insert(links[page.id], tostring(one.toObjectId)) end
      table.sort(links[page.id])
      parts[page.id] = page.part
    end
    local report, err = client:read_all(from, to, source, given)
    return links, report, err, parts
  end

  it("link, read and remove in a round trip", function()
    local inputs = {}
    for i = 1, 5 do inputs[i] = { from = 1, to = i } end
    inputs[6] = { from = 2, to = 1 }
    local report = assert(client:create_default_all("contacts", "companies", inputs))
    assert.same({ 6, 6 }, { report.inputs, report.created })
    local labelled = assert(client:create_all("contacts", "companies", { { from = 2, to = 9, types = 1 } }))
    assert.equal(1, labelled.created)

    local links, seen, err, parts = read("contacts", "companies", { 1, "2", { id = 3 }, 1 })
    assert.is_nil(err)
    assert.same({ 4, 4 }, { seen.inputs, seen.read })
    assert.same({ "1", "9" }, links["2"])
    assert.same({}, links["3"])
    assert.same({ 3, 1, 1 }, { parts["1"], parts["2"], parts["3"] })

    local list = assert(client:list_all("contacts", 1, "companies", { limit = 2 }))
    assert.equal(5, #list.results)
    assert.equal(5, #assert(client:list_all("contacts", 1, "companies")).results)
    assert.same({}, assert(client:list_all("contacts", 7, "companies")).results)

    assert.equal(1, assert(client:archive_labels_all("contacts", "companies", {
      { from = 2, to = 9, types = 1 },
    })).archived)
    report = assert(client:archive_all("contacts", "companies", inputs))
    assert.same({ 6, 0, 0, 0 }, { report.archived, report.failed, report.unconfirmed, report.not_sent })
    assert.same({ ["1"] = {}, ["2"] = { "9" } }, (read("contacts", "companies", { 1, 2 })))
  end)

  it("are begun by start, in steps, with the endpoint's name first", function()
    assert(client:create_default("contacts", "companies", { { from = 1, to = 2 } }))
    local count = 0
    local report = jobs.finish(assert(client:start("read", "contacts", "companies", { 1 }, {
      on_record = function() count = count + 1 end,
    })))
    assert.same({ 1, 1 }, { report.read, count })
    report = jobs.finish(assert(client:start("archive", "contacts", "companies", { { from = 1, to = 2 } })))
    assert.equal(1, report.archived)
    assert.has_error(function() client:start("list", "contacts", "companies", {}) end)
  end)

  it("say what to give, where the source is one input, or what pairs and ipairs return", function()
    local list = { { from = 1, to = 2, types = 279 } }
    for _, iterate in ipairs { pairs, ipairs } do
      local called, message = pcall(client.create_all, client, "contacts", "companies", iterate(list))
      assert.is_false(called)
      assert.matches("source: give the list itself, not what pairs or ipairs returns", message, 1, true)
    end
    local _, err = client:create_all("contacts", "companies", list[1])
    assert.matches("is it one input? Put it into a list", err.message, 1, true)
  end)

  it("resume from a journal", function()
    local path = os.tmpname()
    os.remove(path)
    local list = { 1, 2, 3, 4, 5, 6, 7 }
    local count = 0
    local first, err = client:read_all("contacts", "companies", list, {
      journal = path,
      on_record = function()
        count = count + 1
        return count < 5
      end,
    })
    assert.equal("canceled", err.kind)
    assert.is_true(first.read < 7)
    local _, report, why = read("contacts", "companies", list, { journal = path })
    assert.is_nil(why)
    assert.same({ 7, 7 }, { report.inputs, report.read })
    assert.is_true(report.resumed >= 3)
    local _, other = client:archive_all("contacts", "companies", { { from = 1, to = 2 } }, { journal = path })
    assert.equal("journal", other.kind)
    os.remove(path)
  end)

  it("call before_journal when all records of a batch were given, and record the batch only then", function()
    local path = os.tmpname()
    os.remove(path)
    local list, given, seen, recorded = { 1, 2, 3, 4, 5, 6, 7 }, 0, {}, nil
    local function run(stop)
      return client:read_all("contacts", "companies", list, {
        journal = path,
        on_record = function() given = given + 1 end,
        before_journal = function()
          seen[#seen + 1], recorded = given, process.read_file(path)
          if #seen == 2 then return stop() end
        end,
      })
    end
    client = clients.open(server:url(), { batch_size = 3, concurrency = 1 })
    local stops = {
      canceled = function() return false end, callback = function() error "the disk is full" end,
    }
    for kind, stop in pairs(stops) do
      given, seen = 0, {}
      os.remove(path)
      local report, err = run(stop)
      assert.same({ { 3, 6 }, 6, kind }, { seen, report.read, err.kind })
      assert.equal(recorded, process.read_file(path))
    end
    given, seen = 0, {}
    local report = assert(run(function() end))
    assert.same({ { 3, 4 }, 3, 7 }, { seen, report.resumed, report.read })
    os.remove(path)
  end)

  it("take on_record where it has a meaning, and only there", function()
    local function fails(pattern, ...)
      local called, raised = pcall(...)
      assert.is_false(called)
      assert.truthy(tostring(raised):find(pattern, 1, true), raised)
      assert.truthy(tostring(raised):find("jobs_spec.lua", 1, true), raised)
    end
    local given = { on_record = print }
    fails("client:read_all: option on_record: expected a function", function()
      local report = client:read_all("contacts", "companies", { 1 })
      return report
    end)
    fails("client:read_all", function()
      local report = client:archive_all("contacts", "companies", { { from = 1, to = 2 } }, given)
      return report
    end)
    fails("option on_record", function()
      local job = client:start("read", "contacts", "companies", { 1 })
      return job
    end)
    local report = assert(client:read_all("contacts", "companies", { 1, "x" }, { dry_run = true }))
    assert.same({ 1, 1, 0 }, { report.not_sent, report.failed, report.read })
  end)
end)

describe("list_all", function()
  after_each(clients.close)

  it("follows pages of 500, encodes no cursor twice, and ends when one comes again", function()
    local function page(after)
      local body = ('{"results":[{"toObjectId":1,"associationTypes":[]}],"paging":{"next":{"after":"%s"}}}')
      return responses.created(body:format(after))
    end
    local script = responses.script { page "MC0y%3D", page "B", page "MC0y%3D" }
    local server = raw_server.start { connections = { script } }
    finally(function() server:close() end)
    local client = clients.open(server:url())
    local list, err = client:list_all("contacts", 1, "companies")
    assert.is_nil(list)
    assert.equal("decode", err.kind)
    assert.is_false(err.retryable)
    local paths = {}
    for i, request in ipairs(server:requests()) do paths[i] = request:match "%?%S+" end
    assert.same({ "?limit=500", "?after=MC0y%3D&limit=500", "?after=B&limit=500" }, paths)
  end)
end)
