-- Checks jobs whose sources name types, over real HTTP: when they ask for the account's labels, that they go
-- on where they were, and what becomes of the inputs when the labels cannot be had.

local clients = require "support.clients"
local core = require "hubspot.associations.core"
local jobs = require "support.jobs"
local raw_server = require "support.raw_server"
local responses = require "support.responses"
local sandbox = require "support.sandbox"

local LABELS = { ["7"] = { label = "Boss", from = "contacts", to = "companies" } }
local ASK, CREATE = "GET contacts/companies/labels", "POST companies/batch/create"

describe("a job whose source names types", function()
  local server, requests

  local function listen(event)
    if event.type == "request" then
      requests[#requests + 1] = event.method .. " " .. event.url:match "([^/]+/[^/]+/[^/]+)$"
    end
  end

  local function open(options, account, faults)
    requests = {}
    server = sandbox.start { labels = LABELS, faults = faults, forbidden = account and account.forbidden }
    return clients.open(server:url(), { batch_size = 3, concurrency = 1, on_event = listen }, options)
  end

  after_each(function()
    clients.close()
    server:close()
  end)

  -- Inputs of pairs of their own, with these types in turn.
  local function inputs(count, ...)
    local given, list = { ... }, {}
    for i = 1, count do list[i] = { from = 1, to = 1000 + i, types = given[(i - 1) % #given + 1] } end
    return list
  end

  local function counts(report)
    return { report.created or report.archived, report.failed, report.unconfirmed, report.not_sent }
  end

  -- How many associations of the type the account holds.
  local function held(id)
    local count = 0
    for _, one in ipairs(server:associations()) do
      if one.fromObjectTypeId == "0-1" and one.associationTypeId == id then count = count + 1 end
    end
    return count
  end

  it("begins by asking for them, once", function()
    local client = open()
    local list = inputs(7, "Boss", "primary", { "Boss", 279 })
    local report, err = client:create_all("contacts", "companies", list)
    assert.is_nil(err)
    assert.same({ 7, 0, 0, 0 }, counts(report))
    assert.same({ ASK, CREATE, CREATE, CREATE }, requests)
    assert.equal(3, report.requests)
    assert.equal(5, held(7))
    report = assert(client:archive_labels_all("0-1", "Companies", inputs(7, "Boss")))
    assert.same({ 7, 0, 0, 0 }, counts(report))
    assert.equal(0, held(7))
    assert.equal(7, #requests)
  end)

  it("asks for nothing when all names are HubSpot's own", function()
    local client = open()
    assert.equal(4, client:create_all("contacts", "companies", inputs(4, "contact_to_company")).created)
    assert.same({ CREATE, CREATE }, requests)
  end)

  it("asks when the first one comes, and reads no input twice", function()
    local list = inputs(8, 279)
    list[5].types = "Boss"
    local client = open()
    local report, err = client:create_all("contacts", "companies", jobs.iterator(list))
    assert.is_nil(err)
    assert.same({ 8, 0, 0, 0 }, counts(report))
    table.sort(requests)
    assert.same({ ASK, CREATE, CREATE, CREATE }, requests)
    assert.equal(1, held(7))
  end)

  it("asks before a batch is sent to which the next input belongs, for the pair of its last one", function()
    local list = inputs(7, 279)
    list[4] = { from = 1, to = list[3].to, types = "Boss" }
    list[5] = { from = 1, to = list[3].to, types = { "Boss", "primary" } }
    local client = open()
    local report, err = client:create_all("contacts", "companies", jobs.iterator(list))
    assert.is_nil(err)
    assert.same({ 7, 0, 0, 0 }, counts(report))
    assert.same({ ASK, CREATE, CREATE }, requests)
    assert.equal(1, held(7))
  end)

  it("fails inputs with an unknown name, in the place where they are, and asks no further", function()
    local list = inputs(9, "Boss")
    for _, index in ipairs { 1, 5, 9 } do list[index].types = { "Nobody" } end
    local client = open()
    local report, err = client:create_all("contacts", "companies", list)
    assert.is_nil(err)
    assert.same({ 6, 3, 0, 0 }, counts(report))
    assert.same({ ASK, CREATE, CREATE, CREATE }, requests)
    for number, failure in ipairs(report.failures) do
      assert.equal(({ 1, 5, 9 })[number], failure.index)
      assert.equal(list[failure.index], failure.input)
      assert.same({ "invalid_input", "types[1]" }, { failure.error.kind, failure.error.field })
      assert.truthy(failure.error.message:find('the name "Nobody"; there are "Billing", "Boss"', 1, true))
    end
  end)

  it("asks again for a name that a client which has the labels does not know", function()
    local client = open()
    assert(client:create("contacts", "companies", inputs(1, "Boss")))
    assert(clients.open(server:url()):create_label("contacts", "companies", { name = "n", label = "New" }))
    requests = {}
    local report = client:create_all("contacts", "companies", inputs(4, "New", "Boss", "Old"))
    assert.same({ 3, 1, 0, 0 }, counts(report))
    assert.same({ ASK, CREATE, CREATE }, requests)
  end)

  it("goes on with what is in flight, and waits for the answer without blocking the host", function()
    local list = inputs(6, 279)
    list[5].types = "Boss"
    local client = open { concurrency = 3 }
    server:configure { latency = 1 }
    local runner = assert(client:start("create", "contacts", "companies", list))
    local longest = 0
    while true do
      local before = core.now()
      if runner:step() then break end
      longest = math.max(longest, core.now() - before)
      assert(core.poll(runner:fd(), 5), "nothing comes")
    end
    assert.is_true(longest < 0.9, longest)
    assert.same({ 6, 0, 0, 0 }, counts((runner:result())))
    assert.same({ CREATE, ASK, CREATE }, requests)
  end)

  it("asks in a dry run as well, and sends nothing else", function()
    local client = open()
    local list = inputs(5, "Boss", "Nobody")
    local report, err = client:create_all("contacts", "companies", list, { dry_run = true })
    assert.is_nil(err)
    assert.same({ 0, 2, 0, 3 }, counts(report))
    assert.same({ ASK }, requests)
    assert.equal(0, #server:associations())
  end)

  it("stops when it must not ask: nothing is sent, and the error names the scope", function()
    for _, source in ipairs { inputs(7, "Boss"), jobs.iterator(inputs(7, "Boss")) } do
      local client = open(nil, { forbidden = { "crm.objects.companies.read" } })
      local report, err = client:create_all("contacts", "companies", source)
      assert.same({ "forbidden", 403 }, { err.kind, err.status })
      assert.truthy(tostring(err):find("crm.objects.companies.read", 1, true), tostring(err))
      assert.truthy(tostring(err):find("the labels from contacts to companies", 1, true))
      jobs.assert_adds_up(report)
      assert.equal(report.inputs, report.not_sent)
      assert.same({ ASK }, requests)
      server:close()
    end
  end)

  it("that stops in the midst of a batch gives its inputs their outcome", function()
    local list = inputs(5, 279)
    list[2].to, list[3].types = "x", "Boss"
    local client = open(nil, { forbidden = { "crm.objects.companies.read" } })
    local report, err = client:create_all("contacts", "companies", jobs.iterator(list))
    assert.equal("forbidden", err.kind)
    assert.same({ 0, 1, 0, 2 }, counts(report))
    assert.equal(3, report.inputs)
  end)

  it("asks as often as its options allow", function()
    local client = open({ max_attempts = 3 }, nil, { ["1"] = "unavailable" })
    local report, err = client:create_all("contacts", "companies", inputs(2, "Boss"))
    assert.is_nil(err)
    assert.same({ 2, 0, 0, 0 }, counts(report))
    assert.same({ ASK, ASK, CREATE }, requests)
  end)

  it("stops with the last error when that is not enough", function()
    local client = open({ max_attempts = 1 }, nil, { ["1"] = "unavailable" })
    local report, err = client:create_all("contacts", "companies", inputs(2, "Boss"))
    assert.same({ 503, 1, true }, { err.status, err.attempts, err.retryable })
    assert.equal(2, report.not_sent)
  end)

  it("asks with a new token after a 401", function()
    local client = open {
      token = function(reason)
        return reason == "first" and clients.TOKEN .. "-old" or clients.TOKEN .. "-new"
      end,
    }
    server:configure { token = { clients.TOKEN .. "-new" } }
    assert.equal(1, client:create_all("contacts", "companies", inputs(1, "Boss")).created)
    assert.same({ ASK, ASK, CREATE }, requests)
  end)

  it("can be canceled, and its client closed, while it asks", function()
    for _, way in ipairs { "cancel", "close" } do
      requests = {}
      server = raw_server.start { connections = { { { "read_request" }, { "sleep", 0.2 },
        { "send", responses.of(200, '{"results":[]}') } } } }
      local client = clients.open(server:url(), { on_event = listen })
      local runner = assert(client:start("create", "contacts", "companies", inputs(3, "Boss")))
      repeat assert.is_false(runner:step()) until #requests > 0 -- a slow step ends before it asks
      assert.same({ ASK }, requests)
      assert.equal(0, (runner:waiting()))
      if way == "cancel" then runner:cancel() else client:close() end
      local report, err = jobs.finish(runner)
      assert.equal(way == "cancel" and "canceled" or "closed", err.kind)
      assert.same({ 0, 0, 0, 3 }, counts(report))
      server:close()
    end
  end)

  describe("and that has a journal", function()
    local path

    before_each(function() path = os.tmpname(); os.remove(path) end)
    after_each(function() os.remove(path) end)

    it("is resumed by another client, which asks before it compares", function()
      local list = inputs(8, "Boss", 279, "Nobody")
      local client = open()
      local batches = 0
      local report, err = client:create_all("contacts", "companies", list, {
        journal = path,
        on_batch = function()
          batches = batches + 1
          return batches < 2
        end,
      })
      assert.equal("canceled", err.kind)
      assert.same({ 4, 2, 0, 2 }, counts(report))
      requests = {}
      client = clients.open(server:url(), { batch_size = 3, concurrency = 1, on_event = listen })
      report, err = client:create_all("contacts", "companies", jobs.iterator(list), { journal = path })
      assert.is_nil(err)
      assert.same({ 6, 2, 0, 0 }, counts(report))
      assert.equal(6, report.resumed)
      assert.same({ ASK, CREATE }, requests)
    end)

    it("cannot be compared without them: nothing is changed", function()
      local list = inputs(6, 279, "Boss")
      local client = open()
      assert(client:create_all("contacts", "companies", list, { journal = path }))
      server:configure { forbidden = true }
      client = clients.open(server:url(), { batch_size = 3, on_event = listen })
      local report, err = client:create_all("contacts", "companies", list, { journal = path })
      assert.equal("forbidden", err.kind)
      assert.same({ 0, 0, 0, 6 }, counts(report))
      server:configure { forbidden = {} }
      report = assert(client:create_all("contacts", "companies", list, { journal = path }))
      assert.same({ 6, 6 }, { report.created, report.resumed })
    end)
  end)
end)
