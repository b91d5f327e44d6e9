-- The response to GET …/definitions/configurations/{fromObjectType}/{toObjectType}.

local fixture = require "support.sandbox_account"

local call = fixture.call

local FOLDER = "v4/associations/definitions/configurations/"

describe("the limits of a direction", function()
  it("are its own, not those of the other", function()
    local account = fixture.new()
    call(account, "POST", FOLDER .. "contacts/companies/batch/create",
      { inputs = { { category = "HUBSPOT_DEFINED", typeId = 1, maxToObjectIds = 3 } } })
    local status, body = call(account, "GET", FOLDER .. "0-1/Companies")
    assert.same({ 200, 1 }, { status, body.results[1].typeId })
    local _, _, response = call(account, "GET", FOLDER .. "companies/contacts")
    assert.equal('{"results":[]}', response.body)
    assert.equal(400, (call(account, "GET", FOLDER .. "contacts/widgets")))
  end)
end)
