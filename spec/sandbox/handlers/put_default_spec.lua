-- The response to PUT …/{fromObjectId}/associations/default/{toObjectType}/{toObjectId}.

local fixture = require "support.sandbox_account"

local new, call = fixture.new, fixture.call

describe("the put of one default association", function()
  it("is a batch with both directions of the pair, as was observed", function()
    local account = new()
    local status, body = call(account, "PUT", "v4/objects/companies/264/associations/default/deals/953")
    assert.equal(200, status)
    local types, ids = {}, {}
    for i, result in ipairs(body.results) do
      types[i] = result.associationSpec.associationTypeId
      ids[i] = result.from.id .. ">" .. result.to.id
    end
    assert.same({ "COMPLETE", { 342, 341 }, { "264>953", "953>264" } }, { body.status, types, ids })
    assert.is_true(account:has("deals", 953, "companies", 264, 341))
  end)

  it("rejects a record that does not exist with 404", function()
    local status, body = call(new(), "PUT", "v4/objects/companies/404/associations/default/deals/1")
    assert.same({ 404, "No company with ID 404 exists" }, { status, body.message })
  end)
end)
