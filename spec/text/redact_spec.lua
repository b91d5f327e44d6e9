-- Checks that tokens are taken out of text, and out of what core.decode makes of JSON, and that nothing else
-- is. Does no I/O.

local responses = require "hubspot.associations.api.response"
local cjson = require "cjson"
local core = require "hubspot.associations.core"
local random = require "support.random"
local redact = require "hubspot.associations.text.redact"
local slowdown = require "support.slowdown"

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
    for _, text in ipairs { "", "x", TOKEN:sub(2), TOKEN:sub(1, 11), TOKEN:upper(), "[token]", "%1 %0 %%" } do
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

-- How JSON, JSON within JSON, a URL and HTML may spell a character.
local SPELLINGS = {
  function(char) return char end,
  function(char) return ("\\u%04x"):format(char:byte()) end,
  function(char) return ("\\u%04X"):format(char:byte()) end,
  function(char) return ("\\\\u%04x"):format(char:byte()) end,
  function(char) return ("\\\\\\\\u%04x"):format(char:byte()) end,
  function(char) return char == "/" and "\\/" or char end,
  function(char) return char == "/" and "\\\\\\/" or char end,
  function(char) return ("%%%02x"):format(char:byte()) end,
  function(char) return ("%%%02X"):format(char:byte()) end,
  function(char) return ("&#%d;"):format(char:byte()) end,
  function(char) return ("&#x%x;"):format(char:byte()) end,
  function(char) return ("&#X%04X;"):format(char:byte()) end,
}

local function spelled(source, text)
  local rarely = source:pick { 1, 2, 20 }
  return (text:gsub(".", function(char)
    return (source:one_in(rarely) and source:pick(SPELLINGS) or SPELLINGS[1])(char)
  end))
end

-- What a reader sees who undoes all of that.
local function read(text)
  local function of(base)
    return function(digits) return string.char(tonumber(digits, base) % 256) end
  end
  return (text:gsub("\\+u(%x%x%x%x)", of(16)):gsub("\\+/", "/"):gsub("%%(%x%x)", of(16))
    :gsub("&#(%d+);", of(10)):gsub("&#[xX](%x+);", of(16)))
end

local CHARACTERS = {}
for char in ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="):gmatch "." do
  CHARACTERS[#CHARACTERS + 1] = char
end

local function random_token(source)
  local chars = {}
  for i = 1, source:integer(16, source:pick { 20, 60, 400, 3000 }) do chars[i] = source:pick(CHARACTERS) end
  return table.concat(chars)
end

describe("a token in a response", function()
  it("is taken out however it is spelled", function()
    for number, spell in ipairs(SPELLINGS) do
      local text = TOKEN:gsub(".", spell)
      assert.equal("<[token]>", redact.text("<" .. text .. ">", { TOKEN }), number)
    end
    assert.equal("x[token]y", redact.text("xAAAAAAAAAAAA\\/BBBB\\u002d\\u002Dy", { "AAAAAAAAAAAA/BBBB--" }))
  end)

  it("is taken out where it is cut short, at the end of a text or before its end", function()
    for length = 12, #TOKEN do
      assert.equal("a [token]", redact.text("a " .. TOKEN:sub(1, length), { TOKEN }))
      assert.equal("[token]... (cut)", redact.text(TOKEN:sub(1, length) .. "... (cut)", { TOKEN }))
    end
    assert.equal("[token]\\u00", redact.text("pat-na1-0000\\u00", { TOKEN }))
  end)

  it("is taken out where what stands before it looks like its beginning", function()
    local token = "AAAAAAAAAAAA/BBBBBBBBBBBB"
    for count = 1, 30 do
      assert.equal("[token]", (redact.text(("A"):rep(count) .. token, { token }):gsub("^A+", "")))
    end
    local one, other = "pat-na1-11112222-3333", "pat-na1-11112222-4444"
    assert.equal("[token]", redact.text(other, { one, other }))
  end)

  it("is looked for in linear time in a text of escapes", function()
    local begin = os.clock()
    for _, part in ipairs { "\\", "%", "&#", "&#x", "\\u", "p", "\\u0070" } do
      redact.text(part:rep(200000), { TOKEN })
    end
    assert.is_true(os.clock() - begin < 5 * slowdown)
  end)

  local function assert_hidden(token, value)
    if type(value) == "table" then
      for key, inner in pairs(value) do
        assert_hidden(token, key)
        assert_hidden(token, inner)
      end
    elseif type(value) == "string" then
      assert.is_nil(read(value):find(token:sub(1, 12), 1, true), value)
    end
  end

  -- Bodies that hold the text, so that each way through answer.lua is taken.
  local BODIES = {
    function(text) return '{"message":"' .. text .. '","' .. text .. '":["' .. text .. '"]}' end, -- JSON
    function(text) return '{"message":"' .. text end, -- cut off
    function(text) return "<html>Bearer " .. text .. "</html>" end,
    function(text) return '{"message":"' .. text .. '","errors":["' .. ("x"):rep(70000) .. '"]}' end, -- long
    function(text) return ("x"):rep(190) .. text end, -- across the end of the snippet
    function(text) return ("x"):rep(4080) .. text end, -- and of what is kept of a body
  }

  it("is in no error, however it is spelled, wherever it is cut, and wherever it stands", function()
    random.check(1500, function(source)
      local token = random_token(source)
      local text = spelled(source, token:sub(1, source:one_in(2) and source:integer(12, #token) or nil))
      if source:one_in(3) then text = text:sub(1, source:integer(1, #text)) end
      local response = {
        status = source:pick { 200, 207, 302, 400, 401, 403, 404, 429, 500, 502 },
        headers = { ["x-hubspot-correlation-id"] = text, ["retry-after"] = text },
        body = source:pick(BODIES)(source:pick { "", "x ", token } .. text),
        secrets = redact.secrets(token),
        date = 0,
      }
      local batch, err = responses.read(response, "batch")
      assert_hidden(token, { batch or err, tostring(err), responses.correlation_id(response) })
    end)
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

  it("leaves other strings as they are, and beginnings that are too short", function()
    for _, text in ipairs { "", "x", SECRET:sub(2), SECRET:sub(1, 11), SECRET:lower(), "[token]", "%1 %0" } do
      assert.equal(text, message(text, SECRET, SECRET .. "x"))
    end
    assert.equal(SECRET, message(SECRET))
    assert.equal(SECRET, message(SECRET, nil, nil))
  end)

  it("shows no secret, whatever is around it and however it is escaped", function()
    random.check(500, function(source)
      local escaped = SECRET:gsub(".", function(char)
        return source:one_in(2) and ("\\u%04x"):format(char:byte()) or char
      end)
      local part = SECRET:sub(1, source:integer(0, #SECRET - 1))
      local found = message(part .. escaped .. SECRET:sub(source:integer(2, #SECRET)), SECRET)
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
