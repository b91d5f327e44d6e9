-- Checks job_command.lua: what a command that runs a job says when it cannot, or has to stop, what it says
-- beside the report, and how it ends.

local command = require "support.command"
local process = require "support.process"
local responses = require "support.responses"

local TOKEN = command.TOKEN

local fixture = command.fixture()
local assert_cannot_run, create, file = fixture.assert_cannot_run, fixture.create, fixture.file
local assert_found = command.assert_found

describe("a command that runs a job", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  describe("when it cannot run, or stops,", function()

    -- A job that began, and had to stop.
    local function stopped(arguments, part, advice)
      local result = create(arguments, { stdin = "1,2" })
      assert.are.equal(2, result.code)
      assert_found(result.stdout, "1 row: 0 created, 0 failed, 1 not sent\n")
      assert_found(result.stderr, part)
      assert_found(result.stderr, advice or "to go on, run the same command again")
    end

    it("says so of arguments that it does not know", function()
      assert_cannot_run({ "--token", TOKEN, "-" }, "HUBSPOT_TOKEN or --token-file")
    end)

    it("says so of a base URL that would show the token to the network", function()
      assert_cannot_run({ "--base-url", "http://example.com", "-" }, "'--base-url': expected")
    end)

    it("says so when nobody listens", function()
      local arguments = { "--max-attempts", "1", "--base-url", "http://127.0.0.1:1", "-" }
      stopped(arguments, "network: ")
    end)

    it("says why HubSpot rejected the requests", function()
      stopped({ "--from", "nothings", "-" }, "Unable to infer object type from: nothings",
        "correct --from or --to\n")
      fixture.server:configure { token = "another" }
      stopped({ "-" }, "unauthorized: ")
    end)
  end)

  it("says that it waits, when it tries again", function()
    local raw = fixture.raw {
      { { "read_request" }, { "send", responses.of(503, "") } }, responses.script(responses.created(), 2),
    }
    local result = command.run(command.create(raw:url(), { "-" }, "1"), { stdin = "1,2\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "3 requests, 1 of them a retry; ")
    assert.truthy(result.stderr:find("^hubspot%-associations: HTTP 503; trying again in %d%.%d s\n$"))
  end)

  it("writes a line for each request, when it is to be verbose", function()
    local raw = fixture.raw {
      { { "read_request" }, { "close" } },
      { { "read_request" }, { "send", responses.of(503, "") } }, responses.script(responses.created(), 2),
    }
    local result = command.run(command.create(raw:url(), { "-v", "--progress", "none", "-" }, "1"),
      { stdin = "1,2\n" })
    local request = "hubspot%-associations: POST /crm/associations/2025%-09/contacts/companies/batch/create"
    assert.matches(request .. ": network in %d+ ms: [^\n]*\n", result.stderr)
    assert.matches(request .. " %(attempt 2%): 503 in %d+ ms\n", result.stderr)
    assert.matches(request .. " %(attempt 3%): 20%d in %d+ ms\n", result.stderr)
    assert.is_nil((result.stderr .. result.stdout):find(command.TOKEN, 1, true))
  end)

  it("writes the correlation id of each request then", function()
    local result = create({ "--verbose", "-" }, { stdin = "1,2\n" })
    assert.matches("batch/create: 20%d in %d+ ms, correlation id [%w-]+\n", result.stderr)
    result = command.run({ "list", "contacts", "1", "companies", "-v", "--base-url", fixture.server:url() })
    assert.matches(": GET /crm/objects/[^\n]*: 200 in %d+ ms", result.stderr)
  end)

  it("says nothing when it is to be quiet and all went well, and else only the report", function()
    local result = create({ "--quiet", "-" }, { stdin = "1,2\n" })
    assert.are.same({ code = 0, stdout = "", stderr = "" }, result)
    result = create({ "--quiet", "-" }, { stdin = "1,2\n4041,3\n" })
    assert.are.same({ 1, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "2 rows: 1 created, 1 failed\n")
  end)

  -- A shell command around the command, with what it needs in the environment.
  local function shell(script)
    local arguments = fixture.arguments { file("pairs.csv", "1,2\n4041,3\n") }
    return process.run(command.argv(arguments, script), { env = command.environment() })
  end

  it("ends quietly when the reader of its report is gone", function()
    for _, before in ipairs { "", "trap '' PIPE; " } do
      local result = shell(before .. '"$@" | true')
      assert.are.same({ 0, "", "" }, { result.code, result.stdout, result.stderr })
    end
  end)

  it("ends with 2, and says what was created, when the report cannot be written", function()
    local result = shell '"$@" >/dev/full'
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "1 of 2 rows were created")
    assert_found(result.stderr, "the report cannot be written: ")
  end)
end)
