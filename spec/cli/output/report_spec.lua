-- Checks what the command says of what happened: HubSpot's reasons, what to do, where files stand. Against
-- servers that answer as HubSpot was seen to. How a job deals with an answer is the module's specs' to check.

local certificates = require "support.certificates"
local command = require "support.command"
local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"
local sandbox = require "support.sandbox"

local assert_found = command.assert_found

local unpack = table.unpack or unpack -- luacheck: ignore 113 (Lua 5.1 has it)

local GO_ON = "to go on, run the same command again"

describe("the command", function()
  local folder, raw

  setup(function()
    folder = process.make_folder()
  end)

  teardown(function()
    process.remove_folder(folder)
  end)

  after_each(function()
    if raw then raw:close() end
    raw = nil
    os.execute("rm -rf -- " .. process.quote(folder) .. "/*")
  end)

  local function path(name)
    return folder .. "/" .. name
  end

  local function file(name, text)
    process.write_file(path(name), text)
    process.run { "chmod", "600", path(name) }
    return path(name)
  end

  -- Runs a create of these rows against a server that gives these answers in turn, on one connection.
  local function create(answers, more, rows, options)
    raw = raw_server.start { connections = { responses.script(answers) } }
    local arguments = { "--max-attempts", "1", "--concurrency", "1" }
    for _, word in ipairs(more or {}) do arguments[#arguments + 1] = word end
    arguments[#arguments + 1] = "-"
    options = options or {}
    options.stdin = rows or "101,202\n"
    return command.run(command.create(raw:url(), arguments, "1"), options)
  end

  local function refusal(status, body)
    return responses.of(status, body, { "Content-Type: application/json" })
  end

  describe("says why", function()
    it("a row was refused: the reason in the context, under whatever key", function()
      for _, key in ipairs { "INVALID_OBJECT_IDS", "NEVER_SEEN_BEFORE" } do
        local result = create { refusal(400, ([[{"message":"One or more associations are invalid",
          "context":{"%s":["CONTACT=40401 is not valid"],"objectId":["40401"],"objectType":["CONTACT"]},
          "category":"VALIDATION_ERROR"}]]):format(key)) }
        raw:close()
        assert.are.equal(1, result.code)
        assert_found(result.stdout, "line 1: 101 to 202: VALIDATION_ERROR: "
          .. "One or more associations are invalid: CONTACT=40401 is not valid\n")
      end
    end)

    it("in the file of failures, too", function()
      create({ refusal(400, [[{"message":"Refused","context":{"WHY":["since it is so"]},"category":"C"}]]) },
        { "--failures", path "failed.csv" })
      assert_found(process.read_file(path "failed.csv"), "1,101,202,1,failed,C,Refused: since it is so\n")
    end)

    it("rows were refused that have the same reason, once, with their lines and a count", function()
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
      local result = create({ responses.of(207, body) }, nil, table.concat(rows))
      assert_found(result.stdout, "50 rows: 25 created, 25 failed\n")
      assert_found(result.stdout, "\nlines 1, 3, 5 and 22 more: LIMIT: Too many\n")
    end)

    it("a 403: the scopes that are missing", function()
      for _, name in ipairs { "requiredGranularScopes", "requiredScopes" } do
        local result = create { refusal(403, ([[{"status":"error","message":"This app hasn't been granted all
          required scopes to make this call.","errors":[{"message":"One or more of the following scopes are
          required.","context":{"%s":["crm.objects.companies.write","crm.objects.contacts.write"]}}],
          "category":"MISSING_SCOPES"}]]):format(name)) }
        raw:close()
        assert.are.equal(2, result.code)
        assert_found(result.stderr, "scopes: crm.objects.companies.write, crm.objects.contacts.write (HTTP")
        assert_found(result.stderr, "give the app of the token the scopes that are named")
      end
    end)
  end)

  describe("says what to do", function()
    -- What it says beside the report when a job stopped.
    local function stopped(result, code)
      assert.are.equal(code or 2, result.code)
      return result.stderr
    end

    it("after 401, 404, the daily limit and an outage", function()
      local parts = { [401] = "check that the token", [404] = "--api-version", [503] = "try again later" }
      for status, part in pairs(parts) do
        local said = stopped(create { refusal(status, '{"message":"no"}') })
        raw:close()
        assert_found(said, part)
        assert_found(said, GO_ON .. " with the same input")
        assert.is_nil(said:find "once that is corrected")
      end
      local said = stopped(create { refusal(429, '{"message":"no","policyName":"DAILY"}') })
      assert_found(said, "midnight")
    end)

    it("after an answer that did not come, without a word of what is to be corrected", function()
      raw = raw_server.start { connections = { { { "read_request" } } } }
      local arguments = command.create(raw:url(), { "--max-attempts", "1", "--journal", path "j", "-" }, "1")
      local said = stopped(command.run(arguments, { stdin = "101,202\n" }))
      assert_found(said, "try again later")
      assert_found(said, GO_ON .. " with the same input: " .. path "j" .. " has what is done")
    end)

    it("after a certificate that nobody trusts", function()
      local set = certificates.make()
      raw = raw_server.start { connections = { responses.script(responses.created()) }, tls = set.unknown }
      local arguments = command.create(raw:url(), { "--ca-file", set.ca, "-" }, "1")
      local said = stopped(command.run(arguments, { stdin = "101,202\n" }))
      set:close()
      assert_found(said, "tls: ")
      assert_found(said, "give its certificates with --ca-file")
      assert.is_nil(said:find("ca_file and ca_path", 1, true))
    end)

    it("after a proxy that has no address, or refuses", function()
      local function through(proxy)
        local arguments = { "create", "--from", "a", "--to", "b", "--type", "1", "--max-attempts", "1", "-" }
        return stopped(command.run(arguments,
          { stdin = "101,202\n", env = { https_proxy = proxy, no_proxy = false, NO_PROXY = false } }))
      end
      assert_found(through "http://name.invalid:1", "check the name of the proxy")
      assert_found(through "http://127.0.0.1:1", "the proxy of this machine")
      raw = raw_server.start { connections = { { { "read_head" }, { "send", responses.of(407, "") } } } }
      assert_found(through(raw:url()), "check the proxy (https_proxy): its address, its user and password")
    end)

    it("after the journal of another job: not to run the same command again", function()
      local rows = file("rows.csv", "101,202\n")
      create({ responses.created() }, { "--journal", path "j" })
      raw:close()
      local said = stopped(command.run({ "create", "--from", "contacts", "--to", "deals", "--type", "4",
        "--base-url", raw:url(), "--journal", path "j", rows }))
      assert_found(said, "is of another job")
      assert_found(said, "give another journal")
      assert_found(said, "nothing was sent")
      assert.is_nil(said:find(GO_ON, 1, true))
    end)

    it("after a refusal, even where it is interrupted while the rest is in flight", function()
      raw = raw_server.start { connections = {
        { { "read_request" }, { "sleep", 0.2 }, { "send", refusal(401, '{"message":"no"}') }, { "hold" } },
        { { "read_request" }, { "sleep", 1 }, { "send", responses.created() } },
      } }
      local arguments = command.create(raw:url(), { "--max-attempts", "1", "--batch-size", "1",
        "--concurrency", "2", file("rows.csv", "1,2\n3,4\n5,6\n") }, "1")
      local child = command.start(arguments)
      exchange.eventually(function() return #raw:requests() == 2 end, "two requests")
      local started = core.now()
      exchange.eventually(function() return core.now() > started + 0.4 end, "the refusal")
      child:kill "INT"
      local said = stopped(child:close())
      assert_found(said, "unauthorized: no")
      assert_found(said, "check that the token")
      assert.is_nil(said:find("nothing was sent", 1, true))
    end)

    it("where standard input is closed", function()
      local argv = command.argv(command.create("http://127.0.0.1:1", { "-" }, "1"), '"$@" <&-')
      local said = stopped(process.run(argv, { env = command.environment() }))
      assert_found(said, "standard input is closed\n")
      assert_found(said, "give the name of a file")
    end)
  end)

  describe("whose token is refused in mid-job", function()
    local OLD, NEW = "old-token-0123456789", "new-token-9876543210"

    local UNAUTHORIZED = refusal(401,
      '{"message":"Authentication credentials not found","category":"INVALID_AUTHENTICATION"}')

    local function created(from, to)
      local body = '{"status":"COMPLETE","results":[{"fromObjectId":%d,"toObjectId":%d}]}'
      return responses.created(body:format(from, to))
    end

    -- The arguments of a job of two requests.
    local function arguments(token_file)
      return command.create(raw:url(), { "--max-attempts", "1", "--concurrency", "1", "--batch-size", "1",
        "--token-file", token_file, file("rows.csv", "101,202\n102,203\n") }, "1")
    end

    it("reads its token file again, and goes on", function()
      raw = raw_server.start { connections = { {
        { "read_request" }, { "sleep", 0.3 }, { "send", created(101, 202) },
        { "read_request" }, { "send", UNAUTHORIZED }, { "read_request" }, { "send", created(102, 203) },
      } } }
      local child = command.start(arguments(file("token", OLD .. "\n")))
      exchange.eventually(function() return #raw:requests() >= 1 end, "the first request")
      file("token", NEW .. "\n")
      local result = child:close()
      assert.are.equal(0, result.code, result.stderr)
      assert_found(result.stdout, "2 rows: 2 created, 0 failed\n")
      assert.matches("Bearer " .. OLD, raw:requests()[2], 1, true)
      assert.matches("Bearer " .. NEW, raw:requests()[3], 1, true)
    end)

    local function assert_stopped(result, word)
      assert.are.equal(2, result.code)
      assert_found(result.stdout, "2 rows: 1 created, 0 failed, 1 not sent\n")
      assert_found(result.stderr, "unauthorized: Authentication credentials not found")
      assert_found(result.stderr, word)
      assert_found(result.stderr, GO_ON)
      assert.is_nil((result.stdout .. result.stderr):find("-token-", 1, true))
      assert.are.equal(2, #raw:requests())
    end

    it("says so when the file still holds the token that was refused", function()
      raw = raw_server.start { connections = { responses.script { created(101, 202), UNAUTHORIZED } } }
      assert_stopped(command.run(arguments(file("token", OLD .. "\n"))),
        "was read again: it still holds the token that was refused")
    end)

    it("warns once of a file that others can read, though it is read again", function()
      raw = raw_server.start { connections = { responses.script { created(101, 202), UNAUTHORIZED } } }
      local exposed = file("token", OLD .. "\n")
      process.run { "chmod", "644", exposed }
      local result = command.run(arguments(exposed))
      local _, warnings = result.stderr:gsub("warning: ", "")
      assert.are.equal(1, warnings)
      assert_stopped(result, "was read again")
    end)

    it("says so when the file holds no token any more, or one that others can read", function()
      local answers = { created(101, 202), UNAUTHORIZED, created(102, 203) }
      for text, word in pairs { [""] = " is empty", ["two words"] = "no access token" } do
        raw = raw_server.start { connections = { {
          { "read_request" }, { "sleep", 0.3 }, { "send", answers[1] },
          { "read_request" }, { "send", answers[2] },
        } } }
        local child = command.start(arguments(file("token", OLD .. "\n")))
        exchange.eventually(function() return #raw:requests() >= 1 end, "the first request")
        file("token", text)
        assert_stopped(child:close(), word)
        raw:close()
      end
      raw = nil
    end)

    it("does not read a pipe again, which has nothing more", function()
      raw = raw_server.start { connections = { responses.script { created(101, 202), UNAUTHORIZED } } }
      local script = "cat " .. process.quote(file("token", OLD)) .. ' | { exec 3<&0; exec "$@"; }'
      local argv = command.argv(arguments "/dev/fd/3", script)
      assert_stopped(command.check(process.run(argv, { env = command.environment() })), "is not read again")
    end)
  end)

  describe("with a file for failures", function()
    local function dry_run(more)
      return { "create", "--from", "a", "--to", "b", "--dry-run", unpack(more) }
    end

    -- A file name, and how it may be shown.
    local HOSTILE, SHOWN = "f\27]0;x\7\226\128\174.csv", "f ]0;x"

    it("shows its name without what acts on a terminal", function()
      local result = create({ refusal(400, '{"message":"no"}') }, { "--failures", path(HOSTILE) })
      assert_found(result.stdout, SHOWN)
      assert_found(result.stdout, "lists that row")
      assert.is_nil((result.stdout .. result.stderr):find("[%z\1-\9\11-\31\127]"))
      assert.is_nil(result.stdout:find("\226\128\174", 1, true))
      result = command.run(dry_run { "--failures", path(HOSTILE), "-" }, { stdin = "from,to\n,1\n" })
      assert_found(result.stdout, SHOWN)
      assert.is_nil((result.stdout .. result.stderr):find("[%z\1-\9\11-\31\127]"))
    end)

    it("shows any other file's name so, too", function()
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

    it("never says that it lists all rows where the disk is full, or its reader is gone", function()
      local rows = {}
      for row = 1, 2000 do rows[row] = ("%d,202\n"):format(row) end
      for _, count in ipairs { 1, 2000 } do
        local more = { "--failures", "/dev/full", "--batch-size", "1" }
        local result = create({ refusal(400, '{"message":"no"}') }, more,
          "from,to\n,1\n" .. table.concat(rows, "", 1, count - 1))
        raw:close()
        assert.are.equal(2, result.code)
        assert.is_nil(result.stdout:find("lists", 1, true))
        assert_found(result.stderr, "/dev/full: cannot be written: No space left")
        result = command.run(dry_run { "--failures", "/dev/full", "-" },
          { stdin = "from,to\n" .. (",1\n"):rep(count) })
        assert.are.equal(2, result.code)
        assert.is_nil(result.stdout:find("lists", 1, true))
        assert_found(result.stderr, "does not list all rows")
      end
    end)

    it("says so where the reader of its pipe went away, and reports", function()
      process.run { "mkfifo", path "fifo" }
      local argv = command.argv(dry_run { "--failures", path "fifo", "-" },
        ("head -c 1 %s >/dev/null & "):format(process.quote(path "fifo")) .. '"$@"')
      local rows = "from,to\n" .. (",1\n"):rep(100000)
      local result = process.run(argv, { env = command.environment(), stdin = rows })
      assert.are.equal(2, result.code)
      assert_found(result.stdout, "dry run: ")
      assert.is_nil(result.stdout:find("lists", 1, true))
      assert_found(result.stderr, "cannot be written: Broken pipe")
    end)

    it("refuses one that is another of its files, and leaves that as it is", function()
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
      assert.are.equal("a-token-0123456789\n", process.read_file(token))
      assert.are.equal("1,2\n", process.read_file(rows))
    end)

    it("refuses one that turns out to be the journal, once there is one", function()
      process.run { "ln", "-s", "journal", path "link" }
      for _, name in ipairs { folder .. "/./journal", path "link" } do
        local arguments = { "--failures", name, "--journal", path "journal", "-" }
        local result = command.run(command.create("http://127.0.0.1:1", arguments, "1"),
          { stdin = "from,to\n,2\n" })
        assert.are.same({ 2, "" }, { result.code, result.stdout })
        assert_found(result.stderr, "--failures and --journal are the same file")
        assert.matches('^{"format"', process.read_file(path "journal"))
        process.run { "rm", path "journal" }
      end
    end)

    it("refuses one that is standard input or output, by another name", function()
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
      assert.matches("^1,2\n", process.read_file(rows))
    end)
  end)

  it("shows that it waits for the rate limit, and for how long", function()
    local server = sandbox.start()
    local arguments = command.create(server:url(), { "--batch-size", "1", "--concurrency", "1", "--rate", "1",
      "--progress", "bar", file("rows.csv", "1,2\n3,4\n") }, "1")
    local script = 'echo started; exec "$@" 2>' .. process.quote(path "stderr")
    local child = process.start(command.argv(arguments, script), { env = command.environment() })
    exchange.eventually(function()
      local said = io.open(path "stderr", "rb")
      local text = said and said:read "*a" or ""
      if said then said:close() end
      return text:find "1 rows  waiting %d+ s for the rate limit"
    end, "a word of the rate limit")
    child:kill "INT"
    assert.are.equal(130, child:close().code)
    server:close()
  end)
end)
