-- The options of an account: what is checked, and what a change at run time does.

local sandbox = require "hubspot.associations.sandbox.account"
local fixture = require "support.sandbox_account"

local new, input, batch, send = fixture.new, fixture.input, fixture.batch, fixture.send
local DEFAULT = sandbox.DEFAULT

describe("the options of an account", function()
  it("have to be known, and of the right type", function()
    assert.error_matches(function() new { colour = "red" } end, "colour")
    assert.error_matches(function() new():configure { colour = "red" } end, "colour")
    for _, value in ipairs { { ["7"] = "loudly" }, { [7] = "named" }, true } do
      assert.error_matches(function() new { rejected = value } end, "rejected")
    end
    for _, label in ipairs {
      5, {}, { label = 5 }, { label = "x", from = "contacts" }, { label = "x", inverse = 3 },
      { label = "x", from = "contacts", to = "companies", inverse = 0.5 }, { label = "x", colour = "red" },
    } do
      assert.error_matches(function() new { labels = { [36] = label } } end, "labels")
    end
    for name, value in pairs {
      poison = { ["7"] = 200 }, page_size = 0,
      token = 1, latency = -1, status = 500, numeric_ids = "yes", rate = { limits = 1 }, labels = "x",
      forbidden = "x", max_inputs = 0, missing = 1, visible_after = -1,
    } do
      assert.error_matches(function() new { [name] = value } end, name)
    end
    assert.error_matches(function() sandbox.new { random = math.random } end, "now")
    assert.error_matches(function() sandbox.new() end, "table")
  end)

  it("can be changed at run time, and put back to their defaults", function()
    local account = new()
    account:configure { status = 200, numeric_ids = false, latency = 0.5 }
    local response, body = send(account, batch(input("007", "2")))
    assert.equal(200, response.status)
    assert.equal(0.5, response.delay)
    assert.equal("007", body.results[1].fromObjectId)
    account:configure { status = DEFAULT, numeric_ids = DEFAULT, latency = DEFAULT }
    response, body = send(account, batch(input("007", "2")))
    assert.equal(201, response.status)
    assert.is_nil(response.delay)
    assert.equal(7, body.results[1].fromObjectId)
  end)
end)
