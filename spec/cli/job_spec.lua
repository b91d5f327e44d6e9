-- Checks jobs of the command as its users run them: pipes, journals, kills and resumes, with processes of
-- their own, against the sandbox.

local command = require "support.command"
local exchange = require "support.exchange"
local process = require "support.process"
local resources = require "support.resources"

local fixture = command.fixture()
local arguments, create, file = fixture.arguments, fixture.create, fixture.file
local held, path = fixture.held, fixture.path
local assert_found, pairs_csv, read_file = command.assert_found, command.pairs_csv, process.read_file
local lines_in, wait_for_requests = command.lines_in, fixture.wait_for_requests

describe("a job of the command", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  -- That the account holds the pairs of pairs_csv, each once, and no other; but for the `missing` rows.
  local function assert_holds(rows, missing)
    local expected = {}
    for row = 1, rows do
      if not (missing and missing[row]) then
        expected[#expected + 1] = ("%d/%d/1"):format(row + 1000000, row + 2000000)
      end
    end
    table.sort(expected)
    assert.are.equal(table.concat(expected, "\n"), table.concat(held(), "\n"))
  end

  it("takes any number of rows through a pipe", function()
    local argv = command.argv(arguments { "-" }, 'cat | "$@"')
    local result = process.run(argv, { stdin = pairs_csv(5000), env = command.environment() })
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "5000 rows: 5000 created, 0 failed\n3 requests; ")
    assert_holds(5000)
  end)

  it("that is killed fifty times goes on, loses nothing, and repeats only what was in flight", function()
    -- A process that is checked is slow to kill another: the job would be done before the fiftieth time.
    local ROWS, BATCH, CONCURRENCY, KILLS = 12000, 20, 4, resources.is_checked() and 8 or 50
    local journal, missing = path "journal", { [17] = true, [3000] = true, [5990] = true }
    local rows = file("rows.csv", pairs_csv(ROWS, { [17] = "4041,9", [3000] = ",9", [5990] = "4042,9" }))
    fixture.server:configure { latency = 0.01 }
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
    local repeated = fixture.server:statistics().requests - ROWS / BATCH
    assert.is_true(repeated >= 0 and repeated <= KILLS * CONCURRENCY, repeated .. " batches were sent twice")
  end)

  it("refuses the journal of another file, and leaves its files as they are", function()
    local journal = path "journal"
    assert.are.equal(0, create({ "--journal", journal, "-" }, { stdin = pairs_csv(30) }).code)
    local before, sent = read_file(journal), fixture.server:statistics().requests
    local result = create({ "--journal", journal, "-" }, { stdin = pairs_csv(30, { [9] = "7,8" }) })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, ": journal " .. journal
      .. ": is of another job: inputs 1 to 30 are not the ones it recorded\n")
    assert_found(result.stderr, "the same rows in the same order, object types, --type")
    assert_found(create({ "--type", "279", "--journal", journal, "-" }, { stdin = pairs_csv(30) }).stderr,
      "the same rows in the same order, object types, --type")
    file("failed.csv", "kept\n")
    result = create({ "--from", "deals", "--type", "5", "--failures", path "failed.csv",
      "--journal", journal, "-" }, { stdin = pairs_csv(30) })
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "its fromObjectType is contacts, not deals")
    assert_found(result.stderr, "nothing was sent")
    assert.are.same({ before, sent, "kept\n" },
      { read_file(journal), fixture.server:statistics().requests, read_file(path "failed.csv") })
  end)

  it("keeps a second command off its journal and its failures", function()
    fixture.server:configure { latency = 0.2 }
    local all = arguments { "--batch-size", "10", "--concurrency", "1", "--journal", path "journal",
      "--failures", path "failed.csv", file("rows.csv", pairs_csv(50, { [1] = "4041,1" })) }
    local first = command.start(all)
    wait_for_requests(2)
    local second = command.run(all)
    assert.are.same({ 2, "" }, { second.code, second.stdout })
    assert_found(second.stderr, "another process, or another job of this one, is using it")
    local result = command.check(first:close())
    assert.are.equal(1, result.code)
    assert_found(result.stdout, "50 rows: 49 created, 1 failed\n5 requests; ")
    assert.are.equal(2, lines_in(path "failed.csv"))
  end)
end)
