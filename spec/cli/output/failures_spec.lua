-- Checks --failures by the command: what stands in the file, that it can be fed back, and what is said of it.

local command = require "support.command"
local process = require "support.process"
local responses = require "support.responses"

local fixture = command.fixture()
local create, create_against, file = fixture.create, fixture.create_against, fixture.file
local held, path = fixture.held, fixture.path
local assert_found, lines_in, read_file = command.assert_found, command.lines_in, process.read_file

local HOSTILE, SHOWN = command.HOSTILE_NAME, command.SHOWN_NAME

local unpack = table.unpack or unpack -- luacheck: ignore 113 (Lua 5.1 has it)

describe("the failures of a job", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("says which options the file must not be read with", function()
    local rows = file("export.csv", "Record ID,Company\n4041,2\n")
    local named = { "--from-column", "Record ID", "--to-column", "Company" }
    local result = create { named[1], named[2], named[3], named[4], "--failures", path "failed.csv", rows }
    assert_found(result.stdout, " lists that row: correct it, and give it to this command, "
      .. "without --from-column, --to-column\n")
    result = create({ "--format", "jsonl", "--failures", path "failed.csv", "-" },
      { stdin = '{"from":4041,"to":2}' })
    assert_found(result.stdout, "correct it, and give it to this command, without --format\n")
  end)

  it("writes the rows that were not created, to be corrected and fed back in", function()
    local rows = file("rows.csv",
      'note,to,from,type\n,1,4041,\n,2,,\nx,3,30,279\n,4,40,n:9\n"a\nb",5,4042,\n')
    local result = create { "--failures", path "failed.csv", rows }
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "5 rows: 1 created, 4 failed\n")
    assert_found(result.stdout, "\n" .. path "failed.csv" .. " lists all 4 of them: correct it")
    local text = read_file(path "failed.csv")
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[line] = true end
    assert.are.equal("row,from,to,type,outcome,error,message,note", text:match "[^\n]*")
    assert.is_true(lines["2,4041,1,1,failed,OBJECT_NOT_FOUND,No contact with ID 4041 exists,"])
    assert_found(text, '\n6,4042,5,1,failed,OBJECT_NOT_FOUND,No contact with ID 4042 exists,"a\nb"\n')
    assert_found(text, '\n3,,2,1,failed,invalid_input,"from: expected a record id')
    assert_found(text, '5,40,4,n:9,failed,invalid_input,"column type: expected an association type id '
      .. '(a whole number from 1 to 2147483647), or a name, found ""n:9""",\n')

    local corrected = text:gsub("404(%d),", "14%1,"):gsub("3,,2,", "3,20,2,"):gsub("n:9,", "279,")
    result = create { "--failures", path "again.csv", file("corrected.csv", corrected) }
    assert.are.equal(0, result.code)
    assert_found(result.stdout, "4 rows: 4 created, 0 failed\n")
    assert.are.same({ "141/1/1", "142/5/1", "20/2/1", "30/3/279", "40/4/279" }, held())
    assert.are.equal("row,from,to,type,outcome,error,message,note\n", read_file(path "again.csv"))
  end)

  it("keeps the other columns of each row as they were, under names that are not read", function()
    local rows = file("rows.csv", "Name,Contact,to,from,,Name,Amount,message\n"
      .. '"Ada, ""A""",4041,201,x,y,Lovelace,-5,=1+1\n')
    local result = create { "--failures", path "failed.csv", "--from-column", "Contact", rows }
    assert.are.equal(1, result.code)
    local HEADER = "row,from,to,type,outcome,error,message,"
      .. "Name,source from,column 5,Name,Amount,source message\n"
    local ROW = "2,4041,201,1,failed,OBJECT_NOT_FOUND,No contact with ID 4041 exists,"
      .. [["Ada, ""A""",x,y,Lovelace,'-5,'=1+1]] .. "\n"
    assert.are.equal(HEADER .. ROW, read_file(path "failed.csv"))
    -- Fed back, and once more: its own columns are not those of the rows.
    for _, name in ipairs { "again.csv", "failed.csv" } do
      local other = name == "again.csv" and "failed.csv" or "again.csv"
      create { "--failures", path(name), path(other) }
      assert.are.equal(HEADER .. ROW, read_file(path(name)))
    end
  end)

  it("keeps the types of rows of which all types are removed", function()
    local rows = file("rows.csv", "from,to,category,type\n1,,HUBSPOT_DEFINED,279\n")
    local result = fixture.run_on("archive", {
      "--all-types", "--yes", "--failures", path "failed.csv", rows,
    })
    assert.are.equal(1, result.code)
    assert.matches("^row,from,to,type,outcome,error,message,source category,source type\n2,1,,,failed,.*"
      .. ",HUBSPOT_DEFINED,279\n$", read_file(path "failed.csv"))
  end)

  it("keeps the columns of several files, and says in which a row stands", function()
    local one = file("one.csv", "from,to,Name\n4041,1,Ada\n")
    local two = file("two.csv", "Mail,from,to,Name\nb@x.org,4042,2,Bob\n")
    local three = file("three.jsonl", '{"from":4043,"to":3,"key":12345678901234567890}\n{"to":\n')
    local four = file("four", "4044,4\n")
    local result = create { "--failures", path "failed.csv", one, two, three, four }
    assert.are.equal(1, result.code)
    local text = read_file(path "failed.csv")
    assert.are.equal("file,row,from,to,type,outcome,error,message,Name,Mail,source", text:match "[^\n]*")
    local function assert_row(start, id, rest)
      local WHY = "failed,OBJECT_NOT_FOUND,No contact with ID"
      assert_found(text, ("\n%s,%s %d exists,%s\n"):format(start, WHY, id, rest))
    end
    assert_row(one .. ",2,4041,1,1", 4041, "Ada,,")
    assert_row(two .. ",2,4042,2,1", 4042, "Bob,b@x.org,")
    assert_row(three .. ",1,4043,3,1", 4043, ',,"{""from"":4043,""to"":3,""key"":12345678901234567890}"')
    assert_found(text, ',,"{""to"":"\n')
    assert_row(four .. ",1,4044,4,1", 4044, ",,")
    result = create { "--failures", path "again.csv", path "failed.csv" }
    assert_found(result.stdout, "5 rows: 0 created, 5 failed\n")
    assert.are.equal("row,from,to,type,outcome,error,message,Name,Mail,source",
      read_file(path "again.csv"):match "[^\n]*")
  end)

  it("keeps what an earlier run wrote, until there is something to take its place", function()
    create { "--failures", path "failed.csv", file("rows.csv", "4041,1\n") }
    local before = read_file(path "failed.csv")
    assert_found(before, "\n1,4041,1,1,failed,")
    local result = create({ "--failures", path "failed.csv", path "rows.csv" },
      { env = { HUBSPOT_TOKEN = "expired" } })
    assert.are.equal(2, result.code)
    assert.are.equal(before, read_file(path "failed.csv"))
    result = create { "--failures", path "failed.csv", file("rows.csv", "41,1\n") }
    assert.are.equal(0, result.code)
    assert.are.equal("row,from,to,type,outcome,error,message\n", read_file(path "failed.csv"))
  end)

  it("keeps the ids of JSON Lines without a type", function()
    local result = command.run({ "create", "--from", "x1", "--to", "x2", "--base-url", fixture.server:url(),
      "--failures", path "failed.csv", "-" }, { stdin = '{"from":{"id":"17"},"to":7}\n{"from":18}\n' })
    assert.are.equal(1, result.code)
    local text = read_file(path "failed.csv")
    assert_found(text, "\n1,17,7,,failed,invalid_input,")
    assert_found(text, "\n2,18,,,failed,invalid_input,")
  end)

  it("writes the ids of JSON Lines as they are, or not at all", function()
    local result = create({ "--failures", path "failed.csv", "-" }, {
      stdin = '{"from":404123456789012,"to":"7\\u0001"}\n{"from":1,"to":9007199254740993.0}\n'
        .. '{"from":1,"to":12345678901234567890}\n{"from":1.5,"to":[2]}\n{"from":true,"to":1e400}\n',
    })
    assert.are.equal(1, result.code)
    local text = read_file(path "failed.csv")
    assert_found(text, "\n1,404123456789012,7\1,1,failed,invalid_input,")
    assert_found(text, "\n2,1,9007199254740993.0,1,failed,invalid_input,")
    assert_found(text, "\n3,1,12345678901234567890,1,failed,invalid_input,")
    assert_found(text, "\n4,1.5,,1,failed,invalid_input,")
    assert_found(text, "\n5,,1e400,1,failed,invalid_input,")
    assert.is_nil(result.stdout:find("[%z\1-\9\11-\31\127]"))
    result = create({ "-" }, { stdin = text })
    assert_found(result.stdout, "5 rows: 0 created, 5 failed\n")
  end)

  it("writes a number that Lua has as an integer with all its digits", function()
    if not math.type then return end
    create({ "--failures", path "failed.csv", "-" }, { stdin = '{"from":4040000000000000003,"to":1}\n' })
    assert_found(read_file(path "failed.csv"), "\n1,4040000000000000003,1,1,failed,")
  end)

  it("writes an invalid type so that it stays invalid: no other takes its place", function()
    local types = { "false", "1.5", "[]", '["279"]', '"nine"', '{"associationTypeId":279}', "0", "[[279]]" }
    local lines = {}
    for line, text in ipairs(types) do lines[line] = ('{"from":1,"to":2,"types":%s}\n'):format(text) end
    lines[#lines + 1] = '{"from":1,"to":2,"type":279,"types":279}\n'
    create({ "--failures", path "failed.csv", "-" }, { stdin = table.concat(lines) })
    assert.are.equal(1 + #lines, lines_in(path "failed.csv"))
    local result = create { path "failed.csv" }
    assert_found(result.stdout, "9 rows: 0 created, 9 failed\n")
    assert.are.equal(0, fixture.server:statistics().inputs) -- requests are for the labels: "nine" may be one
  end)

  it("writes each type with its category where --category was given, for a run without it", function()
    create({ "--category", "USER_DEFINED", "--type", "36", "--failures", path "failed.csv", "-" },
      { stdin = "4041,2\n4042,2,37\n4043,2,HUBSPOT_DEFINED:279\n,2,38\n" })
    local text = read_file(path "failed.csv")
    assert_found(text, "\n1,4041,2,USER_DEFINED:36,failed,")
    assert_found(text, "\n2,4042,2,USER_DEFINED:37,failed,")
    assert_found(text, "\n3,4043,2,HUBSPOT_DEFINED:279,failed,")
    assert_found(text, "\n4,,2,USER_DEFINED:38,failed,")
  end)

  it("keeps the types and categories of JSON Lines", function()
    local result = create({ "--failures", path "failed.csv", "-" }, {
      stdin = '{"from":{"id":"4041"},"to":7,"types":[1,{"associationCategory":"USER_DEFINED",'
        .. '"associationTypeId":30}]}\n{"from":"4042","to":8,"type":279}\n',
    })
    assert.are.equal(1, result.code)
    local text = read_file(path "failed.csv")
    assert_found(text, "\n1,4041,7,1 USER_DEFINED:30,failed,")
    assert_found(text, "\n2,4042,8,279,failed,")
    result = create({ "-" }, { stdin = (text:gsub(",404", ",14")) })
    assert.are.equal(0, result.code)
    assert.are.same({ "141/7/1", "141/7/30", "142/8/279" }, held())
  end)

  local function dry_run(more)
    return { "create", "--from", "a", "--to", "b", "--dry-run", unpack(more) }
  end

  local REJECTED = responses.rejected(400, '{"message":"no"}')

  it("shows its name without what acts on a terminal", function()
    local result = create_against({ REJECTED }, { "--failures", path(HOSTILE) })
    assert_found(result.stdout, SHOWN)
    assert_found(result.stdout, "lists that row")
    assert.is_nil((result.stdout .. result.stderr):find("[%z\1-\9\11-\31\127]"))
    assert.is_nil(result.stdout:find("\226\128\174", 1, true))
    result = command.run(dry_run { "--failures", path(HOSTILE), "-" }, { stdin = "from,to\n,1\n" })
    assert_found(result.stdout, SHOWN)
    assert.is_nil((result.stdout .. result.stderr):find("[%z\1-\9\11-\31\127]"))
  end)

  it("says so of a file for failures that cannot be written", function()
    fixture.assert_cannot_run({ "--failures", path "none/f", "-" }, "--failures: cannot open",
      { stdin = "1,2\n" })
    local result = create({ "--failures", "/dev/full", "-" }, { stdin = "4041,2\n" })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "/dev/full: cannot be written: ")
  end)

  it("never says that it lists all rows where the disk is full, or its reader is gone", function()
    local rows = {}
    for row = 1, 2000 do rows[row] = ("%d,202\n"):format(row) end
    for _, count in ipairs { 1, 2000 } do
      local more = { "--failures", "/dev/full", "--batch-size", "1" }
      local result = create_against({ REJECTED }, more,
        "from,to\n,1\n" .. table.concat(rows, "", 1, count - 1))
      assert.are.equal(2, result.code)
      assert.is_nil(result.stdout:find("lists", 1, true))
      assert_found(result.stderr, "/dev/full: cannot be written: No space left")
      result = command.run(dry_run { "--failures", "/dev/full", "-" },
        { stdin = "from,to\n" .. (",1\n"):rep(count) })
      assert.are.equal(2, result.code)
      assert.is_nil(result.stdout:find("lists", 1, true))
      assert_found(result.stderr, "does not list all rows")
    end
  end)

  it("says so where the reader of its pipe went away, and reports", function()
    process.run { "mkfifo", path "fifo" }
    local argv = command.argv(dry_run { "--failures", path "fifo", "-" },
      ("head -c 1 %s >/dev/null & "):format(process.quote(path "fifo")) .. '"$@"')
    local rows = "from,to\n" .. (",1\n"):rep(100000)
    local result = process.run(argv, { env = command.environment(), stdin = rows })
    assert.are.equal(2, result.code)
    assert_found(result.stdout, "dry run: ")
    assert.is_nil(result.stdout:find("lists", 1, true))
    assert_found(result.stderr, "cannot be written: Broken pipe")
  end)
end)
