-- Rows whose records are named by a property, and rows with several records: rows.lua with the options
-- `properties` and `split`.

local rows = require "hubspot.associations.cli.input.rows"

local BOTH = { from = "email", to = "domain" }

-- What a text is read as: "from>to from>to"; and its problems.
local function read(text, options)
  options.type = options.type or "1"
  local handle = { read = function()
    local piece = text
    text = ""
    return piece ~= "" and piece or nil
  end }
  local next_row = assert(rows.open(handle, options))
  local list, problems = {}, {}
  local input, problem = next_row()
  while input or problem do
    if input then list[#list + 1] = ("%s>%s"):format(tostring(input.from or input.id), tostring(input.to)) end
    problems[#problems + 1] = problem
    input, problem = next_row()
  end
  return table.concat(list, " "), problems
end

local function problem_of(text, options)
  local _, problems = read(text, options)
  assert.equal(1, #problems)
  return problems[1]
end

describe("rows whose records are named by a property", function()
  it("have their values in the columns from and to, or in those with the names of the properties", function()
    for _, header in ipairs { "from,to", "FROM,domain", "email,to", "E-Mail,Domain" } do
      local text = header .. "\nada@a.example,a.example\n"
      assert.same({ "ada@a.example>a.example", {} }, { read(text, { properties = BOTH }) })
    end
    local one = { properties = { from = "email" } }
    assert.same({ "ada@a.example>7", {} }, { read("to,email\n7,ada@a.example\n", one) })
    local named = { properties = BOTH, columns = { from = "Mail", to = "Web" } }
    assert.same({ "ada@a.example>a.example", {} }, { read("Web,Mail\na.example,ada@a.example\n", named) })
  end)

  it("need a header, which a line of values or of ids is not", function()
    for _, text in ipairs { "ada@a.example,a.example\nbob@a.example,b.example\n", "101,202\n102,203\n" } do
      local problem = problem_of(text, { properties = BOTH })
      assert.is_true(problem.fatal)
      assert.truthy(problem.message:find("named by a property needs a header", 1, true), problem.message)
      assert.truthy(problem.message:find("--from-column NAME and --to-column NAME", 1, true))
    end
    assert.is_true(problem_of("101,a.example\n", { properties = { to = "domain" } }).fatal)
    assert.is_true(problem_of("101\n", { properties = { from = "code" }, takes = "records" }).fatal)
  end)

  it("are not named by a column of ids, nor by one of two that could be meant", function()
    for text, expected in pairs {
      ["from_id,to\na,b\n"] = "no column from", ["fromObjectId,domain\n1,b\n"] = "no column from",
      ["email,from,to\na,b,c\n"] = "names the column from twice, as email, from; give --from-column NAME",
    } do
      local message = problem_of(text, { properties = BOTH }).message
      assert.truthy(message:find(expected, 1, true), message)
    end
    local both = { properties = { from = "email", to = "email" } }
    assert.truthy(problem_of("email,to\na,b\n", both).message:find("no column from", 1, true))
    local records = { properties = { from = "email" }, takes = "records" }
    assert.truthy(problem_of("Record ID,name\n1,b\n", records).message:find("no column from", 1, true))
    assert.same({ "a@b.example>nil", {} }, { read("Record ID,email\n1,a@b.example\n", records) })
  end)

  it("have values as they stand, but for spaces around them and marks of spreadsheets", function()
    assert.equal("1.01E+11>=a", (read("from,to\n 1.01E+11 ,'=a\n", { properties = BOTH })))
  end)

  it("are read from JSON Lines as they are spelled", function()
    local text = '{"from":"a@b.example","to":"00101"}\n{"from":12345678901234567890,"to":1.5}\n'
    assert.same({ "a@b.example>00101 12345678901234567890>1.5", {} }, { read(text, { properties = BOTH }) })
  end)
end)

describe("rows of single records by a property", function()
  it("have the value under the key from, and not under id", function()
    local options = { properties = { from = "email" }, takes = "records" }
    assert.same({ "a@b.example>nil", {} }, { read('{"id":"101","from":"a@b.example"}\n', options) })
    local problem = problem_of('{"id":"101"}\n', options)
    assert.same({ "from", "is missing" }, { problem.column, problem.message })
  end)
end)

describe("rows with several records", function()
  it("are an input for each, with the row's line and types", function()
    local next_row = rows.open({ read = (function()
      local text = "from,to,type\n101,202; 203 ,279\n102,204,1\n"
      return function()
        local piece = text
        text = nil
        return piece
      end
    end)() }, { split = ";" })
    assert.same({ from = "101", to = "202", types = 279, line = 2 }, (next_row()))
    assert.same({ from = "101", to = "203", types = 279, line = 2 }, (next_row()))
    assert.same({ from = "102", to = "204", types = 1, line = 3 }, (next_row()))
    assert.same({}, { next_row() })
  end)

  it("have an empty record where one is missing, which the job finds invalid", function()
    assert.same({ "1>2 1> 1>3 2> 3>4 3>", {} }, { read("from,to\n1,2;;3\n2,\n3,4;\n", { split = ";" }) })
  end)

  it("are split in JSON Lines where to is a text", function()
    assert.equal("1>2 1>3 1>4", (read('{"from":1,"to":"2|3"}\n{"from":1,"to":4}\n', { split = "|" })))
  end)

  it("are one bad row where the row is bad", function()
    local list, problems = read("from,to,type\n1,2;3,?\n4,5;6,1\n", { split = ";" })
    assert.equal("4>5 4>6", list)
    assert.same({ 1, "2;3" }, { #problems, problems[1].row.to })
  end)

  it("may have lines in a cell, or commas in a cell with quotes", function()
    assert.equal("1>2 1>3", (read('from,to\n1,"2\n3"\n', { split = "\n" })))
    assert.equal("1>2 1>3", (read('from,to\n1,"2,3"\n', { split = "," })))
  end)
end)
