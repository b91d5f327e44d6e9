-- Checks that tokens are taken out of text, and out of what core.decode makes of JSON, and that nothing else
-- is. Does no I/O.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local random = require "support.random"
local redact = require "hubspot.associations.redact"

local TOKEN = "pat-na1-00000000-0000-0000-0000-000000000000"

describe("redact.text", function()
  it("takes the token out, wherever and however often it is there", function()
    assert.equal("[token]", redact.text(TOKEN, { TOKEN }))
    assert.equal("a [token] b", redact.text("a " .. TOKEN .. " b", { TOKEN }))
    assert.equal("[token][token]x[token]", redact.text(TOKEN .. TOKEN .. "x" .. TOKEN, { TOKEN }))
  end)

  it("returns one value", function()
    assert.equal(1, select("#", redact.text(TOKEN, { TOKEN })))
    assert.equal(1, select("#", redact.text("x", { TOKEN })))
  end)

  it("leaves other text as it is", function()
    for _, text in ipairs { "", "x", TOKEN:sub(2), TOKEN:sub(1, -2), TOKEN:upper(), "[token]", "%1 %0 %%" } do
      assert.equal(text, redact.text(text, { TOKEN }))
    end
  end)

  it("takes the token for plain text, not for a pattern", function()
    local token = "a.b+c-d*e%f(g)[h]^$?=="
    assert.equal("<[token]>", redact.text("<" .. token .. ">", { token }))
    assert.equal("aXb+c-d*e%f(g)[h]^$?==", redact.text("aXb+c-d*e%f(g)[h]^$?==", { token }))
  end)

  it("takes out tokens with any character that a token may have", function()
    local token = "AZaz09-._~+/=AZaz09-._~+/="
    assert.equal("x[token]y", redact.text("x" .. token .. "y", { token }))
  end)

  it("takes text of any bytes", function()
    assert.equal("\0\255[token]\0", redact.text("\0\255" .. TOKEN .. "\0", { TOKEN }))
  end)

  it("takes out each of the tokens, and none where there is none", function()
    local other = "pat-na1-11111111-1111-1111-1111-111111111111"
    assert.equal("[token] and [token]", redact.text(TOKEN .. " and " .. other, { other, TOKEN }))
    assert.equal(TOKEN, redact.text(TOKEN, {}))
    assert.equal(TOKEN, redact.text(TOKEN, nil))
    assert.equal(TOKEN, redact.text(TOKEN, { other }))
  end)
end)

describe("redact.secrets", function()
  it("are the token that was sent, and the one before", function()
    assert.same({ TOKEN }, redact.secrets(TOKEN))
    assert.same({ TOKEN, TOKEN .. "x" }, redact.secrets(TOKEN, TOKEN .. "x"))
  end)

  it("leave out those that are too short for a token, and may well be words", function()
    assert.same({}, redact.secrets("test"))
    assert.same({}, redact.secrets(("x"):rep(15), "id"))
    assert.same({ ("x"):rep(16) }, redact.secrets(("x"):rep(16), "id"))
    assert.same({ TOKEN }, redact.secrets("id", TOKEN))
    assert.equal("a test of tests", redact.text("a test of tests", redact.secrets("test")))
  end)
end)

describe("core.decode with secrets", function()
  local SECRET = "AAAAAAAAAAAA/BBBBBBBBBBBB+CCC=="

  local function message(text, ...)
    return assert(core.decode('{"message":"' .. text .. '"}', ...)).message
  end

  it("takes them out of every string, wherever and however often they are there", function()
    assert.equal("[token]", message(SECRET, SECRET))
    assert.equal("a [token] b", message("a " .. SECRET .. " b", SECRET))
    assert.equal("[token][token]x[token]", message(SECRET .. SECRET .. "x" .. SECRET, SECRET))
    local text = cjson.encode { { a = { SECRET, { "x" .. SECRET } } }, SECRET, 5, true }
    assert.same({ { a = { "[token]", { "x[token]" } } }, "[token]", 5, true }, core.decode(text, SECRET))
  end)

  it("takes them out of keys, too", function()
    assert.same({ ["<[token]>"] = 1, b = { ["[token]"] = "[token]" } }, core.decode(
      '{"<' .. SECRET .. '>":1,"b":{"AAAAAAAAAAAA\\/BBBBBBBBBBBB+CCC==":"' .. SECRET .. '"}}', SECRET
    ))
  end)

  -- Servers write / as \/ and = as \u003d (PHP and Gson do), and decoding brings the secret back.
  it("takes them out when they are escaped, as JSON may", function()
    for _, escaped in ipairs {
      "AAAAAAAAAAAA\\/BBBBBBBBBBBB+CCC==", "AAAAAAAAAAAA/BBBBBBBBBBBB+CCC\\u003d\\u003D",
      "AAAAAAAAAAAA\\u002fBBBBBBBBBBBB\\u002BCCC\\u003d=", "\\u0041AAAAAAAAAAA/BBBBBBBBBBBB+CCC==",
    } do
      assert.equal("x[token]y", message("x" .. escaped .. "y", SECRET))
      assert.equal("\n[token]", message("\\n" .. escaped, "no such secret", SECRET))
    end
    local escaped = SECRET:gsub(".", function(char) return ("\\u%04x"):format(char:byte()) end)
    assert.equal("[token]", message(escaped, SECRET))
  end)

  it("takes out either of two", function()
    local other = "pat-na1-11111111-1111-1111-1111-111111111111"
    assert.equal("[token] [token]", message(other .. " " .. SECRET, SECRET, other))
    assert.equal("[token] [token]", message(other .. " " .. SECRET, other, SECRET))
    assert.equal("[token] " .. SECRET, message(other .. " " .. SECRET, other))
  end)

  it("leaves other strings as they are, and those that are shorter than the secret", function()
    for _, text in ipairs { "", "x", SECRET:sub(2), SECRET:sub(1, -2), SECRET:lower(), "[token]", "%1 %0" } do
      assert.equal(text, message(text, SECRET, SECRET .. "x"))
    end
    assert.equal(SECRET, message(SECRET, SECRET .. "x"))
    assert.equal(SECRET, message(SECRET))
    assert.equal(SECRET, message(SECRET, nil, nil))
  end)

  it("shows no secret, whatever is around it and however it is escaped", function()
    random.check(500, function(luck)
      local escaped = SECRET:gsub(".", function(char)
        return luck:one_in(2) and ("\\u%04x"):format(char:byte()) or char
      end)
      local part = SECRET:sub(1, luck:integer(0, #SECRET - 1))
      local found = message(part .. escaped .. SECRET:sub(luck:integer(2, #SECRET)), SECRET)
      assert.is_nil(found:find(SECRET, 1, true))
      assert.truthy(found:find("[token]", 1, true))
    end)
  end)

  it("refuses a secret that is none", function()
    for _, secret in ipairs { "", true, {} } do
      assert.has_error(function() core.decode("{}", secret) end)
      assert.has_error(function() core.decode("{}", SECRET, secret) end)
    end
  end)
end)
