-- Checks one_line.lua: nothing that acts on a terminal, or that nobody sees, passes.

local one_line = require "hubspot.associations.text.one_line"
local random = require "support.random"

local utf8_of = random.utf8

describe("text that is printed", function()
  it("keeps letters of any script, emoji and plain spaces as they are", function()
    local kept = { "plain", "Grüße", "Ελληνικά", "日本語", "עברית", "a\194\160b", "\240\159\152\128" }
    for _, text in ipairs(kept) do
      assert.are.equal(text, one_line(text))
    end
  end)

  it("has a space for each control character of ASCII, and one for many", function()
    for code = 0, 31 do assert.are.equal("a b", one_line("a" .. string.char(code) .. "b")) end
    assert.are.equal("a b", one_line "a\127\27\r\n\0b")
  end)

  it("has a space for what is invisible, or turns the direction of writing", function()
    local hidden = { 0x80, 0x9B, 0x9F, 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x180E, 0x3164, 0xFE00,
      0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0xFFFB, 0x1D173, 0xE0000, 0xE0001, 0xE0041, 0xE007F, 0xE0100, 0xE01EF }
    for code = 0x200B, 0x200F do hidden[#hidden + 1] = code end
    for code = 0x2028, 0x202E do hidden[#hidden + 1] = code end
    for code = 0x2060, 0x206F do hidden[#hidden + 1] = code end
    for _, code in ipairs(hidden) do
      assert.are.equal("a b", one_line("a" .. utf8_of(code) .. "b"), ("U+%04X"):format(code))
    end
  end)

  it("keeps the neighbours of what is invisible", function()
    for _, code in ipairs { 0xA0, 0xAE, 0x34E, 0x350, 0x61B, 0x61D, 0x200A, 0x2010, 0x2027, 0x202F, 0x205F,
      0x2070, 0xFDFF, 0xFE10, 0xFFEF, 0xFFFD, 0xE1000, 0x10FFFF } do
      assert.are.equal(utf8_of(code), one_line(utf8_of(code)), ("U+%04X"):format(code))
    end
  end)

  it("has a question mark for each byte that is not UTF-8", function()
    for text, expected in pairs {
      ["caf\233.csv"] = "caf?.csv", -- Latin-1
      ["a\155b"] = "a?b", -- a C1 control by itself
      ["\192\155"] = "??", ["\224\128\155"] = "???", ["\240\128\128\155"] = "????", -- overlong
      ["\237\160\128"] = "???", -- a surrogate
      ["\244\144\128\128"] = "????", ["\248\136\128\128\128"] = "?????", ["\255"] = "?",
      ["\226\130"] = "??", ["\226\130x"] = "??x", ["\226\130\172\155"] = "\226\130\172?",
    } do
      assert.are.equal(expected, one_line(text))
    end
  end)

  it("survives what cannot be shown", function()
    local hostile = setmetatable({}, { __tostring = function() error "no" end })
    assert.are.equal("a table that cannot be shown", one_line(hostile))
  end)
end)
