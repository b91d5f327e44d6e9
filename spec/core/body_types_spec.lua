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
