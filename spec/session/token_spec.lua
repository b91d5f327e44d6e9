-- Checks where a token comes from and which tokens can be sent; an invalid token is never shown. Does no I/O.

local errors = require "hubspot.associations.errors"
local tokens = require "hubspot.associations.session.token"

local GOOD = { "pat-na1-00000000-0000-0000-0000-000000000000", "a", "A.b_c~d+e/f-0==", ("x"):rep(5000) }

-- Each contains s3cret, which no message may show.
local BAD = {
  " s3cret", "s3cret ", "s3cret\n", "\ts3cret", "s3 s3cret", "s3cret\r\nX-Injected: 1", "s3cret\0",
  "\127s3cret",
  "s3cret\195\169", "s3cret\"", "s3cret;", "s3cret,", "s3cret\\", "Bearer s3cret", "s3cret\255", "{s3cret}",
}

local function assert_token_error(err, what)
  assert.is_true(errors.is(err), what)
  assert.equal("token", err.kind, what)
  assert.is_false(err.retryable, what)
  assert.is_nil(tostring(err):find("s3cret", 1, true), tostring(err))
  for _, value in pairs(err) do
    assert.is_nil(tostring(value):find("s3cret", 1, true), what)
  end
end

describe("a token", function()
  it("that is a string is returned each time", function()
    for _, token in ipairs(GOOD) do
      local source, err = tokens.from(token)
      assert.is_nil(err)
      assert.equal(token, source.get())
      local renewed, why = source.renew(token)
      assert.is_false(renewed)
      assert.is_nil(why)
      source.accepted(token)
      assert.is_false(source.renew(token))
      assert.equal(token, source.get())
      assert.same(#token >= 16 and { token } or {}, source.secrets(token))
    end
  end)

  it("that cannot be sent is an error that does not show it", function()
    for _, token in ipairs(BAD) do
      local source, err = tokens.from(token)
      assert.is_nil(source)
      assert_token_error(err, ("%q"):format(token))
    end
  end)

  it("that is missing is returned as an error, not raised", function()
    local source, err = tokens.from(nil)
    assert.is_nil(source)
    assert_token_error(err)
    assert.truthy(err.message:find("environment", 1, true))
  end)

  it("that is empty is an error", function()
    local source, err = tokens.from ""
    assert.is_nil(source)
    assert_token_error(err)
    assert.truthy(err.message:find("empty", 1, true))
  end)

  it("with white space around it has another message than one with invalid characters", function()
    local _, around = tokens.from "s3cret\n"
    assert.truthy(around.message:find("white space", 1, true))
    local _, within = tokens.from "s3\ncret"
    assert.truthy(within.message:find("characters", 1, true))
  end)
end)

-- The result of one call of a token function.
local function get_from(func)
  return assert(tokens.from(func)).get()
end

-- A token source whose function returns FIRST, SECOND and so on, and the reasons that it was called with.
local function numbered()
  local reasons = {}
  return tokens.from(function(reason)
    reasons[#reasons + 1] = reason
    return "long-enough-token-" .. #reasons
  end), reasons
end

local FIRST, SECOND, THIRD = "long-enough-token-1", "long-enough-token-2", "long-enough-token-3"

describe("a token function", function()
  it("is not called before the first request", function()
    local source, err = tokens.from(function()
      error "called"
    end)
    assert.is_nil(err)
    assert.is_function(source.get)
  end)

  it("is called once, and again after a rejection, with the reason", function()
    local source, reasons = numbered()
    assert.equal(FIRST, source.get())
    assert.equal(FIRST, source.get())
    assert.is_true(source.renew(FIRST))
    assert.equal(SECOND, source.get())
    assert.equal(SECOND, source.get())
    assert.same({ "first", "unauthorized" }, reasons)
  end)

  it("is not called again for another call whose token was rejected in the meantime", function()
    local source, reasons = numbered()
    source.get()
    assert.is_true(source.renew(FIRST))
    assert.is_true(source.renew(FIRST)) -- there is a new one to try
    assert.equal(SECOND, source.get())
    assert.equal(2, #reasons)
  end)

  it("is called again only if its last token was accepted", function()
    local source, reasons = numbered()
    source.get()
    assert.is_true(source.renew(FIRST))
    source.accepted(SECOND)
    assert.is_true(source.renew(SECOND))
    assert.equal(THIRD, source.get())
    assert.same({ "first", "unauthorized", "unauthorized" }, reasons)
  end)

  it("whose renewed token is rejected, too, is called again only by the next call", function()
    local source, reasons = numbered()
    source.get()
    assert.is_true(source.renew(FIRST))
    source.accepted(FIRST) -- the response to an earlier request: it says nothing about the second token
    for _ = 1, 3 do
      local renewed, err = source.renew(SECOND)
      assert.is_false(renewed)
      assert.is_nil(err)
    end
    assert.same({ "first", "unauthorized" }, reasons)
    assert.equal(THIRD, source.get())
    assert.equal(THIRD, source.get())
    assert.same({ "first", "unauthorized", "first" }, reasons)
    assert.is_true(source.renew(THIRD))
    assert.same({ "first", "unauthorized", "first", "unauthorized" }, reasons)
  end)

  it("has none of its earlier tokens shown when it is called again", function()
    local given, message = "s3cret-s3cret-s3cret", nil
    local source = tokens.from(function() return given, message end)
    source.get()
    given = "another-s3cret-token"
    assert.is_true(source.renew "s3cret-s3cret-s3cret")
    assert.is_false(source.renew "another-s3cret-token")
    given, message = nil, "another-s3cret-token has expired"
    local _, err = source.get()
    assert_token_error(err)
  end)

  it("that cannot renew is an error, and may be called again", function()
    local given, message = FIRST, nil
    local source = tokens.from(function() return given, message end)
    source.get()
    given, message = nil, "the vault is sealed"
    for _ = 1, 2 do
      local renewed, err = source.renew(FIRST)
      assert.is_false(renewed)
      assert_token_error(err)
      assert.truthy(err.message:find("the vault is sealed", 1, true))
      assert.equal(FIRST, source.get())
    end
    given = SECOND
    assert.is_true(source.renew(FIRST))
    assert.equal(SECOND, source.get())
  end)

  it("has none of its tokens shown in its message", function()
    local given, message = "s3cret-s3cret-s3cret", nil
    local source = tokens.from(function()
      if given == "raise" then error(message) end
      return given, message
    end)
    source.get()
    given, message = nil, "the token s3cret-s3cret-s3cret has expired"
    local _, err = source.renew "s3cret-s3cret-s3cret"
    assert_token_error(err)
    assert.truthy(err.message:find("the token [token] has expired", 1, true))
    given = "raise"
    _, err = source.renew "s3cret-s3cret-s3cret"
    assert_token_error(err)
    assert.truthy(err.message:find("the token [token] has expired", 1, true))
    given = "another-s3cret-token"
    assert.is_true(source.renew "s3cret-s3cret-s3cret")
    source.accepted(given)
    given, message = nil, "not s3cret-s3cret-s3cret, another-s3cret-token"
    _, err = source.renew "another-s3cret-token"
    assert_token_error(err)
    assert.truthy(err.message:find("not [token], [token]", 1, true))
  end)

  it("has its token and the previous one kept out of responses", function()
    local source = numbered()
    assert.same({ FIRST }, source.secrets(source.get()))
    source.renew(FIRST)
    assert.same({ SECOND, FIRST }, source.secrets(source.get()))
    source.accepted(SECOND)
    source.renew(SECOND)
    assert.same({ THIRD, SECOND }, source.secrets(source.get()))
  end)

  it("has its token in no table that can be printed", function()
    for _, source in ipairs { numbered(), tokens.from(FIRST) } do
      source.get()
      for name, value in pairs(source) do
        assert.is_string(name)
        assert.is_function(value)
      end
      assert.is_nil(getmetatable(source))
    end
  end)

  it("that returns none is called again the next time", function()
    local given
    local source = tokens.from(function()
      return given, "the vault is sealed"
    end)
    local token, err = source.get()
    assert.is_nil(token)
    assert_token_error(err)
    assert.truthy(err.message:find("the vault is sealed", 1, true))
    given = "token"
    assert.equal("token", source.get())
  end)

  it("need not return a reason", function()
    local _, err = get_from(function() end)
    assert_token_error(err)
    assert.truthy(err.message:find("no reason", 1, true))
  end)

  it("that returns a token which cannot be sent is an error that does not show it", function()
    for _, bad in ipairs(BAD) do
      local token, err = get_from(function()
        return bad
      end)
      assert.is_nil(token)
      assert_token_error(err, ("%q"):format(bad))
      local given = FIRST
      local source = tokens.from(function() return given end)
      source.get()
      given = bad
      local renewed
      renewed, err = source.renew(FIRST)
      assert.is_false(renewed)
      assert_token_error(err, ("%q"):format(bad))
    end
  end)

  it("that returns another type is an error", function()
    for _, bad in ipairs { 5, true, false, {}, print } do
      local token, err = get_from(function()
        return bad
      end)
      assert.is_nil(token)
      assert_token_error(err)
    end
  end)

  it("that raises is an error with what it raised", function()
    local token, err = get_from(function()
      error "out of order"
    end)
    assert.is_nil(token)
    assert_token_error(err)
    assert.truthy(err.message:find("out of order", 1, true))
    for _, raised in ipairs { { "x" }, setmetatable({}, { __tostring = function() return "told" end }) } do
      token, err = get_from(function()
        error(raised)
      end)
      assert.is_nil(token)
      assert_token_error(err)
    end
    assert.truthy(err.message:find("told", 1, true))
  end)

  it("that raises a value without a text is also an error", function()
    local unspeakable = setmetatable({}, {
      __tostring = function()
        error "again"
      end,
    })
    local called, token, err = pcall(get_from, function()
      error(unspeakable)
    end)
    assert.is_true(called)
    assert.is_nil(token)
    assert_token_error(err)
  end)
end)
