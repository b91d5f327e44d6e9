-- Checks core.decode: JSON -> plain tables, without null, with ids as strings; garbage -> nil and a message.
-- Documents come from lua-cjson and from a writer of the spec's own; lua-cjson also reads them beside it.
-- Does no I/O.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local random = require "support.random"

local decode = core.decode
local NULL = cjson.null

local number_type = math.type or function()
  return "number"
end

-- Raises, naming the place, unless both are the same, down to integer or float.
local function assert_same(expected, actual, where)
  local kind = type(expected)
  assert(type(actual) == kind, ("%s: expected a %s, found a %s"):format(where, kind, type(actual)))
  if kind == "number" then
    local is_nan = expected ~= expected
    assert(expected == actual or is_nan and actual ~= actual, ("%s: %s, %s"):format(where, expected, actual))
    assert(number_type(expected) == number_type(actual), where .. ": " .. number_type(actual))
  elseif kind ~= "table" then
    assert(expected == actual, where .. ": " .. tostring(actual))
  else
    assert(getmetatable(actual) == nil, where)
    for key, value in pairs(expected) do assert_same(value, actual[key], where .. "." .. tostring(key)) end
    for key in pairs(actual) do
      assert(expected[key] ~= nil, where .. "." .. tostring(key) .. ": not expected")
    end
  end
end

local function assert_decodes(expected, text)
  local decoded, message = decode(text)
  assert.is_nil(message, text)
  assert_same(expected, decoded, text)
end

local function assert_refuses(text, shown)
  local decoded, message = decode(text)
  assert.is_nil(decoded, shown or text)
  assert.is_string(message, shown or text)
end

-- A random JSON value: a model { kind, … }, and the Lua value that decode is to give for it.
local function array_model(source, depth, value_model)
  local model, expected = { kind = "array" }, {}
  for i = 1, source:integer(0, 5) do
    local entry, value = value_model(source, depth - 1)
    model[i] = entry
    if value ~= nil then expected[#expected + 1] = value end
  end
  return model, expected
end

local function object_model(source, depth, value_model)
  local model, expected = { kind = "object" }, {}
  local names = {}
  for _ = 1, source:integer(0, 5) do
    local name = source:one_in(3) and source:pick { "1", "", "id", "fromObjectId", "toObjectId", "ObjectId",
      "null" }
      or source:text(0, 6)
    if not names[name] then
      names[name] = true
      local entry, value = value_model(source, depth - 1)
      local is_id = name == "id" or name:find "ObjectId$"
      if entry.kind == "number" and entry.integer and is_id then value = entry.text end
      model[#model + 1] = { name, entry }
      expected[name] = value
    end
  end
  return model, expected
end

local function value_model(source, depth)
  local kind = source:integer(1, depth > 0 and 8 or 6)
  if kind == 1 then return { kind = "null" }, nil end
  if kind == 2 then
    local value = source:one_in(2)
    return { kind = "boolean", value = value }, value
  end
  if kind == 3 then
    local text = (source:one_in(3) and "-" or "") .. source:digits(14)
    return { kind = "number", integer = true, text = text, value = tonumber(text) }, tonumber(text)
  end
  if kind == 4 then
    local value = source:integer(-1000000, 1000000) + source:pick { 0.5, 0.25, 0.125 }
    return { kind = "number", text = ("%.10g"):format(value), value = value }, value
  end
  if kind <= 6 then
    local value = source:text(0, 20)
    if source:one_in(3) then
      value = source:pick {
        '"fromObjectId":5,', 'x"ObjectId":5', '\\"ObjectId":5}', "ObjectId", 'ObjectId"', "null", "[null]",
        "\\",
      }
    end
    return { kind = "string", value = value }, value
  end
  return (kind == 7 and array_model or object_model)(source, depth, value_model)
end

-- The model as JSON, with white space and escapes where JSON allows them, as the source likes.
local function write(source, model, out)
  local function space()
    if source:one_in(4) then out[#out + 1] = source:pick { " ", "\n", "\t", "\r\n", "   " } end
  end
  local function write_string(value)
    out[#out + 1] = '"'
    for i = 1, #value do
      local char = value:sub(i, i)
      local byte = char:byte()
      if char == '"' or char == "\\" then
        char = "\\" .. char
      elseif byte < 32 or byte < 127 and source:one_in(20) and not value:find "ObjectId" then
        char = ("\\u%04" .. source:pick { "x", "X" }):format(byte)
      end
      out[#out + 1] = char
    end
    out[#out + 1] = '"'
  end
  space()
  if model.kind == "array" then
    out[#out + 1] = "["
    for i, entry in ipairs(model) do
      if i > 1 then out[#out + 1] = "," end
      write(source, entry, out)
    end
    space()
    out[#out + 1] = "]"
  elseif model.kind == "object" then
    out[#out + 1] = "{"
    for i, field in ipairs(model) do
      if i > 1 then out[#out + 1] = "," end
      space()
      write_string(field[1])
      space()
      out[#out + 1] = ":"
      write(source, field[2], out)
    end
    space()
    out[#out + 1] = "}"
  elseif model.kind == "string" then
    write_string(model.value)
  elseif model.kind == "number" then
    out[#out + 1] = model.text
  elseif model.kind == "boolean" then
    out[#out + 1] = tostring(model.value)
  else
    out[#out + 1] = "null"
  end
  space()
end

-- The model as the table that lua-cjson encodes.
local function lua_value(model)
  if model.kind == "null" then return NULL end
  if model.kind == "array" then
    local list = {}
    for i, entry in ipairs(model) do list[i] = lua_value(entry) end
    return list
  end
  if model.kind ~= "object" then return model.value end
  local object = {}
  for _, field in ipairs(model) do object[field[1]] = lua_value(field[2]) end
  return object
end

local ANSWER = [[{"completedAt":"2025-01-01T00:00:00Z","status":"COMPLETE","numErrors":2,"results":[{
  "fromObjectId":101,"labels":[null,"a\u00e9\"b",null],"toObjectId":"202","x":-1.5e2,"y":true}],
  "errors":[{"context":{"ids":["1",null]},"links":{}}],"links":null}]]

describe("decode", function()
  it("gives objects and lists as plain tables", function()
    assert_decodes({}, "{}")
    assert_decodes({}, "[]")
    assert_decodes({ a = { b = { "c", true, false } } }, '{"a":{"b":["c",true,false]}}')
    assert_decodes({ { {} } }, "[[[]]]")
    assert_decodes({ [""] = "", ["1"] = "x" }, ' \n{"":"","1":"x"}\t\r\n')
  end)

  it("reads a whole answer", function()
    assert_decodes({
      completedAt = "2025-01-01T00:00:00Z",
      status = "COMPLETE",
      numErrors = 2,
      results = {
        { fromObjectId = "101", labels = { 'a\195\169"b' }, toObjectId = "202", x = -1.5e2, y = true },
      },
      errors = { { context = { ids = { "1" } }, links = {} } },
    }, ANSWER)
  end)

  describe("null", function()
    it("is absence in objects", function()
      assert_decodes({}, '{"a":null}')
      assert_decodes({ b = 1 }, '{"a":null,"b":1,"c":null}')
      assert_decodes({ a = { b = { c = {} } } }, '{"a":{"b":{"c":{"d":null}},"e":null}}')
    end)

    it("leaves no hole in lists", function()
      assert_decodes({}, "[null]")
      assert_decodes({}, "[null,null,null]")
      assert_decodes({ 1, 2, 3 }, "[null,1,null,2,null,null,3,null]")
      assert_decodes({ { 1 }, { 2 } }, "[null,[1],null,[null,2]]")
      assert_decodes({ "a", { b = {} } }, '[null,"a",null,{"b":[null]}]')
      assert_decodes({ false, 1.5 }, "[null,false,null,1.5]")
    end)

    it("is gone at every depth that is read", function()
      for depth = 1, 62 do
        local text = ("["):rep(depth) .. 'null,{"a":null},1' .. ("]"):rep(depth)
        local value = decode(text)
        for _ = 2, depth do value = value[1] end
        assert_same({ {}, 1 }, value, "depth " .. depth)
      end
    end)

    it("in a string is the word", function()
      assert_decodes({ a = "null", b = { "null" } }, '{"a":"null","b":["null"]}')
    end)
  end)

  describe("numbers", function()
    it("written as integers are integers, where Lua has them", function()
      assert_decodes({ a = 1, b = { 0, -7, 10 }, c = 0 }, '{"a":1,"b":[0,-7,10],"c":-0}')
      for power = 0, 52 do
        for _, number in ipairs { 2 ^ power, -2 ^ power, 2 ^ power - 1 } do
          local value = decode(("[%.0f]"):format(number))[1]
          assert.equal(number, value)
          if math.type then assert.equal("integer", math.type(value)) end
        end
      end
      assert.equal("2", ("%d"):format(decode('{"numErrors":2}').numErrors))
    end)

    if math.type then
      it("written as integers are exact as far as integers go", function()
        for _, digits in ipairs {
          "9007199254740993", "-9007199254740993", "99999999999999999", "-99999999999999999",
          "999999999999999999",
          "-999999999999999999", "1000000000000000001", "9223372036854775807", "-9223372036854775807",
        } do
          local value = decode("[" .. digits .. "]")[1]
          assert.equal("integer", math.type(value), digits)
          assert.equal(digits, ("%d"):format(value))
        end
      end)
    end

    it("written as integers beyond that are the nearest floats", function()
      assert.equal(2 ^ 64, decode("[18446744073709551616]")[1])
      assert.equal(-2 ^ 64, decode("[-18446744073709551616]")[1])
      assert.equal(1e30, decode("[1" .. ("0"):rep(30) .. "]")[1])
      assert.equal(1e300, decode("[1" .. ("0"):rep(300) .. "]")[1])
    end)

    it("with a fraction or an exponent are floats", function()
      assert_decodes({ 0.5, -1.25, 1e-7, 1e3, 1.5e2, 0.0, 1e300 }, "[0.5,-1.25,1e-7,1E+3,1.5e2,0.0,1e300]")
    end)

    it("that JSON does not have are refused", function()
      for _, text in ipairs {
        "NaN", "nan", "Infinity", "-Infinity", "inf", "0x10", "007", "-01", "+1", "-", ".5", "1.", "1.e5",
        "1e", "1e+",
        "1e5.5", "--1", "1-1", "1_000", "1,000.5.5", "0b1", "1f", "\217\161",
      } do
        assert_refuses("[" .. text .. "]")
        assert_refuses('{"a":' .. text .. "}")
        assert_refuses('{"ObjectId":' .. text .. "}")
      end
    end)
  end)

  describe("strings", function()
    it("may have every escape that JSON has", function()
      assert_decodes({ '"\\/\b\f\n\r\t' }, [=[["\"\\\/\b\f\n\r\t"]]=])
      assert_decodes({ "A\0B", "\1\31" }, [=[["\u0041\u0000B","\u0001\u001F"]]=])
    end)

    it("have control characters as they are, which JSON does not have", function()
      assert.same({ "a\nb\1\0\31", { ["\t"] = "\r\n" } }, decode '["a\nb\1\0\31",{"\t":"\r\n"}]')
      local body = core.body()
      assert(body:add { from = 101, to = 202, types = 1 })
      for control = 0, 31 do
        local id = "101" .. string.char(control)
        local results = '{"results":[{"fromObjectId":"%s","toObjectId":"202"}],"status":"COMPLETE"}'
        assert.is_false(body:confirmed_by((results:gsub("%%s", function() return id end))))
      end
      assert_decodes({ ["a\0"] = "b" }, [=[{"a\u0000":"b"}]=])
    end)

    it("may have any code point as an escape", function()
      random.check(2000, function(source)
        local code = source:code_point()
        local text = ("\\u%04x"):format(code)
        if code >= 0x10000 then
          local rest = code - 0x10000
          text = ("\\u%04X\\u%04x"):format(0xD800 + math.floor(rest / 0x400), 0xDC00 + rest % 0x400)
        end
        local decoded = assert(decode('["a' .. text .. 'b"]'))
        assert(decoded[1] == "a" .. random.utf8(code) .. "b", text)
      end)
    end)

    it("stay UTF-8 when a surrogate is alone", function()
      local replacement = random.utf8(0xFFFD)
      for text, expected in pairs {
        ["\\ud800"] = "?", ["\\udc00"] = "?", ["\\ud83dx"] = "?x", ["\\ud83d\\n"] = "?\n",
        ["\\ude00\\ud83d"] = "??",
        ["\\ud83d\\ud83d\\ude00"] = "?" .. random.utf8(0x1F600), ["\\ud83d\\u0041"] = "?A",
      } do
        assert_decodes({ (expected:gsub("%?", replacement)) }, '["' .. text .. '"]')
      end
    end)

    it("have no other escapes", function()
      for _, escape in ipairs {
        "\\x41", "\\a", "\\'", "\\0", "\\u", "\\u1", "\\u12", "\\u123", "\\u123g", "\\u 123", "\\U0041",
        "\\N",
        "\\\0", "\\\255", "\\u+123", "\\u0x1", "\\ud83d\\u12",
      } do
        assert_refuses('["' .. escape .. '"]')
        assert_refuses('{"' .. escape .. '":1}')
        assert_refuses('{"a":"b' .. escape .. 'z"}')
      end
    end)

    it("may be long", function()
      local text = ("\\u20ac\\n"):rep(100000)
      assert.equal(("\226\130\172\n"):rep(100000), decode('["' .. text .. '"]')[1])
    end)
  end)

  describe("record ids", function()
    it("that are numbers become strings", function()
      assert_decodes({ fromObjectId = "101", toObjectId = "202" }, '{"fromObjectId":101,"toObjectId":202}')
      assert_decodes({ ObjectId = "0" }, '{"ObjectId":0}')
      assert_decodes({ from = { id = "9007199254740993" }, to = { id = "5" } },
        '{"from":{"id":9007199254740993},"to":{"id":"5"}}')
      assert_decodes({ { fromObjectId = "5" } }, '[{"fromObjectId":5}]')
    end)

    it("that are there twice are believed in neither", function()
      assert_decodes({ from = false, to = { id = false } },
        '{"from":{"id":"1"},"to":{"id":1,"id":"1"},"from":{"id":"1"}}')
      assert_decodes({ fromObjectId = false, toObjectId = "5" },
        '{"fromObjectId":"1","toObjectId":5,"fromObjectId":"1"}')
    end)

    it("keep every digit and the sign", function()
      for _, digits in ipairs {
        "9007199254740993", "-9007199254740993", "9223372036854775807", "18446744073709551617", "-1",
        ("1234567890"):rep(20),
      } do
        assert_decodes({ fromObjectId = digits }, '{"fromObjectId":' .. digits .. "}")
        assert_decodes({ toObjectId = digits, a = 1 }, '{"toObjectId":' .. digits .. ',"a":1}')
      end
    end)

    it("may have white space around the colon and the number", function()
      assert_decodes(
        { fromObjectId = "5", toObjectId = "-6" },
        '{ "fromObjectId" \t:\r\n 5 \n , "toObjectId"\n:-6\t}'
      )
    end)

    it("that are strings, or no integers, stay as they are", function()
      assert_decodes({ fromObjectId = "101" }, '{"fromObjectId":"101"}')
      assert_decodes({ fromObjectId = 1.5 }, '{"fromObjectId":1.5}')
      assert_decodes({ fromObjectId = true, toObjectId = { 1 } }, '{"fromObjectId":true,"toObjectId":[1]}')
      assert_decodes({}, '{"fromObjectId":null}')
    end)

    it("are known by their key, not by what only looks like it", function()
      assert_decodes({ Id = 5, ids = 6, typeId = 7 }, '{"Id":5,"ids":6,"typeId":7}')
      assert_decodes({ ObjectIds = 5, objectId = 6, ["ObjectId "] = 7 },
        '{"ObjectIds":5,"objectId":6,"ObjectId ":7}')
      assert_decodes({ a = 'x"ObjectId":5' }, '{"a":"x\\"ObjectId\\":5"}')
      assert_decodes({ a = 'x"ObjectId":5,' }, '{"a":"x\\"ObjectId\\":5,"}')
      assert_decodes({ a = '\\"ObjectId":5}' }, '{"a":"\\\\\\"ObjectId\\":5}"}')
      assert_decodes({ a = "ObjectId", b = 5 }, '{"a":"ObjectId","b":5}')
      assert_decodes({ a = { "ObjectId", 5 } }, '{"a":["ObjectId",5]}')
      assert_decodes({ ["ObjectId"] = "ObjectId" }, '{"ObjectId":"ObjectId"}')
      assert_decodes({ ['a"ObjectId'] = "5" }, '{"a\\"ObjectId":5}')
      assert_decodes({ ["a\\ObjectId"] = "5" }, '{"a\\\\ObjectId":5}')
      assert_decodes({ ['ObjectId"'] = 5 }, '{"ObjectId\\"":5}')
      assert_decodes({ fromObjectTypeId = 5 }, '{"fromObjectTypeId":5}')
    end)

    it("do not make JSON of what is none", function()
      for _, text in ipairs {
        '{"fromObjectId":5', '{"fromObjectId":', '{"fromObjectId"', '{"fromObjectId":5]',
          '{"fromObjectId":-}',
        '{"fromObjectId":5 5}', '{"fromObjectId":5,}', '"ObjectId":5', '{ObjectId":5}', '{"fromObjectId"::5}',
        '{"fromObjectId":5;}', '{"fromObjectId":--5}', 'ObjectId":5,', 'ObjectId"', 'ObjectId":',
      } do
        assert_refuses(text)
      end
    end)
  end)

  describe("what is no object or list", function()
    it("is refused", function()
      for _, text in ipairs { "", " ", "null", "true", "5", '"x"', "nul", "<html></html>", "\0", "\255\254",
        "{}{}" } do
        assert_refuses(text)
      end
      for _, text in ipairs { "{", "[", "]", "}", "{]", "[}", "[1,]", "{,}", '{"a"}', '{"a":}', "{a:1}",
        "[1 2]" } do
        assert_refuses(text)
      end
      for _, text in ipairs {
        '["]', '["\\x"]', '["\\u12"]', "[]x", "'a'", "{}\0", "[]\0[]", "{} {}", '{"a":1,}', '{"a":1 "b":2}',
          "[,1]",
        "[1,,2]", "[[1,]]", '{"a":[1,]}', '{"a":{"b":1,}}', "{1:2}", '{"a"=1}', "[tru]", "[TRUE]",
          "[truefalse]",
        "[nul]", "[undefined]", "//\n[]", "[]//", "[1}", '{"a":1]', "\239\187\191[]", "[\11]", "[\160]",
      } do
        assert_refuses(text)
      end
    end)

    it("is told without being repeated", function()
      for _, text in ipairs { '"secret"', "[secret", '{"a":secret}', '["secret', '{"secret"}',
        "[] secret" } do
        local _, message = decode(text)
        assert.is_nil(message:find("secret", 1, true), message)
      end
    end)

    it("raises when it is not even a string", function()
      for _, value in ipairs { 5, true, {}, print } do
        assert.is_false(pcall(decode, value))
      end
      assert.is_false(pcall(decode))
    end)
  end)

  it("reads 64 levels, and refuses 65", function()
    for _, pair in ipairs { { "[", "]" }, { '{"a":', "}" } } do
      local open, close = pair[1], pair[2]
      assert.is_table(decode(open:rep(63) .. "[]" .. close:rep(63)))
      assert.is_table(decode(open:rep(63) .. '["a",1,null]' .. close:rep(63)))
      assert_refuses(open:rep(64) .. "[]" .. close:rep(64))
      assert_refuses(open:rep(100000) .. "[]" .. close:rep(100000), "100,000 levels")
      assert_refuses(open:rep(100000), "100,000 levels, cut short")
    end
  end)

  it("refuses an answer cut short anywhere", function()
    for length = 0, #ANSWER - 1 do assert_refuses(ANSWER:sub(1, length)) end
    for length = 2, #ANSWER do assert_refuses(ANSWER:sub(length)) end
    assert.is_table(decode(ANSWER))
  end)

  it("meets any bytes with a table, or nil and a message", function()
    local function check(text)
      local decoded, message = decode(text)
      assert(type(decoded) == "table" and message == nil or decoded == nil and type(message) == "string")
    end
    random.check(3000, function(source)
      check(source:bytes(source:integer(0, 60)))
      local at = source:integer(1, #ANSWER)
      check(ANSWER:sub(1, at - 1) .. source:bytes(source:integer(0, 3)) .. ANSWER:sub(at + source:integer(0,
        3)))
    end)
  end)

  it("gives what a random document says, however it is written", function()
    random.check(3000, function(source)
      local model, expected = object_model(source, 5, value_model)
      local out = {}
      write(source, model, out)
      local text = table.concat(out)
      local decoded, message = decode(text)
      assert(decoded, tostring(message) .. ": " .. text)
      assert_same(expected, decoded, text)
    end)
  end)

  it("gives what lua-cjson wrote", function()
    random.check(3000, function(source)
      local model, expected = object_model(source, 5, value_model)
      local text = cjson.encode(lua_value(model))
      local decoded, message = decode(text)
      assert(decoded, tostring(message) .. ": " .. text)
      assert_same(expected, decoded, text)
    end)
  end)

  it("takes nothing that lua-cjson refuses, and reads the same in what both take", function()
    local strict = cjson.new()
    strict.decode_invalid_numbers(false)
    local function without_null(value)
      if value == NULL then return nil end
      if type(value) ~= "table" then return value end
      local out = {}
      if #value > 0 then
        for _, entry in ipairs(value) do out[#out + 1] = without_null(entry) end
      else
        for name, entry in pairs(value) do out[name] = without_null(entry) end
      end
      return out
    end
    local function assert_alike(expected, actual, where)
      if type(expected) == "number" then -- and an id is a string
        return assert(tonumber(actual) == expected, where)
      end
      if type(expected) ~= "table" then return assert(expected == actual, where) end
      assert(type(actual) == "table", where)
      for key, value in pairs(expected) do assert_alike(value, actual[key], where) end
      for key in pairs(actual) do assert(expected[key] ~= nil, where) end
    end
    local pieces = { "[", "]", "{", "}", ",", ":", '"', "\\", "null", "1", "-", ".", "e", " ", '"a"',
      '"ObjectId":', "" }
    random.check(3000, function(source)
      local out = {}
      write(source, object_model(source, 3, value_model), out)
      local text = table.concat(out)
      for _ = 1, source:integer(1, 3) do
        local at = source:integer(1, #text + 1)
        text = text:sub(1, at - 1) .. source:pick(pieces) .. text:sub(at + source:integer(0, 2))
      end
      local decoded = decode(text)
      if decoded and not text:find "\\\\u[dD][89a-fA-F]" then
        local taken, expected = pcall(strict.decode, text)
        assert(taken, text)
        assert_alike(without_null(expected), decoded, text)
      end
    end)
  end)

  it("refuses every beginning of a random document", function()
    random.check(100, function(source)
      local model = object_model(source, 3, value_model)
      local out = {}
      write(source, model, out)
      local text = table.concat(out):gsub("%s+$", "")
      for length = 0, #text - 1 do
        local decoded, message = decode(text:sub(1, length))
        assert(decoded == nil and type(message) == "string", text:sub(1, length))
      end
    end)
  end)

  describe("the host's lua-cjson", function()
    local SETTINGS = {
      decode_max_depth = { 2, 1000 },
      decode_invalid_numbers = { true, true },
      encode_max_depth = { 3, 1000 },
      encode_number_precision = { 5, 14 },
    }

    after_each(function()
      for name, values in pairs(SETTINGS) do cjson[name](values[2]) end
    end)

    it("lends none of its settings", function()
      for name, values in pairs(SETTINGS) do cjson[name](values[1]) end
      assert_decodes({ { { { 1 } } } }, "[[[[1]]]]")
      assert_refuses "[NaN]"
      assert_refuses "[0x10]"
    end)

    it("keeps its settings", function()
      for name, values in pairs(SETTINGS) do cjson[name](values[1]) end
      package.loaded["hubspot.associations.core"] = nil
      local fresh = require "hubspot.associations.core"
      package.loaded["hubspot.associations.core"] = core
      fresh.decode "[[[[null]]]]"
      decode "[[[[null]]]]"
      assert.equal(2, cjson.decode_max_depth())
      assert.is_true(cjson.decode_invalid_numbers())
      assert.equal(3, cjson.encode_max_depth())
      assert.equal(5, cjson.encode_number_precision())
    end)

    it("keeps its null", function()
      decode '{"a":[null]}'
      assert.equal(NULL, cjson.null)
      assert.equal(cjson.null, cjson.decode("[null]")[1])
      assert.equal("[null]", cjson.encode { cjson.null })
    end)
  end)
end)
