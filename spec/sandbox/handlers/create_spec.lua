-- The response to POST …/batch/create, and what the account holds after it.

local fixture = require "support.sandbox_account"

local new, input, batch, send = fixture.new, fixture.input, fixture.batch, fixture.send

describe("batch create", function()
  it("has a result for each input, and the account holds the associations", function()
    local account = new()
    local response, body = send(account, batch(input("101", "202"), input("102", "203", 279)))
    assert.equal(201, response.status)
    assert.same({
      status = "COMPLETE",
      requestedAt = "2001-09-09T01:46:40.250Z",
      startedAt = "2001-09-09T01:46:40.250Z",
      completedAt = "2001-09-09T01:46:40.250Z",
      results = {
        { fromObjectTypeId = "0-1", fromObjectId = 101, toObjectTypeId = "0-2", toObjectId = 202,
          labels = { "Primary" } },
        { fromObjectTypeId = "0-1", fromObjectId = 102, toObjectTypeId = "0-2", toObjectId = 203,
          labels = {} },
      },
    }, body)
    assert.equal(2, account:count())
    assert.is_true(account:has("contacts", "101", "companies", "202", 1))
    assert.is_true(account:has("0-1", 102, "0-2", 203, 279))
    assert.is_false(account:has("contacts", "102", "companies", "203", 1))
    assert.is_false(account:has("contacts", "202", "companies", "101", 1))
    assert.same({
      fromObjectTypeId = "0-1", fromObjectId = "102", toObjectTypeId = "0-2", toObjectId = "203",
      associationCategory = "HUBSPOT_DEFINED", associationTypeId = 279,
    }, account:associations()[2])
  end)

  it("has empty lists as lists, not as objects", function()
    local response = send(new(), batch(input("1", "2", 279)))
    assert.truthy(response.body:find('"labels":[]', 1, true))
    response = send(new(), batch(input("404", "2")))
    assert.truthy(response.body:find('"results":[]', 1, true))
  end)

  it("accepts an association twice, and holds it once", function()
    local account = new()
    local _, body = send(account, batch(input("1", "2"), input("1", "2")))
    assert.equal(2, #body.results)
    send(account, batch(input("1", "2")))
    assert.equal(1, account:count())
  end)

  it("accepts several types of an input, and shows the labels of all", function()
    local account = new { labels = { [36] = "Billing \"contact\"" } }
    local both = input("1", "2")
    both.types[2] = { associationCategory = "USER_DEFINED", associationTypeId = 36 }
    both.types[3] = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 279 }
    local _, body = send(account, batch(both))
    assert.same({ "Primary", "Billing \"contact\"" }, body.results[1].labels)
    assert.equal(3, account:count())
  end)

  it("names each record that does not exist, and its side: an input may have two errors", function()
    local account = new()
    local response, body = send(account,
      batch(input("404", "2"), input("1", "4045"), input("1", "2"), input("4041", "4042")))
    assert.equal(207, response.status)
    assert.equal("COMPLETE", body.status)
    assert.equal(4, body.numErrors)
    assert.equal(1, #body.results)
    assert.equal(2, body.results[1].toObjectId)
    local seen = {}
    for i, failure in ipairs(body.errors) do
      assert.same({ "error", "OBJECT_NOT_FOUND" }, { failure.status, failure.category })
      seen[i] = { failure.subCategory, failure.message, failure.context }
    end
    local function missing(side, name, id)
      return {
        ("crm.associations.%s_OBJECT_NOT_FOUND"):format(side), ("No %s with ID %s exists"):format(name, id),
        { objectType = { name }, id = { id } },
      }
    end
    assert.same({
      missing("FROM", "contact", "404"), missing("TO", "company", "4045"),
      missing("FROM", "contact", "4041"), missing("TO", "company", "4042"),
    }, seen)
    assert.equal(1, account:count())
  end)

  it("is CANCELED when all inputs failed", function()
    local response, body = send(new(), batch(input("404", "2"), input("1", "404")))
    assert.equal(207, response.status)
    assert.same({ "CANCELED", 2, {} }, { body.status, body.numErrors, body.results })
  end)

  it("accepts an input without types, and links nothing", function()
    local account = new()
    local response, body = send(account, '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[]}]}')
    assert.equal(201, response.status)
    assert.equal(1, #body.results)
    assert.equal(0, account:count())
  end)

  it("has each input either in the results or in the errors", function()
    local inputs = {}
    for i = 1, 2000 do
      local from = i % 10 == 0 and "404" .. i or tostring(i)
      inputs[i] = input(from, (i % 7 == 0 and "404" or "") .. i)
    end
    local account = new()
    local _, body = send(account, { inputs = inputs })
    local failed = {}
    for _, failure in ipairs(body.errors) do failed[failure.context.id[1]] = true end
    for i = 1, 2000 do
      local id = inputs[i].from.id
      if failed[id] or failed[inputs[i].to.id] then failed[i] = true end
    end
    local count = 0
    for i = 1, 2000 do count = count + (failed[i] and 1 or 0) end
    assert.equal(2000, #body.results + count)
    assert.equal(#body.errors, body.numErrors)
    assert.equal(#body.results, account:count())
  end)

  it("accepts ids that are JSON numbers", function()
    local account = new()
    send(account, batch(input(101, 202)))
    assert.is_true(account:has("contacts", "101", "companies", "202", 1))
  end)

  it("has the documented status under every path", function()
    for path, status in pairs {
      ["/crm/associations/2025-09/contact/0-2/batch/create"] = 201,
      ["/crm/associations/2026-03/contacts/companies/batch/create?hapikey=no"] = 201,
      ["/crm/associations/2026-09/contacts/companies/batch/create"] = 200,
      ["/crm/associations/v4/contacts/companies/batch/create"] = 201,
      ["/crm/v4/associations/contacts/companies/batch/create"] = 201,
      ["/crm/v4/associations/%63ontacts/companies/batch/create"] = 201,
    } do
      assert.equal(status, send(new(), batch(input("1", "2")), { path = path }).status, path)
    end
  end)
end)
