-- Checks which type a name stands for in a direction, and what is said of one that stands for none. Does no
-- I/O: responses of the endpoint `labels` are given.

local type_names = require "hubspot.associations.api.type_names"

local function label(id, text, changes)
  local entry = { category = "USER_DEFINED", typeId = id, label = text }
  for name, value in pairs(changes or {}) do entry[name] = value end
  return entry
end

local function json(category, id)
  return ('{"associationCategory":"%s","associationTypeId":%d}'):format(category, id)
end

local OWN = {
  unlabeled = json("HUBSPOT_DEFINED", 279), contact_to_company = json("HUBSPOT_DEFINED", 279),
  primary = json("HUBSPOT_DEFINED", 1), billing = json("HUBSPOT_DEFINED", 931),
}

-- OWN and others.
local function with(others)
  for name, value in pairs(OWN) do others[name] = value end
  return others
end

describe("the names of types", function()
  local names

  before_each(function() names = type_names.new("contacts", "companies") end)

  it("are HubSpot's own, without any request", function()
    assert.same(OWN, names.written)
    assert.equal(0, names.loads)
    assert.same({}, type_names.new("contacts", "2-123").written)
  end)

  it("are the account's labels too, once they are known, of every category", function()
    names:load { results = {
      label(7, "Decision maker"), label(8, "Entscheider\195\164"), label(9, "WORK", { category = "WORK" }),
      label(1, "Primary", { category = "HUBSPOT_DEFINED" }),
      label(279, nil, { category = "HUBSPOT_DEFINED" }),
    } }
    assert.same(with {
      ["Decision maker"] = json("USER_DEFINED", 7), ["Entscheider\195\164"] = json("USER_DEFINED", 8),
      WORK = json("WORK", 9), Primary = json("HUBSPOT_DEFINED", 1),
    }, names.written)
    assert.equal(1, names.loads)
  end)

  it("are the labels of the last response, in the same table", function()
    local written = names.written
    names:load { results = { label(7, "A"), label(8, "B") } }
    names:load { results = { label(9, "B") } }
    assert.equal(written, names.written)
    assert.same(with { B = json("USER_DEFINED", 9) }, written)
  end)

  it("have the unlabeled type of custom objects from the account", function()
    names = type_names.new("contacts", "2-123")
    names:load { results = { { category = "HUBSPOT_DEFINED", typeId = 55 }, label(7, "A") } }
    assert.same({ unlabeled = json("HUBSPOT_DEFINED", 55), A = json("USER_DEFINED", 7) }, names.written)
  end)

  it("keep HubSpot's meaning, whatever a label is called", function()
    names:load { results = { label(7, "primary"), label(8, "unlabeled") } }
    assert.same(OWN, names.written)
  end)

  it("stand for nothing when several types have them: the reason lists these", function()
    names:load { results = { label(12, "Boss"), label(7, "Boss"), label(8, "A") } }
    assert.same(with { A = json("USER_DEFINED", 8) }, names.written)
    assert.equal('"Boss" is the name of several types: USER_DEFINED 12, USER_DEFINED 7; give one as '
      .. "{ associationCategory, associationTypeId }", names:reason "Boss")
    names:load { results = { label(12, "Boss") } }
    assert.equal(json("USER_DEFINED", 12), names.written.Boss)
  end)

  it("count a type once that a response has twice", function()
    names:load { results = { label(7, "A"), label(7, "A") } }
    assert.equal(json("USER_DEFINED", 7), names.written.A)
  end)

  it("of one text in both directions of one object type stand for nothing", function()
    names = type_names.new("contacts", "Contact")
    local same = { fromObjectTypeId = "0-1", toObjectTypeId = "0-1" }
    names:load { results = { label(7, "Colleague", same), label(8, "Colleague", same) } }
    assert.is_nil(names.written.Colleague)
    assert.truthy(names:reason("Colleague"):find("USER_DEFINED 7, USER_DEFINED 8", 1, true))
  end)

  it("are not those of the other direction, where a response says so", function()
    local back = { fromObjectTypeId = "0-2", toObjectTypeId = "0-1" }
    local there = { fromObjectTypeId = "0-1", toObjectTypeId = "0-2" }
    names:load { results = { label(7, "A", there), label(8, "A", back), label(9, "B", back) } }
    assert.same(with { A = json("USER_DEFINED", 7) }, names.written)
  end)

  it("are not those of another direction of a custom object, by whichever name it is asked for", function()
    for _, custom in ipairs { "2-123", "p_pets" } do
      names = type_names.new(custom, "contacts")
      names:load { results = {
        label(7, "A", { fromObjectTypeId = "2-123", toObjectTypeId = "0-1" }), label(8, "B"),
        label(9, "A", { fromObjectTypeId = "0-1", toObjectTypeId = "2-123" }),
        label(10, "C", { fromObjectTypeId = "2-123", toObjectTypeId = "0-2" }),
      } }
      assert.same({ A = json("USER_DEFINED", 7), B = json("USER_DEFINED", 8) }, names.written)
    end
    names = type_names.new("2-123", "2-124")
    names:load { results = { label(7, "A", { fromObjectTypeId = "2-124", toObjectTypeId = "2-123" }) } }
    assert.same({}, names.written)
  end)

  it("have no empty name: an empty label is the unlabeled type", function()
    names = type_names.new("contacts", "2-123")
    names:load { results = { label(7, "", { category = "HUBSPOT_DEFINED" }), label(8, "") } }
    assert.same({ unlabeled = json("HUBSPOT_DEFINED", 7) }, names.written)
  end)

  it("leave out what is no type", function()
    names:load { results = {
      label(0, "A"), label(1.5, "B"), label("x", "C"), label(2 ^ 31, "D"), label(7, 5), label(7),
      label(7, "E", { category = "lower" }), label(7, "F", { category = false }),
    } }
    assert.same(OWN, names.written)
  end)

  it("that are unknown are refused with those that there are", function()
    assert.equal('no association type from contacts to companies has the name "Boss"; there are "billing", '
      .. '"contact_to_company", "primary", "unlabeled"', names:reason "Boss")
    names:load { results = { label(7, "Z"), label(8, "A"), label(9, "Twice"), label(10, "Twice") } }
    assert.equal('no association type from contacts to companies has the name "a b"; there are "A", "Twice", '
      .. '"Z", "billing", "contact_to_company", "primary", "unlabeled"', names:reason "a\27b")
    local own = { category = "HUBSPOT_DEFINED" }
    names:load { results = { label(1, "Primary", own), label(8, "BILLING"), label(9, "Unlabeled") } }
    assert.equal('no association type from contacts to companies has the name "x"; there are "BILLING", '
      .. '"Primary", "Unlabeled", "billing", "contact_to_company", "unlabeled"', names:reason "x")
    assert.equal('no association type from contacts to 2-123 has the name "A"; there are none',
      type_names.new("0-1", "2-123"):reason "A")
    assert.equal('no association type from contacts to 2-123 has the name "279": the id of a type is a '
      .. "number, 279 without quotes; there are none", type_names.new("0-1", "2-123"):reason "279")
  end)

  it("are listed up to a number, and each up to a length", function()
    local results = {}
    for id = 1, 100 do results[id] = label(id, ("L%03d"):format(id) .. ("x"):rep(500)) end
    names:load { results = results }
    local reason = names:reason(("y"):rep(5000))
    assert.truthy(reason:find("74 more", 1, true), reason)
    assert.is_true(#reason < 4000)
  end)

  it("may have to be asked for, once in each use", function()
    local use = names:use()
    assert.is_false(use.is_missing)
    assert.equal(names:reason "A", use.unknown_name "A")
    assert.is_true(use.is_missing)
    names:load { results = {} }
    use.is_missing = false
    use.unknown_name "A"
    assert.is_false(use.is_missing)
    local later = names:use()
    later.unknown_name "A"
    assert.is_true(later.is_missing)
  end)
end)

describe("the names of a client", function()
  it("are in one entry for every spelling of an object type", function()
    local directory = type_names.directory()
    local names = directory:between("contacts", "companies")
    for _, from in ipairs { "Contact", "CONTACTS", "0-1" } do
      for _, to in ipairs { "company", "Companies", "0-2" } do
        assert.equal(names, directory:between(from, to))
      end
    end
    assert.equal(directory:between("payment_link", "0-1"), directory:between("Payment_Links", "contact"))
    assert.not_equal(names, directory:between("companies", "contacts"))
    assert.not_equal(directory:between("p_Pets", "contacts"), directory:between("p_pets", "contacts"))
    directory:forget()
    assert.not_equal(names, directory:between("contacts", "companies"))
  end)
end)
