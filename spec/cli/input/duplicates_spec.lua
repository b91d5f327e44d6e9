-- Checks duplicates.lua: rows in, a count out.

local association_types = require "hubspot.associations.cli.association_types"
local duplicates = require "hubspot.associations.cli.input.duplicates"

local function count(rows, kept)
  local counted = duplicates.new(kept)
  for _, row in ipairs(rows) do counted:add(row) end
  return counted.count
end

local function typed(text) return association_types.read_cell(text, "HUBSPOT_DEFINED") end

describe("duplicates", function()
  it("are rows with the records and the types of one before, however they are written", function()
    assert.are.equal(2, count {
      { from = "1", to = "2", types = 279 }, { from = "1", to = "2", types = 280 },
      { from = "2", to = "1", types = 279 }, { from = "1", to = "2", types = 279 },
      { from = 1, to = { id = "2" }, types = 279 },
    })
    assert.are.equal(1, count {
      { from = "1", to = "2", types = typed "279 USER_DEFINED:36" },
      { from = "1", to = "2", types = typed "279" },
      { from = "1", to = "2", types = typed "279 USER_DEFINED:36" },
    })
    assert.are.equal(2, count { { id = "1" }, { id = "2" }, { id = "1" }, { id = 1 } })
  end)

  it("are no bad rows, and no rows without a record", function()
    assert.are.equal(0, count {
      { problem = {}, line = 1 }, { problem = {}, line = 2 }, { to = "1" }, { to = "1" },
    })
  end)

  it("are found among as many rows before as are kept, at least, and twice as many at most", function()
    local function far(distance)
      local rows = {}
      for number = 1, distance do rows[number] = { id = tostring(number) } end
      rows[distance + 1] = { id = "1" }
      return count(rows, 10)
    end
    for distance = 1, 10 do assert.are.equal(1, far(distance)) end
    assert.are.equal(0, far(20))
  end)
end)
