-- Checks cells.lua: what is written into a file for spreadsheets is no formula there, and is read as it was.

local cells = require "hubspot.associations.text.cells"
local random = require "support.random"

local FORMULAS = { "=", "+", "-", "@", "\239\188\157", "\239\188\139", "\239\188\141", "\239\188\160" }

-- The cells that spreadsheets may make of one: with any separator, and with none.
local function parts_of(cell)
  local parts = { cell }
  for part in cell:gmatch "[^;\t\r\n]+" do parts[#parts + 1] = part end
  return parts
end

local function assert_harmless(cell)
  for _, part in ipairs(parts_of(cell)) do
    for _, formula in ipairs(FORMULAS) do
      assert.is_true(part:sub(1, #formula) ~= formula, ("%q has a formula in %q"):format(cell, part))
    end
  end
  assert.is_nil(cell:find "^[\t\r\n]")
end

describe("a cell", function()
  it("is as its text, where that begins no formula", function()
    for _, text in ipairs { "", "101", "USER_DEFINED:36", "it's", "'quoted'", "a=b", "1+1", "x-y", "a,=b" } do
      assert.are.equal(text, cells.write(text))
      assert.are.equal(text, cells.read(text))
    end
  end)

  it("has an apostrophe before what a spreadsheet would run", function()
    for _, formula in ipairs(FORMULAS) do
      assert.are.equal("'" .. formula .. "1", cells.write(formula .. "1"))
      assert.are.equal("a;'" .. formula .. "1", cells.write("a;" .. formula .. "1"))
    end
    assert.are.equal("'\t5", cells.write "\t5")
    assert.are.equal("'\r5", cells.write "\r5")
    assert.are.equal("''=1", cells.write "'=1")
  end)

  it("loses the white space around it, where that is not said to be its own", function()
    assert.are.equal("101", cells.read " 101\t")
    assert.are.equal(" 101", cells.read "' 101")
    assert.are.equal("101 ", cells.read "'101 ")
  end)

  it("is read as what was written, whatever it is, and runs nothing in between", function()
    local generator = random.new(1)
    local pieces = { "'", "=", "+", "-", "@", " ", "\t", "\r", "\n", ";", ",", '"', "1", "a", "\0", "\11",
      "\255", "\239\188\157", "\239\188", "\157", "\239\188\139" }
    for _ = 1, 20000 do
      local text = {}
      for index = 1, generator:integer(0, 7) do text[index] = pieces[generator:integer(1, #pieces)] end
      text = table.concat(text)
      local written = cells.write(text)
      assert_harmless(written)
      assert.are.equal(text, cells.read(written), ("%q"):format(text))
    end
  end)

  it("never becomes a record id or a type by being read, that its text was not", function()
    for _, text in ipairs { "'101", "''101", "'=101", "'+101", "'-101", "'\t101", "' 101", "'101 ", "';1" } do
      assert.is_nil(cells.read(text):find "^%d+$", text)
    end
  end)
end)
