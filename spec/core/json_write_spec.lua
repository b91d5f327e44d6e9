-- Checks the C core's JSON text, through core: strings byte by byte against a validator of the spec's own,
-- integers at their limits, growth of the buffer at every length. Does no I/O.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local random = require "support.random"

-- The JSON string that core writes for `bytes`, or nil when it refuses them as no UTF-8.
local ANY_ID = { check_ids = false }
local body = core.body(ANY_ID)
local function written(bytes)
  body:clear()
  local added, refusal = body:add { from = bytes, to = "2", types = 1 }
  if not added then
    assert(refusal.field == "from" and refusal.message:find("valid UTF-8", 1, true), refusal.message)
    return nil
  end
  return (body:json():match '^{"inputs":%[{"from":{"id":(.*)},"to":{"id":"2"}')
end

-- RFC 3629, by decoding: a sequence is well formed when it is what its code point encodes to.
local function is_utf8(bytes)
  local at = 1
  while at <= #bytes do
    local lead = bytes:byte(at)
    local length = lead < 0x80 and 1 or lead < 0xC0 and 0 or lead < 0xE0 and 2 or lead < 0xF0 and 3 or 4
    if length == 0 or lead > 0xF7 or at + length - 1 > #bytes then return false end
    local code = length == 1 and lead or lead % 2 ^ (7 - length)
    for i = at + 1, at + length - 1 do
      local byte = bytes:byte(i)
      if byte < 0x80 or byte > 0xBF then return false end
      code = code * 64 + byte % 64
    end
    if code > 0x10FFFF or code >= 0xD800 and code <= 0xDFFF then return false end
    if random.utf8(code) ~= bytes:sub(at, at + length - 1) then return false end
    at = at + length
  end
  return true
end

local function check(bytes)
  local json = written(bytes)
  local valid = is_utf8(bytes)
  if valid ~= (json ~= nil) then
    error(("%s was %s"):format(bytes:gsub(".", function(c)
      return ("\\%d"):format(c:byte())
    end), json and "accepted" or "refused"))
  end
  if json then assert(cjson.decode("[" .. json .. "]")[1] == bytes, json) end
end

describe("JSON strings", function()
  it("escape what JSON asks for, and DEL", function()
    for byte = 0, 127 do
      local char = string.char(byte)
      local short = ({ [9] = "\\t", [10] = "\\n", [13] = "\\r", [34] = '\\"', [92] = "\\\\" })[byte]
      local plain = byte >= 32 and byte < 127 and char or ("\\u%04x"):format(byte)
      assert.equal('"' .. (short or plain) .. '"', written(char))
      assert.equal('"a' .. (short or plain) .. 'b"', written("a" .. char .. "b"))
    end
  end)

  it("leave all else as it is", function()
    for _, code in ipairs { 0x80, 0x9F, 0xE9, 0x7FF, 0x800, 0x2028, 0x2029, 0xD7FF, 0xE000, 0xFFFF, 0x10000,
      0x10FFFF } do
      assert.equal('"' .. random.utf8(code) .. '"', written(random.utf8(code)))
    end
  end)

  it("take one and two bytes exactly when they are UTF-8", function()
    for first = 0, 255 do
      check(string.char(first))
      for second = 0, 255 do check(string.char(first, second)) end
    end
  end)

  it("take three and four bytes exactly when they are UTF-8", function()
    local edges = { 0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF }
    for first = 0xC0, 0xFF do
      for _, second in ipairs(edges) do
        for _, third in ipairs(edges) do
          check(string.char(first, second, third))
          for _, fourth in ipairs(edges) do check(string.char(first, second, third, fourth)) end
        end
      end
    end
  end)

  it("take any bytes exactly when they are UTF-8", function()
    random.check(3000, function(source)
      check(source:bytes(source:integer(1, 6)))
      local text = source:text(1, 8)
      check(text)
      check(text:sub(1, source:integer(1, #text)))
      local at = source:integer(1, #text)
      check(text:sub(1, at - 1) .. source:bytes(1) .. text:sub(at + 1))
    end)
  end)

  it("are whole at every length that the buffer grows at", function()
    for length = 1, 1200 do
      for _, char in ipairs { "x", "\1", "\195\169" } do
        local fresh = core.body(ANY_ID)
        local id = char:rep(length)
        assert(fresh:add { from = id, to = id, types = 1 })
        assert(cjson.decode(fresh:json()).inputs[1].to.id == id, length)
      end
    end
  end)

  it("may be long", function()
    local id = ('\0"\226\130\172'):rep(200000)
    assert.equal(id, cjson.decode("[" .. written(id) .. "]")[1])
  end)
end)

describe("JSON integers", function()
  it("are exact as far as doubles are", function()
    for power = 1, 52 do
      for _, change in ipairs { -1, 0, 1 } do
        local number = 2 ^ power + change
        assert.equal(('"%.0f"'):format(number), written(number))
      end
    end
  end)

  if math.type then
    it("are exact to the limits of integers", function()
      for _, number in ipairs { 1, math.maxinteger, math.maxinteger - 1 } do
        assert.equal(('"%d"'):format(number), written(number))
      end
    end)

    it("are exact for any integer", function()
      random.check(1000, function(source)
        local text = source:digits(18)
        assert(written(math.tointeger(tonumber(text))) == '"' .. text .. '"', text)
      end)
    end)
  end
end)
