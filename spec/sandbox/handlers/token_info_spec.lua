-- The response to POST /oauth/v2/private-apps/get/access-token-info.

local fixture = require "support.sandbox_account"

local PATH = "/oauth/v2/private-apps/get/access-token-info"

local function info(options, body)
  local account = fixture.new(options)
  local response, decoded = fixture.send(account, body or { tokenKey = "good" }, { path = PATH })
  return response.status, decoded
end

local function has(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then return true end
  end
  return false
end

describe("the information on a token", function()
  it("has the app, the user, the hub and the scopes", function()
    local status, body = info { hub_id = 4711 }
    assert.same({ 200, 4711, 654, 987 }, { status, body.hubId, body.appId, body.userId })
    assert.is_true(has(body.scopes, "crm.objects.contacts.write"))
  end)

  it("has none of the scopes that the app lacks", function()
    local _, body = info { forbidden = { "crm.objects.contacts.write" } }
    assert.is_false(has(body.scopes, "crm.objects.contacts.write"))
    assert.is_true(has(body.scopes, "crm.objects.contacts.read"))
    _, body = info { forbidden = true }
    assert.same({ "oauth" }, body.scopes)
  end)

  it("is for the token of a private app only, which is the one in the header", function()
    assert.equal(401, (info { private_app = false }))
    assert.equal(401, (info(nil, { tokenKey = "another" })))
  end)

  it("needs the token in the body", function()
    assert.equal(400, (info(nil, {})))
    assert.equal(400, (info(nil, "")))
  end)
end)
