-- Checks rows.lua: the bytes of a file in, inputs of client:create and problems out.
-- Never sends anything.

local rows = require "hubspot.associations.cli.input.rows"

local function handle_of(text)
  return {
    read = function()
      local piece = text
      text = ""
      return piece ~= "" and piece or nil
    end,
  }
end

-- The inputs of a text, and its problems.
local function read(text, options)
  local next_row, why = rows.open(handle_of(text), options or {})
  if not next_row then return nil, why end
  local inputs, problems = {}, {}
  local input, problem = next_row()
  while input or problem do
    inputs[#inputs + 1], problems[#problems + 1] = input, problem
    input, problem = next_row()
  end
  return inputs, problems
end

local function read_well(text, options)
  local inputs, problems = read(text, options)
  assert.are.same({}, problems)
  return inputs
end

-- The only problem of a text.
local function problem_of(text, options)
  local inputs, problems = read(text, options)
  assert(inputs, problems)
  assert.are.equal(1, #problems)
  return problems[1], inputs
end

describe("rows from CSV", function()
  it("are ids and a type, with the line of each", function()
    assert.are.same({
      { from = "101", to = "202", types = 1, line = 1 },
      { from = "102", to = "203", types = 279, line = 3 },
    }, read_well "101,202,1\n\n102,203,279\n")
  end)

  it("keep ids as the strings that they are", function()
    assert.are.same({ from = "0012345678901234567890", to = "1e3", types = 1, line = 2 },
      read_well("from,to\n0012345678901234567890,1e3\n", { type = "1" })[1])
  end)

  it("take --type where they have none", function()
    assert.are.same({
      { from = "1", to = "2", types = 279, line = 1 },
      { from = "3", to = "4", types = 5, line = 2 },
      { from = "5", to = "6", types = 279, line = 3 },
    }, read_well("1,2\n3,4,5\n5,6,\n", { type = "279" }))
  end)

  it("have the category that was asked for", function()
    local inputs = read_well("1,2\n3,4,5\n", { type = "30", category = "USER_DEFINED" })
    assert.are.same({ associationCategory = "USER_DEFINED", associationTypeId = 30 }, inputs[1].types)
    assert.are.same({ associationCategory = "USER_DEFINED", associationTypeId = 5 }, inputs[2].types)
    inputs = read_well("1,2\n", { type = "WORK:30 4", category = "USER_DEFINED" })
    assert.are.same({
      { associationCategory = "WORK", associationTypeId = 30 },
      { associationCategory = "USER_DEFINED", associationTypeId = 4 },
    }, inputs[1].types)
  end)

  local HEADERS = {
    "from,to,type", "FROM,To,Type", "fromObjectId,toObjectId,associationTypeId", "from_id,to_id,type_id",
    "From ID,To ID,Association Type ID", "from_object_id,to_object_id,association_type_id",
    '"from", to ,type',
  }
  for _, header in ipairs(HEADERS) do
    it("may have the header " .. header, function()
      assert.are.same({ { from = "1", to = "2", types = 3, line = 2 } }, read_well(header .. "\n1,2,3\n"))
    end)
  end

  it("have their columns in the header's order, other columns left aside", function()
    assert.are.same({ { from = "1", to = "2", types = 3, line = 2 } },
      read_well "note,type,to,more,from\nwell,3,2,,1\n")
  end)

  it("have a type of another category, or several types, in one column", function()
    local work = { associationCategory = "WORK", associationTypeId = 3 }
    assert.are.same({
      { from = "1", to = "2", types = work, line = 1 },
      { from = "1", to = "2", types = { 4, work }, line = 2 },
    }, read_well "1,2,WORK:3\n1,2, 4 WORK:3 \n")
  end)

  it("that are bad bring what is known of them", function()
    local function row_of(line)
      return problem_of("from,to,type\n" .. line, { type = "1" }).row
    end
    assert.are.same({ from = "1", to = "", type = "?", line = 2 }, row_of "1, ,?\n")
    assert.are.same({ from = "1", to = "2", type = "1;2", line = 2 }, row_of "1,2,1;2\n")
  end)

  it("have their ids as they are spelled: what an id is, is the request's writer to say", function()
    local ids = {}
    for i, input in ipairs(read_well 'from,to,type\n1.01E+11,,1\n"202;203",00101,1\n#N/A,101.0,1\n') do
      ids[i] = { input.from, input.to }
    end
    assert.are.same({ { "1.01E+11", "" }, { "202;203", "00101" }, { "#N/A", "101.0" } }, ids)
  end)

  it("have no spaces around ids", function()
    assert.are.same({ { from = "1", to = "2", types = 3, line = 1 } }, read_well " 1 , 2 , 3 \n")
  end)

  it("are separated by semicolons or tabs where the header is", function()
    local expected = { { from = "1", to = "2", types = { 3, 4 }, line = 2 } }
    assert.are.same(expected, read_well "\239\187\191from;to;type\r\n1;2;3 4\r\n")
    assert.are.same(expected, read_well 'note\t"from"\tto\ttype\n"a, b"\t1\t2\t3 4\n')
    assert.are.same({ { from = "1", to = "2", types = 3, line = 1 } }, read_well "1;2;3\n")
  end)

  it("stand behind a byte order mark", function()
    assert.are.same({ { from = "1", to = "2", types = 3, line = 2 } },
      read_well "\239\187\191from,to,type\r\n1,2,3\r\n")
  end)

  local BAD_ROWS = {
    { "without a second column", "1,2,1\n3\n", 2, "to", "is missing" },
    { "separated by another than the first", "1,2,1\n3;4;1\n", 2, "to", "separated by commas" },
    { "separated by commas behind a semicolon", "1;2;1\n3,4,1\n", 2, "to", "separated by semicolons" },
    { "with a type that is neither a number nor a name", "1,2,?\n", 1, "type", 'found "?"' },
    { "with types that no space separates", "1,2,1;2\n", 1, "type", 'found "1;2"' },
    { "with the type 0", "1,2,0\n", 1, "type", "from 1 to 2147483647" },
    { "with a type that is too large", "1,2,2147483648\n", 1, "type", "from 1 to 2147483647" },
    { "with a type that has a fraction", "1,2,1.0\n", 1, "type", "whole number" },
    { "without any type", "from,to\n1,2\n", 2, "type", "no association type" },
    { "with a quote inside", '1,2,1\n3,4"5,1\n', 2, 2, "quote" },
  }
  for _, case in ipairs(BAD_ROWS) do
    it("are bad " .. case[1] .. ", with line and column", function()
      local problem = problem_of(case[2])
      assert.are.same({ case[3], case[4] }, { problem.line, problem.column })
      assert.truthy(problem.message:find(case[5], 1, true), problem.message)
    end)
  end

  it("that are bad cost only themselves", function()
    local problem, inputs = problem_of "1,2,1\n3,4,0\n5,6,1\n"
    assert.are.equal(2, problem.line)
    assert.are.equal(2, #inputs)
  end)

  it("say what the caller knows of a missing type", function()
    assert.are.equal("try 279", problem_of("1,2\n", { untyped = "try 279" }).message)
  end)

  local BAD_HEADERS = {
    { "without from", "to,type\n1,2\n", "no column from" },
    { "without to", "from,type\n1,2\n", "no column to" },
    { "that has one of the two names", "from,company_id\n1,2\n", "found: from, company_id" },
    { "that names a column twice", "from,to,fromObjectId\n1,2,3\n", "twice" },
    { "of unknown names", "contact;company\n1;2\n", "neither a row" },
    { "of unknown names, and shows them", "contact;company\n1;2\n", "found: contact, company" },
    { "of many names, and shows some", ("a,"):rep(99) .. "\n", "found: a, a, a, a, a, a, a, a, ..." },
    { "that is no record", 'from,"to"x\n1,2,3\n', "closing quote" },
  }
  for _, case in ipairs(BAD_HEADERS) do
    it("end at a header " .. case[1], function()
      local problem, inputs = problem_of(case[2], { type = "1" })
      assert.are.same({}, inputs)
      assert.is_true(problem.fatal)
      assert.are.equal(1, problem.line)
      assert.truthy(problem.message:find(case[3], 1, true), problem.message)
    end)
  end
end)

describe("the first record of CSV", function()
  -- What a text is read as: "from>to from>to", or the problem that ends it.
  local function read_as(text, columns)
    local inputs, problems = read(text, { type = "1", columns = columns })
    if #problems > 0 then
      assert.are.same({ 1, true, 0 }, { #problems, problems[1].fatal, #inputs })
      return problems[1].message
    end
    local pairs_read = {}
    for index, input in ipairs(inputs) do pairs_read[index] = input.from .. ">" .. input.to end
    return table.concat(pairs_read, " ")
  end

  it("is a row when it begins with two record ids", function()
    assert.are.equal("101>202 102>203", read_as "101,202\n102,203\n")
    assert.are.equal("9999999999999999999>1", read_as ' 9999999999999999999 ,"1"\n')
  end)

  local NEITHER = {
    "Record ID,Number of Employees,Street Address 2\n101,5000,9\n", "1 234,203\n", "'101,202\n", "0,202\n",
    "101.0,202\n", "12345678901234567890,202\n", "0101,202\n", "101,\n", "101\n", "101,x2\n", "101;202,3\n",
    "Contacts of 2026\nfrom,to\n101,202\n", "Contacts 1,2\n101,202\n", ",101,202\n", "\000101,202\n",
    "\194\160101,202\n", "from to\n101,202\n", "id,from\n101,202\n",
  }
  for _, text in ipairs(NEITHER) do
    it(("is neither a row nor a header when it is %q"):format(text:match "[^\n]*"), function()
      local message = read_as(text)
      assert.truthy(message:find("--to-column NAME", 1, true), message)
      assert.truthy(message:find("remove a title above the header", 1, true), message)
      local shown = text:match "[^\n]*":match "^ *([^,;%z]*)" -- 5.1 formats no NUL
      assert.truthy(message:find("found: " .. shown, 1, true), message)
    end)
  end

  local EXPORT = "Record ID,First Name,Associated Company IDs\n101,5,202\n"

  it("is a header in which options name the columns", function()
    local ids = { from = "Record ID", to = "Associated Company IDs" }
    assert.are.equal("101>202", read_as(EXPORT, ids))
    assert.are.equal("101>202", read_as("\239\187\191" .. EXPORT, ids))
    assert.are.equal("101>202", read_as(EXPORT:gsub(",", ";"), ids))
    assert.are.equal("101>202", read_as("x,from,y,to\n1,202,2,101\n", { from = "to", to = "from" }))
    assert.are.equal("101>202", read_as("to,from id,from\n202,101,7\n", { from = "from id" }))
    local input = read_well("a,b,from,to,c\n1,2,101,202,3\n", { columns = { type = "C" } })[1]
    assert.are.same({ from = "101", to = "202", types = 3, line = 2 }, input)
    input = read_well("from,to,type,kind\n101,202,9,3\n", { columns = { type = "kind" } })[1]
    assert.are.equal(3, input.types)
  end)

  it("has a column that is named in another case, with other spaces or quotes", function()
    for _, name in ipairs {
      "record id", "RECORD ID", " Record  ID ", '"Record ID"', "'Record ID'", "Record\tID",
      "\239\187\191Record ID", "Record\194\160ID",
    } do
      assert.are.equal("101>202", read_as(EXPORT, { from = name, to = "associated company ids" }))
      local header = '"' .. name:gsub('"', '""') .. '",to\n'
      assert.are.equal("101>202", read_as(header .. "101,202\n", { from = "Record ID" }))
    end
  end)

  it("has a column that is named exactly rather than one that looks alike", function()
    local text = "ID,id,Id,to\n7,101,9,202\n"
    assert.are.equal("101>202", read_as(text, { from = "id" }))
    assert.truthy(read_as(text, { from = "iD" }):find("column iD (--from-column) more than once", 1, true))
    assert.truthy(read_as("id,id,to\n1,2,3\n", { from = "id" }):find("more than once", 1, true))
    assert.are.equal("101>202", read_as("x,x,from,to\n1,2,101,202\n"))
  end)

  local MISNAMED = {
    { "is not there", EXPORT, { from = "Contact ID", to = "Record ID" },
      "no column Contact ID (--from-column); found: Record ID, First Name, Associated Company IDs" },
    { "is not there as it is written", EXPORT, { from = "RecordID", to = "First Name" },
      "no column RecordID" },
    { "is another's, too", EXPORT, { from = "Record ID", to = "record id" },
      "from and to would be the same" },
    { "the header names as another's", "from,to\n1,2\n", { from = "to" },
      "from and to would be the same column, to" },
    { "is that of the ids", "from,to\n1,2\n", { type = "to" }, "to and type would be the same" },
    { "could be in a header only", "101,202\n", { from = "Record ID" },
      "the file has no header, and so no column Record ID (--from-column)" },
    { "is one of two that have to be named", EXPORT, { from = "Record ID" },
      "no column to; give --to-column NAME" },
  }
  for _, case in ipairs(MISNAMED) do
    it("is refused when a column that an option names " .. case[1], function()
      local message = read_as(case[2], case[3])
      assert.truthy(message:find(case[4], 1, true), message)
    end)
  end

  it("names no column twice, and says by which option one is picked", function()
    local message = read_as "from,to,fromObjectId\n1,2,3\n"
    assert.truthy(message:find("twice, as from, fromObjectId; give --from-column NAME", 1, true), message)
    assert.are.equal("3>2", read_as("from,to,fromObjectId\n1,2,3\n", { from = "fromObjectId" }))
  end)

  it("is shown in part when it is long", function()
    assert.truthy(#read_as(("x"):rep(100000) .. "\n") < 400)
  end)

  it("has the separator that makes sense of it", function()
    assert.are.equal("101>202", read_as "Name, in full;from;to\nAda;101;202\n")
    assert.are.equal("101>202", read_as '"Doe, Ada";from;to\n"x,y";101;202\n')
    assert.are.equal("101>202", read_as "from\tto\ta,b;c,d\n101\t202\n")
    assert.are.equal("101>202", read_as "sep=;\nfrom;to;a,b,c\n101;202\n")
    assert.truthy(read_as "from,to,x;from;to\n1,2,3;4;5\n":find("by commas or by semicolons", 1, true))
    assert.truthy(read_as "sep=;\nfrom,to\n1,2\n":find("found: from,to (separated by semicolons)", 1, true))
  end)

  it("costs only itself when it is broken, but begins with two record ids", function()
    local problem, inputs = problem_of('101,202,"Ada\n102,203,1\n', { type = "1" })
    assert.are.same({ 1, nil, "102", 2 }, { problem.line, problem.fatal, inputs[1].from, inputs[1].line })
    problem = problem_of('101;"202"x\n102;203\n', { type = "1" })
    assert.is_true(problem.fatal)
    problem = problem_of('from,to,"name\n101,202\n', { type = "1" })
    assert.is_true(problem.fatal)
    problem = problem_of(("x"):rep(2000000) .. "\nfrom,to\n101,202\n", { type = "1" })
    assert.are.same({ true, "is longer than 1048576 bytes" }, { problem.fatal, problem.message })
  end)
end)

describe("a row of CSV that does not fit", function()
  local TOO_MANY = {
    { "from,amount,to\n102,1,234,203\n", "4 fields, 1 more than the header" },
    { "from,to\n102,1,234\n", "3 fields, 1 more than the header" },
    { "from,to,a,b\n1,2,3,4,,,5\n", "7 fields, 3 more than the header" },
    { "from;to\n1;2; ;x\n", "4 fields, 2 more than the header" },
    { "101,202,1\n1,234,203,1\n", "4 fields, 1 more than from, to and type" },
  }
  for _, case in ipairs(TOO_MANY) do
    it(("is bad where it has too many fields: %q"):format(case[1]), function()
      local problem = problem_of(case[1], { type = "1" })
      assert.are.same({ 2, nil, nil }, { problem.line, problem.column, problem.fatal })
      assert.truthy(problem.message:find(case[2], 1, true), problem.message)
    end)
  end

  local TOO_FEW = {
    { "from,to\n1\n", "to" }, { "a,b,from,to\n1,2\n", "from" }, { "from,to,type\n1,2\n", "type" },
    { "type,x,to,from\n1,2,3\n", "from" }, { "1,2\n3\n", "to" },
  }
  for _, case in ipairs(TOO_FEW) do
    it(("is bad where it lacks a field: %q"):format(case[1]), function()
      local problem = problem_of(case[1], { type = "1" })
      assert.are.same({ 2, case[2] }, { problem.line, problem.column })
      assert.truthy(problem.message:find("is missing: it would be field", 1, true), problem.message)
    end)
  end

  it("has nothing known of it, so that no file of failures has what stands in the wrong column", function()
    assert.is_nil(problem_of("from,amount,to\n102,1,234,203\n", { type = "1" }).row)
    assert.is_nil(problem_of("from,to,name\n101,202,\"Ada\n", { type = "1" }).row)
  end)

  it("is none where only empty fields are too many, or columns that do not count are left out", function()
    local rows_read = read_well("from,to,name\n1,2,x,,\n3,4\n5,6,,\" \",\n", { type = "1" })
    assert.are.equal(3, #rows_read)
    assert.are.equal(2, #read_well "1,2,3,\n4,5,6,, \n")
  end)
end)

describe("rows from JSON Lines", function()
  it("are inputs in HubSpot's form, with the line of each", function()
    local types = { { associationCategory = "USER_DEFINED", associationTypeId = 30 } }
    assert.are.same({ { from = { id = "1" }, to = { id = "2" }, types = types, line = 2 } }, read_well(
      '\n{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"USER_DEFINED",'
      .. '"associationTypeId":30}]}\r\n\n'))
  end)

  it("are inputs in the short form", function()
    assert.are.same({
      { from = "1", to = "2", types = 279, line = 1 },
      { from = "3", to = "4", types = 5, line = 2 },
    }, read_well '{"from":"1","to":2,"types":279}\n{"from":"3","to":"4","type":5}')
  end)

  it("have their ids as they are spelled, which no number of Lua's would be", function()
    local ids = {}
    for i, input in ipairs(read_well(
      '{"from":3.83743e+10,"to":101.0,"types":1}\n{"fr\\u006fm":1E5,"to":-0,"types":1}\n'
      .. '{"from":{"id":9007199254740993},"to":{"id":12345678901234567890},"types":1}\n')) do
      local from, to = input.from, input.to
      ids[i] = { type(from) == "table" and from.id or from, type(to) == "table" and to.id or to }
    end
    assert.are.same({
      { "3.83743e+10", "101.0" }, { "1E5", "-0" }, { "9007199254740993", "12345678901234567890" },
    }, ids)
  end)

  it("have types in words, as in CSV", function()
    local work = { associationCategory = "WORK", associationTypeId = 3 }
    local inputs = read_well('{"from":1,"to":2,"types":"279"}\n{"from":1,"to":2,"type":"4 WORK:3"}\n')
    assert.are.same({ 279, { 4, work } }, { inputs[1].types, inputs[2].types })
  end)

  it("that are bad bring the text that is no type, and never none where they had one", function()
    local known = problem_of('{"from":1,"to":2,"types":"1;9"}\n', { type = "1" }).row
    assert.are.same({ "1", "2", nil, "1;9" }, { known.from, known.to, known.types, known.type })
    known = problem_of('{"from":1,"to":2,"type":3,"types":4}\n', { type = "1" }).row
    assert.are.same({ nil, "?" }, { known.types, known.type })
  end)

  it("take --type where they have none, null, or an empty text", function()
    local inputs = read_well('{"from":"1","to":"2"}\n{"from":"1","to":"2","types":null}\n'
      .. '{"from":"1","to":"2","types":" "}\n', { type = "7" })
    assert.are.same({ 7, 7, 7 }, { inputs[1].types, inputs[2].types, inputs[3].types })
  end)

  it("have the category that was asked for where a type is a number only", function()
    local asked = { associationCategory = "USER_DEFINED", associationTypeId = 30 }
    local named = { associationCategory = "WORK", associationTypeId = 31 }
    local inputs = read_well(
      '{"from":"1","to":"2","types":30}\n{"from":"1","to":"2","types":[30,{"associationCategory":"WORK",'
      .. '"associationTypeId":31}]}\n{"from":"1","to":"2"}\n', { category = "USER_DEFINED", type = "30" })
    assert.are.same({ asked, { asked, named }, asked }, { inputs[1].types, inputs[2].types, inputs[3].types })
  end)

  it("have the keys that options name", function()
    local inputs = read_well('{"contact":"1","to":"2","kind":3,"from":"9","type":8,"types":7}\n',
      { columns = { from = "contact", type = "kind" } })
    assert.are.same({ { from = "1", to = "2", types = 3, line = 1 } }, inputs)
    inputs = read_well('{"contact":1e3,"company":2.0,"types":3}\n',
      { columns = { from = "contact", to = "company" } })
    assert.are.same({ "1e3", "2.0" }, { inputs[1].from, inputs[1].to })
    inputs = read_well('{"from":"1","to":"2"}\n', { type = "5", columns = { from = "to", to = "from" } })
    assert.are.same({ "2", "1" }, { inputs[1].from, inputs[1].to })
  end)

  it("are bad where a key that an option names is not there, spelled exactly", function()
    local problem = problem_of('{"Contact":"1","to":"2"}\n', { columns = { from = "contact" } })
    assert.are.same({ "contact", "is missing" }, { problem.column, problem.message })
    for _, line in ipairs { '{"from":1,"to":2,"types":3}\n', '{"from":1,"to":2,"kind":null}\n' } do
      problem = problem_of(line, { type = "5", columns = { type = "kind" } })
      assert.are.equal("kind", problem.column)
      assert.truthy(problem.message:find("an empty text takes --type", 1, true))
    end
    assert.are.equal(5, read_well('{"from":1,"to":2,"kind":""}\n',
      { type = "5", columns = { type = "kind" } })[1].types)
  end)

  it("are refused where an option names a key that is read as another", function()
    for _, columns in ipairs {
      { from = "to" }, { to = "from" }, { from = "x", to = "x" }, { type = "from" }, { from = "type" },
      { to = "types" },
    } do
      local inputs, why = read('{"from":1,"to":2,"types":3}\n', { columns = columns })
      assert.is_nil(inputs)
      assert.truthy(why:find("would be the same key", 1, true), why)
    end
  end)

  it("that are too long cost only themselves", function()
    local long = '{"x":"' .. ("x"):rep(2000000) .. '"}\n'
    local problem, inputs = problem_of('{"from":1,"to":2}\n' .. long .. '{"from":3,"to":4}\n', { type = "1" })
    assert.are.same({ 2, "is longer than 1048576 bytes" }, { problem.line, problem.message })
    assert.are.equal(3, inputs[2].line)
  end)

  it("leave what an input holds to the check that all inputs meet", function()
    assert.are.same({ { types = 1, line = 1 } }, read_well '{"types":1}')
  end)

  local BAD_ROWS = {
    { "that are no JSON", '{"from":\n', nil, "is not JSON" },
    { "with a key twice", '{"from":"1","from":"2","to":"3","types":1}\n', nil, "a key for the second time" },
    { "that are lists", '{"from":"1","to":"2","types":1}\n["1","2"]\n', nil, "JSON object" },
    { "with text behind the object", '{"from":"1"} x\n', nil, "is not JSON" },
    { "with both type and types", '{"from":"1","to":"2","type":1,"types":1}\n', "type", "beside types" },
    { "without a type", '{"from":"1","to":"2"}\n', "types", "no association type" },
    { "without from, whatever their type", '{"form":"1","to":"2"}\n', "from", "is missing" },
    { "without to, whatever their type", '{"from":"1","type":"1;9"}\n', "to", "is missing" },
    { "that are a whole request", '{"inputs":[{"from":{"id":"1"}}]}\n', nil, "one input a line" },
    { "with a text that is no type", '{"from":"1","to":"2","types":"1;9"}\n', "types", 'found "1;9"' },
  }
  for _, case in ipairs(BAD_ROWS) do
    it("are bad when they are rows " .. case[1], function()
      local problem = problem_of(case[2])
      assert.are.equal(case[3], problem.column)
      assert.is_number(problem.line)
      assert.truthy(problem.message:find(case[4], 1, true), problem.message)
    end)
  end
end)

describe("the form of a file", function()
  it("is known from its first character", function()
    assert.are.equal("1", read_well '\n {"from":"1","to":"2","types":1}\n'[1].from)
    assert.are.equal("1", read_well("1,2,1\n")[1].from)
  end)

  it("is the one that was named", function()
    local problem = problem_of("1,2,1\n", { format = "jsonl" })
    assert.truthy(problem.message:find("JSON object", 1, true))
  end)

  it("is neither when it is a JSON list", function()
    local inputs, why = read '[{"from":"1","to":"2","types":1}]'
    assert.is_nil(inputs)
    assert.truthy(why:find("JSON list", 1, true))
  end)

  it("does not matter when the file is empty", function()
    assert.are.same({}, read_well "")
  end)

  it("is read as a stream: a row is given before the rest is asked for", function()
    local asked = 0
    local handle = { read = function() asked = asked + 1 return ("1,2,1\n"):rep(1000) end }
    local next_row = assert(rows.open(handle, {}))
    for _ = 1, 100000 do assert(next_row()) end
    assert.is_true(asked <= 101)
  end)
end)
