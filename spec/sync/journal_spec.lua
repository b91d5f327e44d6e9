-- Checks the journal of a sync: what it records is there again, and what is not its own is refused.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local journals = require "hubspot.associations.sync.journal"
local process = require "support.process"

local IDENTITY = { base_url = "http://127.0.0.1", from = "contacts", to = "companies", mode = "mirror" }

describe("the journal of a sync", function()
  local path, opened

  before_each(function() path, opened = process.make_folder() .. "/journal", nil end)
  after_each(function()
    if opened then opened:close() end
  end)

  local function open(identity)
    if opened then opened:close() end
    local err
    opened, err = journals.open(path, identity or IDENTITY)
    return opened, err
  end

  local function text() return process.read_file(path) end

  local function put(content)
    if opened then opened:close() end
    opened = nil
    local file = assert(io.open(path, "wb"))
    file:write(content)
    file:close()
  end

  local function failure(message) return errors.new { kind = "http", message = message, status = 400 } end

  it("has the outcomes of pairs, in ranges, and the errors of those that failed", function()
    local journal = assert(open())
    journal:record_bad(7, failure "a bad row \255")
    assert(journal:record_plan { pairs = 6, digest = "d" })
    for number = 1, 3 do journal:record(number, "created") end
    journal:record(5, "created")
    journal:record(4, "failed", failure "no such company")
    journal:record(6, "removed")
    assert(journal:flush())
    journal = assert(open())
    assert.same({ pairs = 6, digest = "d" }, journal.planned)
    assert.same({ 7, "a bad row ?" }, { journal.bad[1].index, journal.bad[1].error.message })
    local outcomes = {}
    for number = 1, 6 do outcomes[number] = (journal:outcome_of(number)) end
    assert.same({ "created", "created", "created", "failed", "created", "removed" }, outcomes)
    local _, err = journal:outcome_of(4)
    assert.same({ "no such company", 400 }, { err.message, err.status })
    assert.is_nil((journal:outcome_of(7)))
    assert.truthy(text():find("[[1,3],[5,5]]", 1, true))
  end)

  it("takes little memory for many pairs, also where each outcome differs from the one before", function()
    local journal, count = assert(open()), 20000
    assert(journal:record_plan { pairs = count })
    local long = ("x"):rep(5000)
    for number = 1, count, 2 do
      journal:record(number, "created")
      local message = ("no company %d %s"):format(number, number == 9 and long or "")
      journal:record(number + 1, "failed", failure(message))
    end
    assert(journal:flush())
    opened:close()
    collectgarbage()
    local before = collectgarbage "count"
    journal = assert(open())
    collectgarbage()
    local taken = (collectgarbage "count" - before) * 1024 / count
    assert.is_true(taken < 40, ("%.0f bytes a pair"):format(taken))
    assert.equal("created", (journal:outcome_of(9)))
    for _, number in ipairs { 2, 10, count } do
      local outcome, err = journal:outcome_of(number)
      assert.equal("failed", outcome)
      assert.truthy(err.message:find(("no company %d "):format(number - 1), 1, true))
    end
    assert.truthy(select(2, journal:outcome_of(10)).message:find(long, 1, true))
  end)

  it("forgets the bad rows of a plan that is not complete", function()
    local journal = assert(open())
    journal:record_bad(7, failure "a bad row")
    assert(journal:flush())
    journal = assert(open())
    assert.same({}, journal.bad)
    assert.is_nil(text():find "bad row")
  end)

  it("is read up to its last complete line", function()
    local journal = assert(open())
    assert(journal:record_plan { pairs = 2 })
    journal:record(1, "created")
    assert(journal:flush())
    local whole = text()
    for length = 0, #whole do
      put(whole:sub(1, length))
      journal = assert(open())
      local is_planned = length >= #whole:match "^.-\n.-\n"
      assert.equal(is_planned, journal.planned ~= nil, tostring(length))
      assert.equal(length == #whole, journal:outcome_of(1) ~= nil, tostring(length))
      if is_planned then
        journal:record(2, "created")
        assert(journal:flush())
        assert.equal("created", (assert(open()):outcome_of(2)))
      end
    end
  end)

  it("refuses the journal of another sync, and what is none", function()
    assert(open())
    for name, value in pairs { mode = "add", from = "deals", types = "x" } do
      local identity = setmetatable({ [name] = value }, nil)
      for other, kept in pairs(IDENTITY) do identity[other] = identity[other] or kept end
      local journal, err = open(identity)
      assert.is_nil(journal)
      assert.same({ "journal", "other_job" }, { err.kind, err.reason })
    end
    local journal, err = open { base_url = IDENTITY.base_url, from = "contacts", to = "companies" }
    assert.is_nil(journal)
    assert.equal("other_job", err.reason)
    for _, content in ipairs { "a,b\n1,2\n", "{}\n", "x", '{"format":"hubspot-associations journal"}\n' } do
      put(content)
      journal, err = open()
      assert.is_nil(journal)
      assert.same({ "journal", "other_file" }, { err.kind, err.reason })
      assert.equal(content, text())
    end
  end)

  it("is for its owner, and for one process at a time", function()
    assert(open())
    assert.equal(6 * 64, core.stat(path).mode)
    local journal, err = journals.open(path, IDENTITY)
    assert.is_nil(journal)
    assert.equal("in_use", err.reason)
  end)
end)
