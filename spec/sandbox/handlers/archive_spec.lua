-- The response to POST …/batch/archive, and what the account holds after it.

local fixture = require "support.sandbox_account"

local new, call, link = fixture.new, fixture.call, fixture.link

local V4 = "v4/associations/contacts/companies/batch/archive"
local DATED = "associations/2026-03/contacts/companies/batch/archive"

local function input(from, ...)
  local to = {}
  for i, id in ipairs { ... } do to[i] = { id = id } end
  return { from = { id = from }, to = to }
end

describe("batch archive", function()
  it("removes all types of each pair, in both directions, and no other pair", function()
    local account = new()
    link(account, "2", 1, "7")
    link(account, "3", 279)
    link(account, "4", 279)
    local status, body = call(account, "POST", V4, { inputs = { input("1", "2", "3") } })
    assert.same({ 204, "" }, { status, body })
    assert.same({ "4" }, { account:associations()[1].toObjectId })
    assert.equal(1, account:count())
    assert.is_false(account:has("companies", 2, "contacts", 1, 280))
  end)

  it("removes from the side on which a pair was not written", function()
    local account = new()
    link(account, "2", 1)
    local status = call(account, "POST", "v4/associations/companies/contacts/batch/archive",
      { inputs = { input("2", "1") } })
    assert.equal(204, status)
    assert.equal(0, account:count())
  end)

  it("is a batch without results in a dated version", function()
    local account = new()
    link(account, "2", 1)
    local status, body = call(account, "POST", DATED, { inputs = { input("1", "2") } })
    assert.same({ 200, "COMPLETE", {} }, { status, body.status, body.results })
    assert.equal(0, account:count())
  end)

  it("names records that do not exist in a dated version, and in v4 nothing", function()
    local account = new()
    link(account, "2", 1)
    local body = { inputs = { input("1", "2", "404") } }
    assert.equal(204, (call(account, "POST", V4, body)))
    local status, decoded = call(account, "POST", DATED, body)
    assert.same({ 207, "COMPLETE", 1 }, { status, decoded.status, decoded.numErrors })
    status, decoded = call(account, "POST", DATED, { inputs = { input("404", "2") } })
    assert.same({ 207, "CANCELED" }, { status, decoded.status })
  end)

  it("does nothing to pairs that are not linked", function()
    assert.equal(204, (call(new(), "POST", V4, { inputs = { input("1", "2") } })))
  end)

  it("does not bring a pair back when another company becomes primary", function()
    local account = new()
    link(account, "2", 1)
    call(account, "POST", V4, { inputs = { input("1", "2") } })
    link(account, "3", 1)
    assert.equal(1, account:count())
    assert.is_false(account:has("contacts", 1, "companies", 2, 279))
  end)

  it("rejects more than 100 inputs, or than the option allows, with the number", function()
    local inputs = {}
    for i = 1, 101 do inputs[i] = input(tostring(i), "2") end
    for most, account in pairs { [100] = new(), [50] = new { max_inputs = { archive = 50 } } } do
      local status, body = call(account, "POST", V4, { inputs = inputs })
      assert.equal(400, status)
      assert.truthy(body.message:find(("supported in a batch is %d."):format(most), 1, true))
    end
  end)

  it("rejects a to that is no list, with its column", function()
    local status, body = call(new(), "POST", V4, '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"}}]}')
    assert.equal(400, status)
    assert.truthy(body.message:find "column 36")
    status, body = call(new { rejected = { ["9"] = "column" } }, "POST", V4,
      '{"inputs":[{"from":{"id":"1"},"to":[{"id":"2"},{"id":"9"}]}]}')
    assert.equal(400, status)
    assert.truthy(body.message:find "column 54")
  end)
end)
