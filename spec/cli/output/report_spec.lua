-- Checks what the command says of what happened: HubSpot's reasons and what to do, against servers that
-- respond as HubSpot was seen to. What a job does about a response is checked in spec/job.

local certificates = require "support.certificates"
local command = require "support.command"
local process = require "support.process"
local responses = require "support.responses"

local fixture = command.fixture()
local create, create_against, file, path = fixture.create, fixture.create_against, fixture.file, fixture.path
local assert_found = command.assert_found

local GO_ON = "to go on, run the same command again"

describe("the report", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("tells rows together that fail for the same record", function()
    local result = create({ "-" }, { stdin = "4041,3\n4041,4\n1,2\n4041,3\n4042,3\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "5 rows: 1 created, 4 failed; 1 of them a duplicate\n")
    assert_found(result.stdout, "\nlines 1 to 2 and 4: OBJECT_NOT_FOUND: No contact with ID 4041 exists\n")
    assert_found(result.stdout, "\nline 5: 4042 to 3: OBJECT_NOT_FOUND: No contact with ID 4042 exists\n")
  end)

  it("shows up to 20 rows by themselves, and what more have in common in one line", function()
    local rows = {}
    for line = 1, 20 do rows[line] = ("404%d,3\n"):format(line) end
    local result = create({ "-" }, { stdin = table.concat(rows) })
    assert_found(result.stdout, "\nline 1: 4041 to 3: OBJECT_NOT_FOUND: No contact with ID 4041 exists\n")
    assert_found(result.stdout, "\nline 20: 40420 to 3: OBJECT_NOT_FOUND: No contact with ID 40420 exists\n")
    rows[21] = "1,2\n40422,3\n"
    result = create({ "-" }, { stdin = table.concat(rows) })
    assert_found(result.stdout,
      "\nlines 1 to 20 and 22: OBJECT_NOT_FOUND: No contact with ID <from> exists\n")
  end)

  it("counts rows that are there twice, whatever became of them", function()
    local rows = "1,2\n4041,3\n1,2\n4041,3\n5,6\n"
    local function said(arguments, text) return create(arguments, { stdin = text }).stdout end
    assert_found(said({ "-" }, rows), "5 rows: 3 created, 2 failed; 2 of them duplicates\n")
    assert_found(said({ "-" }, "1,2\n1,2\n"), "2 created, 0 failed; 1 of them a duplicate\n")
    assert_found(said({ "--dry-run", "-" }, rows), "; 0 cannot; 2 of them duplicates; nothing")
    assert_found(said({ "--json", "-" }, rows), '"duplicates":2,')
  end)

  it("says how much of the rate limit was used, as far as HubSpot says what it is", function()
    fixture.server:configure { rate = { limit = 100, daily = 5000 } }
    local one_by_one = { "--batch-size", "1", "--concurrency", "1", "-" } -- answered in their order
    local result = create(one_by_one, { stdin = "1,2\n3,4\n" })
    assert.matches("\n2 requests; [^\n]*; 2 %% of the rate limit, 4998 requests left today\n", result.stdout)
    fixture.server:configure { rate = { limit = 1000 } }
    assert.matches("; under 1 %% of the rate limit\n", create({ "-" }, { stdin = "1,2\n" }).stdout)
    result = create({ "--json", "-" }, { stdin = "1,2\n" })
    assert_found(result.stdout, '"rate_limit":{"interval":10,"max":1000,"share":0.001}')
  end)

  it("keeps control characters of the server from the terminal", function()
    local body = '{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"category":"\\u001b[2J",'
      .. '"message":"a\\u001b]0;title\\u0007b\\nc\\u009b31m","context":{"fromObjectId":["1"]}}]}'
    local raw = fixture.raw({ responses.script(responses.created(body)) })
    local result = command.run(command.create(raw:url(), { "-" }, "1"), { stdin = "1,2\n" })
    assert.are.equal(1, result.code)
    assert.are.equal("1 row: 0 created, 1 failed\n1 request; T\n"
      .. "line 1: 1 to 2:  [2J: a ]0;title b c 31m\n", command.steady(result).stdout)
  end)

  it("counts rows as unconfirmed that the response leaves out", function()
    local raw = fixture.raw({ responses.script(responses.created()) })
    local result = command.run(command.create(raw:url(), { "-" }, "1"), { stdin = "1,2\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "1 row: 0 created, 0 failed, 1 unconfirmed\n")
    assert_found(result.stdout, "\nline 1: 1 to 2: unconfirmed: ")
  end)

  it("has unconfirmed rows sent again, and says not that they are to be corrected", function()
    for rows, advice in pairs {
      ["1,2\n"] = ": give it to this command", ["1,2\n,3\n"] = ": correct the rows that failed, and give it",
    } do
      local result = create_against({ responses.created() }, { "--failures", path "unconfirmed.csv" }, rows)
      assert_found(result.stdout, advice)
    end
  end)

  it("says that repeating is safe when the response was lost", function()
    local raw = fixture.raw { { { "read_request" } } }
    local arguments = command.create(raw:url(), { "--max-attempts", "1", "-" }, "1")
    local result = command.run(arguments, { stdin = "1,2\n" })
    assert.are.equal(2, result.code)
    assert_found(result.stdout, "1 unconfirmed")
    assert_found(result.stderr, "creating an association twice changes nothing")
  end)

  describe("says why", function()
    it("a row was rejected: the reason in the context, under whatever key", function()
      for _, key in ipairs { "INVALID_OBJECT_IDS", "NEVER_SEEN_BEFORE" } do
        local body = ([[{"message":"One or more associations are invalid","category":"VALIDATION_ERROR",
          "context":{"%s":["CONTACT=40401 is not valid"],"objectId":["40401"],"objectType":["CONTACT"]}}]])
        local result = create_against { responses.rejected(400, body:format(key)) }
        assert.are.equal(1, result.code)
        assert_found(result.stdout, "line 1: 101 to 202: VALIDATION_ERROR: "
          .. "One or more associations are invalid: CONTACT=40401 is not valid\n")
      end
    end)

    it("in the file of failures, too", function()
      local body = [[{"message":"Refused","context":{"WHY":["since it is so"]},"category":"C"}]]
      create_against({ responses.rejected(400, body) }, { "--failures", path "failed.csv" })
      assert_found(process.read_file(path "failed.csv"), "1,101,202,1,failed,C,Refused: since it is so\n")
    end)

    it("rows were rejected that have the same reason, once, with their lines and a count", function()
      local errors = {}
      local rows = {}
      for row = 1, 50 do
        rows[row] = ("%d,202\n"):format(100 + row)
        errors[row] = ('{"category":"LIMIT","message":"Too many","context":{"fromObjectId":["%d"]}}'):format(
          100 + (row % 2 == 1 and row or 200 + row))
      end
      local named = {}
      for row = 1, 49, 2 do named[#named + 1] = errors[row] end
      local results = {}
      for row = 2, 50, 2 do
        results[#results + 1] = ('{"fromObjectId":%d,"toObjectId":202}'):format(100 + row)
      end
      local body = ('{"status":"COMPLETE","results":[%s],"numErrors":25,"errors":[%s]}'):format(
        table.concat(results, ","), table.concat(named, ","))
      local result = create_against({ responses.of(207, body) }, nil, table.concat(rows))
      assert_found(result.stdout, "50 rows: 25 created, 25 failed\n")
      assert_found(result.stdout, "\nlines 1, 3, 5 and 22 more: LIMIT: Too many\n")
    end)

    it("a 403: the scopes that are missing", function()
      for _, name in ipairs { "requiredGranularScopes", "requiredScopes" } do
        local body = ([[{"status":"error","message":"This app hasn't been granted all required scopes to make
          this call.","errors":[{"message":"One or more of the following scopes are required.",
          "context":{"%s":["crm.objects.companies.write","crm.objects.contacts.write"]}}],
          "category":"MISSING_SCOPES"}]]):format(name)
        local result = create_against { responses.rejected(403, body) }
        assert.are.equal(2, result.code)
        assert_found(result.stderr, "scopes: crm.objects.companies.write, crm.objects.contacts.write (HTTP")
        assert_found(result.stderr, "give the app of the token the scopes that are named")
      end
    end)
  end)
end)

describe("what to do after a job that stopped", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  -- What is said beside the report of a job that stopped.
  local function stopped(result)
    assert.are.equal(2, result.code)
    return result.stderr
  end

  it("is said after 401, 404, the daily limit and an outage", function()
    local parts = { [401] = "check that the token", [404] = "--api-version", [503] = "try again later" }
    for status, part in pairs(parts) do
      local said = stopped(create_against { responses.rejected(status, '{"message":"no"}') })
      assert_found(said, part)
      assert_found(said, GO_ON .. " with the same input")
      assert.is_nil(said:find "once that is corrected")
    end
    local said = stopped(create_against { responses.rejected(429, '{"message":"no","policyName":"DAILY"}') })
    assert_found(said, "midnight")
  end)

  it("is said after a response that did not come, without a word of what is to be corrected", function()
    local raw = fixture.raw { { { "read_request" } } }
    local arguments = command.create(raw:url(), { "--max-attempts", "1", "--journal", path "j", "-" }, "1")
    local said = stopped(command.run(arguments, { stdin = "101,202\n" }))
    assert_found(said, "try again later")
    assert_found(said, GO_ON .. " with the same input: " .. path "j" .. " has what is done")
  end)

  it("is said after a certificate that nobody trusts", function()
    local set = certificates.make()
    local raw = fixture.raw({ responses.script(responses.created()) }, set.unknown)
    local arguments = command.create(raw:url(), { "--ca-file", set.ca, "-" }, "1")
    local said = stopped(command.run(arguments, { stdin = "101,202\n" }))
    set:close()
    assert_found(said, "tls: ")
    assert_found(said, "give its certificates with --ca-file")
    assert.is_nil(said:find("ca_file and ca_path", 1, true))
  end)

  it("is said after a proxy that has no address, or refuses", function()
    local function through(proxy)
      local arguments = { "create", "--from", "a", "--to", "b", "--type", "1", "--max-attempts", "1", "-" }
      return stopped(command.run(arguments,
        { stdin = "101,202\n", env = { https_proxy = proxy, no_proxy = false, NO_PROXY = false } }))
    end
    assert_found(through "http://name.invalid:1", "check the name of the proxy")
    assert_found(through "http://127.0.0.1:1", "the proxy of this machine")
    local raw = fixture.raw { { { "read_head" }, { "send", responses.of(407, "") } } }
    assert_found(through(raw:url()), "check the proxy (https_proxy): its address, its user and password")
  end)

  it("is said after the journal of another job: not to run the same command again", function()
    local rows = file("rows.csv", "101,202\n")
    local _, raw = create_against({ responses.created() }, { "--journal", path "j" })
    local said = stopped(command.run({ "create", "--from", "contacts", "--to", "deals", "--type", "4",
      "--base-url", raw:url(), "--journal", path "j", rows }))
    assert_found(said, "is of another job")
    assert_found(said, "give another journal")
    assert_found(said, "nothing was sent")
    assert.is_nil(said:find(GO_ON, 1, true))
  end)
end)
