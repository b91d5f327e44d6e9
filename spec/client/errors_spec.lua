-- Checks the error table and its one-line text. Does no I/O.

local errors = require "hubspot.associations.errors"

local function line(fields)
  return tostring(errors.new(fields))
end

describe("an error", function()
  it("is the table of its fields", function()
    local fields = { kind = "network", message = "no route", curl_code = 7 }
    local err = errors.new(fields)
    assert.equal(fields, err)
    assert.equal("network", err.kind)
    assert.equal("no route", err.message)
    assert.equal(7, err.curl_code)
    assert.is_nil(err.status)
  end)

  it("is distinguished from other values", function()
    assert.is_true(errors.is(errors.new { kind = "network", message = "" }))
    for _, value in ipairs { {}, "network", 5, true, setmetatable({}, {}), io.stdout } do
      assert.is_false(errors.is(value))
    end
    assert.is_false(errors.is(nil))
  end)

  it("can be concatenated with text", function()
    local err = errors.new { kind = "network", message = "no route" }
    assert.equal("failed: network: no route", "failed: " .. err)
    assert.equal("network: no route!", err .. "!")
  end)

  it("is one line that begins with its kind", function()
    assert.equal("network: no route", line { kind = "network", message = "no route" })
    assert.equal("closed: the client is closed", line { kind = "closed", message = "the client is closed" })
  end)

  it("says where in the input it is", function()
    local text = line { kind = "invalid_input", message = "expected x", index = 3, field = "from.id" }
    assert.equal("invalid_input: input 3, from.id: expected x", text)
    assert.equal("invalid_input: inputs: none", line { kind = "invalid_input", message = "none",
      field = "inputs" })
    assert.equal("invalid_input: input 1: x", line { kind = "invalid_input", message = "x", index = 1 })
  end)

  it("has what HubSpot's support asks for", function()
    local text = line {
      kind = "http", message = "bad", status = 400, category = "VALIDATION_ERROR", policyName = "DAILY",
      correlationId = "aaaa-bbbb", attempts = 3,
    }
    assert.equal(
      "http: bad (HTTP 400, VALIDATION_ERROR, DAILY, correlationId aaaa-bbbb, 3 attempts)", text
    )
    assert.equal("http: bad (HTTP 500)", line { kind = "http", message = "bad", status = 500, attempts = 1 })
  end)

  it("adds advice for the kinds that need it", function()
    for kind, advice in pairs {
      unauthorized = "token", forbidden = "scopes", not_found = "object types", redirect = "base_url",
      daily_limit = "midnight",
    } do
      local text = line { kind = kind, message = "no" }
      assert.truthy(text:find("; .*" .. advice), text)
    end
  end)

  it("leaves out fields of another type than documented", function()
    local text = line {
      kind = "http", message = "bad", category = { "x" }, policyName = 5, correlationId = {}, context = "x",
    }
    assert.equal("http: bad", text)
  end)

  it("replaces control characters from any source", function()
    local evil = "a\r\nb\27[31mc\0d\127e\te"
    local text = line {
      kind = "http", message = evil, category = evil, policyName = evil, correlationId = evil, field = evil,
    }
    assert.is_nil(text:find "[%c\127]")
    assert.truthy(text:find("a b [31mc d e e", 1, true), text)
  end)

  it("replaces control characters beyond ASCII, which terminals also obey", function()
    for _, control in ipairs { "\194\155", "\194\133", "\194\144", "\226\128\168", "\226\128\174" } do
      local text = line { kind = "http", message = "a" .. control .. "31mb" }
      assert.is_nil(text:find(control, 1, true), ("%q"):format(control))
    end
    local text = line { kind = "http", message = "caf\195\169 \226\130\172 \240\159\152\128" }
    assert.equal("http: caf\195\169 \226\130\172 \240\159\152\128", text)
  end)

  it("may have format directives and patterns in its message", function()
    assert.equal("http: 100 %s %d %% of it", line { kind = "http", message = "100 %s %d %% of it" })
  end)

  it("has a __name", function()
    assert.equal("hubspot.associations.error", getmetatable(errors.new { kind = "x", message = "" }).__name)
  end)
end)

describe("check", function()
  local check = require("hubspot.associations").check

  it("returns all its arguments, nils among them, when the first is true", function()
    local function count(...) return select("#", ...), ... end
    assert.same({ 4, 1, nil, "c" }, { count(check(1, nil, "c", nil)) })
    assert.same({ 1, true }, { count(check(true)) })
  end)

  it("raises the error as a string, without a position", function()
    local err = errors.new { kind = "network", message = "no route" }
    for _, value in ipairs { false, "nil" } do
      local raised = { pcall(check, value ~= "nil" and value or nil, err, "more") }
      assert.same({ false, "network: no route" }, raised)
    end
    assert.same({ false, "no file" }, { pcall(check, nil, "no file") })
    assert.same({ false, "check failed, without an error" }, { pcall(check, nil) })
  end)

  it("shows why there is no client", function()
    local raised = select(2, pcall(check, require("hubspot.associations").new { token = "\n" }))
    assert.matches("^token: the token begins", raised)
  end)
end)
