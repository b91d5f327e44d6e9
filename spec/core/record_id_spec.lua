-- Checks what is a record id: text by its spelling, Lua numbers by their value; and what a refusal tells the
-- person who has the file. Does no I/O.

local core = require "hubspot.associations.core"
local random = require "support.random"

local function refusal(id, options)
  local body = core.body(options)
  local added, refused = body:add { from = id, to = "1", types = 1 }
  if added then return nil, (body:ids(1)) end
  assert.equal("invalid_input", refused.kind)
  assert.equal("from", refused.field)
  return refused
end

local NBSP, NARROW_NBSP, ZERO_WIDTH, BOM = "\194\160", "\226\128\175", "\226\128\139", "\239\187\191"
local FULL_WIDTH_ONE, ARABIC_ONE, MINUS = "\239\188\145", "\217\161", "\226\136\146"

-- What stands in place of an id, by what is said of it.
local REFUSED = {
  ["it is empty"] = { "" },
  ["no digits, perhaps invisible ones"] = {
    NBSP .. "101", "101" .. NBSP, "1" .. NBSP .. "234", "1" .. NARROW_NBSP .. "234", "101" .. ZERO_WIDTH,
    "1" .. ZERO_WIDTH .. "01", BOM .. "101", "101\0", "\0", "1\00001", "101\n", "101\r", "\t101", "101\127",
    FULL_WIDTH_ONE, ARABIC_ONE .. ARABIC_ONE, MINUS .. "5", "caf\195\169", "\255", "1\128",
  },
  ["spaces around it"] = { " 101", "101 ", " ", "  " },
  ["more digits"] = { ("9"):rep(20), "12345678901234567890", ("1"):rep(1000) },
  ["begins with 0"] = { "0", "00", "00101", "01", ("0"):rep(30) },
  ["a missing value"] = {
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#NULL!", "#DIV/0!", "NULL", "null", "Null", "nil", "NaN", "nan",
    "None", "N/A", "n/a", "NA", "undefined", "\\N", "-", "(blank)",
  },
  ["it has a sign"] = { "-1", "+5", "-101", "+0", "-0", "+" },
  ["its last digits are lost"] = {
    "1e5", "1E5", "1.01E11", "1.01E+11", "1,01E+11", "1E+11", "3.83743e+10", "5.92264E-09", "-1.5e3", "1.e3",
    "+1e5", "101e0",
  },
  ["it has decimals"] = { "101.0", "101,0", "101.00", "101.5", "101.", "-101.0", "0.5", ".5", "00.1" },
  ["several ids, or a number with separators"] = {
    "202;203", "202,203", "202 203", "202|203", "202/203", "1,234,567", "1.234.567", "1 234", "1.000",
    "12_345",
    "101.0000", "101-102", "101, 102", "1;", "555-1234",
  },
  ["a spreadsheet's mark"] = { "'101", '="101"', "=101", '"101"', "='101'" },
  ["a web address"] = {
    "https://app.hubspot.com/contacts/1/record/0-1/101", "http://x/101", "HTTPS://APP.HUBSPOT.COM/101",
  },
  ["it is an email"] = { "ada@example.com", "101@x", "Ada <ada@example.com>" },
  ["it is no number"] = {
    "a1", "p-1", "1a", "0x10", "101L", "inf", "Infinity", "true", "Ada", "@ada", "101.0.0x",
    "$101", "1e",
    "1e+", "e5", "--1", "+-1", "(101)", "{101}", "[101]",
  },
}

describe("a record id", function()
  it("as text is 1 to 19 digits, the first not 0", function()
    for _, id in ipairs { "1", "9", "10", "101", "9007199254740993", ("9"):rep(19), "1000000000000000000" } do
      local refused, written = refusal(id)
      assert.is_nil(refused)
      assert.equal(id, written)
      assert.is_true(core.is_record_id(id))
    end
  end)

  it("as text has no byte but digits, at any place of any length", function()
    for length = 1, 20 do
      for place = 1, length do
        for byte = 0, 255 do
          local id = ("1"):rep(place - 1) .. string.char(byte) .. ("9"):rep(length - place)
          local is_right = length <= 19 and byte >= (place == 1 and 49 or 48) and byte <= 57
          assert(core.is_record_id(id) == is_right, ("%q"):format(id))
        end
      end
    end
  end)

  it("as text is nothing else, and what it looks like is told, with what to do", function()
    for said, ids in pairs(REFUSED) do
      for _, id in ipairs(ids) do
        local refused = refusal(id)
        assert(refused, ("%q is taken"):format(id))
        assert(refused.message:find(said, 1, true), ("%q: %s"):format(id, refused.message))
        assert.truthy(refused.message:find("expected a record id (1 to 19 digits), found the", 1, true))
        assert.truthy(refused.message:find("; ", 1, true), "what to do")
        assert.is_nil(refused.message:find("[%c\128-\255]"), "what is no plain text")
        assert.is_false(core.is_record_id(id))
      end
    end
  end)

  it("that is none has a flaw that is told the same whatever the id", function()
    assert.equal(refusal("101.0").flaw, refusal("102.5").flaw)
    assert.not_equal(refusal("101.0").flaw, refusal("#N/A").flaw)
    assert.truthy(refusal("101.0").message:find(refusal("101.0").flaw, 1, true))
    assert.is_nil(refusal(1.5).flaw)
  end)

  it("is told by its field, in either form", function()
    local body = core.body()
    for _, case in ipairs {
      { "from", { from = "x", to = "1", types = 1 } },
      { "from.id", { from = { id = "x" }, to = "1", types = 1 } },
      { "to", { from = "1", to = "x", types = 1 } },
      { "to.id", { from = "1", to = { id = "x" }, types = 1 } },
    } do
      local _, refused = body:add(case[2])
      assert.equal(case[1], refused.field)
    end
  end)

  it("as a number is judged by its value, whatever type Lua gave it", function()
    local written_as = { [1] = "1", [101.0] = "101", [1e5] = "100000", [2 ^ 53 - 1] = "9007199254740991" }
    for id, written in pairs(written_as) do
      assert.same({ nil, written }, { refusal(id) })
    end
    for _, id in ipairs { 0, -1, 1.5, 0.5, -101.0, 2 ^ 53, 2 ^ 63, 1e300, 1 / 0, -1 / 0, 0 / 0 } do
      assert.truthy(refusal(id).message:find("a whole one from 1 to below 2^53", 1, true), id)
      assert.truthy(refusal(id, { check_ids = false }), id)
    end
  end)

  it("is any UTF-8 that is not empty where ids are not checked", function()
    local is_none = { [""] = true, ["\255"] = true, ["1\128"] = true }
    for _, ids in pairs(REFUSED) do
      for _, id in ipairs(ids) do
        assert.equal(is_none[id], refusal(id, { check_ids = false }) ~= nil or nil, ("%q"):format(id))
      end
    end
    assert.truthy(refusal("101.0", { check_ids = true }))
    assert.truthy(refusal("101.0", {}))
  end)

  it("is told from any other text", function()
    random.check(5000, function(luck)
      local text = luck:one_in(3) and luck:text(0, 25) or luck:digits(luck:integer(1, 22))
      if luck:one_in(4) then
        local at = luck:integer(1, #text + 1)
        text = text:sub(1, at - 1) .. luck:pick { " ", "0", ".", "e", "+", "-", "\0", NBSP } .. text:sub(at)
      end
      local is_id = #text <= 19 and text:find "^[1-9][0-9]*$" ~= nil
      assert(core.is_record_id(text) == is_id, ("%q"):format(text))
      assert((refusal(text) == nil) == is_id, ("%q"):format(text))
    end)
  end)

  it("is no other value", function()
    for _, value in ipairs { 101, true, {}, print } do assert.is_false(core.is_record_id(value)) end
    assert.is_false(core.is_record_id())
  end)
end)

describe("core.decode_input", function()
  it("reads numbers that are ids as they are spelled, wherever they stand", function()
    assert.same({
      { from = "3.83743e+10", to = "101.0", types = 279 },
      { from = { id = "1E5" }, to = { id = "-0" }, types = { 1, 2 }, line = 7 },
      { from = "12345678901234567890", to = ("9"):rep(400) },
    }, core.decode_input('[{"from":3.83743e+10,"to":101.0,"types":279},'
      .. '{"from":{"id":1E5},"to":{"id":-0},"types":[1,2],"line":7},'
      .. '{"from":12345678901234567890,"to":' .. ("9"):rep(400) .. "}]"))
  end)

  it("knows the keys however they are spelled", function()
    assert.same({ from = "1e3", to = { id = "2.0" } },
      core.decode_input [[{"fr\u006fm":1e3,"t\u006F":{"\u0069d":2.0}}]])
  end)

  it("reads numbers under the keys that are named instead", function()
    assert.same({ contact = "1e3", company = { id = "2.0" }, from = 1000, ["to"] = 2 },
      core.decode_input('{"contact":1e3,"company":{"id":2.0},"from":1e3,"to":2}', "contact", "company"))
  end)

  it("takes no object with a key twice: which of two ids is meant would be a guess", function()
    for _, text in ipairs {
      '{"from":1,"from":2}', '{"from":1,"to":2,"fr\\u006fm":1}', '{"from":{"id":1,"id":2}}',
      '[{"to":null,"to":1,"to":2}]',
    } do
      local decoded, why = core.decode_input(text)
      assert.is_nil(decoded)
      assert.matches("a key for the second time at byte ", why, 1, true)
      assert.is_table(core.decode(text))
    end
    assert.is_table(core.decode_input '[{"from":1},{"from":1,"to":{"from":2}}]')
  end)

  it("reads all else as core.decode does", function()
    for _, text in ipairs {
      '{"from":"1","types":[{"associationTypeId":279}],"x":{"a":[1.5,null,true]}}', "{}", "[1,2.5]", "{", "",
      "null", '{"from":01}', '{"from":1e}', '{"from":.5}',
    } do
      assert.same({ core.decode(text) }, { core.decode_input(text) })
    end
  end)

  it("takes a string only", function()
    assert.is_false(pcall(core.decode_input))
    assert.is_false(pcall(core.decode_input, {}))
    assert.is_false(pcall(core.decode_input, "{}", {}))
    assert.is_false(pcall(core.decode_input, "{}", "from", {}))
  end)
end)
