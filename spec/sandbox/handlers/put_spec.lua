-- The response to PUT …/{fromObjectId}/associations/{toObjectType}/{toObjectId}.

local fixture = require "support.sandbox_account"

local new, call, link, types_of = fixture.new, fixture.call, fixture.link, fixture.types_of

local PATH = "v4/objects/contacts/1/associations/companies/2"

local function spec(id, category)
  return { associationCategory = category or "USER_DEFINED", associationTypeId = id }
end

describe("the put of one pair", function()
  it("links it by the types, and is the association itself, without a batch", function()
    local account = new { labels = { ["7"] = "Seven" } }
    local status, body = call(account, "PUT", PATH, { spec(7), spec(1, "HUBSPOT_DEFINED") })
    assert.equal(201, status)
    assert.same({
      fromObjectTypeId = "0-1", fromObjectId = 1, toObjectTypeId = "0-2", toObjectId = 2,
      labels = { "Seven", "Primary" },
    }, body)
    assert.same({ 1, 7, 279 }, types_of(account, fixture.READ, "1", 2))
  end)

  it("replaces the pair's labels", function()
    local account = new()
    link(account, "2", "7")
    call(account, "PUT", PATH, { spec(9) })
    assert.same({ 9, 279 }, types_of(account, fixture.READ, "1", 2))
  end)

  it("rejects types that do not exist, or belong to another direction", function()
    local status, body = call(new { labels = {} }, "PUT", PATH, { spec(3) })
    assert.equal(400, status)
    assert.same({ "USER_DEFINED=3" }, body.context.associationSpec)
    status, body = call(new(), "PUT", PATH, { spec(2, "HUBSPOT_DEFINED") })
    assert.equal(400, status)
    assert.same({ "CONTACT=2 is not valid" }, body.context.INVALID_OBJECT_IDS)
  end)

  it("rejects a body that is no list of types", function()
    for body, words in pairs {
      [""] = "a request body was expected", ['{"inputs":[]}'] = "value of type `list`",
      ['[{"associationTypeId":3}]'] = "[associationCategory]", ["[3]"] = "value of type `object`",
    } do
      local status, decoded = call(new(), "PUT", PATH, body)
      assert.equal(400, status, body)
      assert.truthy(decoded.message:find(words, 1, true), decoded.message)
    end
  end)

  it("rejects a record that does not exist with 404, and a GET with 405", function()
    local path = "objects/2026-03/contacts/1/associations/companies/404"
    local status, body = call(new(), "PUT", path, { spec(7) })
    assert.same({ 404, "crm.associations.TO_OBJECT_NOT_FOUND" }, { status, body.subCategory })
    local _, _, response = call(new(), "GET", PATH)
    assert.same({ 405, "DELETE, PUT" }, { response.status, response.headers.allow })
  end)

  it("fails with a record that an option names", function()
    local status, body = call(new { rejected = { "2" } }, "PUT", PATH, { spec(7) })
    assert.same({ 400, "COMPANY=2 is not valid" }, { status, body.context.INVALID_OBJECT_IDS[1] })
    assert.equal(500, (call(new { poison = { "1" } }, "PUT", PATH, { spec(7) })))
  end)
end)
