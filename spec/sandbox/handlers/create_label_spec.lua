-- The response to POST …/labels, and which types there are after it.

local fixture = require "support.sandbox_account"

local new, call, send, with_types = fixture.new, fixture.call, fixture.send, fixture.with_types

local PATH = "v4/associations/contacts/companies/labels"

describe("creating a label", function()
  it("has two results, one for each direction, with types that can be used at once", function()
    local account = new { labels = { ["36"] = "Old" } }
    local status, body = call(account, "POST", PATH,
      { name = "manager", label = "Manager", inverseLabel = "Managed by" })
    assert.equal(200, status)
    assert.same({ results = {
      { category = "USER_DEFINED", typeId = 37, label = "Manager",
        fromObjectTypeId = "0-1", toObjectTypeId = "0-2" },
      { category = "USER_DEFINED", typeId = 38, label = "Managed by",
        fromObjectTypeId = "0-2", toObjectTypeId = "0-1" },
    } }, body)
    local response, created = send(account, fixture.batch(with_types("1", "2", "37")))
    assert.same({ 201, { "Manager" } }, { response.status, created.results[1].labels })
    assert.is_true(account:has("companies", 2, "contacts", 1, 38))
    assert.equal(400, send(account, fixture.batch(with_types("1", "2", "38"))).status)
  end)

  it("gives both directions its text when there is no other", function()
    local _, body = call(new(), "POST", PATH, { name = "friend", label = "Friend" })
    assert.same({ "Friend", "Friend" }, { body.results[1].label, body.results[2].label })
  end)

  it("has one type between records of one object type, unless the texts differ", function()
    local account = new()
    local path = "associations/2026-09/contacts/contacts/labels"
    local _, body = call(account, "POST", path, { name = "friend", label = "Friend" })
    assert.equal(1, #body.results)
    _, body = call(account, "POST", path, { name = "boss", label = "Boss", inverseLabel = "Works for" })
    assert.equal(2, #body.results)
  end)

  it("rejects a name or a text that is taken, in either direction", function()
    local account = new()
    call(account, "POST", PATH, { name = "a", label = "A", inverseLabel = "B" })
    local back = "v4/associations/companies/contacts/labels"
    for path, body in pairs {
      [PATH] = { name = "a", label = "C" }, [PATH .. "?again"] = { name = "c", label = "A" },
      [back] = { name = "a", label = "C" }, [back .. "?again"] = { name = "c", label = "B" },
    } do
      assert.equal(400, (call(account, "POST", path, body)))
    end
    local elsewhere = "v4/associations/contacts/deals/labels"
    assert.equal(200, (call(account, "POST", elsewhere, { name = "a", label = "A" })))
  end)

  it("rejects a body without a name or a label, and one with numbers for texts", function()
    for body, words in pairs {
      ['{"label":"A"}'] = "[name]", ['{"name":"a"}'] = "[label]", ['{"name":1,"label":"A"}'] = "`String`",
      [""] = "a request body was expected",
    } do
      local status, decoded = call(new(), "POST", PATH, body)
      assert.equal(400, status)
      assert.truthy(decoded.message:find(words, 1, true), decoded.message)
    end
  end)

  it("is forgotten by a reset", function()
    local account = new { labels = {} }
    call(account, "POST", PATH, { name = "a", label = "A" })
    account:reset()
    assert.equal(400, send(account, fixture.batch(with_types("1", "2", "1"))).status)
  end)
end)
