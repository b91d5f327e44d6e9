-- Checks what a collector takes of an input.

local endpoints = require "hubspot.associations.api.endpoints"
local intake = require "hubspot.associations.collector.intake"
local requests = require "hubspot.associations.api.request"
local type_names = require "hubspot.associations.api.type_names"

describe("the intake of a collector", function()
  local taken

  before_each(function()
    local naming = type_names.new("contacts", "companies"):use()
    taken = intake.new(requests.checks(endpoints.create, { check_ids = true, check_types = true }, naming))
  end)

  it("says which pair an input is of, however its ids are spelled", function()
    local _, pair = taken:read { from = 101, to = { id = "202" }, types = 279 }
    local _, same = taken:read { from = "101", to = 202, types = "primary" }
    local _, other = taken:read { from = 1012, to = "02", types = 279 }
    assert.equal(pair, same)
    assert.are_not.equal(pair, other)
  end)

  it("copies the input", function()
    local types = { { associationCategory = "USER_DEFINED", associationTypeId = 36 }, "primary" }
    local input = { from = 101, to = { id = "202" }, types = types }
    local copy = taken:read(input)
    input.to.id, types[1].associationTypeId, types[2] = "203", 37, nil
    assert.same({
      from = "101", to = "202",
      types = { { associationCategory = "USER_DEFINED", associationTypeId = 36 }, "primary" },
    }, copy)
  end)

  it("leaves a name that is not known to the job", function()
    local copy, pair = taken:read { from = 101, to = 202, types = "Decision maker" }
    local _, same = taken:read { from = 101, to = 202, types = 279 }
    assert.equal("Decision maker", copy.types)
    assert.equal(same, pair)
  end)

  it("refuses what a call refuses", function()
    for field, input in pairs {
      ["from"] = { from = "x", to = 202, types = 279 },
      ["to"] = { from = 101, to = 0, types = "Decision maker" },
      ["types"] = { from = 101, to = 202, types = 280 },
    } do
      local copy, err = taken:read(input)
      assert.is_nil(copy)
      assert.same({ "invalid_input", field, false }, { err.kind, err.field, err.retryable })
    end
  end)

  it("asks whether a list of inputs was meant", function()
    local copy, err = taken:read { { from = 101, to = 202, types = 279 } }
    assert.is_nil(copy)
    assert.truthy(err.message:find(": is it a list of inputs?", 1, true), err.message)
  end)

  it("goes on after as many inputs as it likes", function()
    for index = 1, 3000 do assert(taken:read { from = index, to = 202, types = 279 }) end
  end)
end)
