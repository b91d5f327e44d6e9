-- Checks input_errors.lua: the errors in HubSpot's response, of inputs that were rejected together, and of
-- invalid inputs. Does no I/O.

local input_errors = require "hubspot.associations.api.input_errors"
local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"
local checkout = require "support.checkout"

describe("the error of invalid inputs", function()
  local function invalid(index)
    return { kind = "invalid_input", index = index, field = "from.id", message = "expected x, found y" }
  end

  it("is the first of them, and has all in `errors`", function()
    local err = input_errors.of_invalid({ invalid(2) }, 1)
    assert.equal("invalid_input", err.kind)
    assert.equal(2, err.index)
    assert.equal("from.id", err.field)
    assert.equal("expected x, found y", err.message)
    assert.equal(1, err.count)
    assert.equal(1, #err.errors)
    assert.is_false(err.retryable)
    assert.equal("invalid_input: input 2, from.id: expected x, found y", tostring(err))
  end)

  it("says how many more there are, including those that are not kept", function()
    local err = input_errors.of_invalid({ invalid(2), invalid(5) }, 150)
    assert.equal(150, err.count)
    assert.equal(2, #err.errors)
    assert.truthy(err.message:find("149 more", 1, true))
    assert.truthy(tostring(err):find("^invalid_input: input 2, from.id: expected x, found y %(and 149 more"))
  end)

  it("has errors that are errors themselves", function()
    local err = input_errors.of_invalid({ invalid(2), invalid(5) }, 2)
    for _, one in ipairs(err.errors) do assert.is_true(errors.is(one)) end
    assert.equal("invalid_input: input 5, from.id: expected x, found y", tostring(err.errors[2]))
  end)

  it("keeps another kind, and may have no index", function()
    local err = input_errors.of_invalid({ { kind = "too_large", field = "inputs", message = "over" } }, 1)
    assert.equal("too_large: inputs: over", tostring(err))
    assert.is_nil(err.index)
  end)
end)

describe("the error of one input in HubSpot's response", function()
  it("keeps HubSpot's fields, and gives it a kind", function()
    local entry = { status = "error", category = "X", message = "no such record", id = "7" }
    local err = input_errors.of_entry(entry)
    assert.same({ "http", "error", "X", "7" }, { err.kind, err.status, err.category, err.id })
    assert.equal("http: no such record (X)", tostring(err))
    assert.equal("string", type(input_errors.of_entry({}).message))
  end)

  it("can be shown, and has its own kind, whatever the server sends", function()
    local odd = { {}, 3, 400.5, true, "x", { { {} } } }
    for _, name in ipairs {
      "kind", "message", "status", "category", "policyName", "correlationId", "attempts", "retry_at",
      "retryable", "index", "field", "context", "errors", "body", "flaw", "reason", "sent", "curl_code",
    } do
      for _, value in ipairs(odd) do
        local err = input_errors.of_entry { [name] = value }
        assert.equal("http", err.kind)
        assert.is_nil(err.retryable)
        assert.matches("^http: ", tostring(err))
      end
    end
  end)

  it("takes no field that this library sets from the response", function()
    local code = checkout.read "lua/hubspot/associations/errors.lua"
    local class = code:match "@class hubspot.associations.Error\n(.-)\nlocal Error"
    local of_hubspot = {
      message = true, status = true, category = true, subCategory = true, correlationId = true,
      context = true, errors = true, links = true, policyName = true, groupName = true, errorType = true,
    }
    for field in class:gmatch "%-%-%-@field ([%w_]+)" do
      local err = input_errors.of_entry { message = "no", [field] = "the server's" }
      assert.equal(of_hubspot[field] and "the server's" or nil, field ~= "kind" and err[field] or nil, field)
    end
  end)

  it("keeps its message and its short fields when the entry is long", function()
    local err = input_errors.of_entry {
      message = ("e\195\169"):rep(50000), category = "X", context = { ids = { ("1"):rep(70000) } },
    }
    assert.equal("X", err.category)
    assert.is_nil(err.context)
    assert.is_true(#err.message <= 4096)
    assert.equal(one_line(err.message), err.message) -- ends with a whole character
  end)
end)

describe("the error of inputs that were rejected together", function()
  it("says how many they are, and does not change the rejection", function()
    local rejection = errors.new { kind = "http", status = 400, message = "no", body = {} }
    local err = input_errors.together(rejection, 3)
    assert.same({ 3, 400, "http" }, { err.together, err.status, err.kind })
    assert.truthy(err.message:find("with 2 others", 1, true))
    assert.same({ "no", nil }, { rejection.message, rejection.together })
    assert.is_true(errors.is(err))
    assert.equal(rejection, input_errors.together(rejection, 1))
  end)
end)
