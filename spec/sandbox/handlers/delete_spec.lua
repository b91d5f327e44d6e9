-- The response to DELETE …/{fromObjectId}/associations/{toObjectType}/{toObjectId}.

local fixture = require "support.sandbox_account"

local new, call, link = fixture.new, fixture.call, fixture.link

local PATH = "objects/2026-03/contacts/1/associations/companies/2"

describe("the delete of one pair", function()
  it("removes all its types, and is a 204 in every version", function()
    for _, path in ipairs { PATH, "v4/objects/companies/2/associations/contacts/1" } do
      local account = new()
      link(account, "2", 1, "7")
      link(account, "3", 279)
      local status, body = call(account, "DELETE", path)
      assert.same({ 204, "" }, { status, body })
      assert.equal(1, account:count())
    end
  end)

  it("is a 204 for a pair that is not linked, and a 404 for a record that does not exist", function()
    assert.equal(204, (call(new(), "DELETE", PATH)))
    local status, body = call(new { missing = { "2" } }, "DELETE", PATH)
    assert.same({ 404, "crm.associations.TO_OBJECT_NOT_FOUND" }, { status, body.subCategory })
  end)
end)
