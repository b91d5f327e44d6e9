-- The paths under /sandbox, by which a test inspects and configures an account.

local cjson = require "cjson"
local fixture = require "support.sandbox_account"

local new, input, batch, send = fixture.new, fixture.input, fixture.batch, fixture.send

describe("a path under /sandbox", function()
  local function control(account, method, path, body)
    local response = account:handle { method = method, path = path, headers = {}, body = body or "" }
    return response, response.body ~= "" and cjson.decode(response.body) or nil
  end

  it("lists the associations", function()
    local account = new()
    assert.equal("[]", control(account, "GET", "/sandbox/associations").body)
    send(account, batch(input("1", "2")))
    local _, list = control(account, "GET", "/sandbox/associations")
    assert.same({ {
      fromObjectTypeId = "0-1", fromObjectId = "1", toObjectTypeId = "0-2", toObjectId = "2",
      associationCategory = "HUBSPOT_DEFINED", associationTypeId = 1,
    } }, list)
  end)

  it("counts requests, inputs and responses, but not those to the control paths", function()
    local account = new()
    send(account, batch(input("1", "2"), input("404", "2")))
    send(account, batch(input("1", "2")))
    send(account, "{")
    local _, counts = control(account, "GET", "/sandbox/statistics")
    assert.same({ requests = 3, inputs = 3, associations = 1,
      status = { ["201"] = 1, ["207"] = 1, ["400"] = 1 } }, counts)
    assert.same({ [201] = 1, [207] = 1, [400] = 1 }, account:statistics().status)
  end)

  it("resets the account: what it holds, and the options", function()
    local account = new { max_inputs = 5, rate = { limit = 1 } }
    send(account, batch(input("1", "2")))
    account:configure { max_inputs = 1 }
    assert.equal(204, control(account, "POST", "/sandbox/reset").status)
    assert.same({ requests = 0, inputs = 0, associations = 0, status = {} }, account:statistics())
    assert.equal(201, send(account, batch(input("1", "2"), input("1", "3"))).status)
  end)

  it("changes options, where null means the default", function()
    local account = new()
    local response = control(account, "PATCH", "/sandbox/options", '{"status":202,"rate":{"limit":1}}')
    assert.equal(204, response.status)
    assert.equal(202, send(account, batch(input("1", "2"))).status)
    assert.equal(429, send(account, batch(input("1", "2"))).status)
    control(account, "PATCH", "/sandbox/options", '{"status":null,"rate":null}')
    assert.equal(201, send(account, batch(input("1", "2"))).status)
  end)

  it("rejects a change with an invalid option as a whole", function()
    local account = new()
    for _, text in ipairs {
      "{", '{"status":202,"colour":"red"}', '{"status":202,"now":3}', '{"status":202,"now":null}',
    } do
      local response, body = control(account, "PATCH", "/sandbox/options", text)
      assert.equal(400, response.status, text)
      assert.is_string(body.message)
    end
    assert.equal(201, send(account, batch(input("1", "2"))).status)
  end)

  it("rejects unknown paths and methods with 404 and 405", function()
    assert.equal(404, control(new(), "GET", "/sandbox/nothing").status)
    local response = control(new(), "GET", "/sandbox/reset")
    assert.equal(405, response.status)
    assert.equal("POST", response.headers.allow)
  end)
end)
