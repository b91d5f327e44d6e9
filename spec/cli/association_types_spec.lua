-- Checks association_types.lua: text in, types of an input out, and back.

local association_types = require "hubspot.associations.cli.association_types"

describe("association types as text", function()
  local work = { associationCategory = "WORK", associationTypeId = 3 }

  it("are read and written the same", function()
    for text, types in pairs {
      ["1"] = 1, ["WORK:3"] = work, ["1 WORK:3 279"] = { 1, work, 279 }, ["2147483647"] = 2147483647,
    } do
      assert.are.same(types, association_types.read(text, "HUBSPOT_DEFINED"))
      assert.are.equal(text, association_types.write(types, false))
    end
  end)

  it("have the category that was asked for when they name none", function()
    assert.are.same({ work, 4 }, association_types.read("3 HUBSPOT_DEFINED:4", "WORK"))
  end)

  it("are written with their category where it is not to be taken for granted", function()
    assert.are.equal("WORK:3 HUBSPOT_DEFINED:4", association_types.write({ work, 4 }, true))
  end)

  it("are invalid when they are none", function()
    for _, text in ipairs { "", " ", "0", "x", "1,2", "1.0", "-1", "2147483648", "work:3", "WORK:", "1 x" } do
      local types, why = association_types.read(text, "HUBSPOT_DEFINED")
      assert.is_nil(types)
      assert.truthy(why:find("from 1 to 2147483647", 1, true))
    end
  end)

  it("are said to stand with spaces between where a cell has something else there", function()
    for text, is_told in pairs { ["279,1"] = true, ["279;1"] = true, ["1 | 2"] = false, x = false } do
      local types, why = association_types.read_cell(text, "HUBSPOT_DEFINED")
      assert.is_nil(types)
      assert.are.equal(is_told, why:find("; spaces stand between several", 1, true) ~= nil, text)
    end
    assert.are.same({ 279, 1 }, (association_types.read_cell("279 1", "HUBSPOT_DEFINED")))
  end)

  it("are written as invalid text when they are none", function()
    for _, types in ipairs {
      {}, "x", "1", false, 1.5, 0, -1, 2 ^ 31, math.huge, { 1.5 }, { "1" }, { 1, "2" }, { { 1 } },
      { { associationTypeId = 1 } }, { associationCategory = "WORK" },
      { associationCategory = "WORK", associationTypeId = "1" },
      { associationCategory = "1 WORK", associationTypeId = 2 },
    } do
      local text = association_types.write(types, false)
      assert.is_nil((association_types.read(text, "HUBSPOT_DEFINED")), text)
      assert.is_not.equal("", text)
    end
  end)

  it("are written as nothing where there are none", function()
    assert.are.equal("", association_types.write(nil, true))
  end)
end)
