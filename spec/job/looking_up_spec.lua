-- Jobs whose source names records by a property, over HTTP against the sandbox.

local errors = require "hubspot.associations.errors"
local clients = require "support.clients"
local jobs = require "support.jobs"
local sandbox = require "support.sandbox"

local BY_BOTH = { from_property = "email", to_property = "domain" }

local server, client

local function open(account, options)
  server = sandbox.start(account or {})
  client = clients.open(server:url(), { max_attempts = 4 }, options or {})
end

after_each(function()
  clients.close()
  server:close()
end)

local function with(options, more)
  local copy = {}
  for _, fields in ipairs { options, more or {} } do
    for name, value in pairs(fields) do copy[name] = value end
  end
  return copy
end

-- Inputs that name contact 1 ... count, and one of `companies`.
local function inputs(count, companies)
  local list = {}
  for i = 1, count do
    list[i] = {
      from = ("Ada%d@Example.com"):format(100000 + i), types = 279,
      to = ("c%d.example"):format(200000 + i % companies),
    }
  end
  return list
end

-- The failures of a job by index: { outcome, kind, value, field }.
local function described(failures)
  local list = {}
  for _, failure in ipairs(failures) do
    local err = failure.error
    list[failure.index] = { failure.outcome, err.kind, err.value, err.field }
  end
  return list
end

describe("a job with look-ups", function()
  it("links the records that have the values, and asks each value once", function()
    open()
    local list = inputs(3000, 30)
    local report, err = client:create_all("contacts", "companies", list, BY_BOTH)
    assert.is_nil(err)
    assert.same({ 3000, 0 }, { report.created, report.failed })
    local held = server:associations()
    assert.equal(3000, #held)
    for _, one in ipairs(held) do
      local number = tonumber(one.fromObjectId) - 100000
      assert.equal(tostring(200000 + number % 30), one.toObjectId)
    end
    assert.is_true(report.look_ups <= 3000 / 100 + 3, report.look_ups)
    assert.equal(report.requests + report.look_ups, server:statistics().requests)
    assert.same("Ada100001@Example.com", list[1].from) -- the caller's inputs stay as they are
  end)

  it("fails inputs whose record is not found or not named, with the value, and links the others", function()
    open { missing = { "303" } }
    local seen = {}
    local list = {
      { from = "ada1@example.com", to = "c2.example", types = 279 },
      { from = "ada303@example.com", to = "c2.example", types = 279 },
      { from = { id = "ada1@example.com" }, to = "none.example", types = 279 },
      { from = "", to = "c2.example", types = 279 },
      { from = "ada5@example.com", types = 279 },
      { from = "ada6@example.com", to = "c2.example", types = "no such label" },
      7,
      { from = "ada303@example.com", to = "c9.example", types = 279 },
    }
    for _, source in ipairs { list, jobs.iterator(list) } do
      local report, err = client:create_all("contacts", "companies", source, with(BY_BOTH, {
        on_failure = function(failure) seen[#seen + 1] = failure end,
      }))
      assert.is_nil(err)
      jobs.assert_adds_up(report, 8)
      assert.equal(1, report.created)
      assert.same({
        [2] = { "failed", "not_found", "ada303@example.com", "from" },
        [3] = { "failed", "not_found", "none.example", "to" },
        [4] = { "failed", "not_found", "", "from" },
        [5] = { "failed", "invalid_input", nil, "to" },
        [6] = { "failed", "invalid_input", nil, "types" },
        [7] = { "failed", "invalid_input", nil, "input" },
        [8] = { "failed", "not_found", "ada303@example.com", "from" },
      }, described(seen))
      for _, failure in ipairs(seen) do assert.equal(list[failure.index], failure.input) end
      assert.equal('not_found: input 2, from: no record of contacts has the email "ada303@example.com"',
        tostring(seen[1].error))
      seen = {}
    end
  end)

  it("says which record of the from side an input is about that fails for another reason", function()
    open()
    local report = client:create_all("contacts", "companies", {
      { from = "ada1@example.com", to = "none.example", types = 279 },
      { from = "ada2@example.com", to = "c2.example" },
      { from = "nobody@example.com", to = "c2.example", types = 279 },
    }, BY_BOTH)
    assert.same({ "1", "2" }, { report.failures[1].from_id, report.failures[2].from_id })
    assert.is_nil(report.failures[3].from_id)
  end)

  it("keeps what is given for the report where there is no on_failure", function()
    open { missing = { "303" } }
    local list = { { from = "ada303@example.com", to = 7, types = 279 } }
    local given = { from_property = "email" }
    local report = client:create_all("contacts", "companies", jobs.iterator(list), given)
    assert.equal(list[1], report.failures[1].input)
  end)

  it("looks one side up, and takes ids for the other", function()
    open()
    local report = client:create_default_all("contacts", "companies", {
      { from = 101, to = "c202.example" }, { from = "ada101@example.com", to = "c202.example" },
    }, { to_property = "domain" })
    assert.same({ 1, 1 }, { report.created, report.failed })
    assert.equal("from", report.failures[1].error.field)
  end)

  it("knows the sides of one object type and property together", function()
    open()
    local report = client:create_default_all("contacts", "contacts", {
      { from = "ada1@example.com", to = "bob2@example.com" },
      { from = "bob2@example.com", to = "eve3@example.com" },
    }, { from_property = "email", to_property = "email" })
    assert.same({ 2, 1 }, { report.created, report.look_ups })
  end)

  it("sends two values of one record as the one pair that they are", function()
    open { records = { contacts = {
      ["5"] = { email = "ada@example.com", hs_additional_emails = "ada@old.example" },
    } } }
    local report = client:create_all("contacts", "companies", {
      { from = "ada@example.com", to = 7, types = 1 }, { from = "ada@old.example", to = 7, types = 279 },
    }, { from_property = "email" })
    assert.same({ 2, 1, 1 }, { report.created, report.requests, report.look_ups })
  end)

  it("reads and removes the links of records by a property", function()
    open()
    local list = inputs(50, 50)
    assert(client:create_all("contacts", "companies", list, BY_BOTH))
    local pages, names = {}, {}
    for i = 1, 50 do names[i] = i % 2 == 0 and list[i].from or { id = list[i].from } end
    local report = client:read_all("contacts", "companies", jobs.iterator(names), {
      from_property = "email", on_record = function(page) pages[page.index] = page end,
    })
    assert.equal(50, report.read)
    for i = 1, 50 do
      assert.equal(names[i], pages[i].input)
      assert.equal(tostring(100000 + i), pages[i].id)
      assert.equal(1, #pages[i].links)
    end
    report = client:archive_labels_all("contacts", "companies", { list[1] }, BY_BOTH)
    assert.equal(1, report.archived)
    report = client:archive_all("contacts", "companies", jobs.iterator {
      { from = list[2].from, to = list[2].to }, { from = list[3].from, to = list[3].to },
    }, BY_BOTH)
    assert.equal(2, report.archived)
    assert.equal(47, #server:associations())
  end)

  it("looks up in a dry run, hands over what it resolved, and changes nothing", function()
    open { missing = { "303" } }
    local list = inputs(120, 10)
    list[7] = { from = "ada303@example.com", to = "c2.example", types = 279 }
    local report, err = client:create_all("contacts", "companies", list, with(BY_BOTH, { dry_run = true }))
    assert.is_nil(err)
    assert.same({ 120, 1, 119, 1 }, { report.inputs, report.failed, report.not_sent, report.requests })
    assert.is_true(report.look_ups > 0)
    assert.equal(0, #server:associations())
  end)

  it("stops where look-ups fail, with what is not sent, and says why", function()
    open { forbidden = { "crm.objects.contacts.read" } }
    local report, err = client:create_all("contacts", "companies", inputs(5000, 10), BY_BOTH)
    assert.equal("forbidden", err.kind)
    assert.truthy(tostring(err):find("the look-up of contacts by email", 1, true), tostring(err))
    assert.truthy(tostring(err):find("crm.objects.contacts.read", 1, true), tostring(err))
    jobs.assert_adds_up(report, 5000)
    assert.equal(5000, report.not_sent)
  end)

  it("stops where the property is not unique, whatever the source is", function()
    open()
    local report, err = client:create_all("contacts", "companies", jobs.iterator(inputs(10, 10)),
      { from_property = "lastname", to_property = "domain" })
    assert.truthy(tostring(err):find("its values have to be unique", 1, true), tostring(err))
    assert.same({ 10, 10 }, { report.inputs, report.not_sent })
  end)

  it("never has more requests in flight than concurrency says", function()
    local in_flight, most = 0, 0
    open({ latency = 0.01 }, { concurrency = 3, batch_size = 100, on_event = function(event)
      if event.type == "request" then in_flight = in_flight + 1 end
      if event.type == "response" or event.type == "error" then in_flight = in_flight - 1 end
      most = math.max(most, in_flight)
    end })
    local report = client:create_all("contacts", "companies", inputs(2000, 200), BY_BOTH)
    assert.same({ 2000, 3 }, { report.created, most })
  end)

  for _, kind in ipairs { "lost_response", "unavailable", "truncated", "empty", "secondly", "pending" } do
    it("links all records though a look-up meets: " .. kind, function()
      open({ faults = { ["1"] = kind } })
      local report, err = client:create_all("contacts", "companies", inputs(300, 30), BY_BOTH)
      assert.is_nil(err, tostring(err))
      assert.equal(300, report.created)
    end)
  end

  it("waits for names of types and for records in one source", function()
    open { labels = { ["7"] = "Advisor" } }
    local list = inputs(300, 30)
    for i = 1, 300, 2 do list[i].types = "Advisor" end
    local report = client:create_all("contacts", "companies", list, BY_BOTH)
    assert.equal(300, report.created)
  end)

  it("takes an input that raises for the end of the source", function()
    open()
    local list = inputs(10, 10)
    list[4] = setmetatable({}, { __index = function(_, name)
      if name == "to" then error "no such field" end
      return "ada9@example.com"
    end })
    local report, err = client:create_all("contacts", "companies", list, BY_BOTH)
    assert.equal("source", err.kind)
    assert.truthy(err.message:find("no such field", 1, true))
    jobs.assert_adds_up(report, 10)
    assert.same({ 0, 1 }, { report.created, report.failed })
  end)

  it("raises for a property of a side that its inputs do not have, or that is no name", function()
    open()
    for message, call in pairs {
      ["option to_property: its inputs have records of the from side only"] = function()
        client:read_all("contacts", "companies", {}, { to_property = "domain", on_record = print })
      end,
      ["option from_property: expected a string"] = function()
        client:create_all("contacts", "companies", {}, { from_property = 5 })
      end,
    } do
      local called, raised = pcall(call)
      assert.is_false(called)
      assert.truthy(raised:find(message, 1, true), raised)
    end
  end)

  describe("and a journal", function()
    local path

    before_each(function()
      path = os.tmpname()
      os.remove(path)
    end)
    after_each(function() os.remove(path) end)

    it("does not ask again for what is recorded, though records are others by now", function()
      open { records = { contacts = { ["5"] = { email = "ada@example.com" } } } }
      local list = {
        { from = "ada@example.com", to = 7, types = 279 }, { from = "eve@example.com", to = 7, types = 279 },
        { from = "ada@example.com", to = 8 }, { from = "", to = 8, types = 279 },
      }
      local options = { from_property = "email", journal = path }
      local report = client:create_all("contacts", "companies", list, options)
      assert.same({ 1, 3 }, { report.created, report.failed })
      server:configure { records = { contacts = { ["6"] = { email = "eve@example.com" } } } }
      local again, err = client:create_all("contacts", "companies", jobs.iterator(list), options)
      assert.is_nil(err, tostring(err))
      assert.same({ 1, 3, 4, 0, 0 },
        { again.created, again.failed, again.resumed, again.look_ups, again.requests })
      assert.same(described(report.failures), described(again.failures))
      for number, failure in ipairs(again.failures) do
        assert.is_true(errors.is(failure.error))
        assert.equal(list[failure.index], failure.input)
        assert.equal(tostring(report.failures[number].error), tostring(failure.error))
      end
    end)

    it("is of another job with another value, property, or without one", function()
      open()
      local list = inputs(3, 3)
      assert(client:create_all("contacts", "companies", list, with(BY_BOTH, { journal = path })))
      for number, options in ipairs {
        BY_BOTH, { from_property = "email", to_property = "code" }, { from_property = "email" }, {},
      } do
        if number == 1 then list[2].from = "other9@example.com" end
        local _, err = client:create_all("contacts", "companies", list, with(options, { journal = path }))
        assert.same({ "journal", "other_job" }, { err.kind, err.reason })
      end
    end)

    it("goes on behind what is recorded", function()
      open({}, { batch_size = 50, concurrency = 2 })
      local list, batches = inputs(1000, 100), 0
      local options = with(BY_BOTH, { journal = path, on_batch = function()
        batches = batches + 1
        return batches < 5
      end })
      local report, err = client:create_all("contacts", "companies", jobs.iterator(list), options)
      assert.equal("canceled", err.kind)
      jobs.assert_adds_up(report)
      local recorded = report.created
      options.on_batch = nil
      report, err = client:create_all("contacts", "companies", jobs.iterator(list), options)
      assert.is_nil(err, tostring(err))
      assert.same({ 1000, recorded }, { report.created, report.resumed })
      assert.equal(1000, #server:associations())
    end)
  end)
end)
