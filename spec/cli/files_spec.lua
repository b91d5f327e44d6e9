-- Checks files.lua by the command: two of its files that are the same, and names that act on a terminal.

local command = require "support.command"
local process = require "support.process"

local fixture = command.fixture()
local assert_cannot_run, file, path = fixture.assert_cannot_run, fixture.file, fixture.path
local assert_found, read_file = command.assert_found, process.read_file

describe("the files of the command", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("may not be FILE and one that is written, which stays as it is", function()
    local rows = file("same.csv", "1,2\n")
    assert_cannot_run({ "--failures", rows, rows }, "FILE and --failures are the same file")
    assert_cannot_run({ "--journal", path "./same.csv", rows }, "FILE and --journal are")
    assert.are.equal("1,2\n", read_file(rows))
  end)

  it("may not be one FILE twice, by whatever name", function()
    local rows = file("rows.csv", "1,2\n")
    process.run { "ln", "-s", "rows.csv", path "link" }
    assert_cannot_run({ rows, rows }, "rows.csv is given twice")
    assert_cannot_run({ rows, path "link" }, "link is given twice")
    assert_cannot_run({ "-", rows, "-" }, "standard input (-) is given twice", { stdin = "3,4\n" })
    assert_cannot_run({ "--failures", rows, path "other.csv", rows }, "FILE and --failures are the same file")
  end)

  it("may not be two that are one, of which one is written", function()
    local token = file("token", "a-token-0123456789\n")
    local rows = file("rows.csv", "1,2\n")
    process.run { "ln", "-s", "token", path "link" }
    for _, more in ipairs {
      { "--token-file", token, "--failures", path "link", rows },
      { "--token-file", token, "--journal", token, rows },
      { "--token-file", token, "--failures", rows, rows }, { "--ca-file", rows, "--failures", rows, "-" },
      { "--failures", path "new", "--journal", path "new", "-" },
    } do
      local result = command.run(command.create("http://127.0.0.1:1", more, "1"), { stdin = "1,2\n" })
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "are the same file")
    end
    assert.are.equal("a-token-0123456789\n", read_file(token))
    assert.are.equal("1,2\n", read_file(rows))
  end)

  it("may not turn out to be the journal, once there is one", function()
    process.run { "ln", "-s", "journal", path "link" }
    for _, name in ipairs { path "./journal", path "link" } do
      local arguments = { "--failures", name, "--journal", path "journal", "-" }
      local result = command.run(command.create("http://127.0.0.1:1", arguments, "1"),
        { stdin = "from,to\n,2\n" })
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "--failures and --journal are the same file")
      assert.matches('^{"format"', read_file(path "journal"))
      process.run { "rm", path "journal" }
    end
  end)

  it("may not be standard input or output, by another name", function()
    local rows = file("rows.csv", "1,2\n")
    for script, name in pairs {
      ['"$@" <' .. rows] = "FILE", ['"$@" >>' .. rows] = "standard output",
      ['"$@" 2>>' .. rows] = "standard error",
    } do
      local arguments = command.create("http://127.0.0.1:1", { "--failures", rows, "-" }, "1")
      local result = process.run(command.argv(arguments, script), { env = command.environment() })
      assert.are.equal(2, result.code)
      if name ~= "standard error" then
        assert_found(result.stderr, name .. " and --failures are the same file: " .. rows)
      end
    end
    assert.matches("^1,2\n", read_file(rows))
  end)

  it("are named without what acts on a terminal", function()
    local HOSTILE = command.HOSTILE_NAME
    for _, more in ipairs {
      { path(HOSTILE) }, { "--token-file", path(HOSTILE), "-" },
      { "--journal", path "none/" .. HOSTILE, "-" }, { "--ca-file", path(HOSTILE), "-" },
      { "--failures", path "none/" .. HOSTILE, "-" },
    } do
      local result = command.run(command.create("http://127.0.0.1:1", more, "1"), { stdin = "1,2\n" })
      assert.are.equal(2, result.code)
      assert.is_nil((result.stdout .. result.stderr):find("[%z\1-\9\11-\31\127]"))
    end
  end)
end)
