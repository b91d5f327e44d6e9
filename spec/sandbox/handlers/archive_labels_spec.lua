-- The response to POST …/batch/labels/archive, and what the account holds after it.

local fixture = require "support.sandbox_account"

local new, call, link, with_types = fixture.new, fixture.call, fixture.link, fixture.with_types
local types_of, READ, READ_BACK = fixture.types_of, fixture.READ, fixture.READ_BACK

local PATH = "v4/associations/contacts/companies/batch/labels/archive"

local function archive(account, ...)
  return call(account, "POST", PATH, { inputs = { with_types("1", "2", ...) } })
end

describe("batch archive of labels", function()
  it("removes the types given, in both directions, and leaves the others", function()
    local account = new()
    link(account, "2", 1, "7", "8")
    local status, body = archive(account, "7", 1)
    assert.same({ 204, "" }, { status, body })
    assert.same({ 8, 279 }, types_of(account, READ, "1", 2))
    assert.same({ 8, 280 }, types_of(account, READ_BACK, "2", 1))
  end)

  it("removes a type by the id that the other direction shows", function()
    local account = new()
    link(account, "2", 1, "8")
    local status = call(account, "POST", "v4/associations/companies/contacts/batch/labels/archive",
      { inputs = { with_types("2", "1", 2) } })
    assert.equal(204, status)
    assert.same({ 8, 279 }, types_of(account, READ, "1", 2))
  end)

  it("leaves a pair linked by the unlabeled type when it had no other", function()
    local account = new()
    link(account, "2", 1)
    archive(account, 1)
    assert.same({ 279 }, types_of(account, READ, "1", 2))
    archive(account, 1)
    assert.same({ 279 }, types_of(account, READ, "1", 2))
  end)

  it("removes all types with the unlabeled one", function()
    local account = new()
    link(account, "2", 1, "7")
    archive(account, 279)
    assert.equal(0, account:count())
  end)

  it("links no pair that was not linked", function()
    local account = new()
    archive(account, "7")
    assert.equal(0, account:count())
  end)

  it("is a batch in a dated version, and rejects a type of another direction", function()
    local account = new()
    link(account, "2", 1)
    local path = "associations/2025-09/contacts/companies/batch/labels/archive"
    local status, body = call(account, "POST", path, { inputs = { with_types("1", "2", 1) } })
    assert.same({ 200, "COMPLETE", {} }, { status, body.status, body.results })
    status, body = archive(account, 2)
    assert.equal(400, status)
    assert.same({ "CONTACT=2 is not valid" }, body.context.INVALID_OBJECT_IDS)
  end)
end)
