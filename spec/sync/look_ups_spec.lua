-- Syncs whose source names records by a property, over HTTP against the sandbox.

local clients = require "support.clients"
local sandbox = require "support.sandbox"

local UNLABELED = 279
local BY_BOTH = { from_property = "email", to_property = "domain", mode = "mirror" }

describe("a sync with look-ups", function()
  local server, client

  before_each(function()
    local companies = {}
    for id = 11, 14 do companies[tostring(id)] = { domain = ("c%d.example"):format(id) } end
    server = sandbox.start { records = { companies = companies, contacts = {
      ["1"] = { email = "ada@example.com", hs_additional_emails = "ada@old.example" },
      ["2"] = { email = "bob@example.com" }, ["3"] = { email = "eve@example.com" },
    } } }
    client = clients.open(server:url())
    local inputs = {}
    for contact = 1, 3 do
      for company = 11, 13 do inputs[#inputs + 1] = { from = contact, to = company, types = UNLABELED } end
    end
    assert.equal(9, client:create_all("contacts", "companies", inputs).created)
  end)

  after_each(function()
    clients.close()
    server:close()
  end)

  local function links()
    local list = {}
    for index, one in ipairs(server:associations()) do
      list[index] = ("%s %s"):format(one.fromObjectId, one.toObjectId)
    end
    table.sort(list)
    return table.concat(list, ", ")
  end

  it("takes two emails of one contact for that contact, and leaves contacts that it does not name", function()
    local report, err = client:sync_all("contacts", "companies", {
      { from = "Ada@example.com", to = "c11.example", types = UNLABELED },
      { from = "bob@example.com", to = "c14.example", types = UNLABELED },
      { from = "ada@old.example", to = "c12.example", types = UNLABELED },
    }, BY_BOTH)
    assert.is_nil(err)
    assert.same({ 2, 1, 4, 0 }, { report.kept, report.created, report.removed, report.failed })
    assert.equal("1 11, 1 12, 2 14, 3 11, 3 12, 3 13", links())
  end)

  it("removes nothing of a record one of whose companies is not found, and goes on with others", function()
    local report = client:sync_all("contacts", "companies", {
      { from = "ada@example.com", to = "c11.example", types = UNLABELED },
      { from = "ada@example.com", to = "c99.example", types = UNLABELED },
      { from = "bob@example.com", to = "c11.example", types = UNLABELED },
    }, BY_BOTH)
    assert.same({ 2, 2, 1, 1 }, { report.kept, report.removed, report.failed, report.protected })
    assert.is_nil(report.removals_off)
    assert.equal("1 11, 1 12, 1 13, 2 11, 3 11, 3 12, 3 13", links())
  end)

  it("removes nothing at all where a row's own record is not found", function()
    local report = client:sync_all("contacts", "companies", {
      { from = "nobody@example.com", to = "c11.example", types = UNLABELED },
      { from = "bob@example.com", to = "c11.example", types = UNLABELED },
    }, BY_BOTH)
    assert.same({ 1, 0, 1 }, { report.kept, report.removed, report.failed })
    assert.truthy(report.removals_off)
    assert.equal(9, #server:associations())
  end)

  it("takes an empty company for none where that is said, which is not looked up", function()
    local options = { empty = "none" }
    for name, value in pairs(BY_BOTH) do options[name] = value end
    local report, err = client:sync_all("contacts", "companies", {
      { from = "bob@example.com", to = "", types = UNLABELED },
      { from = "eve@example.com", to = "c11.example", types = UNLABELED },
    }, options)
    assert.is_nil(err)
    assert.same({ 0, 5 }, { report.failed, report.removed })
    assert.equal("1 11, 1 12, 1 13, 3 11", links())
  end)
end)
