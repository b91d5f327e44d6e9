-- What an account checks for every endpoint, and what every response has.

local cjson = require "cjson"
local fixture = require "support.sandbox_account"

local CREATE = fixture.CREATE
local new, input, batch, send = fixture.new, fixture.input, fixture.batch, fixture.send
local reject, with_token, is_uuid = fixture.reject, fixture.with_token, fixture.is_uuid

describe("an account", function()
  it("rejects a path that does not exist with 404, in HTML", function()
    for _, path in ipairs {
      "/", "/crm/associations/1999-01/contacts/companies/batch/create",
      "/crm/associations/2025-09/contacts/companies/batch/upsert",
      "/crm/v3/associations/contacts/companies/batch/create",
      "/crm/associations/2025-09/contacts/batch/create", CREATE .. "/",
    } do
      local response = send(new(), batch(input("1", "2")), { path = path })
      assert.equal(404, response.status, path)
      assert.equal("text/html;charset=utf-8", response.headers["content-type"])
      assert.truthy(response.body:find "^<html>")
    end
  end)

  it("rejects a method that a path does not have with 405, and names those that it has", function()
    local response = send(new(), "", { method = "GET" })
    assert.equal(405, response.status)
    assert.equal("POST", response.headers.allow)
  end)

  it("rejects an object type that does not exist with 400, without category or context", function()
    for path, name in pairs {
      ["/crm/associations/2025-09/contacts/widgets/batch/create"] = "widgets",
      ["/crm/associations/2025-09/vendor/companies/batch/create"] = "vendor",
    } do
      local response, body = reject(batch(input("1", "2")), { path = path })
      assert.equal(400, response.status)
      assert.equal("Unable to infer object type from: " .. name, body.message)
      assert.is_nil(body.category)
      assert.is_nil(body.context)
    end
  end)

  it("rejects a body that is not declared as JSON with 415", function()
    local headers = { authorization = "Bearer good", ["content-type"] = "text/csv" }
    assert.equal(415, reject(batch(input("1", "2")), { headers = headers }).status)
    headers["content-type"] = "application/json; charset=utf-8"
    assert.equal(201, send(new(), batch(input("1", "2")), { headers = headers }).status)
  end)

  it("rejects a request without a valid token with 401, and does not repeat the token", function()
    for _, authorization in ipairs { "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b" } do
      local response, body = reject(batch(input("1", "2")), with_token(authorization))
      assert.equal(401, response.status, authorization)
      assert.equal("INVALID_AUTHENTICATION", body.category)
    end
    assert.equal(401, reject(batch(input("1", "2")), { headers = {} }).status)
    local response, body = reject(batch(input("1", "2")), with_token("Bearer expired"))
    assert.equal(401, response.status)
    assert.equal("EXPIRED_AUTHENTICATION", body.category)
    response = reject(batch(input("1", "2")), with_token("Bearer secret"), { token = "good" })
    assert.equal(401, response.status)
    assert.is_nil(response.body:find("secret", 1, true))
  end)

  it("accepts each token that the option names", function()
    for _, option in ipairs { "good", { "other", "good" } } do
      assert.equal(201, send(new { token = option }, batch(input("1", "2"))).status)
    end
  end)

  it("rejects a write for which the app lacks a scope with 403, and names the scope", function()
    local response, body = reject(batch(input("1", "2")), nil,
      { forbidden = { "crm.objects.companies.write" } })
    assert.equal(403, response.status)
    assert.equal("MISSING_SCOPES", body.category)
    assert.same({ "crm.objects.companies.write" }, body.errors[1].context.requiredGranularScopes)
    assert.is_string(body.links.scopes)
    assert.equal(403, reject(batch(input("1", "2")), nil, { forbidden = true }).status)
    assert.equal(201, send(new { forbidden = { "crm.objects.deals.write" } }, batch(input("1", "2"))).status)
  end)

  it("gives each response a correlation id of its own", function()
    local numbers = 0
    local account = new { random = function() numbers = (numbers + 0.1234567) % 1 return numbers end }
    local first = send(account, batch(input("1", "2"))).headers["x-hubspot-correlation-id"]
    local second = send(account, "{").headers["x-hubspot-correlation-id"]
    assert.is_true(is_uuid(first))
    assert.is_true(is_uuid(second))
    assert.are_not.equal(first, second)
  end)

  it("uses no cjson settings of its host, and changes none", function()
    local precision = cjson.encode_number_precision()
    cjson.decode_invalid_numbers(true)
    assert.equal(400, send(new(), '{"inputs":NaN}').status)
    assert.equal(precision, cjson.encode_number_precision())
    assert.is_true(pcall(cjson.decode, "[NaN]"))
  end)
end)
