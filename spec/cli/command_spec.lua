-- Checks the command as its users run it: a process of its own, against the sandbox, over real HTTP.
-- Never checks how files and arguments are read in every detail: the unit specs do.

local cli = require "hubspot.associations.cli.main"
local command = require "support.command"
local exchange = require "support.exchange"
local http = require "socket.http"
local ltn12 = require "ltn12"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"
local sandbox = require "support.sandbox"
local version = require "hubspot.associations.version"

local TOKEN = command.TOKEN

local argv, environment, run = command.argv, command.environment, command.run
local assert_found = command.assert_found

-- What a command said, without what its time and its luck put into the report.
local function steady(result)
  result.stdout = result.stdout:gsub("; %d+%.%d s[^\n]*", "; T")
  return result
end

-- A stream for cli.main that keeps what is written.
local function stream(fails)
  local kept = { text = "", flush = function() return true end }
  function kept.write(_, text)
    if fails then return nil, fails[1], fails[2] end
    kept.text = kept.text .. text
    return kept
  end
  return kept
end

describe("the command create", function()
  local server, folder

  setup(function()
    server = sandbox.start()
    folder = process.make_folder()
  end)

  teardown(function()
    server:close()
    process.remove_folder(folder)
  end)

  before_each(function()
    server:reset()
  end)

  local function file(name, text)
    return process.write_file(folder .. "/" .. name, text)
  end

  local function create(arguments, options)
    return run(command.create(server:url(), arguments), options)
  end

  -- What the account holds, as "from/to/type".
  local function held()
    local list = {}
    for _, association in ipairs(server:associations()) do
      list[#list + 1] = ("%s/%s/%d"):format(association.fromObjectId, association.toObjectId,
        association.associationTypeId)
    end
    return list
  end

  it("links the pairs of a CSV file, and says so", function()
    local result = create { "--type", "1", file("pairs.csv", "from,to\n101,202\n102,203\n") }
    assert.are.same({ code = 0, stdout = "2 rows: 2 created, 0 failed\n1 request; T\n", stderr = "" },
      steady(result))
    assert.are.same({ "101/202/1", "102/203/1" }, held())
  end)

  it("links the pairs of standard input", function()
    local result = create({ "-" }, { stdin = "101,202,1\r\n102,203,279\r\n" })
    assert.are.equal(0, result.code)
    assert.are.same({ "101/202/1", "102/203/279" }, held())
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
    local result = create({ "--type", "1", "-" }, { stdin = table.concat(lines, "\n") })
    assert_found(result.stdout, "2000 rows: 2000 created, 0 failed\n1 request; ")
    assert.are.equal(0, result.code)
    local statistics = server:statistics()
    assert.are.same({ 1, 2000 }, { statistics.requests, statistics.associations })
  end)

  it("ends with 1 when some were not created, and says which and why", function()
    local result = create({ "--type", "1", "-" }, { stdin = "from,to\n1,2\n4041,3\n\n5,6\n7,4042\n" })
    assert.are.same({
      code = 1,
      stdout = "4 rows: 2 created, 2 failed\n1 request; T\n"
        .. "line 3: 4041 to 3: OBJECT_NOT_FOUND: No contact with ID 4041 exists\n"
        .. "line 6: 7 to 4042: OBJECT_NOT_FOUND: No company with ID 4042 exists\n",
      stderr = "",
    }, steady(result))
    assert.are.same({ "1/2/1", "5/6/1" }, held())
  end)

  it("tells rows together that fail for the same record", function()
    local result = create({ "--type", "1", "-" }, { stdin = "4041,3\n4041,4\n1,2\n4041,3\n4042,3\n" })
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "5 rows: 1 created, 4 failed\n")
    assert_found(result.stdout, "\nlines 1 to 2 and 4: OBJECT_NOT_FOUND: No contact with ID 4041 exists\n")
    assert_found(result.stdout, "\nline 5: 4042 to 3: OBJECT_NOT_FOUND: No contact with ID 4042 exists\n")
  end)

  it("shows up to 20 rows by themselves, and what more have in common in one line", function()
    local rows = {}
    for line = 1, 20 do rows[line] = ("404%d,3\n"):format(line) end
    local result = create({ "--type", "1", "-" }, { stdin = table.concat(rows) })
    assert_found(result.stdout, "\nline 1: 4041 to 3: OBJECT_NOT_FOUND: No contact with ID 4041 exists\n")
    assert_found(result.stdout, "\nline 20: 40420 to 3: OBJECT_NOT_FOUND: No contact with ID 40420 exists\n")
    rows[21] = "1,2\n40422,3\n"
    result = create({ "--type", "1", "-" }, { stdin = table.concat(rows) })
    assert_found(result.stdout,
      "\nlines 1 to 20 and 22: OBJECT_NOT_FOUND: No contact with ID <from> exists\n")
  end)

  it("uses the category that was asked for", function()
    local result = create({ "--type", "30", "--category", "USER_DEFINED", "-" }, { stdin = "1,2\n" })
    assert.are.equal(0, result.code)
    assert.are.equal("USER_DEFINED", server:associations()[1].associationCategory)
  end)

  it("uses the API version that was asked for", function()
    assert.are.equal(0, create({ "--type", "1", "--api-version", "v4", "-" }, { stdin = "1,2\n" }).code)
    assert.are.equal(2, create({ "--type", "1", "--api-version", "1999-01", "-" }, { stdin = "1,2\n" }).code)
  end)

  describe("when rows are bad", function()
    it("names the line and the column of each, and creates the others", function()
      local result = create({ "--type", "1", "-" }, { stdin = "1,2\n,3\n4\n5,6,x\n7,8\n" })
      assert.are.same({ 1, "" }, { result.code, result.stderr })
      assert_found(result.stdout, "5 rows: 2 created, 3 failed\n")
      assert_found(result.stdout, "\nline 2: from: expected a record id (1 to 19 digits)")
      assert_found(result.stdout, "\nline 3: column to: is missing")
      assert_found(result.stdout, "\nline 4: column type: expected")
      assert.are.same({ "1/2/1", "7/8/1" }, held())
    end)

    it("names the line and the field of inputs that the module refuses", function()
      local result = create({ "-" }, {
        stdin = '\n{"from":{},"to":"2","types":1}\n{"from":"1","to":"2","types":[]}\n{"from":\n',
      })
      assert.are.equal(1, result.code)
      assert_found(result.stdout, "\nline 2: from.id: expected a record id")
      assert_found(result.stdout, "\nline 3: types: expected")
      assert_found(result.stdout, "\nline 4: is not JSON: ")
      assert.are.equal(0, server:statistics().requests)
    end)

    it("names the unlabeled type of the pair of objects when there is none, and does not guess", function()
      local result = create({ "-" }, { stdin = "1,2\n3,4\n" })
      assert.are.equal(1, result.code)
      assert_found(result.stdout, "\nlines 1 to 2: column type: ")
      assert_found(result.stdout, "279 is the unlabeled type from contacts to companies")
      assert.are.equal(0, server:statistics().requests)
    end)

    it("stops where the file cannot be read on, and says what became of the rows before", function()
      for _, dry in ipairs { false, "--dry-run" } do
        local pieces, out, err = { '5,"6\n', "1,2\n3,4\n" }, stream(), stream()
        local arguments = command.create(server:url(), { "--batch-size", "1", "--concurrency", "1" }, "1")
        arguments[#arguments + 1] = dry or nil
        arguments[#arguments + 1] = "-"
        local code = cli.main(arguments, {
          stdin = { read = function() return table.remove(pieces), "Input/output error" end },
          stdout = out, stderr = err, getenv = function(name) return environment()[name] or nil end,
        })
        assert.are.equal(2, code)
        assert_found(out.text, dry and "2 rows: 2 can be sent" or "2 rows: 2 created, 0 failed")
        assert_found(out.text, "; the rest of the file was not read\n")
        assert_found(err.text, "standard input: line 3, column 2: Input/output error\n")
      end
    end)

    it("reads on behind what is broken, and counts each row once", function()
      local result = create({ "--type", "1", "-" }, {
        stdin = 'from,amount,to,name\n1,,2,"Ada\n3,,4,"Bob"\n;\n5,1,234,6,x\n,,,\n' .. ("x"):rep(2000000)
          .. "\n7,,8\n9,,10,\"never\n",
      })
      assert.are.equal(1, result.code)
      assert_found(result.stdout, "7 rows: 2 created, 5 failed")
      assert_found(result.stdout, "\nline 2: column 4: it goes on behind its closing quote\n")
      assert_found(result.stdout, "\nline 4: column to: is missing: it would be field 3, and the row has 1 ")
      assert_found(result.stdout, "\nline 5: the row has 5 fields, 1 more than the header")
      assert_found(result.stdout, "\nline 7: is longer than 1048576 bytes\n")
      assert_found(result.stdout, "\nline 9: column 4: its quote is never closed\n")
      assert.are.same({ "3/4/1", "7/8/1" }, held())
    end)

    it("links by the columns that options name", function()
      local export = "Record ID,First Name,Associated Company IDs\n101,Ada,202\n102,Bob,\"203;204\"\n"
      local result = create { "--type", "1", "--from-column", "record id",
        "--to-column", "Associated Company IDs", file("export.csv", export) }
      assert.are.equal(1, result.code)
      assert.are.same({ "101/202/1" }, held())
      result = create { "--type", "1", folder .. "/export.csv" }
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "--from-column NAME and --to-column NAME")
      assert_found(result.stderr, "found: Record ID, First Name, Associated Company IDs (separated by")
      assert_found(result.stderr, "nothing was sent")
      assert.are.same({ "101/202/1" }, held())
    end)

    it("sends nothing when the file is none", function()
      for stdin, part in pairs {
        ["a;b\n1;2\n"] = "found: a, b", ["\255\254f\0"] = "UTF-16", ["["] = "JSON list",
        ["PK\3\4"] = "workbook", ["\31\139\8"] = "gzip", ["from,to\r1,2\r"] = "carriage returns alone",
        [("\239\187\191"):rep(2) .. "from,to\n1,2\n"] = "two byte order marks",
        ["Contacts\nfrom,to\n1,2\n"] = "remove a title above the header",
      } do
        local result = create({ "--type", "1", "-" }, { stdin = stdin })
        assert.are.same({ 2, "" }, { result.code, result.stdout })
        assert_found(result.stderr, "standard input: ")
        assert_found(result.stderr, part)
        assert_found(result.stderr, "nothing was sent")
      end
      assert.are.equal(0, server:statistics().requests)
    end)

    it("refuses a file without rows", function()
      local result = create({ "--type", "1", file("empty.csv", "from,to\n") })
      assert.are.equal(2, result.code)
      assert_found(result.stderr, "empty.csv: has no rows")
    end)

    it("does not let what a file holds act on the terminal", function()
      local result = create({ "--type", "1", "-" }, { stdin = "1,2,\27]0;x\7\n" })
      assert.are.equal(1, result.code)
      assert.is_nil(result.stdout:find("[%z\1-\9\11-\31\127]"))
    end)
  end)

  describe("when it cannot run", function()
    local function refused(arguments, part, options)
      local result = create(arguments, options)
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, part)
      for line in result.stderr:gmatch "[^\n]*\n" do assert_found(line, "hubspot-associations: ") end
      return result
    end

    -- A job that began, and had to stop.
    local function stopped(arguments, part)
      local result = create(arguments, { stdin = "1,2" })
      assert.are.equal(2, result.code)
      assert_found(result.stdout, "1 row: 0 created, 0 failed, 1 not sent\n")
      assert_found(result.stderr, part)
      assert_found(result.stderr, "to go on, run the same command again")
    end

    it("says so of a file that is not there", function()
      refused({ "--type", "1", folder .. "/none.csv" }, "none.csv: No such file")
    end)

    it("says so of a folder", function()
      refused({ "--type", "1", folder }, "Is a directory")
    end)

    it("says so without a token", function()
      refused({ "--type", "1", "-" }, "HUBSPOT_TOKEN", { env = { HUBSPOT_TOKEN = false } })
      refused({ "--type", "1", "-" }, "HUBSPOT_TOKEN", { env = { HUBSPOT_TOKEN = "" } })
    end)

    it("says so of arguments that it does not know", function()
      refused({ "--token", TOKEN, "-" }, "HUBSPOT_TOKEN or --token-file")
    end)

    it("says so of a base URL that would show the token to the network", function()
      refused({ "--type", "1", "--base-url", "http://example.com", "-" }, "'--base-url': expected",
        { stdin = "1,2" })
    end)

    it("says so when nobody listens", function()
      local arguments = { "--type", "1", "--max-attempts", "1", "--base-url", "http://127.0.0.1:1", "-" }
      stopped(arguments, "network: ")
    end)

    it("says what HubSpot refused", function()
      stopped({ "--type", "1", "--from", "nothings", "-" }, "Unable to infer object type from: nothings")
      server:configure { token = "another" }
      stopped({ "--type", "1", "-" }, "unauthorized: ")
    end)

    it("says so of two names for one file, and leaves it as it is", function()
      local path = file("same.csv", "1,2\n")
      refused({ "--type", "1", "--failures", path, path }, "FILE and --failures are the same file")
      refused({ "--type", "1", "--journal", folder .. "/./same.csv", path }, "FILE and --journal are")
      assert.are.equal("1,2\n", process.read_file(path))
    end)

    it("says so of a file for failures that cannot be written", function()
      refused({ "--type", "1", "--failures", folder .. "/none/f", "-" }, "--failures: cannot open",
        { stdin = "1,2\n" })
      local result = create({ "--type", "1", "--failures", "/dev/full", "-" }, { stdin = "4041,2\n" })
      assert.are.equal(2, result.code)
      assert_found(result.stderr, "/dev/full: cannot be written: ")
    end)
  end)

  describe("given a token file", function()
    local path

    before_each(function()
      server:configure { token = "from-a-file-0123456789" }
      path = file("token", "from-a-file-0123456789\r\n")
      process.run { "chmod", "600", path }
    end)

    it("takes the token from there", function()
      local result = create({ "--type", "1", "--token-file", path, "-" }, { stdin = "1,2" })
      assert.are.same({ 0, "" }, { result.code, result.stderr })
    end)

    for _, mode in ipairs { "640", "604" } do
      it("warns when others can read it: " .. mode, function()
        process.run { "chmod", mode, path }
        local result = create({ "--type", "1", "--token-file", path, "-" }, { stdin = "1,2" })
        assert.are.equal(0, result.code)
        assert_found(result.stderr, "warning: ")
        assert_found(result.stderr, "chmod 600 ")
        assert.is_nil(result.stderr:find("from-a-file", 1, true))
      end)
    end

    it("says so when it is not there, empty, or no token", function()
      for name, part in pairs { none = "No such file", empty = "is empty", prose = "token" } do
        if name ~= "none" then file(name, name == "empty" and "\n" or "two words\n") end
        local result = create { "--type", "1", "--token-file", folder .. "/" .. name, "-" }
        assert.are.equal(2, result.code)
        assert_found(result.stderr, part)
        assert.is_nil(result.stderr:find("two words", 1, true))
      end
    end)
  end)

  it("keeps control characters of the server from the terminal", function()
    local body = '{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"category":"\\u001b[2J",'
      .. '"message":"a\\u001b]0;title\\u0007b\\nc\\u009b31m","context":{"fromObjectId":["1"]}}]}'
    local raw = raw_server.start { connections = { responses.script(responses.created(body)) } }
    local result = run(command.create(raw:url(), { "-" }, "1"), { stdin = "1,2\n" })
    raw:close()
    assert.are.equal(1, result.code)
    assert.are.equal("1 row: 0 created, 1 failed\n1 request; T\n"
      .. "line 1: 1 to 2:  [2J: a ]0;title b c 31m\n", steady(result).stdout)
  end)

  it("says that it waits, when it tries again", function()
    local raw = raw_server.start { connections = {
      { { "read_request" }, { "send", responses.of(503, "") } }, responses.script(responses.created(), 2),
    } }
    local result = run(command.create(raw:url(), { "-" }, "1"), { stdin = "1,2\n" })
    raw:close()
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "3 requests, 1 of them a retry; ")
    assert.truthy(result.stderr:find("^hubspot%-associations: HTTP 503: trying again in %d%.%d s\n$"))
  end)

  it("counts rows as unconfirmed that the answer leaves out", function()
    local raw = raw_server.start { connections = { responses.script(responses.created()) } }
    local result = run(command.create(raw:url(), { "-" }, "1"), { stdin = "1,2\n" })
    raw:close()
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "1 row: 0 created, 0 failed, 1 unconfirmed\n")
    assert_found(result.stdout, "\nline 1: 1 to 2: unconfirmed: ")
  end)

  it("has unconfirmed rows sent again, and says not that they are to be corrected", function()
    for rows, advice in pairs {
      ["1,2\n"] = ": give it to this command", ["1,2\n,3\n"] = ": correct the rows that failed, and give it",
    } do
      local raw = raw_server.start { connections = { responses.script(responses.created()) } }
      local result = run({ "create", "--from", "contacts", "--to", "companies", "--type", "1", "--base-url",
        raw:url(), "--failures", folder .. "/unconfirmed.csv", "-" }, { stdin = rows })
      raw:close()
      assert_found(result.stdout, advice)
    end
  end)

  it("says that repeating is safe when the answer was lost", function()
    local raw = raw_server.start { connections = { { { "read_request" } } } }
    local arguments = command.create(raw:url(), { "--max-attempts", "1", "-" }, "1")
    local result = run(arguments, { stdin = "1,2\n" })
    raw:close()
    assert.are.equal(2, result.code)
    assert_found(result.stdout, "1 unconfirmed")
    assert_found(result.stderr, "creating an association twice changes nothing")
  end)

  -- A shell command around the command, with what it needs in the environment.
  local function shell(script)
    local arguments = command.create(server:url(), { file("pairs.csv", "1,2\n4041,3\n") }, "1")
    return process.run(argv(arguments, script), { env = environment() })
  end

  it("ends quietly when the reader of its report is gone", function()
    for _, before in ipairs { "", "trap '' PIPE; " } do
      local result = shell(before .. '"$@" | true')
      assert.are.same({ 0, "", "" }, { result.code, result.stdout, result.stderr })
    end
  end)

  it("says so of a standard input that is closed", function()
    local result = process.run({ "sh", "-c", 'exec "$@" <&-', "sh", process.interpreter(), command.PATH,
      "create", "--from", "contacts", "--to", "companies", "--base-url", server:url(), "-" },
      { env = environment() })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "hubspot-associations: standard input is closed\n")
  end)

  it("ends with 2, and says what was created, when the report cannot be written", function()
    local result = shell '"$@" >/dev/full'
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "1 of 2 rows were created")
    assert_found(result.stderr, "the report cannot be written: ")
  end)
end)

describe("the command sandbox", function()
  it("says its address first, serves, and ends by a signal without a complaint", function()
    for _, signal in ipairs { "TERM", "INT" } do
      local child = process.start(argv { "sandbox" }, { env = environment() })
      local url = child.line
      assert.truthy(url:find "^http://127%.0%.0%.1:%d+$")
      local result = run(command.create(url, { "-" }, "1"), { stdin = "1,2\n4041,5\n" })
      assert.are.equal(1, result.code)
      child:kill(signal)
      local ended = child:close()
      assert.are.same({ 0, "" }, { ended.code, ended.stdout })
      assert.is_nil(ended.stderr:find("traceback", 1, true))
      assert_found(ended.stderr, "--base-url " .. url)
    end
  end)

  it("ends by a signal while a request waits for its answer", function()
    local child = process.start(argv { "sandbox", "--latency", "100" }, { env = environment() })
    -- Without a sanitizer that is preloaded for the code under test: the curl command hangs under it.
    local pipe = io.popen(("env -u LD_PRELOAD curl -s -o /dev/null -d '{}' --max-time 20 "
      .. "%s/crm/associations/2025-09/contacts/companies/batch/create; echo $?"):format(child.line))
    exchange.eventually(function()
      return http.request(child.line .. "/sandbox/statistics"):find('"requests":1', 1, true)
    end, "the request's arrival")
    child:kill "TERM"
    assert.are.equal(0, child:close().code)
    pipe:close()
  end)

  it("ends with its standard input when it is asked to", function()
    local child = process.start(argv { "sandbox", "--until-eof" }, { env = environment() })
    assert.are.equal(0, child:close().code)
  end)

  it("takes the options of the account", function()
    local child = process.start(argv { "sandbox", "--until-eof", "--token", TOKEN, "--daily", "1",
      "--rate", "100", "--string-ids", "--status", "200" }, { env = environment() })
    local arguments = command.create(child.line, { "-" }, "1")
    local wrong = run(arguments, { stdin = "1,2\n", env = { HUBSPOT_TOKEN = "wrong" } })
    local right = run(arguments, { stdin = "1,2\n" })
    local limited = run(arguments, { stdin = "1,2\n" })
    local ended = child:close()
    assert.are.equal(2, wrong.code)
    assert_found(wrong.stderr, "unauthorized")
    assert.are.equal(0, right.code)
    assert.are.equal(2, limited.code)
    assert_found(limited.stderr, "daily_limit: ")
    assert.is_nil(ended.stderr:find(TOKEN, 1, true))
  end)

  it("sends ids as numbers, or as strings when it is told to", function()
    for id, flag in pairs { ["101"] = "--until-eof", ['"101"'] = "--string-ids" } do
      local child = process.start(argv { "sandbox", "--until-eof", flag }, { env = environment() })
      local body = [[{"inputs":[{"from":{"id":"101"},"to":{"id":"202"},"types":[{"associationCategory":]]
        .. [["HUBSPOT_DEFINED","associationTypeId":279}]}]}]]
      local received = {}
      http.request {
        url = child.line .. "/crm/associations/2025-09/contacts/companies/batch/create", method = "POST",
        headers = { authorization = "Bearer any", ["content-type"] = "application/json",
          ["content-length"] = #body },
        source = ltn12.source.string(body), sink = ltn12.sink.table(received),
      }
      child:close()
      assert_found(table.concat(received), '"fromObjectId":' .. id .. ",")
    end
  end)

  it("spoils the requests that it is told to", function()
    local child = process.start(argv { "sandbox", "--until-eof", "--faults", "1:lost_response,2:secondly" },
      { env = environment() })
    local result = run(command.create(child.line, { "-" }, "1"), { stdin = "1,2\n" })
    child:close()
    assert.are.equal(0, result.code)
    assert_found(result.stdout, "1 row: 1 created, 0 failed\n3 requests, 2 of them retries; ")
    assert_found(result.stderr, "network: trying again in ")
    assert_found(result.stderr, "rate_limited: trying again in ")
  end)

  it("says so when the port is taken", function()
    local child = process.start(argv { "sandbox", "--until-eof" }, { env = environment() })
    local result = run { "sandbox", "--port", child.line:match "%d+$" }
    child:close()
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "cannot listen on 127.0.0.1:")
  end)

  it("says what to install when cqueues is missing", function()
    local found = process.run({ process.interpreter(), "-" }, { env = environment(), stdin = ([[
      local cli = require "hubspot.associations.cli.main"
      table.insert(package.searchers or package.loaders, 1, function(name)
        if name:find "^cqueues" then error("module '" .. name .. "' not found:\n\tno file", 0) end
      end)
      os.exit(cli.main({ "sandbox" }, { stdin = io.stdin, stdout = io.stdout, stderr = io.stderr,
        getenv = os.getenv }))]]) })
    assert.are.same({ 2, "" }, { found.code, found.stdout })
    assert_found(found.stderr, "apt-get install lua-cqueues")
  end)
end)

describe("the command", function()
  it("tells its version", function()
    local result = run { "--version" }
    assert.are.same({ code = 0, stdout = "hubspot-associations " .. version .. "\n", stderr = "" }, result)
  end)

  it("gives help on standard output", function()
    for _, arguments in ipairs { { "--help" }, { "create", "--help" }, { "sandbox", "--help" } } do
      local result = run(arguments)
      assert.are.same({ 0, "" }, { result.code, result.stderr })
      assert_found(result.stdout, "Usage: hubspot-associations")
    end
  end)

  it("ends with 2 and points to the help when it is misused", function()
    local result = run { "destroy" }
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "unknown command 'destroy'")
    assert_found(result.stderr, "try: hubspot-associations --help\n")
    for _, name in ipairs { "create", "sandbox" } do
      assert_found(run({ name, "--nothing" }).stderr, "try: hubspot-associations " .. name .. " --help\n")
    end
  end)

  it("says so when its modules are not in the search path", function()
    local result = run({ "--version" }, { env = { LUA_PATH = "/nowhere/?.lua" } })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "LUA_PATH")
  end)

  it("finds its modules below any prefix that make install put it in", function()
    local folder, abi = process.make_folder(), _VERSION:match "%d+%.%d+"
    local core
    for template in package.cpath:gmatch "[^;]+" do
      local file = io.open((template:gsub("%?", "hubspot/associations/core")))
      if file then
        core = core or template:match "^(.*)/%?"
        file:close()
      end
    end
    local modules = command.PATH:gsub("bin/[^/]*$", "lua")
    process.run { "sh", "-c", [[cd "$1" && mkdir -p bin share/lua lib/lua && cp "$2" bin/ &&
      ln -s "$3" "share/lua/$5" && ln -s "$4" "lib/lua/$5"]],
      "sh", folder, command.PATH, modules, core, abi }
    local function without(path, place)
      return (path:gsub("[^;]+", function(template)
        return template:find(place, 1, true) == 1 and "/nowhere/?" or template
      end))
    end
    local result = process.run({ process.interpreter(), folder .. "/bin/hubspot-associations", "create",
      "--from", "a", "--to", "b", "--dry-run", "-" }, { stdin = "1,2,3\n", env = environment {
        LUA_PATH = without(package.path, modules), LUA_CPATH = without(package.cpath, core),
      } })
    process.remove_folder(folder)
    assert.are.same({ 0, "" }, { result.code, result.stderr })
  end)

  it("can be run in a host's process, with the host's streams", function()
    local out, err = stream(), stream()
    local code = cli.main({ "create", "--from", "a", "--to", "b", "--type", "1", "-" }, {
      stdin = { read = function() return nil end }, stdout = out, stderr = err,
      getenv = function() return TOKEN end,
    })
    assert.are.same({ 2, "" }, { code, out.text })
    assert_found(err.text, "standard input: has no rows")
  end)

  it("calls its own mistakes internal errors, in one line", function()
    local out, err = stream(), stream()
    local code = cli.main({ "create", "--from", "a", "--to", "b", "-" }, {
      stdin = { read = function() error "a mistake" end }, stdout = out, stderr = err,
      getenv = function() return TOKEN end,
    })
    assert.are.equal(2, code)
    assert_found(err.text, "internal error")
    assert_found(err.text, "a mistake")
    assert.are.equal(1, select(2, err.text:gsub("\n", "")))
  end)

  it("takes no broken pipe for an error, but every other failure to write", function()
    local err = stream()
    assert.are.equal(0, cli.main({ "--version" }, { stdout = stream { "Broken pipe", 32 }, stderr = err }))
    assert.are.equal("", err.text)
    assert.are.equal(2, cli.main({ "--version" }, { stdout = stream { "No space left", 28 }, stderr = err }))
    assert_found(err.text, "No space left")
  end)
end)
