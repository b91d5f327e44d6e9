-- Checks explanation.lua: the reasons in HubSpot's errors. The bodies were published by users.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local explanation = require "hubspot.associations.explanation"
local slowdown = require "support.slowdown"

local function words(body)
  local err = core.decode(body)
  err.kind = "http"
  return explanation.words(err)
end

describe("the explanation of an error", function()
  it("has the reason in its context, under any key", function()
    assert.are.equal("One or more associations are invalid: CONTACT=38374264688 is not valid", words [[
      {"status":"error","message":"One or more associations are invalid","context":{"INVALID_OBJECT_IDS":
      ["CONTACT=38374264688 is not valid"],"objectId":["38374264688"],"objectType":["CONTACT"]},
      "category":"VALIDATION_ERROR"}]])
    assert.are.equal("One or more associations are invalid: "
      .. "USER_DEFINED=3 is not a valid association definition id", words [[
      {"message":"One or more associations are invalid","context":{"associationSpec":["USER_DEFINED=3"],
      "INVALID_ASSOCIATION_TYPE_ID":["USER_DEFINED=3 is not a valid association definition id"]}}]])
    assert.are.equal("Refused: one reason; another reason", words [[
      {"message":"Refused.","context":{"NEVER_SEEN":["one reason","another reason"]}}]])
  end)

  it("does not repeat the message or the request", function()
    assert.are.equal("No contact with ID 9993051 exists", words [[
      {"message":"No contact with ID 9993051 exists","context":{"objectType":["contact"],"id":["9993051"]}}]])
    assert.are.equal("0-5 is not a valid association type between CONTACT and DEAL", words [[
      {"message":"0-5 is not a valid association type between CONTACT and DEAL",
      "context":{"type":["0-5"],"fromObjectType":["CONTACT"],"toObjectType":["DEAL"]}}]])
    assert.are.equal("Refused", words [[
      {"message":"Refused","context":{"fromObjectId":["1"],"toObjectId":["2"],"ids":["3"]}}]])
  end)

  it("names the key of a value that is not a sentence", function()
    assert.are.equal("Over the limit: limit: 50; reason: TOO_MANY",
      words [[{"message":"Over the limit","context":{"limit":[50],"reason":["TOO_MANY"]}}]])
  end)

  it("names the scopes that a 403 requires", function()
    assert.are.equal("This app hasn't been granted all required scopes to make this call: One or more of the "
      .. "following scopes are required.; scopes: crm.objects.companies.write", words [[
      {"message":"This app hasn't been granted all required scopes to make this call.","errors":[{"message":
      "One or more of the following scopes are required.","context":{"requiredGranularScopes":
      ["crm.objects.companies.write"]}}],"category":"MISSING_SCOPES"}]])
    assert.are.same({ "a", "b" }, explanation.scopes(core.decode [[
      {"context":{"requiredScopes":["old"],"requiredGranularScopes":["a","b"]}}]]))
    assert.are.same({ "contacts" }, explanation.scopes(core.decode [[
      {"errors":[{"context":{"requiredScopes":["contacts"]}}]}]]))
    assert.are.same({}, explanation.scopes { message = "none" })
  end)

  it("is short, and quickly made, for an error of any size", function()
    local values, details = {}, {}
    for index = 1, 100000 do
      values[index] = "a reason of its own, number " .. index
      details[index] = { message = "detail " .. index, context = { a = values } }
    end
    local context = { a = values, b = ("x"):rep(1e6) }
    local err = { kind = "http", message = "m", context = context, errors = details }
    local began = os.clock()
    local text = explanation.words(err)
    assert.is_true(os.clock() - began < slowdown)
    assert.is_true(#text < 4000)
    assert.truthy(text:find "and more$")
  end)

  it("never raises, for an error of any shape", function()
    local deep = {}
    deep[1] = deep
    local nested = { a = { b = { c = { d = "e f" } } } }
    for _, value in ipairs { 5, "text", true, {}, { {} }, deep, nested, { [1.5] = "x" } } do
      for _, field in ipairs { "message", "context", "errors" } do
        assert.is_string(explanation.words { kind = "http", [field] = value })
      end
      assert.is_string(explanation.words { kind = "http", errors = { { message = value, context = value } } })
      local context = { requiredScopes = value }
      assert.is_table(explanation.scopes { context = context, errors = { { context = value } } })
    end
  end)

  it("is part of an error's own line", function()
    local context = { A = { "since it is so" } }
    local err = errors.new { kind = "http", status = 400, message = "Refused", context = context }
    assert.are.equal("http: Refused: since it is so (HTTP 400)", tostring(err))
    assert.are.equal("forbidden: no: scopes: a.b (HTTP 403)", errors.summary(errors.new {
      kind = "forbidden", status = 403, message = "no", context = { requiredScopes = { "a.b" } },
    }))
  end)
end)
