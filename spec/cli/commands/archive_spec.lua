-- Checks the command archive as its users run it: a process of its own, against the sandbox, over real HTTP.

local command = require "support.command"

local fixture = command.fixture()
local create, file, held, run_on = fixture.create, fixture.file, fixture.held, fixture.run_on
local assert_found = command.assert_found

describe("the command archive", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  local function link()
    assert.are.equal(0, create({ "-" }, { stdin = "101,202,1\n101,203,279\n102,202,279\n" }).code)
  end

  it("removes all types of pairs, and says that HubSpot accepted it", function()
    link()
    local result = run_on("archive", { "--yes", "-" }, { stdin = "from,to\n101,202\n101,203\n,7\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "3 rows: 2 archived, 1 failed\n1 request; T\nline 4: from: expected")
    assert.are.same({ "102/202/279" }, held())
  end)

  it("goes on from a journal, and its failures can be fed back", function()
    local more = { "--yes", "--journal", fixture.path "j", "--failures", fixture.path "f",
      file("pairs.csv", "1,2\nx,3\n") }
    assert.are.equal(1, run_on("archive", more).code)
    assert_found(run_on("archive", more).stdout, "; 2 of them known from the journal")
    local rows = fixture.file("g.csv", (io.open(fixture.path "f"):read "*a":gsub("x", "5")))
    assert_found(run_on("archive", { "--yes", rows }).stdout, "1 row: 1 archived, 0 failed")
  end)

  it("takes a file with types with --all-types only", function()
    link()
    local rows = file("links.csv", run_on("read", { "-" }, { stdin = "101\n" }).stdout)
    local result = run_on("archive", { "--yes", rows })
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "links.csv: line 2, column type: the row has a type")
    assert_found(result.stderr, "nothing was sent\n")
    assert.are.equal(3, #held())
    result = run_on("archive", { "--yes", "--all-types", rows })
    assert_found(result.stdout, "3 rows: 3 archived, 0 failed; 1 of them a duplicate\n")
    assert.are.same({ "102/202/279" }, held())
  end)

  it("finds a row bad that has a type, where the others have none", function()
    link()
    local result = run_on("archive", { "--yes", "-" }, { stdin = "101,202\n101,203,279\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "2 rows: 1 archived, 1 failed\n")
    assert_found(result.stdout, "line 2: column type: the row has a type")
    assert.are.same({ "101/203/279", "102/202/279" }, held())
  end)
end)
