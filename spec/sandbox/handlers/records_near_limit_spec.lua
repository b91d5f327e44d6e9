-- The response to GET …/limits/associations/records/from.

local fixture = require "support.sandbox_account"

local call, link = fixture.call, fixture.link

describe("the object types with records near a limit", function()
  it("have records from 80 % of a limit on, and at it", function()
    local account = fixture.new()
    call(account, "POST", "v4/associations/definitions/configurations/contacts/companies/batch/create",
      { inputs = { { category = "HUBSPOT_DEFINED", typeId = 279, maxToObjectIds = 5 } } })
    for to = 2, 6 do
      link(account, tostring(to), 279)
      local status, body = call(account, "GET", "v3/limits/associations/records/from")
      assert.equal(200, status)
      local expected = to >= 5 and {
        objectTypeId = "0-1", singularLabel = "contact", pluralLabel = "contacts",
        hasRecordsAtLimit = to == 6, hasRecordsNearLimit = to == 5,
      } or nil
      assert.same({ expected }, body.results)
    end
  end)

  it("are at paths with v3 and with dates, and not with v4", function()
    for path, expected in pairs {
      ["v3/limits/associations/records/from"] = 200, ["limits/2026-03/associations/records/from"] = 200,
      ["v4/limits/associations/records/from"] = 404, ["limits/v4/associations/records/from"] = 404,
    } do
      assert.equal(expected, (call(fixture.new(), "GET", path)), path)
    end
  end)
end)
