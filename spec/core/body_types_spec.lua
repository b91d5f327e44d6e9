-- Checks that core.body asks about type ids of category HUBSPOT_DEFINED, and only about those. What is known
-- of them is types_spec's matter. Does no I/O.

local core = require "hubspot.associations.core"
local types = require "hubspot.associations.types"

local function input(given)
  return { from = "1", to = "2", types = given }
end

local function of(category, id)
  return { associationCategory = category, associationTypeId = id }
end

describe("a body that checks types", function()
  local RIGHT = "279 links contacts to companies; from companies to contacts it is 280"
  local checked = { check_type = types.checker("companies", "contacts") }

  it("refuses an id of another direction in every form, names the field, and adds nothing", function()
    for _, case in ipairs {
      { "types", 279 }, { "types", 279.0 }, { "types[1]", { 279 } }, { "types[2]", { 280, 279 } },
      { "types.associationTypeId", of("HUBSPOT_DEFINED", 279) },
      { "types[1].associationTypeId", { of("HUBSPOT_DEFINED", 279) } },
      { "types[3].associationTypeId", { of("USER_DEFINED", 279), 280, of("HUBSPOT_DEFINED", 279), 2 } },
    } do
      local body = core.body(checked)
      local added, refusal = body:add(input(case[2]))
      assert.is_nil(added)
      assert.same({ kind = "invalid_input", field = case[1], message = RIGHT }, refusal)
      assert.equal('{"inputs":[]}', body:json())
      assert.is_true(body:add(input(280)))
    end
  end)

  it("tells HUBSPOT_DEFINED from every category that differs in a byte, and writes that", function()
    local category = "HUBSPOT_DEFINED"
    for place = 1, #category do
      for _, byte in ipairs { "A", "Z", "_", "9" } do
        local other = category:sub(1, place - 1) .. byte .. category:sub(place + 1)
        local body = core.body(checked)
        local added = body:add(input(of(other, 279)))
        assert.equal(other ~= category and other:find "^[A-Z]" ~= nil, added == true, other)
        if added then
          assert.equal(('{"associationCategory":"%s","associationTypeId":279}'):format(other), body:types(1))
        end
      end
    end
    local body = core.body(checked)
    assert(body:add(input(of(category, 280))))
    assert(body:add(input(280)))
    assert.equal('{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":280}', body:types(1))
    assert.equal(body:types(1), body:types(2))
  end)

  it("says how the field is called, when an input has its types in another", function()
    local added, refusal = core.body(checked):add { from = "1", to = "2", type = 280 }
    assert.is_nil(added)
    assert.same({ kind = "invalid_input", field = "types",
      message = "expected the types in a field `types`, found a field `type`" }, refusal)
  end)

  it("passes the direction's own ids, those that no table has, and other categories", function()
    local body = core.body(checked)
    for _, given in ipairs {
      280, 2, 930, { 280, 2 }, 9, 4096, 2147483647, of("USER_DEFINED", 279),
      of("INTEGRATOR_DEFINED", 279), of("WORK", 279), of("HUBSPOT_DEFINED", 280), of("HUBSPOT_DEFINED_", 279),
      of("HUBSPOT", 279),
    } do
      assert.is_true(body:add(input(given)))
    end
  end)

  it("refuses an id each time, also behind those that pass, and after clear", function()
    local body = core.body(checked)
    for _ = 1, 3 do
      for id = 1, 1400 do
        local known = types.direction_of_id(id) ~= nil
        local refused = known and not types.exists("companies", "contacts", id)
        assert.equal(not refused, body:add(input(id)) == true, id)
      end
      body:clear()
    end
  end)

  it("refuses it in a list by its index, and adds none of the list", function()
    local body = core.body(checked)
    local added, refusals, count = body:add_list { input(280), input(279), input(2), input(1) }
    assert.is_nil(added)
    assert.same({ 2, 2, 4 }, { count, refusals[1].index, refusals[2].index })
    assert.equal(RIGHT, refusals[1].message)
    assert.equal(0, body:count())
  end)

  it("asks once about an id that passes, whatever number of inputs has it", function()
    local asked = {}
    local body = core.body {
      check_type = function(id)
        asked[#asked + 1] = id
      end,
    }
    for _ = 1, 1000 do
      assert(body:add(input { 280, of("HUBSPOT_DEFINED", 2), of("USER_DEFINED", 5), 2147483647 }))
    end
    assert.same({ 280, 2, 2147483647 }, asked)
  end)

  it("is as it was when the check raises", function()
    local body = core.body { check_type = function() error { told = true } end }
    local added, raised = pcall(body.add, body, input(279))
    assert.same({ false, { told = true } }, { added, raised })
    assert.equal('{"inputs":[]}', body:json())
    assert.is_true(body:add(input(of("WORK", 1))))
  end)

  it("is what the options make of it", function()
    for _, options in ipairs { false, 1, "x", { check_type = 1 }, { check_type = "x" } } do
      assert.is_false((pcall(core.body, options)))
    end
    for _, options in ipairs { {}, { check_ids = true }, { check_ids = false } } do
      assert.is_true(core.body(options):add(input(279)))
    end
    assert.is_true(core.body():add(input(279)))
  end)
end)

describe("a body that knows names of types", function()
  local PRIMARY = '{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1}'
  local LABEL = '{"associationCategory":"USER_DEFINED","associationTypeId":7}'
  local names, asked

  before_each(function()
    names, asked = { primary = PRIMARY, ["Decision maker"] = LABEL, ["Entscheider\195\164"] = LABEL }, {}
  end)

  local function body(options)
    local given = {
      names = names,
      unknown_name = function(name)
        asked[#asked + 1] = name
        return "there is no " .. name
      end,
    }
    for name, value in pairs(options or {}) do given[name] = value end
    return core.body(given)
  end

  it("writes what they stand for, alone and in lists with others", function()
    for _, case in ipairs {
      { "primary", PRIMARY }, { "Decision maker", LABEL }, { "Entscheider\195\164", LABEL },
      { { "primary" }, PRIMARY }, { { "primary", "Decision maker" }, PRIMARY .. "," .. LABEL },
      { { of("USER_DEFINED", 7), "primary", 1 }, LABEL .. "," .. PRIMARY .. "," .. PRIMARY },
    } do
      local subject = body()
      assert.is_true(subject:add(input(case[1])))
      assert.equal(case[2], subject:types(1))
      assert.equal('{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[' .. case[2] .. "]}]}",
        subject:json())
    end
    assert.same({}, asked)
  end)

  it("refuses one that is unknown with the reason, names the field, and adds nothing", function()
    for _, case in ipairs {
      { "types", "Boss" }, { "types[1]", { "Boss" } }, { "types[3]", { 1, "primary", "Boss" } },
    } do
      local subject = body()
      local added, err = subject:add(input(case[2]))
      assert.is_nil(added)
      assert.same({ kind = "invalid_input", field = case[1], message = "there is no Boss" }, err)
      assert.equal('{"inputs":[]}', subject:json())
    end
    assert.same({ "Boss", "Boss", "Boss" }, asked)
  end)

  it("compares bytes: no case, no spaces, no number", function()
    for _, name in ipairs { "Primary", " primary", "primary ", "prim\0ary", "", "1", "\255" } do
      assert.is_nil((body():add(input(name))))
    end
    assert.equal(7, #asked)
  end)

  it("knows a name that came later", function()
    local subject = body()
    assert.is_nil((subject:add(input "Boss")))
    names.Boss = LABEL
    assert.is_true(subject:add(input "Boss"))
    assert.equal(LABEL, subject:types(1))
  end)

  it("asks about unknown names only, in a list of inputs too, and does not ask a metatable", function()
    setmetatable(names, { __index = function() error "asked" end })
    local subject = body()
    local added, errors, count = subject:add_list { input "primary", input "A", input(1), input { "B" } }
    assert.is_nil(added)
    assert.same({ 2, 2, 4 }, { count, errors[1].index, errors[2].index })
    assert.same({ "A", "B" }, asked)
    assert.equal(0, subject:count())
  end)

  it("is as it was when the reason raises", function()
    local subject = body { unknown_name = function() error { told = true } end }
    local added, raised = pcall(subject.add, subject, input "Boss")
    assert.same({ false, { told = true } }, { added, raised })
    assert.is_true(subject:add(input "primary"))
    assert.equal(1, subject:count())
  end)

  it("checks ids as well", function()
    local subject = body { check_type = types.checker("contacts", "companies") }
    assert.is_nil((subject:add(input { "primary", 280 })))
    assert.is_true(subject:add(input { "primary", 279 }))
  end)

  it("takes both options or none, and says what it takes", function()
    for _, options in ipairs {
      { names = {} }, { unknown_name = print }, { names = 1, unknown_name = print },
      { names = {}, unknown_name = "x" },
    } do
      assert.is_false((pcall(core.body, options)))
    end
    local _, err = body():add(input(true))
    assert.truthy(err.message:find("an integer or a name, found true", 1, true), err.message)
    _, err = body():add(input { {}, true })
    assert.equal("types[1].associationCategory", err.field)
    _, err = body():add(input { "primary", true })
    assert.truthy(err.message:find("an integer or a name, found true", 1, true), err.message)
    _, err = core.body():add(input "primary")
    assert.truthy(err.message:find("one of them, or an integer, found the string", 1, true), err.message)
  end)
end)

describe("what the core knows of association types", function()
  it("is the largest id, which an input may have, and no more", function()
    local largest = core.MAX_TYPE_ID
    assert.equal(2147483647, largest)
    for _, category in ipairs { "HUBSPOT_DEFINED", "USER_DEFINED" } do
      local function add(id)
        local entry = { associationCategory = category, associationTypeId = id }
        return core.body():add { from = 1, to = 2, types = entry }
      end
      assert.truthy(add(largest))
      local _, err = add(largest + 1)
      assert.truthy(err.message:find("an integer from 1 to 2147483647", 1, true), err.message)
    end
  end)

  it("is the spelling of a category", function()
    for _, name in ipairs { "A", "HUBSPOT_DEFINED", "USER_DEFINED", "WORK", "A1_" } do
      assert.is_true(core.is_category(name), name)
    end
    for _, value in ipairs { "", "a", "1A", "_A", "Aa", "A B", "A\0", "A-B", "\195\132", 5, {}, true } do
      assert.is_false(core.is_category(value), tostring(value))
    end
    assert.is_false(core.is_category(nil))
    assert.is_false(core.is_category())
  end)
end)
