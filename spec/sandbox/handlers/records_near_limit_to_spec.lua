-- The response to GET …/limits/associations/records/{fromObjectType}/to.

local fixture = require "support.sandbox_account"

local call, link = fixture.call, fixture.link

describe("the object types to which records are near a limit", function()
  it("are those on the to side of the object type's limits", function()
    local account = fixture.new()
    call(account, "POST", "v4/associations/definitions/configurations/contacts/companies/batch/create",
      { inputs = { { category = "HUBSPOT_DEFINED", typeId = 1, maxToObjectIds = 1 } } })
    link(account, "2", 1)
    local status, body = call(account, "GET", "v3/limits/associations/records/0-1/to")
    assert.equal(200, status)
    assert.same({ { objectTypeId = "0-2", singularLabel = "company", pluralLabel = "companies",
      hasRecordsAtLimit = true, hasRecordsNearLimit = false } }, body.results)
    local _, _, response = call(account, "GET", "limits/2026-09/associations/records/companies/to")
    assert.equal('{"results":[]}', response.body)
    assert.equal(400, (call(account, "GET", "v3/limits/associations/records/widgets/to")))
  end)
end)
