-- Checks the command list as its users run it: a process of its own, against the sandbox, over real HTTP.

local command = require "support.command"

local fixture = command.fixture()
local create, run = fixture.create, fixture.run
local assert_found = command.assert_found

describe("the command list", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  before_each(function()
    create({ "-" }, { stdin = "101,202,1\n101,203,279\n" })
  end)

  it("shows the links of one record, as CSV where there is no terminal", function()
    assert.are.same({
      code = 0, stderr = "",
      stdout = "from,to,category,type,label\n101,202,HUBSPOT_DEFINED,1,Primary\n"
        .. "101,202,HUBSPOT_DEFINED,279,\n101,203,HUBSPOT_DEFINED,279,\n",
    }, run("list", { "contacts", "101", "companies" }))
  end)

  it("shows them as a table, or as JSON Lines", function()
    local result = run("list", { "contacts", "101", "0-2", "--output", "table" })
    assert_found(result.stdout, "from  to   category         type  label\n"
      .. "101   202  HUBSPOT_DEFINED  1     Primary\n")
    result = run("list", { "contacts", "101", "0-2", "--output", "jsonl" })
    assert_found(result.stdout, '{"from":"101","to":"203","category":"HUBSPOT_DEFINED","type":279}\n')
  end)

  it("shows all pages", function()
    fixture.server:configure { page_size = 1 }
    local result = run("list", { "contacts", "101", "companies" })
    assert.are.equal(4, select(2, result.stdout:gsub("\n", "")))
  end)

  it("says what arguments are wrong, and why it could not run", function()
    assert_found(run("list", { "contacts", "1.5", "companies" }).stderr, "ID: expected a record id")
    local result = run("list", { "nothings", "101", "companies" })
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "nothings")
    result = run("list", { "contacts", "101", "companies" }, { env = { HUBSPOT_TOKEN = "expired" } })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "unauthorized: ")
    result = run("list", { "contacts", "101", "companies" }, { env = { HUBSPOT_TOKEN = false } })
    assert_found(result.stderr, "no token: ")
  end)
end)
