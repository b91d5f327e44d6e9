-- Checks inverses.lua: the types of two directions in, pairs of them out.

local inverses = require "hubspot.associations.cli.inverses"

local function own(id, label) return { category = "USER_DEFINED", typeId = id, label = label } end
local function built_in(id, label) return { category = "HUBSPOT_DEFINED", typeId = id, label = label } end

-- The type ids of the inverses; 0 where that is not clear.
local function ids_of(there, back, from, to)
  local found, ids = inverses.of(there, back, from or "contacts", to or "companies"), {}
  for number in ipairs(there) do ids[number] = found[number] and found[number].typeId or 0 end
  return ids
end

describe("the inverse of a type", function()
  it("is that of the table for HubSpot's own", function()
    assert.are.same({ 280, 2, 0 }, ids_of({ built_in(279), built_in(1, "Primary"), built_in(99999) },
      { built_in(280), built_in(2, "Primary") }))
    assert.are.same({ 13, 14, 450 }, ids_of({ built_in(14), built_in(13), built_in(450) },
      { built_in(14), built_in(13), built_in(450) }, "companies", "companies"))
  end)

  it("has the same label, or the id beside it", function()
    local there = { own(36, "Manager"), own(40, "Partner"), own(42) }
    local back = { own(37, "Managed by"), own(39, "Partner"), own(43) }
    assert.are.same({ 37, 39, 43 }, ids_of(there, back))
    assert.are.same({ 36, 40, 42 }, ids_of(back, there, "companies", "contacts"))
  end)

  it("is left out where it is not clear", function()
    assert.are.same({ 0 }, ids_of({ own(36, "a") }, { own(35, "b"), own(37, "c") }))
    assert.are.same({ 0 }, ids_of({ own(36, "a") }, { own(50, "b") }))
    assert.are.same({ 0 }, ids_of({ own(36, "a") }, {}))
    assert.are.same({ 0, 0 }, ids_of({ own(nil, "a"), own("36", "b") }, { own(37, "a"), own(nil, "b") }))
    assert.are.same({ 0 }, ids_of({ own(36, "a") }, { own(nil, "a"), own("37", "a") }))
  end)
end)
