-- The response to POST …/batch/associate/default, and what the account holds after it.

local fixture = require "support.sandbox_account"

local new, call, link = fixture.new, fixture.call, fixture.link

local PATH = "v4/associations/contacts/companies/batch/associate/default"

local function pair(from, to)
  return { from = { id = from }, to = { id = to } }
end

local function result(from, to, id)
  return {
    from = { id = from }, to = { id = to },
    associationSpec = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = id },
  }
end

describe("batch create of default associations", function()
  it("links by the unlabeled type, and lists both directions of each pair", function()
    local account = new()
    local status, body = call(account, "POST", PATH, { inputs = { pair("5", "7"), pair("7", "5") } })
    assert.equal(200, status)
    assert.equal("COMPLETE", body.status)
    assert.same({
      result("5", "7", 279), result("7", "5", 280), result("7", "5", 279), result("5", "7", 280),
    }, body.results)
    assert.is_true(account:has("companies", 7, "contacts", 5, 280))
    assert.equal(2, account:count())
  end)

  it("keeps the labels of a pair", function()
    local account = new()
    link(account, "2", "7", 1)
    call(account, "POST", PATH, { inputs = { pair("1", "2") } })
    assert.is_true(account:has("contacts", 1, "companies", 2, 7))
  end)

  it("has errors within a 200, for each record that does not exist", function()
    local account = new()
    local status, body = call(account, "POST", PATH, { inputs = { pair("1", "404"), pair("1", "2") } })
    assert.equal(200, status)
    assert.same({ "COMPLETE", 1, 2 }, { body.status, body.numErrors, #body.results })
    assert.equal("crm.associations.TO_OBJECT_NOT_FOUND", body.errors[1].subCategory)
    status, body = call(account, "POST", PATH, { inputs = { pair("404", "404") } })
    assert.same({ 200, "CANCELED", 2 }, { status, body.status, body.numErrors })
  end)

  it("links custom objects by an id of theirs, which a read shows", function()
    local account = new()
    local path = "2026-09/2-12/contacts/batch/"
    local _, body = call(account, "POST", "associations/" .. path .. "associate/default",
      { inputs = { pair("1", "2") } })
    local spec = body.results[1].associationSpec
    assert.is_true(account:has("contacts", 2, "2-12", 1, spec.associationTypeId))
    local _, other = call(account, "POST", "associations/2026-09/2-13/contacts/batch/associate/default",
      { inputs = { pair("1", "2") } })
    assert.is_not.equal(spec.associationTypeId, other.results[1].associationSpec.associationTypeId)
  end)

  it("rejects what has no default type", function()
    local status, body = call(new(), "POST", "v4/associations/goals/carts/batch/associate/default",
      { inputs = { pair("1", "2") } })
    assert.equal(400, status)
    assert.truthy(body.message:find "^No default association type")
  end)
end)
