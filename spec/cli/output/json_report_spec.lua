-- Checks json_report.lua, and the command that writes by it.

local cjson = require "cjson"
local command = require "support.command"
local json_report = require "hubspot.associations.cli.output.json_report"

local fixture = command.fixture()

describe("the report for scripts", function()
  it("has its fields in order, and texts as JSON", function()
    local run = {
      counts = { inputs = 2, created = 1, failures = {}, event_error = {}, planned = { removals = 1 } },
      reasons = { 'line 1: "x"' }, why = "no\nmore",
    }
    assert.equal('{"created":1,"exit":2,"inputs":2,"planned":{"removals":1},"reasons":["line 1: \\"x\\""],'
      .. '"stopped":"no\\nmore"}\n', json_report.text(run, 2))
    run = { counts = { inputs = 0 }, reasons = {}, why = "canceled", is_interrupted = true }
    assert.equal('{"exit":130,"inputs":0,"stopped":"interrupted"}\n', json_report.text(run, 130))
  end)
end)

describe("the command", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("writes an object to standard output with --json, also when it is to be quiet", function()
    for _, more in ipairs { "--json", "--quiet" } do
      local result = fixture.create({ "--json", more == "--quiet" and more or "--dry-run", "-" },
        { stdin = "1,2\n4041,9\n,3\n" })
      local report = cjson.decode(result.stdout)
      assert.equal(1, result.code)
      assert.equal(1, report.exit)
      assert.equal(3, report.inputs)
      assert.equal(more == "--quiet" and 2 or 1, #report.reasons)
      assert.is_nil(result.stdout:find "\n.")
    end
  end)

  it("says in it why it stopped", function()
    fixture.server:configure { token = "another" }
    local result = fixture.create({ "--json", "-" }, { stdin = "1,2\n" })
    local report = cjson.decode(result.stdout)
    assert.equal(2, result.code)
    assert.equal(2, report.exit)
    assert.matches("^unauthorized: ", report.stopped)
    assert.is_nil(result.stdout:find(command.TOKEN, 1, true))
  end)

  it("writes its progress as objects, and a last one that is done", function()
    local result = fixture.create({ "--progress", "json", "-" }, { stdin = "1,2\n4041,9\n" })
    local last
    for line in result.stderr:gmatch "[^\n]+" do last = cjson.decode(line) end
    assert.is_true(last.done)
    assert.same({ 2, 1 }, { last.rows, last.failed })
  end)
end)
