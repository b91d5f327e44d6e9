-- The response to DELETE …/labels/{associationTypeId}, and what becomes of pairs that had the label.

local fixture = require "support.sandbox_account"

local new, call, link, types_of = fixture.new, fixture.call, fixture.link, fixture.types_of

local PATH = "v4/associations/contacts/companies/labels"

describe("deleting a label", function()
  local account

  before_each(function()
    account = new()
    call(account, "POST", PATH, { name = "a", label = "A", inverseLabel = "B" }) -- types 1 and 2
    link(account, "2", "1")
    link(account, "3", "1", "9")
    fixture.send(account, fixture.batch(fixture.with_types("4", "1", "2")), { path = fixture.CREATE_BACK })
  end)

  it("removes it from all pairs, which stay linked", function()
    local status, body = call(account, "DELETE", PATH .. "/1")
    assert.same({ 204, "" }, { status, body })
    assert.same({ 279 }, types_of(account, fixture.READ, "1", 2))
    assert.same({ 9, 279 }, types_of(account, fixture.READ, "1", 3))
    assert.same({ 279 }, types_of(account, fixture.READ, "1", 4))
  end)

  it("removes it by the id of the other direction, too", function()
    assert.equal(204, (call(account, "DELETE", "v4/associations/companies/contacts/labels/2")))
    assert.same({ 279 }, types_of(account, fixture.READ, "1", 2))
    assert.same({ 279 }, types_of(account, fixture.READ, "1", 4))
  end)

  it("rejects it from then on: in a write, and in another delete", function()
    call(account, "DELETE", PATH .. "/1")
    local response = fixture.send(account, fixture.batch(fixture.with_types("1", "2", "1")))
    assert.equal(400, response.status)
    for _, id in ipairs { "1", "2", "279", "x", "1.5", "-1", "99999999999" } do
      assert.equal(400, (call(account, "DELETE", PATH .. "/" .. id)), id)
    end
  end)
end)
