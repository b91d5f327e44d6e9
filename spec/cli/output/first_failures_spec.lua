-- Checks first_failures.lua: failed rows in any order, the first of them out.

local first_failures = require "hubspot.associations.cli.output.first_failures"

local function rejected(line, message)
  message = message or "m" .. line
  return { line = line, from = "a", to = "b", category = "C", message = message, is_bad = false }
end

local function bad(line, message)
  return { line = line, message = message, is_bad = true }
end

local function lines_of(rows)
  local first = first_failures.new({})
  for _, row in ipairs(rows) do first:add(row) end
  return first:lines()
end

describe("the first failures", function()
  it("are in the order of the file, however they come", function()
    assert.are.same({ "line 3: a to b: C: m3", "line 5: a to b: C: m5", "line 9: a to b: C: m9" },
      lines_of { rejected(5), rejected(9), rejected(3) })
  end)

  it("are twenty, with a count of the others", function()
    local rows = {}
    for line = 500, 1, -1 do rows[#rows + 1] = rejected(line) end
    local lines = lines_of(rows)
    assert.are.equal(21, #lines)
    assert.are.equal("line 1: a to b: C: m1", lines[1])
    assert.are.equal("line 20: a to b: C: m20", lines[20])
    assert.are.equal("and 480 more", lines[21])
  end)

  it("are one line where rows are bad in the same way", function()
    assert.are.same({ "lines 1 to 2: x", "lines 3 and 5: y" },
      lines_of { bad(1, "x"), bad(2, "x"), bad(3, "y"), bad(5, "y") })
  end)

  it("show what only one row has where it stands alone, and not where others share the reason", function()
    local function flawed(line, shared)
      return { line = line, message = shared .. ", found " .. line, shared = shared, is_bad = true }
    end
    assert.are.same({ "lines 1 and 3 to 4: x", "line 2: y, found 2" },
      lines_of { flawed(1, "x"), flawed(2, "y"), flawed(3, "x"), flawed(4, "x") })
  end)

  it("are one line where rows were rejected for the same reason, without their ids", function()
    assert.are.same({ "lines 3 and 7: C: m", "line 4: a to b: C: n" },
      lines_of { rejected(7, "m"), rejected(4, "n"), rejected(3, "m") })
  end)

  it("are one line where reasons differ in the rows' own ids only, and are more than twenty", function()
    local function named(count)
      local rows = {}
      for line = 1, count do
        local from, to = ("%d"):format(100 + line), ("%d"):format(9000 + line)
        rows[line] = { line = line, from = from, to = to, category = "C", is_bad = false,
          message = line % 2 == 1 and "no contact " .. from .. "; ask 1" .. from or "no company " .. to }
      end
      return lines_of(rows)
    end
    assert.are.equal(20, #named(20))
    assert.are.equal("line 1: 101 to 9001: C: no contact 101; ask 1101", named(20)[1])
    local many = { "line 1: 101 to 9001: C: no contact 101; ask 1101" }
    assert.are.equal(many[1], named(1)[1])
    local lines = named(41)
    assert.are.equal("lines 2, 4, 6 and 17 more: C: no company <to>", lines[2])
    assert.are.equal(many[1], lines[1]) -- the number beside it differs from row to row
  end)

  it("name a few places of a reason, and count the others", function()
    local rows = {}
    for line = 1, 1000 do rows[line] = rejected(2001 - line * 2, "m") end
    rows[#rows + 1] = rejected(5000, "m")
    assert.are.same({ "lines 1, 3, 5 and 998 more: C: m" }, lines_of(rows))
    assert.are.same({ "lines 2 to 3, 6 and 8 to 9: C: m" },
      lines_of { rejected(9, "m"), rejected(3, "m"), rejected(6, "m"), rejected(2, "m"), rejected(8, "m") })
  end)

  it("are all counted where neighbours make one line, in any order", function()
    local rows = {}
    for line = 1, 1000 do rows[line] = bad(line <= 500 and line + 500 or line - 500, "x") end
    assert.are.same({ "lines 1 to 1000: x" }, lines_of(rows))
  end)

  it("count each row once, whatever the order and however many reasons", function()
    local first = first_failures.new({})
    for step = 1, 20000 do
      local line = step * 7919 % 20011
      first:add(rejected(line, "m" .. line % 700))
    end
    local counted = 0
    for _, line in ipairs(first:lines()) do
      local places = line:match "^lines? ([%d, andtomre]+): " or line
      places = places:gsub("(%d+) to (%d+)", function(from, to)
        counted = counted + to - from + 1
        return ""
      end)
      counted = counted + (tonumber(places:match "(%d+) more") or 0)
      places = places:gsub("%d+ more", "")
      counted = counted + select(2, places:gsub("%d+", ""))
    end
    assert.are.equal(20000, counted)
  end)
end)
