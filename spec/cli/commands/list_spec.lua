-- Checks the command list as its users run it: a process of its own, against the sandbox, over real HTTP.

local command = require "support.command"
local exchange = require "support.exchange"
local screen = require "support.screen"

local fixture = command.fixture()
local create, run = fixture.create, fixture.run
local assert_found = command.assert_found
local unpack = table.unpack or unpack -- luacheck: globals unpack

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
    local result = run("list", { "contacts", "101", "0-2", "--output-format", "table" })
    assert_found(result.stdout, "from  to   category         type  label\n"
      .. "101   202  HUBSPOT_DEFINED  1     Primary\n")
    result = run("list", { "contacts", "101", "0-2", "--output-format", "jsonl" })
    assert_found(result.stdout, '{"from":"101","to":"203","category":"HUBSPOT_DEFINED","type":279}\n')
  end)

  it("lets no label act on a terminal, and writes it as it is to a file", function()
    if not screen.is_there() then pending "tmux is not installed (tools/setup installs it with apt)" end
    fixture.server:configure { labels = { ["36"] = "a\27[2Jb" } }
    create({ "-" }, { stdin = "101,202,USER_DEFINED:36\n" })
    local arguments = { "contacts", "101", "companies", "--output-format", "csv" }
    assert_found(run("list", arguments).stdout, "36,a\27[2Jb\n")
    for _, word in ipairs { "--base-url", fixture.server:url() } do arguments[#arguments + 1] = word end
    local shown = screen.start(100, command.argv { "list", unpack(arguments) }, command.environment {})
    exchange.eventually(function()
      return table.concat(shown:lines(), "\n"):find("36,a [2Jb", 1, true) ~= nil
    end, "the rows")
    shown:close()
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
