-- Checks jobs of the command as its users run them: pipes, signals, kills and resumes, with processes of
-- their own, against the sandbox. Never checks what a single row or answer may be: cli_spec does.

local command = require "support.command"
local exchange = require "support.exchange"
local process = require "support.process"
local raw_server = require "support.raw_server"
local resources = require "support.resources"
local sandbox = require "support.sandbox"

local assert_found, read_file = command.assert_found, process.read_file

local function lines_in(path)
  local handle = io.open(path, "rb")
  if not handle then return 0 end
  local text = handle:read "*a"
  handle:close()
  return select(2, text:gsub("\n", ""))
end

-- CSV of pairs without a header: row n links n + 1000000 to n + 2000000, but where `changed` has another.
local function pairs_csv(count, changed)
  local lines = {}
  for row = 1, count do
    lines[row] = changed and changed[row] or ("%d,%d"):format(row + 1000000, row + 2000000)
  end
  return table.concat(lines, "\n") .. "\n"
end

describe("a job of the command", function()
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

  after_each(function()
    os.execute("rm -f -- " .. process.quote(folder) .. "/*")
  end)

  local function path(name)
    return folder .. "/" .. name
  end

  local function file(name, text)
    return process.write_file(path(name), text)
  end

  local function arguments(more)
    return command.create(server:url(), more, "1")
  end

  local function create(more, options)
    return command.run(arguments(more), options)
  end

  -- What the account holds: "from/to/type" -> how often.
  local function held()
    local set, count = {}, 0
    for _, made in ipairs(server:associations()) do
      local key = ("%s/%s/%d"):format(made.fromObjectId, made.toObjectId, made.associationTypeId)
      set[key] = (set[key] or 0) + 1
      count = count + 1
    end
    return set, count
  end

  -- That the account holds the pairs of pairs_csv, each once, and no other; but those of `missing` rows.
  local function assert_holds(rows, missing)
    local set, count = held()
    local expected = 0
    for row = 1, rows do
      local key = ("%d/%d/1"):format(row + 1000000, row + 2000000)
      if not (missing and missing[row]) then
        expected = expected + 1
        assert.are.equal(1, set[key], key)
      end
    end
    assert.are.equal(expected, count)
  end

  local function wait_for_requests(count)
    exchange.eventually(function() return server:statistics().requests >= count end, count .. " requests")
  end

  it("takes any number of rows through a pipe", function()
    local argv = command.argv(arguments { "-" }, 'cat | "$@"')
    local result = process.run(argv, { stdin = pairs_csv(5000), env = command.environment() })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "5000 rows: 5000 created, 0 failed\n3 requests; ")
    assert_holds(5000)
  end)

  describe("with --failures", function()
    it("says which options the file must not be read with", function()
      local rows = file("export.csv", "Record ID,Company\n4041,2\n")
      local named = { "--from-column", "Record ID", "--to-column", "Company" }
      local result = create { named[1], named[2], named[3], named[4], "--failures", path "failed.csv", rows }
      assert_found(result.stdout, " lists that row: correct it, and give it to this command, "
        .. "without --from-column, --to-column\n")
      result = create({ "--format", "jsonl", "--failures", path "failed.csv", "-" },
        { stdin = '{"from":4041,"to":2}' })
      assert_found(result.stdout, "correct it, and give it to this command, without --format\n")
    end)

    it("writes the rows that were not created, to be corrected and fed back in", function()
      local rows = file("rows.csv",
        'note,to,from,type\n,1,4041,\n,2,,\nx,3,30,279\n,4,40,nine\n"a\nb",5,4042,\n')
      local result = create { "--failures", path "failed.csv", rows }
      assert.are.equal(1, result.code)
      assert_found(result.stdout, "5 rows: 1 created, 4 failed\n")
      assert_found(result.stdout, "\n" .. path "failed.csv" .. " lists all 4 of them: correct it")
      local text = read_file(path "failed.csv")
      local lines = {}
      for line in text:gmatch "[^\n]+" do lines[line] = true end
      assert.are.equal("row,from,to,type,outcome,category,message", text:match "[^\n]*")
      assert.is_true(lines["2,4041,1,1,failed,OBJECT_NOT_FOUND,No contact with ID 4041 exists"])
      assert.is_true(lines["6,4042,5,1,failed,OBJECT_NOT_FOUND,No contact with ID 4042 exists"])
      assert_found(text, '\n3,,2,1,failed,invalid_input,"from: expected a record id')
      assert_found(text, '5,40,4,nine,failed,invalid_input,"column type: expected an association type id '
        .. '(a whole number from 1 to 2147483647), found ""nine"""\n')

      local corrected = text:gsub("404(%d),", "14%1,"):gsub("3,,2,", "3,20,2,"):gsub("nine,", "279,")
      result = create { "--failures", path "again.csv", file("corrected.csv", corrected) }
      assert.are.equal(0, result.code)
      assert_found(result.stdout, "4 rows: 4 created, 0 failed\n")
      assert.are.same({
        ["141/1/1"] = 1, ["20/2/1"] = 1, ["30/3/279"] = 1, ["40/4/279"] = 1, ["142/5/1"] = 1,
      }, (held()))
      assert.are.equal("row,from,to,type,outcome,category,message\n", read_file(path "again.csv"))
    end)

    it("keeps what an earlier run wrote, until there is something to take its place", function()
      create { "--failures", path "failed.csv", file("rows.csv", "4041,1\n") }
      local before = read_file(path "failed.csv")
      assert_found(before, "\n1,4041,1,1,failed,")
      local result = create({ "--failures", path "failed.csv", path "rows.csv" },
        { env = { HUBSPOT_TOKEN = "expired" } })
      assert.are.equal(2, result.code)
      assert.are.equal(before, read_file(path "failed.csv"))
      result = create { "--failures", path "failed.csv", file("rows.csv", "41,1\n") }
      assert.are.equal(0, result.code)
      assert.are.equal("row,from,to,type,outcome,category,message\n", read_file(path "failed.csv"))
    end)

    it("keeps the ids of JSON Lines without a type", function()
      local result = command.run({ "create", "--from", "x1", "--to", "x2", "--base-url", server:url(),
        "--failures", path "failed.csv", "-" }, { stdin = '{"from":{"id":"17"},"to":7}\n{"from":18}\n' })
      assert.are.equal(1, result.code)
      local text = read_file(path "failed.csv")
      assert_found(text, "\n1,17,7,,failed,invalid_input,")
      assert_found(text, "\n2,18,,,failed,invalid_input,")
    end)

    it("writes the ids of JSON Lines as they are, or not at all", function()
      local result = create({ "--failures", path "failed.csv", "-" }, {
        stdin = '{"from":404123456789012,"to":"7\\u0001"}\n{"from":1,"to":9007199254740993.0}\n'
          .. '{"from":1,"to":12345678901234567890}\n{"from":1.5,"to":[2]}\n{"from":true,"to":1e400}\n',
      })
      assert.are.equal(1, result.code)
      local text = read_file(path "failed.csv")
      assert_found(text, "\n1,404123456789012,7\1,1,failed,invalid_input,")
      assert_found(text, "\n2,1,9007199254740993.0,1,failed,invalid_input,")
      assert_found(text, "\n3,1,12345678901234567890,1,failed,invalid_input,")
      assert_found(text, "\n4,1.5,,1,failed,invalid_input,")
      assert_found(text, "\n5,,1e400,1,failed,invalid_input,")
      assert.is_nil(result.stdout:find("[%z\1-\9\11-\31\127]"))
      result = create({ "-" }, { stdin = text })
      assert_found(result.stdout, "5 rows: 0 created, 5 failed\n")
    end)

    it("writes a number that Lua has as an integer with all its digits", function()
      if not math.type then return end
      create({ "--failures", path "failed.csv", "-" }, { stdin = '{"from":4040000000000000003,"to":1}\n' })
      assert_found(read_file(path "failed.csv"), "\n1,4040000000000000003,1,1,failed,")
    end)

    it("writes a type that was refused so that it is refused again: no other takes its place", function()
      local types = { "false", "1.5", "[]", '["279"]', '"nine"', '{"associationTypeId":279}', "0", "[[279]]" }
      local lines = {}
      for line, text in ipairs(types) do lines[line] = ('{"from":1,"to":2,"types":%s}\n'):format(text) end
      lines[#lines + 1] = '{"from":1,"to":2,"type":279,"types":279}\n'
      create({ "--failures", path "failed.csv", "-" }, { stdin = table.concat(lines) })
      assert.are.equal(1 + #lines, lines_in(path "failed.csv"))
      local result = create { path "failed.csv" }
      assert_found(result.stdout, "9 rows: 0 created, 9 failed\n")
      assert.are.equal(0, server:statistics().requests)
    end)

    it("writes each type with its category where --category was given, for a run without it", function()
      create({ "--category", "USER_DEFINED", "--type", "36", "--failures", path "failed.csv", "-" },
        { stdin = "4041,2\n4042,2,37\n4043,2,HUBSPOT_DEFINED:279\n,2,38\n" })
      local text = read_file(path "failed.csv")
      assert_found(text, "\n1,4041,2,USER_DEFINED:36,failed,")
      assert_found(text, "\n2,4042,2,USER_DEFINED:37,failed,")
      assert_found(text, "\n3,4043,2,HUBSPOT_DEFINED:279,failed,")
      assert_found(text, "\n4,,2,USER_DEFINED:38,failed,")
    end)

    it("keeps the types and categories of JSON Lines", function()
      local result = create({ "--failures", path "failed.csv", "-" }, {
        stdin = '{"from":{"id":"4041"},"to":7,"types":[1,{"associationCategory":"USER_DEFINED",'
          .. '"associationTypeId":30}]}\n{"from":"4042","to":8,"type":279}\n',
      })
      assert.are.equal(1, result.code)
      local text = read_file(path "failed.csv")
      assert_found(text, "\n1,4041,7,1 USER_DEFINED:30,failed,")
      assert_found(text, "\n2,4042,8,279,failed,")
      result = create({ "-" }, { stdin = (text:gsub(",404", ",14")) })
      assert.are.equal(0, result.code)
      assert.are.same({ ["141/7/1"] = 1, ["141/7/30"] = 1, ["142/8/279"] = 1 }, (held()))
    end)
  end)

  local function wait_for_watch(child) -- until the command watches for signals: SIGTERM, 15, is caught
    exchange.eventually(function()
      local caught = read_file(("/proc/%d/status"):format(child.pid)):match "SigCgt:%s*%x*(%x%x%x%x)\n"
      return math.floor(tonumber(caught, 16) / 2 ^ 14) % 2 == 1
    end, "the command to watch for signals")
  end

  -- Interrupts a command that has read rows of a pipe, the second of them bad, and waits for more.
  local function interrupt_at_pipe(more)
    local child = command.start(arguments(more))
    child.stdin:write("1,2\n,3\n" .. ("1234567,7654321\n"):rep(20000))
    child.stdin:flush()
    wait_for_watch(child)
    local asleep = 0
    exchange.eventually(function() -- nothing but its pipe makes it sleep for so long
      local state = read_file(("/proc/%d/stat"):format(child.pid)):match "%) (%u)"
      asleep = state == "S" and asleep + 1 or 0
      return asleep > 100
    end, "the command to wait for its pipe")
    child:kill "TERM"
    return command.check(child:close())
  end

  describe("that is a dry run", function()
    it("checks all rows and sends nothing, without a token", function()
      local result = create({ "--dry-run", "-" },
        { stdin = pairs_csv(4001), env = { HUBSPOT_TOKEN = false } })
      assert.are.same({
        code = 0, stderr = "",
        stdout = "dry run: 4001 rows: 4001 can be sent, in 3 requests; 0 cannot; nothing was sent\n",
      }, result)
      result = create({ "--dry-run", "--failures", path "f", "--batch-size", "2", "-" },
        { stdin = "1,2\n,3\n4,5,0\n6,7\n8,9\n" })
      assert.are.same({ 1, "" }, { result.code, result.stderr })
      assert_found(result.stdout,
        "dry run: 5 rows: 3 can be sent, in 3 requests; 2 cannot; nothing was sent\n"
        .. "line 2: from: expected a record id (1 to 19 digits), found the string \"\": it is empty; "
        .. "fill it in, or leave the row out\nline 3: column type: expected")
      assert.are.equal(3, lines_in(path "f"))
      assert.are.equal(0, server:statistics().requests)
    end)

    it("says what arguments are wrong", function()
      local result = create({ "--dry-run", "--base-url", "http://example.com", "-" }, { stdin = "1,2" })
      assert.are.equal(2, result.code)
      assert_found(result.stderr, "'--base-url': ")
    end)

    it("foretells the requests of the job", function()
      local rows = { "--batch-size", "2", file("rows.csv", "1,2\n,3\n4,5,0\n6,7\n8,9\n8,9\n") }
      local result = create(rows)
      assert_found(result.stdout, "6 rows: 4 created, 2 failed\n3 requests; ")
      rows[4] = "--dry-run"
      assert_found(create(rows).stdout, "dry run: 6 rows: 4 can be sent, in 3 requests; 2 cannot")
    end)

    it("opens no journal", function()
      local result = create({ "--dry-run", "--journal", path "journal", "-" }, { stdin = "1,2\n" })
      assert.are.equal(0, result.code)
      assert.is_nil(io.open(path "journal"))
    end)

    it("ends with what it has checked when it is interrupted, and has nothing to go on from", function()
      local result = interrupt_at_pipe { "--dry-run", "--batch-size", "100", "-" }
      assert.are.equal(143, result.code)
      assert.are.equal("hubspot-associations: interrupted\n", result.stderr)
      local rows, valid = result.stdout:match "^dry run: (%d+) rows: (%d+) can be sent, .* 1 cannot"
      assert.are.equal(tonumber(rows), valid + 1)
      assert_found(result.stdout, "; nothing was sent; the rest of the file was not read\n")
    end)
  end)

  describe("shows how far it is", function()
    it("by a bar that fits the terminal's width", function()
      server:configure { latency = 0.15 }
      local result = create({ "--progress", "bar", "--batch-size", "100", "--concurrency", "1",
        file("rows.csv", pairs_csv(500)) }, { env = { COLUMNS = "60" } })
      assert.are.equal(0, result.code)
      assert.truthy(result.stderr:find "%[=+ +%]   %d0%%  %d00 rows  %d+ rows/s  %d:%d%d left\27")
      assert.truthy(result.stderr:find "%[=+%]  100%%  500 rows  %d+ rows/s\27[^\r]*\n$")
      for drawn in result.stderr:gmatch "\27%[%?7l([^\27]*)" do assert.is_true(#drawn < 60) end
      assert_found(result.stdout, "500 rows: 500 created, 0 failed\n")
    end)

    it("not at all when it is to be quiet, nor that all went well", function()
      local result = create({ "--quiet", "-" }, { stdin = "1,2\n" })
      assert.are.same({ code = 0, stdout = "", stderr = "" }, result)
      result = create({ "--quiet", "-" }, { stdin = "1,2\n4041,3\n" })
      assert.are.same({ 1, "" }, { result.code, result.stderr })
      assert_found(result.stdout, "2 rows: 1 created, 1 failed\n")
    end)
  end)

  describe("that is interrupted", function()
    local ROWS = 500

    -- Starts a slow job and interrupts it in its middle.
    local function interrupt(signal, more)
      server:configure { latency = 0.1 }
      local child = command.start(arguments(more))
      wait_for_requests(5)
      child:kill(signal)
      return command.check(child:close())
    end

    it("finishes what is in flight, reports, and goes on from its journal", function()
      local rows = file("rows.csv", pairs_csv(ROWS, { [2] = "4041,9", [3] = ",9", [499] = "4042,9" }))
      local more = { "--batch-size", "10", "--concurrency", "2", "--journal", path "journal",
        "--failures", path "failed.csv", rows }
      local result = interrupt("INT", more)
      assert.are.equal(130, result.code)
      assert_found(result.stderr, "interrupted: finishing what is in flight")
      assert_found(result.stderr, "run the same command again: " .. path "journal" .. " has what is done")
      local inputs, created, failed = result.stdout:match "^(%d+) rows: (%d+) created, (%d+) failed"
      local _, count = held()
      assert.are.equal(count, tonumber(created))
      assert.are.equal(2, tonumber(failed))
      assert_found(result.stdout, "; the rest of the file was not read\n")
      local not_sent = tonumber(result.stdout:match ", (%d+) not sent" or 0)
      assert.are.equal(tonumber(inputs), created + failed + not_sent)
      local sent = server:statistics().requests

      server:configure { latency = 0 }
      result = create(more)
      assert.are.equal(1, result.code)
      assert_found(result.stdout,
        ("500 rows: 497 created, 3 failed; %d of them known"):format(created + failed))
      assert_holds(ROWS, { [2] = true, [3] = true, [499] = true })
      assert.are.equal(50, server:statistics().requests)
      assert_found(result.stdout, ("\n%d requests; "):format(50 - sent))
      assert.are.equal(4, lines_in(path "failed.csv"))
      for _, line in ipairs { "2,4041,9,1,", "3,,9,1,", "499,4042,9,1," } do
        assert_found(read_file(path "failed.csv"), "\n" .. line .. "failed,")
      end
    end)

    it("ends with 143 for SIGTERM, and says that it can be run again", function()
      local result = interrupt("TERM", { "--batch-size", "10", file("rows.csv", pairs_csv(ROWS)) })
      assert.are.equal(143, result.code)
      assert_found(result.stderr, "creating an association twice changes nothing")
      local _, count = held()
      assert_found(result.stdout, (" %d created, 0 failed"):format(count))
    end)

    it("ends a wait before the next attempt, and takes no row that was not sent for a failure", function()
      server:configure { rate = { limit = 0, interval = 100 } }
      local rows = file("rows.csv", pairs_csv(3))
      local child = command.start(arguments { "--failures", path "failed.csv", rows })
      wait_for_requests(1)
      child:kill "INT"
      local result = command.check(child:close())
      assert.are.equal(130, result.code)
      assert_found(result.stdout, "3 rows: 0 created, 0 failed, 3 not sent\n1 request; ")
      assert.are.equal(1, lines_in(path "failed.csv"))
    end)

    it("ends at once when it is interrupted again", function()
      local raw = raw_server.start { connections = { { { "read_request" }, { "hold" } } } }
      local child = command.start(command.create(raw:url(), { file("rows.csv", "1,2\n") }, "1"))
      exchange.eventually(function() return raw:requests()[1] end, "the request")
      exchange.eventually(function()
        child:kill "INT"
        return not process.lives(child.pid)
      end, "the end")
      assert.are.equal(130, child:close().code)
      raw:close()
    end)

    it("ends while it waits for a pipe", function()
      local child = command.start(arguments { "-" })
      wait_for_watch(child)
      child:kill "TERM"
      exchange.eventually(function()
        return not process.lives(child.pid)
      end, "the end")
      local result = child:close()
      assert.are.same({ 143, "" }, { result.code, result.stdout })
      assert_found(result.stderr, "interrupted: nothing was sent")
    end)

    it("ends while it waits for more of a pipe, and reports", function()
      local result = interrupt_at_pipe { "-" }
      assert.are.equal(143, result.code)
      assert_found(result.stdout, "1 failed")
      assert_found(result.stdout, "; the rest of the file was not read\n")
      assert_found(result.stderr, "the same command again with the same input")
      assert.is_nil(result.stderr:find("correct the file", 1, true))
    end)
  end)

  it("that is killed fifty times goes on, loses nothing, and repeats only what was in flight", function()
    -- A process that is checked is slow to kill another: the job would be done before the fiftieth time.
    local ROWS, BATCH, CONCURRENCY, KILLS = 12000, 20, 4, resources.is_checked() and 8 or 50
    local journal, missing = path "journal", { [17] = true, [3000] = true, [5990] = true }
    local rows = file("rows.csv", pairs_csv(ROWS, { [17] = "4041,9", [3000] = ",9", [5990] = "4042,9" }))
    server:configure { latency = 0.01 }
    local all = arguments { "--progress", "none", "--journal", journal, "--batch-size", tostring(BATCH),
      "--concurrency", tostring(CONCURRENCY), "--failures", path "failed.csv", rows }
    for kill = 1, KILLS do
      local goal = lines_in(journal) + kill * 7 % 6 -- 0: at its start
      local child = command.start(all)
      exchange.eventually(function() return lines_in(journal) >= goal end, "the journal to grow")
      child:kill "KILL"
      assert.are.equal(137, child:close().code)
    end
    assert.is_true(lines_in(journal) < ROWS / BATCH, "the last kill came before the end")

    local result = command.run(all)
    assert.are.same({ 1, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "12000 rows: 11997 created, 3 failed; ")
    assert_holds(ROWS, missing)
    assert.are.equal(4, lines_in(path "failed.csv"))
    local repeated = server:statistics().requests - ROWS / BATCH
    assert.is_true(repeated >= 0 and repeated <= KILLS * CONCURRENCY, repeated .. " batches were sent twice")
  end)

  it("refuses the journal of another file, and leaves its files as they are", function()
    local journal = path "journal"
    assert.are.equal(0, create({ "--journal", journal, "-" }, { stdin = pairs_csv(30) }).code)
    local before, sent = read_file(journal), server:statistics().requests
    local result = create({ "--journal", journal, "-" }, { stdin = pairs_csv(30, { [9] = "7,8" }) })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, ": journal " .. journal
      .. ": is of another job: inputs 1 to 30 are not the ones it recorded\n")
    assert_found(result.stderr, "the same file, object types, --type and --category")
    assert_found(create({ "--type", "279", "--journal", journal, "-" }, { stdin = pairs_csv(30) }).stderr,
      "the same file, object types, --type and --category")
    file("failed.csv", "kept\n")
    result = create({ "--from", "deals", "--type", "5", "--failures", path "failed.csv",
      "--journal", journal, "-" }, { stdin = pairs_csv(30) })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "its fromObjectType is contacts, not deals")
    assert_found(result.stderr, "nothing was sent")
    assert.are.same({ before, sent, "kept\n" },
      { read_file(journal), server:statistics().requests, read_file(path "failed.csv") })
  end)

  it("keeps a second command off its journal and its failures", function()
    server:configure { latency = 0.2 }
    local all = arguments { "--batch-size", "10", "--concurrency", "1", "--journal", path "journal",
      "--failures", path "failed.csv", file("rows.csv", pairs_csv(50, { [1] = "4041,1" })) }
    local first = command.start(all)
    wait_for_requests(2)
    local second = command.run(all)
    assert.are.same({ 2, "" }, { second.code, second.stdout })
    assert_found(second.stderr, "another process is using it")
    local result = command.check(first:close())
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "50 rows: 49 created, 1 failed\n5 requests; ")
    assert.are.equal(2, lines_in(path "failed.csv"))
  end)
end)
