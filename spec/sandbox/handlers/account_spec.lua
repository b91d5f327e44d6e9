-- The response to GET /account-info/…/details.

local fixture = require "support.sandbox_account"

local function details(account, path, authorization)
  local headers = { authorization = authorization or "Bearer good" }
  local response, body = fixture.send(account, "", { method = "GET", path = path, headers = headers })
  return response.status, body
end

describe("the details of an account", function()
  it("have its hub id, at each version's path", function()
    local account = fixture.new { hub_id = 4711 }
    for _, path in ipairs { "/account-info/v3/details", "/account-info/2025-09/details" } do
      local status, body = details(account, path)
      assert.same({ 200, 4711, "DEVELOPER_TEST" }, { status, body.portalId, body.accountType })
    end
  end)

  it("need a token that is good, and no scope of records", function()
    local path = "/account-info/v3/details"
    assert.equal(401, (details(fixture.new(), path, "Bearer expired")))
    assert.equal(200, (details(fixture.new { forbidden = true }, path)))
  end)

  it("are there once for all, so that nothing is left out of the path", function()
    assert.equal(404, (details(fixture.new(), "/crm/v4/account-info/details")))
  end)
end)
