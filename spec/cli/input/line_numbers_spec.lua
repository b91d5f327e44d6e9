local line_numbers = require "hubspot.associations.cli.input.line_numbers"

describe("the line numbers of rows", function()
  local function of(lines)
    local numbers = line_numbers.new()
    for index, line in ipairs(lines) do numbers:add(index, line) end
    return numbers
  end

  it("are found for each row, whatever stands between the rows", function()
    local lines = { 2, 3, 5, 6, 7, 20, 22, 24, 25 }
    local numbers = of(lines)
    for index, line in ipairs(lines) do assert.are.equal(line, numbers:of(index)) end
  end)

  it("take no memory for rows that follow one another", function()
    local lines = {}
    for index = 1, 1000 do lines[index] = index + 1 end
    assert.are.equal(1, of(lines).count)
  end)
end)
