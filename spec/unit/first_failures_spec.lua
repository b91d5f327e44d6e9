-- Checks first_failures.lua: failed rows in any order, the first of them out.

local first_failures = require "hubspot.associations.cli.first_failures"

local function refused(line)
  return { line = line, from = "a", to = "b", category = "C", message = "m", is_bad = false }
end

local function bad(line, message)
  return { line = line, message = message, is_bad = true }
end

local function lines_of(rows)
  local first = first_failures.new()
  for _, row in ipairs(rows) do first:add(row) end
  return first:lines()
end

describe("the first failures", function()
  it("are in the order of the file, however they come", function()
    assert.are.same({ "line 3: a to b: C: m", "line 5: a to b: C: m", "line 9: a to b: C: m" },
      lines_of { refused(5), refused(9), refused(3) })
  end)

  it("are twenty, with a count of the others", function()
    local rows = {}
    for line = 50, 1, -1 do rows[#rows + 1] = refused(line) end
    local lines = lines_of(rows)
    assert.are.equal(21, #lines)
    assert.are.equal("line 1: a to b: C: m", lines[1])
    assert.are.equal("line 20: a to b: C: m", lines[20])
    assert.are.equal("and 30 more", lines[21])
  end)

  it("are one line where neighbours are bad in the same way", function()
    assert.are.same({ "lines 1 to 2: x", "line 3: y", "line 5: y" },
      lines_of { bad(1, "x"), bad(2, "x"), bad(3, "y"), bad(5, "y") })
  end)

  it("are all counted where neighbours make one line", function()
    local rows = {}
    for line = 1, 1000 do rows[line] = bad(line, "x") end
    assert.are.same({ "lines 1 to 1000: x" }, lines_of(rows))
  end)
end)
