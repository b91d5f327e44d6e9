-- Checks rows.lua: the bytes of a file in, inputs of client:create and problems out.
-- Never sends anything: cli_spec does.

local rows = require "hubspot.associations.cli.rows"

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
    assert.are.same({ from = "0012345678901234567890", to = "1e3", types = 1, line = 1 },
      read_well("0012345678901234567890,1e3\n", { type = "1" })[1])
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
    assert.are.same({ from = "1", to = "", type = "x", line = 1 }, problem_of("1, ,x\n", { type = "1" }).row)
    assert.are.same({ from = "1", types = 1, line = 2 }, problem_of("1,2\n1\n", { type = "1" }).row)
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

  local REFUSALS = {
    { "without a second column", "1,2,1\n3\n", 2, "to", "is missing" },
    { "separated by another than the first", "1,2,1\n3;4;1\n", 2, "to", "separated by commas" },
    { "separated by commas behind a semicolon", "1;2;1\n3,4,1\n", 2, "to", "separated by semicolons" },
    { "with a type that is no number", "1,2,primary\n", 1, "type", 'found "primary"' },
    { "with a type in words", "1,2,1 and 2\n", 1, "type", 'found "1 and 2"' },
    { "with the type 0", "1,2,0\n", 1, "type", "from 1 to 2147483647" },
    { "with a type that is too large", "1,2,2147483648\n", 1, "type", "from 1 to 2147483647" },
    { "with a type that has a fraction", "1,2,1.0\n", 1, "type", "whole number" },
    { "without any type", "from,to\n1,2\n", 2, "type", "no association type" },
    { "with a quote inside", '1,2,1\n3,4"5,1\n', 2, 2, "quote" },
  }
  for _, refusal in ipairs(REFUSALS) do
    it("are refused " .. refusal[1] .. ", with line and column", function()
      local problem = problem_of(refusal[2])
      assert.are.same({ refusal[3], refusal[4] }, { problem.line, problem.column })
      assert.truthy(problem.message:find(refusal[5], 1, true), problem.message)
    end)
  end

  it("that are bad cost only themselves", function()
    local problem, inputs = problem_of "1,2,1\n3,4,x\n5,6,1\n"
    assert.are.equal(2, problem.line)
    assert.are.equal(2, #inputs)
  end)

  it("say what the caller knows of a missing type", function()
    assert.are.equal("try 279", problem_of("1,2\n", { untyped = "try 279" }).message)
  end)

  local HEADER_REFUSALS = {
    { "without from", "to,type\n1,2\n", "no column from" },
    { "without to", "from,type\n1,2\n", "no column to" },
    { "that has one of the two names", "from,company_id\n1,2\n", "found: from, company_id" },
    { "that names a column twice", "from,to,fromObjectId\n1,2,3\n", "twice" },
    { "of unknown names", "contact;company\n1;2\n", "neither a header" },
    { "of unknown names, and shows them", "contact;company\n1;2\n", "found: contact, company" },
    { "of many names, and shows some", ("a,"):rep(99) .. "\n", "found: a, a, a, a, a, a, a, a, ..." },
    { "that is no record", 'from,"to"x\n1,2,3\n', "closing quote" },
  }
  for _, refusal in ipairs(HEADER_REFUSALS) do
    it("end at a header " .. refusal[1], function()
      local problem, inputs = problem_of(refusal[2], { type = "1" })
      assert.are.same({}, inputs)
      assert.is_true(problem.fatal)
      assert.are.equal(1, problem.line)
      assert.truthy(problem.message:find(refusal[3], 1, true), problem.message)
    end)
  end
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
    local known = problem_of('{"from":1,"to":2,"types":"nine"}\n', { type = "1" }).row
    assert.are.same({ "1", "2", nil, "nine" }, { known.from, known.to, known.types, known.type })
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

  it("leave what an input holds to the check that all inputs meet", function()
    assert.are.same({ { types = 1, line = 1 } }, read_well '{"types":1}')
  end)

  local REFUSALS = {
    { "that are no JSON", '{"from":\n', nil, "is not JSON" },
    { "that are lists", '{"from":"1","to":"2","types":1}\n["1","2"]\n', nil, "JSON object" },
    { "with text behind the object", '{"from":"1"} x\n', nil, "is not JSON" },
    { "with both type and types", '{"from":"1","to":"2","type":1,"types":1}\n', "type", "beside types" },
    { "without a type", '{"from":"1","to":"2"}\n', "types", "no association type" },
    { "without from, whatever their type", '{"form":"1","to":"2"}\n', "from", "is missing" },
    { "without to, whatever their type", '{"from":"1","type":"nine"}\n', "to", "is missing" },
    { "that are a whole request", '{"inputs":[{"from":{"id":"1"}}]}\n', nil, "one input a line" },
    { "with a type in words", '{"from":"1","to":"2","types":"nine"}\n', "types", 'found "nine"' },
  }
  for _, refusal in ipairs(REFUSALS) do
    it("are refused when they are rows " .. refusal[1], function()
      local problem = problem_of(refusal[2])
      assert.are.equal(refusal[3], problem.column)
      assert.is_number(problem.line)
      assert.truthy(problem.message:find(refusal[4], 1, true), problem.message)
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
