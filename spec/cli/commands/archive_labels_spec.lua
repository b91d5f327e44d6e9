-- Checks the command archive-labels as its users run it: a process of its own, against the sandbox, over
-- real HTTP.

local command = require "support.command"
local responses = require "support.responses"

local fixture = command.fixture()
local create, held, run_on = fixture.create, fixture.held, fixture.run_on
local assert_found = command.assert_found

describe("the command archive-labels", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  local function link()
    assert.are.equal(0, create({ "-" }, { stdin = "101,202,1\n101,203,1\n" }).code)
  end

  -- What a read of these contacts shows.
  local function shown(ids)
    return (run_on("read", { "-q", "-" }, { stdin = ids }).stdout:gsub("^[^\n]*\n", ""))
  end

  it("removes single types, and leaves the others", function()
    link()
    local result = run_on("archive-labels", { "--yes", "--type", "1", "-" }, { stdin = "101,202\n" })
    assert.are.same({ code = 0, stdout = "1 row: 1 archived, 0 failed\n1 request; T\n", stderr = "" }, result)
    assert.are.equal("101,202,HUBSPOT_DEFINED,279,\n101,203,HUBSPOT_DEFINED,1,Primary\n"
      .. "101,203,HUBSPOT_DEFINED,279,\n", shown "101\n")
  end)

  it("reads what read writes, without the rows of the unlabeled type, unless all types may go", function()
    link()
    local links = run_on("read", { "-q", "-" }, { stdin = "101\n" }).stdout
    local result = run_on("archive-labels", { "--yes", "-" }, { stdin = links })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "3 rows: 1 archived, 2 failed\n")
    assert_found(result.stdout, "column type: the unlabeled type is among its types")
    assert.are.equal("101,202,HUBSPOT_DEFINED,279,\n101,203,HUBSPOT_DEFINED,279,\n", shown "101\n")
    assert.are.equal(0, run_on("archive-labels", { "--yes", "--all-types", "-" }, { stdin = links }).code)
    assert.are.same({}, held())
  end)

  for _, name in ipairs { "279", "1 279", "HUBSPOT_DEFINED:279", "unlabeled", "contact_to_company" } do
    it("needs --all-types for the type " .. name, function()
      local result = run_on("archive-labels", { "--yes", "--type", name, "-" }, { stdin = "1,2\n" })
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "option '--type': the unlabeled type is among its types")
      assert_found(result.stderr, "nothing was sent")
      assert.are.equal(0, fixture.server:statistics().requests)
    end)
  end

  it("finds the unlabeled type in a list of JSON, by its name or its id", function()
    local rows = ""
    for _, types in ipairs { '["unlabeled"]', '["primary","contact_to_company"]', "[1,279]", '"unlabeled"',
      '[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]' } do
      rows = rows .. ('{"from":1,"to":2,"types":%s}\n'):format(types)
    end
    local result = run_on("archive-labels", { "--yes", "-" }, { stdin = rows })
    assert_found(result.stdout, "5 rows: 0 archived, 5 failed\n0 requests; T\n"
      .. "lines 1 to 5: column types: the unlabeled type")
  end)

  it("asks the account which type is the unlabeled one, where an object is custom", function()
    for _, unlabeled in ipairs { '37,"label":null', '"37"', '37,"label":""', '37,"label":" "' } do
      local page = ([[{"results":[{"category":"USER_DEFINED","typeId":%s},
        {"category":"USER_DEFINED","typeId":38,"label":"Owner"}]}]]):format(unlabeled)
      local server = fixture.raw { responses.script { responses.of(200, page), responses.of(204, "") } }
      local result = command.run({ "archive-labels", "--base-url", server:url(), "--from", "contacts",
        "--to", "2-77", "--yes", "-" },
        { stdin = "1,2,USER_DEFINED:37\n1,2,USER_DEFINED:38\n" })
      assert.are.equal(1, result.code)
      assert_found(result.stdout, "2 rows: 1 archived, 1 failed\n")
      assert_found(result.stdout, "line 1: column type: the unlabeled type")
    end
  end)

  it("does not ask that in a dry run, and its help says so", function()
    local arguments = { "archive-labels", "--from", "contacts", "--to", "2-77", "--dry-run", "-" }
    local result = command.run(arguments, { stdin = "1,2,USER_DEFINED:37\n1,2,unlabeled\n" })
    assert_found(result.stdout, "line 2: column type: the unlabeled type")
    assert.is_nil(result.stdout:find("line 1", 1, true))
    local help = command.run({ "archive-labels", "--help" }, {}).stdout:gsub("%s+", " ")
    assert_found(help, "a dry run does not ask, and takes such a row for a good one, unless it says")
  end)
end)
