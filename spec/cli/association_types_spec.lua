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
    for _, text in ipairs {
      "", " ", "0", "1,2", "1.0", "-1", "2147483648", "work:3", "1 work:3", "WORK:0", "?",
    } do
      local types, why = association_types.read(text, "HUBSPOT_DEFINED")
      assert.is_nil(types)
      assert.truthy(why:find("from 1 to 2147483647", 1, true))
    end
  end)

  it("are said to stand with spaces between where a cell has something else there", function()
    for text, is_told in pairs { ["279,1"] = true, ["279;1"] = true, ["1 | 2"] = false, ["?"] = false } do
      local types, why = association_types.read_cell(text, "HUBSPOT_DEFINED")
      assert.is_nil(types)
      assert.are.equal(is_told, why:find("; spaces stand between several", 1, true) ~= nil, text)
    end
    assert.are.same({ 279, 1 }, (association_types.read_cell("279 1", "HUBSPOT_DEFINED")))
  end)

  it("are written as invalid text when they are none", function()
    for _, types in ipairs {
      {}, "", "1", "1 2", " x", "WORK:3", "279;1",
      false, { "x" }, { 1, "x" }, 1.5, 0, -1, 2 ^ 31, math.huge, { 1.5 }, { "1" }, { 1, "2" }, { { 1 } },
      { { associationTypeId = 1 } }, { associationCategory = "WORK" },
      { associationCategory = "WORK", associationTypeId = "1" },
      { associationCategory = "1 WORK", associationTypeId = 2 },
    } do
      local text = association_types.write(types, false)
      assert.is_nil((association_types.read(text, "HUBSPOT_DEFINED")), text)
      assert.is_not.equal("", text)
    end
  end)

  it("are one name, unless every word is an id", function()
    for _, name in ipairs {
      "x", "primary", "Decision maker", "1 x", "Tier 1", "WORK:", "Phase: 3", "a, b", "\195\132rzte",
    } do
      assert.are.equal(name, association_types.read(" " .. name .. "\t", "WORK"))
      assert.are.equal(name, association_types.write(name, true))
      assert.are.same({}, association_types.hubspot_ids(name))
    end
  end)

  it("contradict a row of another category, and names contradict none", function()
    local contradiction = association_types.contradiction
    for _, types in ipairs { work, { work, work }, "primary" } do
      assert.is_nil(contradiction(types, "WORK"))
    end
    for _, types in ipairs { 3, { 3 }, { work, 3 } } do
      assert.truthy(contradiction(types, "WORK"):find("HUBSPOT_DEFINED, and the row says WORK", 1, true))
    end
    assert.truthy(contradiction(work, "HUBSPOT_DEFINED"))
  end)

  it("are written as nothing where there are none", function()
    assert.are.equal("", association_types.write(nil, true))
  end)
end)
