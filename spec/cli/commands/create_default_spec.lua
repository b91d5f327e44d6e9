-- Checks the command create-default as its users run it: a process of its own, against the sandbox, over
-- real HTTP.

local command = require "support.command"

local fixture = command.fixture()
local held, run_on = fixture.held, fixture.run_on
local assert_found = command.assert_found

describe("the command create-default", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("links pairs by the default type", function()
    local result = run_on("create-default", { "-" }, { stdin = "from,to\n101,202\n4041,203\n" })
    assert.are.same({
      code = 1, stderr = "",
      stdout = "2 rows: 1 created, 1 failed\n1 request; T\n"
        .. "line 3: 4041 to 203: OBJECT_NOT_FOUND: No contact with ID 4041 exists\n",
    }, result)
    assert.are.same({ "101/202/279" }, held())
  end)

  it("verifies what it linked, when it is asked to", function()
    local result = run_on("create-default", { "--verify", "-" }, { stdin = "101,202\n" })
    assert.are.equal(0, result.code)
    assert_found(result.stdout, "1 row: 1 created, 0 failed\n2 requests; ")
  end)

  it("takes no file with types, and no row with one", function()
    local result = run_on("create-default", { "-" }, { stdin = "from,to,type\n1,2,1\n" })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "line 2, column type: the row has a type, and the default type would be made")
    result = run_on("create-default", { "-" }, { stdin = "1,2\n3,4,1\n" })
    assert.are.equal(1, result.code)
    assert.are.same({ "1/2/279" }, held())
  end)

  it("has a dry run, which needs no token", function()
    local options = { stdin = "1,2\n", env = { HUBSPOT_TOKEN = false } }
    local result = run_on("create-default", { "--dry-run", "-" }, options)
    assert_found(result.stdout, "1 can be sent, in 1 request")
    assert.are.equal(0, fixture.server:statistics().requests)
  end)
end)
