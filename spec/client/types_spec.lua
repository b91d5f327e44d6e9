-- Checks HubSpot's own object types and association types, and the look-ups on them, against their source in
-- data/. Does no I/O except reading that.

local types = require "hubspot.associations.types"

-- The rows of a table in data/, without comments and the heading.
local function rows(path)
  local list, heading = {}, true
  for line in io.lines(path) do
    if not line:find "^#" then
      local row = {}
      for field in line:gmatch "[^\t]+" do row[#row + 1] = field end
      if not heading then list[#list + 1] = row end
      heading = false
    end
  end
  return list
end

local ASSOCIATION_TYPES = rows "data/association-types.tsv"
local OBJECT_TYPES = rows "data/object-types.tsv"

describe("object types", function()
  it("are all of the documented ones, by plural and id", function()
    assert.equal(32, #OBJECT_TYPES)
    for _, row in ipairs(OBJECT_TYPES) do
      local plural, id = row[1], row[2]
      assert.equal(id, types.object_type_id(plural), plural)
      assert.equal(id, types.object_type_id(id), plural)
      assert.equal(plural, types.object_name(id), plural)
      assert.equal(plural, types.object_name(plural), plural)
    end
  end)

  it("have the singular names that association types have", function()
    for _, row in ipairs(ASSOCIATION_TYPES) do
      assert.truthy(types.object_name(row[1]), row[1])
      assert.truthy(types.object_name(row[2]), row[2])
    end
    local singulars = {
      company = "0-2", tax = "0-86", fee = "0-85", course = "0-410", invoice = "0-53", line_item = "0-8",
      postal_mail = "0-116", service = "0-162", user = "0-115", feedback_submission = "0-19",
    }
    for singular, id in pairs(singulars) do assert.equal(id, types.object_type_id(singular), singular) end
  end)

  it("are accepted in any case", function()
    for _, name in ipairs { "Contacts", "CONTACT", "cOnTaCt" } do
      assert.equal("0-1", types.object_type_id(name), name)
      assert.equal("contacts", types.object_name(name), name)
    end
    assert.equal("0-8", types.object_type_id "LINE_ITEMS")
  end)

  it("without a published id have names only", function()
    assert.is_nil(types.object_type_id "payment_link")
    assert.equal("payment_links", types.object_name "payment_link")
    assert.equal("payment_links", types.object_name "Payment_Links")
  end)

  it("do not include custom objects or other values", function()
    for _, name in ipairs { "p_pets", "2-12345", "p_contacts", "0-99999", "contactss", "-", "", 1, true } do
      assert.is_nil(types.object_type_id(name))
      assert.is_nil(types.object_name(name))
    end
    assert.is_nil(types.object_type_id(nil))
    assert.is_nil(types.object_name(nil))
  end)
end)

describe("association types", function()
  it("are all of the documented ones, each with its direction and kind", function()
    assert.equal(412, #ASSOCIATION_TYPES)
    for _, row in ipairs(ASSOCIATION_TYPES) do
      local from, to, id, kind = row[1], row[2], tonumber(row[3]), row[4]
      assert.equal(id, types.id(from, to, kind), row[3])
      assert.equal(kind, types.label(from, to, id), row[3])
      assert.is_true(types.exists(types.object_name(from), types.object_name(to), id), row[3])
      assert.same({ types.object_name(from), types.object_name(to), kind }, { types.direction_of_id(id) })
    end
  end)

  it("are no others", function()
    local count = 0
    for id = 1, 3000 do
      if types.direction_of_id(id) then count = count + 1 end
    end
    assert.equal(412, count)
  end)

  it("have names by direction: their kinds, and HubSpot's name of the unlabeled one", function()
    assert.same({ unlabeled = 279, contact_to_company = 279, primary = 1, billing = 931 },
      types.names("Contact", "0-2"))
    assert.same({ unlabeled = 450, company_to_company = 450, child_to_parent = 14, parent_to_child = 13 },
      types.names("companies", "company"))
    assert.same({}, types.names("contacts", "p_pets"))
    assert.same({}, types.names("contacts", nil))
    for _, row in ipairs(ASSOCIATION_TYPES) do
      assert.equal(tonumber(row[3]), types.names(row[1], row[2])[row[4]])
    end
  end)

  it("have one direction only", function()
    assert.is_true(types.exists("contacts", "companies", 1))
    assert.is_true(types.exists("0-1", "0-2", 1))
    assert.is_false(types.exists("companies", "contacts", 1))
    assert.is_false(types.exists("contacts", "contacts", 450))
    assert.is_true(types.exists("contacts", "contacts", 449))
  end)

  it("are unlabeled if no kind is given", function()
    assert.equal(279, types.id("contacts", "companies"))
    assert.equal(13, types.id("companies", "companies", "parent_to_child"))
    assert.equal(14, types.id("0-2", "0-2", "child_to_parent"))
    assert.equal(931, types.id("Contact", "Company", "billing"))
    assert.equal(565, types.id("line_items", "subscriptions", "upcoming"))
  end)

  it("are not found by other values", function()
    assert.is_nil(types.id("contacts", "p_pets"))
    assert.is_nil(types.id("products", "tickets"))
    for _, kind in ipairs { "boss", "", "label", "un", ".", "unlabeled=279;primary", 1, false } do
      assert.is_nil(types.id("contacts", "companies", kind))
    end
    assert.is_nil(types.id(nil, nil))
    assert.is_false(types.exists("p_pets", "contacts", 1))
    for _, id in ipairs { 0, -1, 1.5, 2 ^ 31, 2 ^ 53, 1 / 0, 0 / 0, 79, 27, "279", true } do
      assert.is_nil(types.label("contacts", "companies", id))
    end
    for _, id in ipairs { 0, -1, 1.5, 2 ^ 31, 1 / 0, 0 / 0, "279", true } do
      assert.is_nil((types.direction_of_id(id)))
    end
    assert.is_false(types.exists("contacts", "companies", nil))
    assert.is_nil((types.direction_of_id(nil)))
  end)

  it("may be floats, as some Luas and decoders return them", function()
    assert.equal("primary", types.label("contacts", "companies", 1.0))
    assert.same({ "contacts", "companies", "primary" }, { types.direction_of_id(1.0) })
  end)
end)

describe("the checker of a direction", function()
  local function reason(from, to, id)
    return types.checker(from, to)(id)
  end

  it("names the correct type for one of another direction", function()
    local right = "279 links contacts to companies; from companies to contacts it is 280"
    assert.equal(right, reason("companies", "contacts", 279))
    assert.equal(right, reason("0-2", "CONTACT", 279))
  end)

  it("names the type of the same kind, if there is one", function()
    assert.equal("1 (primary) links contacts to companies; from companies to contacts it is 2",
      reason("companies", "contacts", 1))
    assert.equal("931 (billing) links contacts to companies; from companies to contacts it is 930",
      reason("companies", "contacts", 931))
  end)

  it("names the unlabeled type if there is none of the same kind", function()
    assert.equal("1 (primary) links contacts to companies; from contacts to deals the unlabeled type is 4",
      reason("contacts", "deals", 1))
    assert.equal("13 (parent_to_child) links companies to companies; "
      .. "from contacts to companies the unlabeled type is 279", reason("contacts", "companies", 13))
  end)

  it("says so when no type of the direction is known", function()
    assert.equal("279 links contacts to companies; "
      .. "from products to contacts no type of HubSpot's own is known", reason("products", "contacts", 279))
  end)

  it("knows the directions from an object type to itself", function()
    assert.equal("279 links contacts to companies; from contacts to contacts it is 449",
      reason("contacts", "contacts", 279))
    assert.equal("449 links contacts to contacts; from contacts to companies it is 279",
      reason("contacts", "companies", 449))
    for _, id in ipairs { 450, 13, 14 } do assert.is_nil(reason("companies", "companies", id)) end
  end)

  it("accepts each type of the direction, and unknown types", function()
    for _, id in ipairs { 1, 279, 931, 1.0, 79, 27, 9, 9999, 2147483647 } do
      local known = types.direction_of_id(id)
      if not known or types.exists("contacts", "companies", id) then
        assert.is_nil(reason("contacts", "companies", id), id)
      end
    end
  end)

  it("is right for every type in every direction", function()
    for _, direction in ipairs(ASSOCIATION_TYPES) do
      local check = types.checker(direction[1], direction[2])
      for _, row in ipairs(ASSOCIATION_TYPES) do
        local is_own = direction[1] == row[1] and direction[2] == row[2]
        assert(is_own == (check(tonumber(row[3])) == nil), row[3])
      end
    end
  end)

  it("matches object types without a published id by name", function()
    assert.equal("279 links contacts to companies; from contacts to payment_links it is 470",
      reason("contacts", "payment_links", 279))
    assert.equal("470 links contacts to payment_links; from contacts to companies it is 279",
      reason("contacts", "companies", 470))
  end)

  it("is nil if an object type is custom or unknown", function()
    for _, name in ipairs { "2-12345", "p_pets", "p123_contacts", "0-99999", "vendors" } do
      assert.is_nil(types.checker("contacts", name))
      assert.is_nil(types.checker(name, "companies"))
    end
  end)
end)

describe("the list of association types", function()
  it("is that of a direction, of one object type, or of all", function()
    assert.same({
      { from = "contacts", to = "companies", kind = "unlabeled", id = 279 },
      { from = "contacts", to = "companies", kind = "primary", id = 1 },
      { from = "contacts", to = "companies", kind = "billing", id = 931 },
    }, types.list("0-1", "Company"))
    local all = types.list()
    assert.equal(412, #all)
    for _, row in ipairs(all) do assert.equal(row.kind, types.label(row.from, row.to, row.id)) end
    local count = 0
    for _, row in ipairs(types.list("deals")) do
      assert.equal("deals", row.from)
      count = count + 1
    end
    assert.is_true(count > 10 and #types.list(nil, "deals") > 10)
    assert.same({}, types.list("contacts", "carts_of_another"))
  end)
end)
