-- The response to GET …/definitions/configurations/all.

local fixture = require "support.sandbox_account"

local call = fixture.call

describe("the limits of an account", function()
  it("are those of all directions, until a reset", function()
    local account = fixture.new()
    for direction, id in pairs { ["contacts/companies"] = 1, ["companies/contacts"] = 2 } do
      call(account, "POST", ("v4/associations/definitions/configurations/%s/batch/create"):format(direction),
        { inputs = { { category = "HUBSPOT_DEFINED", typeId = id, maxToObjectIds = 3 } } })
    end
    local status, body = call(account, "GET", "v4/associations/definitions/configurations/all")
    assert.equal(200, status)
    assert.equal(3, body.results[1].typeId + body.results[2].typeId)
    account:reset()
    local _, _, response = call(account, "GET", "associations/2026-09/definitions/configurations/all")
    assert.equal('{"results":[]}', response.body)
  end)
end)
