-- The response to GET …/{fromObjectId}/associations/{toObjectType}.

local cjson = require "cjson"
local fixture = require "support.sandbox_account"

local new, call, link = fixture.new, fixture.call, fixture.link

local PATH = "v4/objects/contacts/1/associations/companies"

local function decode(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function encode(text)
  return (text:gsub("%W", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

describe("list", function()
  it("shows the links of one record, and their types", function()
    local account = new()
    link(account, "2", 1)
    local status, body = call(account, "GET", PATH)
    assert.equal(200, status)
    assert.same({ results = { { toObjectId = 2, associationTypes = {
      { category = "HUBSPOT_DEFINED", typeId = 1, label = "Primary" },
      { category = "HUBSPOT_DEFINED", typeId = 279, label = cjson.null },
    } } } }, body)
    status, body = call(account, "GET", "objects/2026-09/companies/2/associations/contacts")
    assert.same({ 200, 1 }, { status, body.results[1].toObjectId })
  end)

  it("is empty for a record without links", function()
    local status, _, response = call(new(), "GET", PATH)
    assert.same({ 200, '{"results":[]}' }, { status, response.body })
  end)

  it("comes in pages of the limit, by a cursor that is decoded once in a query", function()
    local account = new { page_size = 3 }
    for to = 2, 8 do link(account, tostring(to), 279) end
    local sizes, after = {}, nil
    repeat
      local status, body = call(account, "GET", PATH .. "?limit=500" .. (after and "&after=" .. after or ""))
      assert.equal(200, status)
      sizes[#sizes + 1] = #body.results
      after = body.paging and body.paging.next.after
      if after then
        assert.truthy(after:find "%%3D$", after)
        assert.equal(after, encode(decode(after)))
        assert.equal(400, (call(account, "GET", PATH .. "?after=" .. encode(after))))
        local other = PATH:gsub("contacts/1", "contacts/2") .. "?after=" .. after
        assert.equal(400, (call(account, "GET", other)))
      end
    until not after
    assert.same({ 3, 3, 1 }, sizes)
    assert.equal(2, #select(2, call(account, "GET", PATH .. "?limit=2")).results)
  end)

  it("has no page beyond the last link, also when it is full, or the ones behind are gone", function()
    local account = new { page_size = 2 }
    for to = 2, 4 do link(account, tostring(to), 279) end
    call(account, "DELETE", PATH .. "/4")
    assert.is_nil(select(2, call(account, "GET", PATH)).paging)
  end)

  it("rejects a limit that is none, and a cursor that it did not give", function()
    for _, query in ipairs {
      "limit=0", "limit=501", "limit=many", "limit=1.5", "after=2", "after=MC0yLTc1MDI%3D",
    } do
      local status, body = call(new(), "GET", PATH .. "?" .. query)
      assert.same({ 400, "VALIDATION_ERROR" }, { status, body.category }, query)
    end
  end)

  it("rejects a record that does not exist with 404, with HubSpot's category", function()
    local status, body = call(new(), "GET", "v4/objects/contacts/404/associations/companies")
    assert.equal(404, status)
    assert.equal("OBJECT_NOT_FOUND", body.category)
    assert.equal("crm.associations.FROM_OBJECT_NOT_FOUND", body.subCategory)
    assert.equal("No contact with ID 404 exists", body.message)
    assert.same({ objectType = { "contact" }, id = { "404" } }, body.context)
  end)

  it("is forbidden without a scope to read", function()
    local account = new { forbidden = { "crm.objects.companies.read" } }
    local status, body = call(account, "GET", PATH)
    assert.equal(403, status)
    assert.same({ "crm.objects.companies.read" }, body.errors[1].context.requiredGranularScopes)
  end)
end)
