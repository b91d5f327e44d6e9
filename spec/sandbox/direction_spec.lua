-- Which association types exist in a direction: HubSpot's, those of custom objects, and the account's labels.

local fixture = require "support.sandbox_account"

local CREATE_BACK, READ, READ_BACK = fixture.CREATE_BACK, fixture.READ, fixture.READ_BACK
local new, input, with_types = fixture.new, fixture.input, fixture.with_types
local batch, send, types_of = fixture.batch, fixture.send, fixture.types_of

describe("a direction", function()
  it("has any type between custom objects, by id and by name", function()
    local account = new()
    local response = send(account, batch(input("1", "2", 7)),
      { path = "/crm/associations/2025-09/2-123/contacts/batch/create" })
    assert.equal(201, response.status)
    local path = "/crm/associations/2025-09/p_pets/contacts/batch/create"
    local _, body = send(account, batch(input("1", "2", 7)), { path = path })
    assert.truthy(body.results[1].fromObjectTypeId:find("^2%-%d+$"))
    assert.is_true(account:has("p_pets", 1, "contacts", 2, 7))
    assert.is_true(account:has(body.results[1].fromObjectTypeId, 1, "contacts", 2, 7))
  end)

  it("has any type of a category that is not HubSpot's", function()
    local account = new()
    local response = send(account, batch(input("1", "2", 36, "USER_DEFINED"),
      input("1", "3", 7, "INTEGRATOR_DEFINED"), input("1", "3", 7, "WORK")))
    assert.equal(201, response.status)
    assert.is_true(account:has("contacts", 1, "companies", 2, 36, "USER_DEFINED"))
    assert.is_false(account:has("contacts", 1, "companies", 2, 36, "HUBSPOT_DEFINED"))
  end)

  it("has only the labels that the option lists", function()
    local account = new { labels = { ["36"] = "Billing contact" } }
    local _, body = send(account, batch(input("1", "2", 36, "USER_DEFINED")))
    assert.same({ "Billing contact" }, body.results[1].labels)
    _, body = send(account, batch(input("1", "2", 37, "USER_DEFINED")))
    assert.same({ "USER_DEFINED=37" }, body.context.associationSpec)
  end)

  it("has labels of its own, each with an inverse of another id", function()
    local account = new { labels = {
      ["36"] = {
        label = "Manager", from = "contacts", to = "companies", inverse = 37, inverse_label = "Managed by",
      },
    } }
    local _, body = send(account, batch(with_types("1", "2", "36")))
    assert.same({ "Manager" }, body.results[1].labels)
    assert.same({ 36, 279 }, types_of(account, READ, "1", 2))
    assert.same({ 37, 280 }, types_of(account, READ_BACK, "2", 1))
    _, body = send(account, batch(with_types("1", "2", "37")))
    assert.same({ "CONTACT=2 is not valid" }, body.context.INVALID_OBJECT_IDS)
  end)

  it("has labels of which both directions are defined, each by its own definition", function()
    local definitions = {}
    for id = 1, 39, 2 do
      definitions[tostring(id)] = { label = "one", from = "contacts", to = "companies", inverse = id + 1 }
      definitions[tostring(id + 1)] = { label = "other", from = "companies", to = "contacts", inverse = id }
    end
    local account = new { labels = definitions }
    for id = 1, 39, 2 do
      local _, body = send(account, batch(with_types("1", "2", tostring(id))))
      assert.same({ "one" }, body.results[1].labels)
      _, body = send(account, batch(with_types("2", "1", tostring(id + 1))), { path = CREATE_BACK })
      assert.same({ "other" }, body.results[1].labels)
    end
  end)
end)
