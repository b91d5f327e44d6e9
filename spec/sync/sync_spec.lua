-- Syncs over HTTP against the sandbox: what the account has afterwards, and the report.

local clients = require "support.clients"
local core = require "hubspot.associations.core"
local jobs = require "support.jobs"
local process = require "support.process"
local sandbox = require "support.sandbox"

local UNLABELED, PRIMARY, BOSS, FRIEND = 279, 1, 5, 7
local LABELS = { ["5"] = "Boss", ["7"] = "Friend" }

describe("a sync", function()
  local server, client

  local function open(options)
    server = sandbox.start { labels = LABELS, page_size = 3 }
    client = clients.open(server:url(), options)
  end

  after_each(function()
    clients.close()
    server:close()
  end)

  local function label(id) return { associationCategory = "USER_DEFINED", associationTypeId = id } end

  local function have(inputs, from, to)
    local report = assert(client:create_all(from or "contacts", to or "companies", inputs))
    assert.equal(#inputs, report.created)
  end

  -- What the account has: "from to id id", each id of a type.
  local function links()
    local pairs_there, list = {}, {}
    for _, one in ipairs(server:associations()) do
      local name = ("%s %s"):format(one.fromObjectId, one.toObjectId)
      if not pairs_there[name] then list[#list + 1] = name end
      pairs_there[name] = pairs_there[name] or {}
      table.insert(pairs_there[name], one.associationTypeId)
    end
    for index, name in ipairs(list) do
      table.sort(pairs_there[name])
      for _, id in ipairs(pairs_there[name]) do list[index] = ("%s %.0f"):format(list[index], id) end
    end
    table.sort(list)
    return list
  end

  local function assert_adds_up(report)
    assert.equal(report.inputs + report.removals, report.kept + report.created + report.removed
      + report.failed + report.unconfirmed + report.not_sent)
  end

  local function sync(source, options)
    local report, err = client:sync_all("contacts", "companies", source, options)
    if report then assert_adds_up(report) end
    return report, err
  end

  -- What a report counts, of what is not 0.
  local function counts(report)
    local found = {}
    for _, name in ipairs { "inputs", "removals", "kept", "created", "removed", "failed", "unconfirmed",
      "not_sent", "protected", "resumed" } do
      if report[name] ~= 0 then found[name] = report[name] end
    end
    return found
  end

  it("creates what is missing, and removes nothing unless it is told to", function()
    open()
    have { { from = 1, to = 11, types = UNLABELED }, { from = 1, to = 12, types = UNLABELED } }
    local report, err = sync {
      { from = 1, to = 11, types = UNLABELED }, { from = 2, to = 13, types = "Boss" },
    }
    assert.is_nil(err)
    assert.same({ inputs = 2, kept = 1, created = 1 }, counts(report))
    assert.same({ "1 11 279", "1 12 279", "2 13 5" }, links())
  end)

  it("mirrors the records that the source names, and no others", function()
    open()
    have {
      { from = 1, to = 11, types = UNLABELED }, { from = 1, to = 12, types = UNLABELED },
      { from = 1, to = 13, types = UNLABELED }, { from = 1, to = 14, types = UNLABELED },
      { from = 9, to = 11, types = UNLABELED },
    }
    local report = assert(sync({
      { from = 1, to = 14, types = UNLABELED }, { from = 1, to = 15, types = UNLABELED },
    }, { mode = "mirror" }))
    assert.same({ inputs = 2, removals = 3, kept = 1, created = 1, removed = 3 }, counts(report))
    assert.same({ "1 14 279", "1 15 279", "9 11 279" }, links())
  end)

  it("keeps the other labels of a pair when it adds one, and removes one only", function()
    open()
    have {
      { from = 1, to = 11, types = { label(BOSS), label(FRIEND) } },
      { from = 2, to = 12, types = label(FRIEND) }, { from = 3, to = 13, types = label(BOSS) },
    }
    local report = assert(sync({
      { from = 1, to = 11, types = UNLABELED }, { from = 2, to = 12, types = "Boss" },
      { from = 3, to = 14, types = "Boss" },
    }, { mode = "mirror", types = "Boss" }))
    assert.same({ inputs = 3, removals = 2, kept = 1, created = 2, removed = 2 }, counts(report))
    assert.same({ "1 11 7", "2 12 5 7", "3 13 279", "3 14 5" }, links())
  end)

  it("never removes the unlabeled type of a pair that keeps another", function()
    open()
    have { { from = 1, to = 11, types = label(FRIEND) } }
    local report = assert(sync({ { from = 1, to = 12, types = UNLABELED } }, { mode = "mirror" }))
    assert.same({ inputs = 1, removals = 1, kept = 1, created = 1 }, counts(report))
    assert.same({ "1 11 7", "1 12 279" }, links())
  end)

  it("spares the record of a bad row, and everything when the record cannot be told", function()
    open()
    have { { from = 1, to = 11, types = UNLABELED }, { from = 2, to = 11, types = UNLABELED } }
    local list = {
      { from = 1, to = "x", types = UNLABELED }, { from = 1, to = 12, types = UNLABELED },
      { from = 2, to = 12, types = UNLABELED },
    }
    local report = assert(sync(list, { mode = "mirror" }))
    assert.same({ inputs = 3, removals = 1, created = 2, removed = 1, failed = 1, protected = 1 },
      counts(report))
    assert.same({ "1 11 279", "1 12 279", "2 12 279" }, links())
    list[1] = { from = "x", to = 11, types = UNLABELED }
    list[2] = { from = 1, to = 13, types = UNLABELED }
    report = assert(sync(list, { mode = "mirror" }))
    assert.same({ inputs = 3, kept = 1, created = 1, failed = 1 }, counts(report))
    assert.truthy(report.removals_off:find "row 1")
    assert.equal(4, #links())
  end)

  it("removes nothing when the source ends with an error, and says so", function()
    open()
    have { { from = 1, to = 11, types = UNLABELED } }
    local index = 0
    local report, err = sync(function()
      index = index + 1
      if index == 1 then return { from = 1, to = 12, types = UNLABELED } end
      return nil, "the file is broken"
    end, { mode = "mirror" })
    assert.equal("source", err.kind)
    assert.truthy(report.removals_off:find "the file is broken")
    assert.same({ inputs = 1, created = 1 }, counts(report))
    assert.same({ "1 11 279", "1 12 279" }, links())
  end)

  it("takes an empty to for no links when it is told to, and for a bad row otherwise", function()
    open()
    have { { from = 1, to = 11, types = UNLABELED }, { from = 2, to = 11, types = UNLABELED } }
    local list = {
      { from = 1, to = "", types = UNLABELED }, { from = 2, to = " ", types = UNLABELED },
      { from = 2, to = 12, types = UNLABELED },
    }
    local report = assert(sync(list, { mode = "mirror" }))
    assert.same({ inputs = 3, failed = 2, created = 1, protected = 2 }, counts(report))
    list[3] = nil
    report = assert(sync(list, { mode = "mirror", empty = "none" }))
    assert.same({ inputs = 2, removals = 3, kept = 2, removed = 3 }, counts(report))
    assert.same({}, links())
  end)

  it("fails two primary companies of one contact, from either side", function()
    open()
    local report = assert(sync {
      { from = 1, to = 11, types = PRIMARY }, { from = 1, to = 12, types = PRIMARY },
      { from = 2, to = 11, types = PRIMARY },
    })
    assert.same({ inputs = 3, failed = 2, created = 1 }, counts(report))
    assert.truthy(report.failures[1].error.message:find "primary")
    report = assert(client:sync_all("companies", "contacts", {
      { from = 11, to = 1, types = 2 }, { from = 12, to = 1, types = 2 }, { from = 12, to = 3, types = 2 },
    }))
    assert.same({ inputs = 3, failed = 2, created = 1 }, counts(report))
    assert.same({ 11, 12 }, { report.failures[1].input.from, report.failures[2].input.from })
  end)

  it("works between custom objects, whose unlabeled type it learns from HubSpot", function()
    open()
    local types = client:labels("2-7", "contacts").results[1].typeId
    have({ { from = 1, to = 11, types = types }, { from = 1, to = 12, types = types } }, "2-7", "contacts")
    have({ { from = 1, to = 13, types = { types, label(BOSS) } } }, "2-7", "contacts")
    local report = assert(client:sync_all("2-7", "contacts", { { from = 1, to = 12, types = types } },
      { mode = "mirror" }))
    assert_adds_up(report)
    assert.same({ inputs = 1, removals = 2, kept = 2, removed = 1 }, counts(report))
    assert.equal(2, #links())
  end)

  it("removes nothing of a record for which a creation failed", function()
    open()
    have { { from = 1, to = 11, types = UNLABELED } }
    local report = assert(sync({ { from = 1, to = 4041, types = UNLABELED } }, { mode = "mirror" }))
    assert.same({ inputs = 1, removals = 1, failed = 1, not_sent = 1 }, counts(report))
    assert.same({ "protected", "remove" }, { report.failures[2].error.kind, report.failures[2].action })
    assert.same({ "1 11 279" }, links())
  end)

  it("changes nothing when there would be too many removals, or the caller says no", function()
    open()
    have { { from = 1, to = 11, types = UNLABELED }, { from = 1, to = 12, types = UNLABELED } }
    local list = { { from = 1, to = 13, types = UNLABELED } }
    for _, most in ipairs { 1, "50%" } do
      local report, err = sync(list, { mode = "mirror", max_removals = most })
      assert.equal("too_many_removals", err.kind)
      assert.same({ inputs = 1, removals = 2, not_sent = 3 }, counts(report))
    end
    local told
    local _, err = sync(list, {
      mode = "mirror", max_removals = 2,
      on_plan = function(planned)
        told = planned
        return false
      end,
    })
    assert.equal("canceled", err.kind)
    assert.same({ 1, 2, 2 }, { told.creations, told.removals, told.in_scope })
    assert.equal(2, #links())
    assert.is_nil((select(2, sync(list, { mode = "mirror", max_removals = "100%" }))))
    assert.same({ "1 13 279" }, links())
  end)

  it("changes nothing in a dry run, nor when it writes a plan, which can be applied", function()
    open()
    have { { from = 1, to = 11, types = label(BOSS) }, { from = 2, to = 11, types = label(BOSS) } }
    local list = {
      { from = 1, to = 12, types = { label(BOSS), UNLABELED } }, { from = 2, to = 11, types = "Boss" },
    }
    local path = process.make_folder() .. "/plan.csv"
    for _, options in ipairs { { dry_run = true }, { plan = path } } do
      options.mode = "mirror"
      local report = assert(sync(list, options))
      assert.same({ inputs = 2, removals = 3, kept = 2, not_sent = 3 }, counts(report))
      assert.same({ "1 11 5", "2 11 5" }, links())
    end
    local other, err = client:sync_all("companies", "contacts", nil, { apply = path })
    assert.same({ 0, "invalid_input" }, { other.requests, err.kind })
    err = select(2, sync(nil, { apply = path, max_removals = 1 }))
    assert.truthy(err.message:find("2 links would be removed, more than 1; nothing was changed", 1, true))
    local report = assert(sync(nil, { apply = path }))
    assert.same({ inputs = 2, removals = 2, created = 2, removed = 2 }, counts(report))
    assert.same({ "1 12 279 5", "2 11 5" }, { (links()[1]:gsub("5 279", "279 5")), links()[2] })
  end)

  it("fails a pair that has changed since the plan was made", function()
    open()
    have { { from = 1, to = 11, types = UNLABELED }, { from = 1, to = 12, types = UNLABELED } }
    local path = process.make_folder() .. "/plan.csv"
    assert(sync({ { from = 1, to = 13, types = UNLABELED } }, { mode = "mirror", plan = path }))
    have { { from = 1, to = 11, types = label(BOSS) } }
    assert(client:archive_all("contacts", "companies", { { from = 1, to = 12 } }))
    local report = assert(sync(nil, { apply = path }))
    assert.same({ inputs = 1, removals = 2, created = 1, removed = 1, failed = 1 }, counts(report))
    assert.same({ "changed", "remove", 3 },
      { report.failures[1].error.kind, report.failures[1].action, report.failures[1].index })
    assert.equal(2, #links())
  end)

  it("fails a pair to which somebody else gives a label meanwhile, and loses no label", function()
    open()
    have {
      { from = 1, to = 11, types = UNLABELED }, { from = 1, to = 12, types = UNLABELED },
      { from = 2, to = 12, types = UNLABELED },
    }
    local report = assert(sync({
      { from = 1, to = 13, types = UNLABELED }, { from = 2, to = 12, types = "Boss" },
    }, {
      mode = "mirror", types = { UNLABELED, "Boss" },
      on_plan = function()
        have { { from = 1, to = 11, types = label(FRIEND) }, { from = 2, to = 12, types = label(FRIEND) } }
      end,
    }))
    assert.same({ inputs = 2, removals = 3, created = 2, removed = 1, kept = 1, failed = 1 }, counts(report))
    assert.same({ "1 11 279 7", "1 13 279", "2 12 279 5 7" }, { (links()[1]:gsub("7 279", "279 7")),
      links()[2], (links()[3]:gsub("5 7 279", "279 5 7")) })
  end)

  it("sends a request for 1,000 records, 2,000 pairs to create, and 100 records that lose links", function()
    open()
    local list = {}
    for index = 1, 2500 do list[index] = { from = 10000 + index, to = index + 50000, types = UNLABELED } end
    local report = assert(sync(list))
    assert.same({ 3 + 2, 0 }, { report.requests, report.reads_again })
    for index = 1, 250 do list[index].to = 60000 + index end
    report = assert(sync(list, { mode = "mirror" }))
    assert.same({ 250, 250, 2250 }, { report.created, report.removed, report.kept })
    assert.same({ 3 + 1 + 3 + 1, 1 }, { report.requests, report.reads_again })
  end)

  it("knows before it reads that a plan cannot be written", function()
    open()
    local report, err = sync({ { from = 1, to = 11, types = UNLABELED } }, { plan = "/dev/null/plan.csv" })
    assert.is_nil(report)
    assert.equal("journal", err.kind)
    assert.equal(0, server:statistics().requests)
  end)

  it("goes on from its journal, and refuses that of another source", function()
    open { batch_size = 2 }
    have { { from = 1, to = 11, types = UNLABELED } }
    local list = {}
    for index = 1, 20 do list[index] = { from = index, to = 500, types = UNLABELED } end
    list[21] = { from = 3, to = "x", types = UNLABELED }
    local path = process.make_folder() .. "/journal"
    local options = { mode = "mirror", journal = path }
    local runner = assert(client:start("sync", "contacts", "companies", list, options))
    while runner:progress().created < 4 do
      runner:step()
      core.poll(runner:fd(), 0.1)
    end
    runner:cancel()
    local report, err = jobs.finish(runner)
    assert.equal("canceled", err.kind)
    assert_adds_up(report)
    assert.is_true(report.not_sent > 0)
    report, err = sync(list, { mode = "mirror", journal = path })
    assert.is_nil(err)
    assert.equal(22, report.inputs + report.removals)
    assert.equal(1, report.failed)
    assert.equal(1, report.removed)
    assert.is_true(report.resumed >= 5)
    assert.equal(20, #links())
    list[5] = { from = 5, to = 501, types = UNLABELED }
    report, err = sync(list, { mode = "mirror", journal = path })
    assert.is_nil(report)
    assert.same({ "journal", "other_job" }, { err.kind, err.reason })
    report, err = sync(list, { journal = path })
    assert.is_nil(report)
    assert.equal("other_job", err.reason)
  end)

  it("goes on with an applied plan from its journal, and refuses that of another plan", function()
    open()
    local folder = process.make_folder()
    local options = { apply = folder .. "/plan.csv", journal = folder .. "/journal" }
    assert(sync({ { from = 1, to = 11, types = UNLABELED } }, { plan = options.apply }))
    assert.same({ inputs = 1, created = 1 }, counts(assert(sync(nil, options))))
    local report = assert(sync(nil, options))
    assert.same({ 1, 1 }, { report.created, report.resumed })
    local text = process.read_file(options.apply):gsub("create,1,11,", "create,1,12,")
    process.write_file(options.apply, text)
    local err
    report, err = sync(nil, options)
    assert.is_nil(report)
    assert.same({ "journal", "other_job" }, { err.kind, err.reason })
    assert.same({ "1 11 279" }, links())
  end)

  it("leaves everything as it was when reading stops", function()
    open()
    server:configure { token = { "another-token-0000" } }
    local report, err = sync({ { from = 1, to = 11, types = UNLABELED } }, { mode = "mirror" })
    assert.equal("unauthorized", err.kind)
    assert.same({ inputs = 1, not_sent = 1 }, counts(report))
  end)

  it("leaves no temporary file behind, also when it is canceled", function()
    local made, temporary_file = {}, core.temporary_file
    core.temporary_file = function(folder)
      made[#made + 1] = temporary_file(folder)
      return made[#made]
    end
    open()
    local list = { { from = 1, to = 2, types = UNLABELED } }
    local runner = assert(client:start("sync", "contacts", "companies", list))
    runner:step()
    runner:cancel()
    jobs.finish(runner)
    assert(sync(list))
    core.temporary_file = temporary_file
    assert.is_true(#made >= 3)
    for _, path in ipairs(made) do assert.is_nil((core.stat(path))) end
  end)

  it("takes records by a property, two values for one, and protects the record of a bad row", function()
    open()
    server:configure { records = {
      contacts = { ["1"] = { email = "a@x.test" }, ["2"] = { email = "b@x.test" } },
      companies = { ["11"] = { domain = "x.test" }, ["12"] = { domain = "y.test" } },
    } }
    have {
      { from = 1, to = 13, types = UNLABELED }, { from = 2, to = 13, types = UNLABELED },
    }
    local by_both = { mode = "mirror", from_property = "email", to_property = "domain" }
    local list = {
      { from = "a@x.test", to = "x.test", types = UNLABELED },
      { from = "b@x.test", to = "y.test", types = UNLABELED },
      { from = "b@x.test", to = "no.test", types = UNLABELED },
    }
    local report = assert(sync(list, by_both))
    assert.is_nil(report.removals_off)
    assert.same({ inputs = 3, removals = 1, created = 2, removed = 1, failed = 1, protected = 1 },
      counts(report))
    assert.same({ "1 11 279", "2 12 279", "2 13 279" }, links())
    list[4] = { from = "nobody@x.test", to = "x.test", types = UNLABELED }
    report = assert(sync(list, by_both))
    assert.truthy(report.removals_off:find "row 4")
  end)

  it("reports values that were looked up as they were given, also from an iterator", function()
    open()
    server:configure { records = {
      contacts = { ["1"] = { email = "a=b, c@x.test" } }, companies = { ["4041"] = { domain = "x.test" } },
    } }
    local list = { { from = "a=b, c@x.test", to = "x.test", types = UNLABELED } }
    local report = assert(sync(jobs.iterator(list), { from_property = "email", to_property = "domain" }))
    assert.same({ "a=b, c@x.test", "x.test", 1 },
      { report.failures[1].input.from, report.failures[1].input.to, report.failures[1].index })
  end)

  it("keeps a label that a pair without a link has got since its plan was written", function()
    open()
    local path = process.make_folder() .. "/plan.csv"
    assert(sync({ { from = 1, to = 11, types = PRIMARY } }, { plan = path }))
    have { { from = 1, to = 11, types = "Boss" } }
    assert.same({ inputs = 1, created = 1 }, counts(assert(sync(nil, { apply = path }))))
    assert.same({ "1 11 1 5" }, links())
    assert.same({ inputs = 1, kept = 1 }, counts(assert(sync(nil, { apply = path }))))
  end)

  describe("between records of one object type", function()
    local CONTACTS = 449

    local function mirror(list, given, to)
      given = given or {}
      given.mode = "mirror"
      local report, err = client:sync_all("contacts", to or "0-1", list, given)
      assert_adds_up(assert(report, err))
      return report
    end

    it("removes no link that the list has in the other direction", function()
      open()
      local there = { { from = 1, to = 2, types = CONTACTS }, { from = 2, to = 4, types = CONTACTS } }
      have(there, "contacts", "contacts")
      local list = { { from = 1, to = 2, types = CONTACTS }, { from = 2, to = 3, types = CONTACTS } }
      for _, to in ipairs { "contacts", "0-1" } do
        local report = mirror(list, nil, to)
        assert.same({ "1 2 449", "2 3 449" }, links())
        assert.equal(2, report.compared)
      end
    end)

    it("does not take the record on the other side of a row as named", function()
      open()
      have({ { from = 2, to = 4, types = CONTACTS } }, "contacts", "contacts")
      local report = mirror({ { from = 1, to = 2, types = CONTACTS } })
      assert.same({ inputs = 1, created = 1 }, counts(report))
      assert.same({ "1 2 449", "2 4 449" }, links())
    end)

    it("removes nothing at all when a row is bad, as its link may be that of any record", function()
      open()
      have({ { from = 1, to = 4, types = CONTACTS } }, "contacts", "contacts")
      local report = mirror {
        { from = 1, to = 2, types = CONTACTS }, { from = 4, to = "#N/A", types = CONTACTS },
      }
      assert.truthy(report.removals_off:find "row 2")
      assert.same({ inputs = 2, created = 1, failed = 1 }, counts(report))
      assert.same({ "1 2 449", "1 4 449" }, links())
    end)

    it("removes nothing at all when rows of a record contradict each other", function()
      open()
      have({ { from = 1, to = 4, types = CONTACTS } }, "contacts", "contacts")
      local report = mirror({
        { from = 1, to = "" }, { from = 1, to = 2, types = CONTACTS }, { from = 4, to = 5, types = CONTACTS },
      }, { empty = "none" })
      assert.truthy(report.removals_off:find "row 1")
      assert.same({ inputs = 3, created = 1, failed = 2 }, counts(report))
      assert.same({ "1 4 449", "4 5 449" }, links())
    end)

    it("removes no link, on either side, of a record of which one was not created", function()
      open()
      have({ { from = 1, to = 4, types = CONTACTS } }, "contacts", "contacts")
      local report = mirror {
        { from = 1, to = 404, types = CONTACTS }, { from = 4, to = 5, types = CONTACTS },
      }
      assert.same({ inputs = 2, removals = 2, created = 1, failed = 1, not_sent = 2 }, counts(report))
      assert.same({ "1 4 449", "4 5 449" }, links())
    end)
  end)

  it("raises for arguments that make no sense", function()
    open()
    assert.has_error(function() client:sync_all("contacts", "companies") end)
    assert.has_error(function() client:sync_all("contacts", "companies", {}, { apply = "plan.csv" }) end)
    assert.has_error(function() client:sync_all("contacts", "companies", {}, { mode = "both" }) end)
    assert.has_error(function() client:sync_all("contacts", nil, {}) end)
    local report, err = client:sync_all("contacts", "companies", { [2] = {} })
    assert.is_nil(report)
    assert.equal("invalid_input", err.kind)
  end)
end)
