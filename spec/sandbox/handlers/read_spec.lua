-- The response to POST …/batch/read.

local cjson = require "cjson"
local fixture = require "support.sandbox_account"

local READ = fixture.READ
local new, input, batch = fixture.new, fixture.input, fixture.batch
local send, types_of = fixture.send, fixture.types_of

describe("batch read", function()
  it("lists the links of each record, and is a 207 when one has none", function()
    local account = new()
    send(account, batch(input("1", "2"), input("1", "2", 279), input("1", "3", 279)))
    local response, body = send(account, batch { id = "1" }, { path = READ })
    assert.equal(200, response.status)
    assert.same({ {
      from = { id = "1" },
      to = {
        { toObjectId = 2, associationTypes = {
          { category = "HUBSPOT_DEFINED", typeId = 1, label = "Primary" },
          { category = "HUBSPOT_DEFINED", typeId = 279, label = cjson.null } } },
        { toObjectId = 3, associationTypes = {
          { category = "HUBSPOT_DEFINED", typeId = 279, label = cjson.null } } },
      },
    } }, body.results)
    response, body = send(account, batch({ id = "1" }, { id = "9" }), { path = READ })
    assert.equal(207, response.status)
    assert.equal(1, #body.results)
  end)

  it("has an error for a record without associations, which does not cancel the batch", function()
    local response, body = send(new(), batch { id = "515" }, { path = READ })
    assert.equal(207, response.status)
    assert.same({ "COMPLETE", {} }, { body.status, body.results })
    assert.same({ {
      status = "error", category = "OBJECT_NOT_FOUND",
      subCategory = "crm.associations.NO_ASSOCIATIONS_FOUND",
      message = "No company is associated with contact 515.",
      context = { fromObjectId = { "515" }, fromObjectType = { "contact" }, toObjectType = { "company" } },
    } }, body.errors)
  end)

  it("shows what was created after an earlier read", function()
    local account = new()
    send(account, batch { id = "1" }, { path = READ })
    send(account, batch(input("1", "2")))
    assert.same({ 1, 279 }, types_of(account, READ, "1", 2))
  end)

  it("comes in pages, and each record has a cursor of its own", function()
    local account = new { page_size = 2 }
    for to = 1, 5 do send(account, batch(input("1", tostring(to)), input("2", "1"))) end
    local inputs, seen = { { id = "1" }, { id = "2" } }, {}
    for page = 1, 3 do
      local _, body = send(account, { inputs = inputs }, { path = READ })
      seen[page] = #body.results[1].to
      local paging = body.results[1].paging
      assert.equal(page < 3, paging ~= nil)
      if body.results[2] then assert.is_nil(body.results[2].paging) end
      inputs = { { id = "1", after = paging and paging.next.after } }
    end
    assert.same({ 2, 2, 1 }, seen)
  end)

  it("rejects more than 1,000 inputs", function()
    local inputs = {}
    for i = 1, 1001 do inputs[i] = { id = tostring(i) } end
    assert.equal(400, send(new(), { inputs = inputs }, { path = READ }).status)
  end)
end)
