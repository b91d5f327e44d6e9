-- Checks the table of HubSpot's own association types and its look-ups.
-- Does no I/O.

local types = require "hubspot.associations.types"

describe("types", function()
  it("names HubSpot's own objects by plural, singular and id alike", function()
    assert.equal("0-1", types.object_type_id("contacts"))
    assert.equal("0-1", types.object_type_id("contact"))
    assert.equal("0-1", types.object_type_id("0-1"))
    assert.equal("0-2", types.object_type_id("company"))
    assert.equal("0-3", types.object_type_id("deals"))
    assert.equal("0-5", types.object_type_id("ticket"))
    assert.equal("0-48", types.object_type_id("calls"))
  end)

  it("knows no custom object and no other value", function()
    for _, name in ipairs { "p_pets", "2-12345", "Contacts", "", 1, true } do
      assert.is_nil(types.object_type_id(name))
      assert.is_nil(types.object_name(name))
    end
    assert.is_nil(types.object_type_id(nil))
    assert.is_nil(types.object_name(nil))
  end)

  it("gives the plural name of any name", function()
    assert.equal("companies", types.object_name("0-2"))
    assert.equal("companies", types.object_name("company"))
  end)

  it("holds the documented ids", function()
    local documented = {
      { "contact", "company", 1, 279 }, { "company", "contact", 2, 280 },
      { "deal", "contact", nil, 3 }, { "contact", "deal", nil, 4 },
      { "deal", "company", 5, 341 }, { "company", "deal", 6, 342 },
      { "contact", "ticket", nil, 15 }, { "ticket", "contact", nil, 16 },
      { "company", "ticket", 25, 340 }, { "ticket", "company", 26, 339 },
      { "deal", "ticket", nil, 27 }, { "ticket", "deal", nil, 28 },
      { "contact", "call", nil, 193 }, { "call", "contact", nil, 194 },
      { "company", "call", nil, 181 }, { "call", "company", nil, 182 },
      { "deal", "call", nil, 205 }, { "call", "deal", nil, 206 },
      { "contact", "contact", nil, 449 }, { "company", "company", nil, 450 },
    }
    for _, row in ipairs(documented) do
      local from, to, primary, unlabeled = row[1], row[2], row[3], row[4]
      local name = from .. " to " .. to
      assert.equal(primary, types.id(from, to, "primary"), name)
      assert.equal(unlabeled, types.id(from, to), name)
      assert.equal(unlabeled, types.id(from, to, "unlabeled"), name)
      assert.is_true(types.exists(from, to, unlabeled), name)
    end
    assert.equal(13, types.id("companies", "companies", "parent_to_child"))
    assert.equal(14, types.id("0-2", "0-2", "child_to_parent"))
  end)

  it("gives a type one direction only", function()
    assert.is_true(types.exists("contacts", "companies", 1))
    assert.is_true(types.exists("0-1", "0-2", 1))
    assert.is_false(types.exists("companies", "contacts", 1))
    assert.is_false(types.exists("contacts", "contacts", 450))
  end)

  it("has no type for what it does not know", function()
    assert.is_nil(types.id("contacts", "p_pets"))
    assert.is_nil(types.id("calls", "tickets"))
    assert.is_nil(types.id("contacts", "companies", "boss"))
    assert.is_false(types.exists("p_pets", "contacts", 1))
    assert.is_false(types.exists("contacts", "companies", nil))
    assert.is_nil(types.id(nil, nil))
  end)

  it("names the label of an id", function()
    assert.equal("primary", types.label("contacts", "companies", 1))
    assert.equal("unlabeled", types.label("contacts", "companies", 279))
    assert.is_nil(types.label("companies", "contacts", 279))
  end)
end)
