-- When a client calls its token function, and what happens for each of its results. That no token leaks is
-- checked in robustness/security_spec.lua.

local associations = require "hubspot.associations"
local clients = require "support.clients"
local sandbox = require "support.sandbox"

local OLD, NEW = "pat-na1-old-0123456789", "pat-na1-new-0123456789"

describe("a token function", function()
  local account, client, reasons

  -- A client whose token function has these results in turn, each a list of what it returns.
  local function new(results)
    reasons = {}
    client = clients.open(account:url(), {
      token = function(reason)
        reasons[#reasons + 1] = reason
        local result = results[#reasons]
        if result.raises then
          error(result.raises, 0)
        end
        return result[1], result[2]
      end,
    })
  end

  local function create()
    return clients.create(client)
  end

  local function call_error()
    local batch, err = create()
    assert.is_nil(batch)
    return err
  end

  setup(function()
    account = sandbox.start({ token = { NEW } })
  end)

  teardown(function()
    account:close()
  end)

  before_each(function()
    account:reset()
  end)

  after_each(clients.close)

  it("is not called before there is a request", function()
    new({})
    assert.same({}, reasons)
  end)

  it("is called only for the first request, while its token is accepted", function()
    new({ { NEW } })
    for _ = 1, 3 do
      local _, meta = assert(create())
      assert.equal(1, meta.attempts)
    end
    assert.same({ "first" }, reasons)
  end)

  it("is called once more after a 401, and the request is sent again", function()
    new({ { OLD }, { NEW } })
    local batch, meta = assert(create())
    assert.same({ 1, 201, 2 }, { #batch.results, meta.status, meta.attempts })
    assert.same({ "first", "unauthorized" }, reasons)
    local _, next_meta = assert(create())
    assert.equal(1, next_meta.attempts)
    assert.same({ "first", "unauthorized" }, reasons)
    assert.same({ ["401"] = 1, ["201"] = 2 }, account:statistics().status)
  end)

  it("is called exactly once after a 401, even when its new token is rejected, too", function()
    new({ { OLD }, { OLD .. "-again" } })
    local err = call_error()
    assert.same({ "unauthorized", 401, 2 }, { err.kind, err.status, err.attempts })
    assert.same({ "first", "unauthorized" }, reasons)
    assert.equal(2, account:statistics().requests)
  end)

  it("is called again by the next call after its new token was rejected", function()
    new({ { OLD }, { OLD .. "-again" }, { NEW } })
    assert.equal("unauthorized", call_error().kind)
    local _, meta = assert(create())
    assert.equal(1, meta.attempts)
    assert.same({ "first", "unauthorized", "first" }, reasons)
  end)

  it("is not called again after any other rejection", function()
    account:configure({ forbidden = true })
    new({ { NEW } })
    assert.equal("forbidden", call_error().kind)
    assert.same({ "first" }, reasons)
  end)

  it("fails the call when it returns no token, with its own message", function()
    new({ { nil, "the vault is sealed" } })
    local err = call_error()
    assert.same({ "token", 0 }, { err.kind, err.attempts })
    assert.matches("the vault is sealed", tostring(err))
    assert.equal(0, account:statistics().requests)
  end)

  it("fails the call when it returns none after a 401, with the rejection as the cause", function()
    new({ { OLD }, { nil, "the vault is sealed" } })
    local err = call_error()
    assert.same({ "token", 1 }, { err.kind, err.attempts })
    assert.matches("the vault is sealed", err.message)
    assert.same({ "unauthorized", 401 }, { err.cause.kind, err.cause.status })
    assert.equal(1, account:statistics().requests)
  end)

  it("fails the call when it raises, and is called again by the next one", function()
    new({ { raises = "no route to the vault" }, { NEW } })
    local err = call_error()
    assert.equal("token", err.kind)
    assert.matches("raised.*no route to the vault", err.message)
    assert(create())
    assert.same({ "first", "first" }, reasons)
  end)

  it("fails the call when it raises a table, or nil", function()
    for _, raised in ipairs({ {}, false }) do
      client = clients.open(account:url(), {
        token = function()
          error(raised, 0)
        end,
      })
      assert.equal("token", call_error().kind)
    end
  end)

  it("fails the call when it returns what cannot be sent, without showing it", function()
    local unusable = { "secret with spaces", "secret\r\nX-Evil: 1", "secret\n", "secret\0", "", 42, {}, true }
    for _, value in ipairs(unusable) do
      new({ { value } })
      local err = call_error()
      assert.same({ "token", 0 }, { err.kind, err.attempts })
      assert.is_nil(tostring(err):find("secret", 1, true))
    end
    assert.equal(0, account:statistics().requests)
  end)
end)

describe("a token string", function()
  it("is an error at once when it is missing or cannot be sent, without being shown", function()
    local unusable = { false, "", "secret with spaces", "secret\n", " secret", "sec\0ret", "s\195\169cret" }
    for _, value in ipairs(unusable) do
      local client, err = associations.new({ max_attempts = 1, token = value or nil })
      assert.is_nil(client)
      assert.equal("token", err.kind)
      assert.is_nil(tostring(err):find("cret", 1, true))
    end
  end)
end)
