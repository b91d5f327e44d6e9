-- Checks source.lua by the command: files and pipes that cannot be read, or only in part, and rows that are
-- bad. The forms of a row are csv_spec's and rows_spec's matter.

local cli = require "hubspot.associations.cli.main"
local command = require "support.command"
local process = require "support.process"

local fixture = command.fixture()
local assert_cannot_run, create, file = fixture.assert_cannot_run, fixture.create, fixture.file
local held, path = fixture.held, fixture.path
local assert_found, environment, stream = command.assert_found, command.environment, command.stream

describe("a source of rows", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("names the line and the column of each, and creates the others", function()
    local result = create({ "-" }, { stdin = "1,2\n,3\n4\n5,6,?\n7,8\n" })
    assert.are.same({ 1, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "5 rows: 2 created, 3 failed\n")
    assert_found(result.stdout, "\nline 2: from: expected a record id (1 to 19 digits)")
    assert_found(result.stdout, "\nline 3: column to: is missing")
    assert_found(result.stdout, "\nline 4: column type: expected")
    assert.are.same({ "1/2/1", "7/8/1" }, held())
  end)

  it("reads no more rows than it may, and says whether there are others", function()
    local result = create({ "--limit", "2", "-" }, { stdin = "1,2\n,3\n4,5\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "2 rows: 1 created, 1 failed; the rest of the file was not read\n")
    assert.are.same({ "1/2/1" }, held())
    local REST = "; the rest of the file was not read\n"
    for limit, rest in pairs { ["2"] = REST, ["3"] = "\n", ["4"] = "\n" } do
      result = create { "--limit", limit, file("rows.csv", "1,2\n3,4\n5,6\n") }
      assert.are.equal(0, result.code)
      local count = math.min(3, tonumber(limit))
      assert_found(result.stdout, ("%d rows: %d created, 0 failed%s"):format(count, count, rest))
    end
  end)

  it("names the line and the field of inputs that the job finds invalid", function()
    local result = create({ "-" }, {
      stdin = '\n{"from":{},"to":"2","types":1}\n{"from":"1","to":"2","types":[]}\n{"from":\n',
    })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "\nline 2: from.id: expected a record id")
    assert_found(result.stdout, "\nline 3: types: expected")
    assert_found(result.stdout, "\nline 4: is not JSON: ")
    assert.are.equal(0, fixture.server:statistics().requests)
  end)

  it("names the unlabeled type of the pair of objects when there is none, and does not guess", function()
    local result = create({ "-" }, { stdin = "1,2\n3,4\n", type = false })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "\nlines 1 to 2: column type: ")
    assert_found(result.stdout, "279 is the unlabeled type from contacts to companies")
    assert.are.equal(0, fixture.server:statistics().requests)
  end)

  it("reads on behind what is broken, and counts each row once", function()
    local result = create({ "-" }, {
      stdin = 'from,amount,to,name\n1,,2,"Ada\n3,,4,"Bob"\n;\n5,1,234,6,x\n,,,\n' .. ("x"):rep(2000000)
        .. "\n7,,8\n9,,10,\"never\n",
    })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "7 rows: 2 created, 5 failed")
    assert_found(result.stdout, "\nline 2: column 4: it goes on behind its closing quote\n")
    assert_found(result.stdout, "\nline 4: column to: is missing: it would be field 3, and the row has 1 ")
    assert_found(result.stdout, "\nline 5: the row has 5 fields, 1 more than the header")
    assert_found(result.stdout, "\nline 7: is longer than 1048576 bytes\n")
    assert_found(result.stdout, "\nline 9: column 4: its quote is never closed\n")
    assert.are.same({ "3/4/1", "7/8/1" }, held())
  end)

  it("links by the columns that options name", function()
    local export = "Record ID,First Name,Associated Company IDs\n101,Ada,202\n102,Bob,\"203;204\"\n"
    local result = create { "--from-column", "record id",
      "--to-column", "Associated Company IDs", file("export.csv", export) }
    assert.are.equal(1, result.code)
    assert.are.same({ "101/202/1" }, held())
    result = create { path "export.csv" }
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "--from-column NAME and --to-column NAME")
    assert_found(result.stderr, "found: Record ID, First Name, Associated Company IDs (separated by")
    assert_found(result.stderr, "nothing was sent")
    assert.are.same({ "101/202/1" }, held())
  end)

  it("does not let what a file holds act on the terminal", function()
    local result = create({ "-" }, { stdin = "1,2,\27]0;x\7\n" })
    assert.are.equal(1, result.code)
    assert.is_nil(result.stdout:find("[%z\1-\9\11-\31\127]"))
  end)

  it("stops where the file cannot be read on, and says what became of the rows before", function()
    for _, dry in ipairs { false, "--dry-run" } do
      local pieces, out, err = { '5,"6\n', "1,2\n3,4\n" }, stream(), stream()
      local arguments = fixture.arguments { "--batch-size", "1", "--concurrency", "1", "-" }
      if dry then table.insert(arguments, 2, dry) end
      local code = cli.main(arguments, {
        stdin = { read = function() return table.remove(pieces), "Input/output error" end },
        stdout = out, stderr = err, getenv = function(name) return environment()[name] or nil end,
      })
      assert.are.equal(2, code)
      assert_found(out.text, dry and "2 rows: 2 can be sent" or "2 rows: 2 created, 0 failed")
      assert_found(out.text, "; the rest of the file was not read\n")
      assert_found(err.text, "standard input: line 3, column 2: Input/output error\n")
    end
  end)

  it("sends nothing when the file is none", function()
    for stdin, part in pairs {
      ["a;b\n1;2\n"] = "found: a, b", ["\255\254f\0"] = "UTF-16", ["["] = "JSON list",
      ["PK\3\4"] = "workbook", ["\31\139\8"] = "gzip", ["from,to\r1,2\r"] = "carriage returns alone",
      [("\239\187\191"):rep(2) .. "from,to\n1,2\n"] = "two byte order marks",
      ["Contacts\nfrom,to\n1,2\n"] = "remove a title above the header",
    } do
      local result = create({ "-" }, { stdin = stdin })
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "standard input: ")
      assert_found(result.stderr, part)
      assert_found(result.stderr, "nothing was sent")
    end
    assert.are.equal(0, fixture.server:statistics().requests)
  end)

  it("is several files, one after the other, each with its own form, one of them standard input", function()
    local one = file("one.csv", "from,to\n1,2\n,3\n")
    local two = file("two.jsonl", '{"from":"3","to":"4"}\n\n{"from":"5"}\n{"from":"7","to":"8"}\n')
    local result = create({ one, "-", two }, { stdin = "to;from\n6;5\nx;5\ny;5\n" })
    assert.are.same({ 1, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "8 rows: 4 created, 4 failed\n")
    assert_found(result.stdout, "\n" .. one .. ":3: from: expected")
    assert_found(result.stdout, "\nstandard input:3 to 4: to: no record id")
    assert_found(result.stdout, "\n" .. two .. ":3: to: expected")
    assert.are.same({ "1/2/1", "3/4/1", "5/6/1", "7/8/1" }, held())
  end)

  it("has lines with the same reason together, by file", function()
    local one, two = file("one.csv", "from,to\n1,\n2,\n"), path "two.csv"
    file("two.csv", "from,to\n9,8\n3,\n5,6\n4,\n")
    local result = create { one, two }
    assert_found(result.stdout, ("\n%s:2 to 3, %s:3 and %s:5: to: no record id"):format(one, two, two))
  end)

  it("is looked at as a whole before a row is sent: each file has to be clear, and have rows", function()
    local good = file("good.csv", "1,2\n")
    for text, part in pairs {
      ["from,to\n"] = "bad.csv: has no rows", ["a;b\n1;2\n"] = "bad.csv: line 1: neither a row",
      ["PK\3\4"] = "bad.csv: is a workbook",
    } do
      assert_cannot_run({ good, file("bad.csv", text), good .. "x" }, part)
    end
    assert_cannot_run({ good, path "none.csv" }, "none.csv: No such file")
    assert.are.same({}, held())
  end)

  it("stops with a file that is no longer what it was, and says what became of the rows before", function()
    local rows, pieces, out, err = file("rows.csv", "3,4\n"), { "1,2\n" }, stream(), stream()
    local function read()
      if #pieces == 0 then os.remove(rows) end
      return table.remove(pieces)
    end
    local code = cli.main(fixture.arguments { "--batch-size", "1", "--concurrency", "1", "-", rows }, {
      stdin = { read = read }, stdout = out, stderr = err,
      getenv = function(name) return environment()[name] or nil end,
    })
    assert.are.equal(2, code)
    assert_found(out.text, "1 row: 1 created, 0 failed; the rest of the files was not read\n")
    assert_found(err.text, "cannot open " .. rows .. ": No such file")
    assert.are.same({ "1/2/1" }, held())
  end)

  it("takes the first rows of several files together", function()
    local one, two = file("one.csv", "1,2\n3,4\n"), file("two.csv", "5,6\n7,8\n")
    for limit, rest in pairs { ["2"] = true, ["3"] = true, ["4"] = false } do
      local result = create { "--limit", limit, one, two }
      assert.are.equal(0, result.code)
      assert_found(result.stdout, limit .. " rows: " .. limit .. " created, 0 failed"
        .. (rest and "; the rest of the files was not read\n" or "\n"))
    end
  end)

  it("goes on from a journal with the same rows in the same order, whatever file has them", function()
    local one, two = file("one.csv", "1,2\n3,4\n"), file("two.csv", "5,6\n,8\n")
    local whole, journal = file("whole.csv", "1,2\n3,4\n5,6\n,8\n"), { "--journal", path "journal" }
    local function run(...) return create { journal[1], journal[2], "--batch-size", "1", ... } end
    assert_found(run(one, two).stdout, "4 rows: 3 created, 1 failed\n")
    local requests = fixture.server:statistics().requests
    local result = run(one, two)
    -- The journal has a bad last row only if it was read while a batch was open.
    local KNOWN = "4 rows: 3 created, 1 failed; [34] of them known from the journal\n"
    assert.matches(KNOWN, result.stdout)
    assert_found(result.stdout, "\n" .. two .. ":2: from: expected")
    assert.matches(KNOWN, run(whole).stdout)
    result = run(two, one)
    assert.are.equal(2, result.code)
    assert_found(result.stdout, "0 created, 0 failed, 1 not sent")
    assert_found(result.stderr, "journal: is of another job: ")
    assert.are.equal(requests, fixture.server:statistics().requests)
  end)

  it("refuses a file without rows", function()
    local result = create({ file("empty.csv", "from,to\n") })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "empty.csv: has no rows")
  end)

  it("that is not there", function()
    assert_cannot_run({ path "none.csv" }, "none.csv: No such file")
  end)

  it("that is a folder", function()
    assert_cannot_run({ fixture.folder }, "Is a directory")
  end)

  it("that is a closed standard input", function()
    local argv = command.argv(command.create("http://127.0.0.1:1", { "-" }, "1"), '"$@" <&-')
    local result = process.run(argv, { env = environment() })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "hubspot-associations: standard input is closed\n")
    assert_found(result.stderr, "give the name of a file")
  end)
end)
