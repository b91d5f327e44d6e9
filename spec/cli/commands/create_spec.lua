-- Checks the command create as its users run it: a process of its own, against the sandbox, over real HTTP.
-- What it shares with other commands, such as how files are read, is checked by the specs of those parts.

local command = require "support.command"

local fixture = command.fixture()
local create, file, held = fixture.create, fixture.file, fixture.held
local assert_found = command.assert_found

describe("the command create", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("links the pairs of a CSV file, and says so", function()
    local result = create { file("pairs.csv", "from,to\n101,202\n102,203\n") }
    assert.are.same({ code = 0, stdout = "2 rows: 2 created, 0 failed\n1 request; T\n", stderr = "" },
      command.steady(result))
    assert.are.same({ "101/202/1", "102/203/1" }, held())
  end)

  it("links the pairs of standard input", function()
    local result = create({ "-" }, { stdin = "101,202,1\r\n102,203,279\r\n" })
    assert.are.equal(0, result.code)
    assert.are.same({ "101/202/1", "102/203/279" }, held())
  end)

  it("links by the names of types, those of the account among them", function()
    fixture.server:configure { labels = { ["36"] = "Decision maker" } }
    local result = create({ "--type", "Decision maker", "-" },
      { stdin = "from,to,type\n101,202,\n102,203,contact_to_company\n" })
    assert.are.equal(0, result.code, result.stderr)
    assert.are.same({ "101/202/36", "102/203/279" }, held())
  end)

  it("names the scope that is missing to ask for the account's types", function()
    fixture.server:configure { labels = { ["36"] = "Boss" }, forbidden = { "crm.objects.contacts.read" } }
    local result = create({ "--type", "Boss", "-" }, { stdin = "101,202\n" })
    assert.are_not.equal(0, result.code)
    assert_found(result.stdout .. result.stderr, "the labels from contacts to companies")
    assert_found(result.stdout .. result.stderr, "crm.objects.contacts.read")
    assert.are.same({}, held())
  end)

  it("links the pairs of JSON Lines, in either form", function()
    local result = create { "--type", "279", file("pairs.jsonl",
      '{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"HUBSPOT_DEFINED",'
      .. '"associationTypeId":1}]}\n{"from":3,"to":"4"}\n') }
    assert.are.equal(0, result.code)
    assert.are.same({ "1/2/1", "3/4/279" }, held())
  end)

  it("links 2,000 pairs in one request", function()
    local lines = {}
    for line = 1, 2000 do lines[line] = ("%d,%d"):format(line + 1000000, line + 2000000) end
    local result = create({ "-" }, { stdin = table.concat(lines, "\n") })
    assert_found(result.stdout, "2000 rows: 2000 created, 0 failed\n1 request; ")
    assert.are.equal(0, result.code)
    local statistics = fixture.server:statistics()
    assert.are.same({ 1, 2000 }, { statistics.requests, statistics.associations })
  end)

  it("ends with 1 when some were not created, and says which and why", function()
    local result = create({ "-" }, { stdin = "from,to\n1,2\n4041,3\n\n5,6\n7,4042\n" })
    assert.are.same({
      code = 1,
      stdout = "4 rows: 2 created, 2 failed\n1 request; T\n"
        .. "line 3: 4041 to 3: OBJECT_NOT_FOUND: No contact with ID 4041 exists\n"
        .. "line 6: 7 to 4042: OBJECT_NOT_FOUND: No company with ID 4042 exists\n",
      stderr = "",
    }, command.steady(result))
    assert.are.same({ "1/2/1", "5/6/1" }, held())
  end)

  it("uses the category that was asked for", function()
    local result = create({ "--type", "30", "--category", "USER_DEFINED", "-" }, { stdin = "1,2\n" })
    assert.are.equal(0, result.code)
    assert.are.equal("USER_DEFINED", fixture.server:associations()[1].associationCategory)
  end)

  it("uses the API version that was asked for", function()
    assert.are.equal(0, create({ "--api-version", "v4", "-" }, { stdin = "1,2\n" }).code)
    assert.are.equal(2, create({ "--api-version", "1999-01", "-" }, { stdin = "1,2\n" }).code)
  end)
end)
