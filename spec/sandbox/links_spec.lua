-- What a write means for a pair: which types a read of either direction shows after it.

local fixture = require "support.sandbox_account"

local CREATE_BACK, READ, READ_BACK = fixture.CREATE_BACK, fixture.READ, fixture.READ_BACK
local new, input, with_types = fixture.new, fixture.input, fixture.with_types
local batch, send, types_of = fixture.batch, fixture.send, fixture.types_of

describe("a pair", function()
  it("is shown in both directions, each with its own type id", function()
    local account = new()
    send(account, batch(input("1", "2")))
    assert.same({ 1, 279 }, types_of(account, READ, "1", 2))
    assert.same({ 2, 280 }, types_of(account, READ_BACK, "2", 1))
    assert.is_true(account:has("companies", 2, "contacts", 1, 2))
    assert.is_false(account:has("companies", 2, "contacts", 1, 1))
    assert.equal(1, account:count())
  end)

  it("of companies has the types of parent and child exchanged in the other direction", function()
    local account = new()
    send(account, batch(with_types("1", "2", 13)),
      { path = "/crm/v4/associations/companies/companies/batch/create" })
    assert.is_true(account:has("companies", 1, "companies", 2, 13))
    assert.is_true(account:has("companies", 2, "companies", 1, 14))
    assert.is_false(account:has("companies", 2, "companies", 1, 13))
  end)

  it("keeps only the custom labels of the last write, in whichever direction it was", function()
    local account = new()
    send(account, batch(with_types("1", "2", "7", "8", 1)))
    assert.same({ 1, 7, 8, 279 }, types_of(account, READ, "1", 2))
    send(account, batch(with_types("1", "2", "9")))
    assert.same({ 1, 9, 279 }, types_of(account, READ, "1", 2))
    send(account, batch(with_types("2", "1", "10")), { path = CREATE_BACK })
    assert.same({ 1, 10, 279 }, types_of(account, READ, "1", 2))
    send(account, batch(with_types("1", "2", 279)))
    assert.same({ 1, 279 }, types_of(account, READ, "1", 2))
  end)

  it("keeps its labels when another pair is written, or a write is rejected or has no types", function()
    local account = new()
    send(account, batch(with_types("1", "2", "7")))
    send(account, batch(with_types("1", "3", "9")))
    send(account, batch(with_types("1", "2", "9"), with_types("1", "4", 9999)))
    send(account, '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[]}]}')
    assert.same({ 7, 279 }, types_of(account, READ, "1", 2))
  end)

  it("is shown once when it was removed and written again, and can be removed again", function()
    local account = new()
    for _ = 1, 3 do
      send(account, batch(with_types("1", "2", 1, "7")))
      assert.same({ 1, 7, 279 }, types_of(account, READ, "1", 2))
      assert.equal(204, (fixture.call(account, "DELETE", "v4/objects/contacts/1/associations/companies/2")))
      assert.same({}, types_of(account, READ, "1", 2))
      assert.equal(0, account:count())
    end
  end)

  it("is shown among hundreds of a record, also while others are removed and added", function()
    local account = new { page_size = 100 }
    local function ids()
      local found, count, after = {}, 0, nil
      repeat
        local path = "v4/objects/contacts/1/associations/companies" .. (after and "?after=" .. after or "")
        local _, body = fixture.call(account, "GET", path)
        for _, one in ipairs(body.results) do found[one.toObjectId], count = true, count + 1 end
        after = body.paging and body.paging.next.after
      until not after
      return found, count
    end
    for to = 1, 350 do fixture.link(account, tostring(to), 279) end
    assert.equal(350, select(2, ids()))
    for to = 50, 249 do
      fixture.call(account, "DELETE", ("v4/objects/companies/%d/associations/contacts/1"):format(to))
    end
    fixture.link(account, "351", 279)
    local found, count = ids()
    assert.equal(151, count)
    assert.same({ true, nil, true }, { found[49], found[50], found[351] })
    assert.is_true(account:has("companies", 351, "contacts", 1, 280))
  end)

  it("is shown as it was before, until the delay after a write is over", function()
    local account, clock = new { visible_after = 2 }
    local function shown() return types_of(account, READ, "1", 2) end
    send(account, batch(with_types("1", "2", "7")))
    assert.is_true(account:has("contacts", 1, "companies", 2, 7))
    assert.same({}, shown())
    clock.now = clock.now + 1
    send(account, batch(with_types("1", "2", "9")))
    clock.now = clock.now + 1
    assert.same({ 7, 279 }, shown())
    assert.same({ 7, 280 }, types_of(account, READ_BACK, "2", 1))
    assert.equal(204, (fixture.call(account, "DELETE", "v4/objects/contacts/1/associations/companies/2")))
    clock.now = clock.now + 1
    assert.same({ 9, 279 }, shown())
    clock.now = clock.now + 0.9
    assert.same({ 9, 279 }, shown())
    assert.is_false(account:has("contacts", 1, "companies", 2, 9))
    clock.now = clock.now + 0.1
    assert.same({}, shown())
    account:configure { visible_after = 0 }
    send(account, batch(with_types("1", "2", 1)))
    assert.same({ 1, 279 }, shown())
  end)

  it("stays linked when another company becomes primary", function()
    local account = new()
    send(account, batch(with_types("1", "2", 1), with_types("5", "2", 1)))
    send(account, batch(with_types("1", "3", 1)))
    assert.same({ 279 }, types_of(account, READ, "1", 2))
    assert.same({ 1, 279 }, types_of(account, READ, "1", 3))
    assert.same({ 1, 279 }, types_of(account, READ, "5", 2))
    send(account, batch(with_types("4", "1", 2)), { path = CREATE_BACK })
    assert.same({ 279 }, types_of(account, READ, "1", 3))
    assert.same({ 1, 279 }, types_of(account, READ, "1", 4))
  end)
end)
