-- Checks destination.lua by the command: a file of --output is complete or not there.

local command = require "support.command"
local core = require "hubspot.associations.core"
local process = require "support.process"

local fixture = command.fixture()
local create, file, path, run_on = fixture.create, fixture.file, fixture.path, fixture.run_on
local assert_found, read_file = command.assert_found, process.read_file

local HEADER = "from,to,category,type,label\n"

describe("the file of --output", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(function()
    fixture.reset()
    assert.are.equal(0, create({ "--type", "279", "-" }, { stdin = "101,202\n102,203\n" }).code)
  end)

  local function row(from, to) return ("%d,%d,HUBSPOT_DEFINED,279,\n"):format(from, to) end

  local function assert_absent(name) assert.is_nil(core.stat(path(name))) end

  -- The rows of a text, in order; empty lines are left out.
  local function rows_of(text)
    local rows = {}
    for line in text:gmatch "[^\n]+\n" do rows[#rows + 1] = line end
    table.sort(rows)
    return table.concat(rows)
  end

  it("has all rows, in the place of an earlier one, and nothing is beside it", function()
    local output = file("links.csv", "what was there\n")
    local result = run_on("read", { "--output", output, "-" }, { stdin = "101\n102\n" })
    assert.are.same({ 0, "" }, { result.code, result.stdout })
    assert.are.equal(rows_of(HEADER .. row(101, 202) .. row(102, 203)), rows_of(read_file(output)))
    assert_absent "links.csv.part"
  end)

  it("has the records that can be read, where some cannot", function()
    local result = run_on("read", { "--output", path "links.csv", "-" }, { stdin = "101\n1.5\n" })
    assert.are.equal(1, result.code)
    assert.are.equal(HEADER .. row(101, 202), read_file(path "links.csv"))
  end)

  it("is JSON Lines when its name says so, and by list, labels, types and doctor as well", function()
    local function written(name, output, more)
      local arguments = { "--output", path(output) }
      for _, word in ipairs(more) do arguments[#arguments + 1] = word end
      local result = fixture.run(name, arguments)
      assert.are.same({ 0, "", "" }, { result.code, result.stdout, result.stderr })
      return read_file(path(output))
    end
    local both = { "--from", "contacts", "--to", "companies" }
    assert_found(written("list", "l.jsonl", { "contacts", "101", "companies" }), '{"from":"101","to":"202",')
    assert_found(written("list", "l.csv", { "contacts", "101", "companies" }), HEADER)
    assert_found(written("labels", "l.ndjson", both), '{"category":"HUBSPOT_DEFINED",')
    assert_found(written("doctor", "d.txt", both), "\n\nNothing is wrong")
    local result = command.run { "types", "--output", path "t.csv", "--from", "contacts" }
    assert.are.equal(0, result.code)
    assert_found(read_file(path "t.csv"), "from,to,name,type\n")
  end)

  it("is not there when the command stops, and what was there stays", function()
    local output = file("links.csv", "what was there\n")
    fixture.server:configure { forbidden = { "crm.objects.contacts.read" } }
    local result = run_on("read", { "--output", output, "-" }, { stdin = "101\n" })
    assert.are.equal(2, result.code)
    assert.are.equal("what was there\n", read_file(output))
    assert_absent "links.csv.part"
  end)

  it("is gone on with by a journal, from the part that is kept", function()
    local arguments = { "--output", path "links.csv", "--journal", path "journal", "--batch-size", "1",
      "--concurrency", "1", file("ids.csv", "101\n102\n") }
    fixture.server:configure { rate = { limit = 100, daily = 1 } }
    local result = run_on("read", arguments)
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "links.csv.part has the links so far; it becomes " .. path "links.csv")
    assert_absent "links.csv"
    assert.are.equal(HEADER .. row(101, 202), read_file(path "links.csv.part"))
    fixture.server:configure { rate = { limit = 100, daily = 100 } }
    result = run_on("read", arguments)
    assert.are.equal(0, result.code)
    assert.are.equal(HEADER .. row(101, 202) .. "\n" .. row(102, 203), read_file(path "links.csv"))
    assert_absent "links.csv.part"
    -- Once more: all is done, and the file that has it must not be replaced by an empty one.
    result = run_on("read", arguments)
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "links.csv.part, with the rows of that run, is not there")
    assert.are.equal(HEADER .. row(101, 202) .. "\n" .. row(102, 203), read_file(path "links.csv"))
  end)

  it("does not take the place of what is no file, or of a part that is another's", function()
    process.run { "mkfifo", path "pipe" }
    file("own.csv.part", "somebody's\n")
    file("killed.csv.part", HEADER .. "1,2,HUB")
    for output, why in pairs {
      [path "pipe"] = "is not a regular file", [path "own.csv"] = "is there already, and is not what",
      [path "none/links.csv"] = "No such file",
    } do
      local result = run_on("read", { "--output", output, "-" }, { stdin = "101\n" })
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "--output: ")
      assert_found(result.stderr, why)
    end
    assert.are.equal("somebody's\n", read_file(path "own.csv.part"))
    assert.are.equal(0, run_on("read", { "--output", path "killed.csv", "-" }, { stdin = "101\n" }).code)
    assert.are.equal(HEADER .. row(101, 202), read_file(path "killed.csv"))
  end)

  it("is no FILE, and is not written by two processes", function()
    local ids = file("ids.csv", "id\n101\n")
    assert_found(run_on("read", { "--output", ids, ids }).stderr, "FILE and --output are the same file")
    os.rename(ids, path "x.part")
    assert_found(run_on("read", { "--output", path "x", path "x.part" }).stderr, "are the same file")
    local other = assert(core.file(path "links.csv.part"))
    local result = run_on("read", { "--output", path "links.csv", "-" }, { stdin = "101\n" })
    other:close()
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "links.csv.part, which is written first, cannot be used: another process")
  end)

  it("is not there when it cannot be written", function()
    local result = run_on("read", { "--output", "/dev/full", "-" }, { stdin = "101\n" })
    assert.are.equal(2, result.code)
    local links = {}
    for number = 1, 500 do links[number] = "101," .. 1000 + number end
    create({ "--type", "279", "-" }, { stdin = table.concat(links, "\n") })
    local argv = command.argv({ "read", "--from", "contacts", "--to", "companies", "--base-url",
      fixture.server:url(), "--output", path "links.csv", "-" }, 'ulimit -f 8; trap "" XFSZ; exec "$@"')
    result = process.run(argv, { stdin = "101\n", env = command.environment() })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "links.csv cannot be written: File too large")
    assert_absent "links.csv"
    assert_absent "links.csv.part"
  end)
end)
