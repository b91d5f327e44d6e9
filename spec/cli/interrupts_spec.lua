-- Checks how the command ends by SIGINT and SIGTERM, in each of its waits.

local command = require "support.command"
local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local process = require "support.process"
local responses = require "support.responses"

local fixture = command.fixture()
local arguments, create, file = fixture.arguments, fixture.create, fixture.file
local held, path = fixture.held, fixture.path
local assert_found, pairs_csv, read_file = command.assert_found, command.pairs_csv, process.read_file
local lines_in, wait_for_requests = command.lines_in, fixture.wait_for_requests

describe("a job of the command that is interrupted", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  -- Interrupts a command that has read rows of a pipe, the second of them bad, and waits for more.
  local function interrupt_at_pipe(more)
    local child = command.start(arguments(more))
    child.stdin:write("1,2\n,3\n" .. ("1234567,7654321\n"):rep(20000))
    child.stdin:flush()
    command.wait_for_signals(child)
    local asleep = 0
    exchange.eventually(function() -- nothing but its pipe makes it sleep for so long
      local state = read_file(("/proc/%d/stat"):format(child.pid)):match "%) (%u)"
      asleep = state == "S" and asleep + 1 or 0
      return asleep > 100
    end, "the command to wait for its pipe")
    child:kill "TERM"
    return command.check(child:close())
  end

  local ROWS = 500

  -- Starts a slow job and interrupts it in its middle.
  local function interrupt(signal, more)
    fixture.server:configure { latency = 0.1 }
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
    assert.are.equal(#held(), tonumber(created))
    assert.are.equal(2, tonumber(failed))
    assert_found(result.stdout, "; the rest of the file was not read\n")
    local not_sent = tonumber(result.stdout:match ", (%d+) not sent" or 0)
    assert.are.equal(tonumber(inputs), created + failed + not_sent)
    local sent = fixture.server:statistics().requests

    fixture.server:configure { latency = 0 }
    result = create(more)
    assert.are.equal(1, result.code)
    assert_found(result.stdout,
      ("500 rows: 497 created, 3 failed; %d of them known"):format(created + failed))
    assert.are.equal(497, #held())
    assert.are.equal(50, fixture.server:statistics().requests)
    assert_found(result.stdout, ("\n%d requests; "):format(50 - sent))
    assert.are.equal(4, lines_in(path "failed.csv"))
    for _, line in ipairs { "2,4041,9,1,", "3,,9,1,", "499,4042,9,1," } do
      assert_found(read_file(path "failed.csv"), "\n" .. line .. "failed,")
    end
  end)

  it("ends with 129 for SIGHUP, and reports", function()
    local result = interrupt("HUP", { "--batch-size", "10", file("rows.csv", pairs_csv(ROWS)) })
    assert.are.equal(129, result.code)
    assert_found(result.stdout, " created, 0 failed")
  end)

  it("ends with 143 for SIGTERM, and says that it can be run again", function()
    local result = interrupt("TERM", { "--batch-size", "10", file("rows.csv", pairs_csv(ROWS)) })
    assert.are.equal(143, result.code)
    assert_found(result.stderr, "creating an association twice changes nothing")
    assert_found(result.stdout, (" %d created, 0 failed"):format(#held()))
  end)

  it("ends a wait before the next attempt, and takes no row that was not sent for a failure", function()
    fixture.server:configure { rate = { limit = 0, interval = 100 } }
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
    local raw = fixture.raw { { { "read_request" }, { "hold" } } }
    local child = command.start(command.create(raw:url(), { file("rows.csv", "1,2\n") }, "1"))
    exchange.eventually(function() return raw:requests()[1] end, "the request")
    exchange.eventually(function()
      child:kill "INT"
      return not process.lives(child.pid)
    end, "the end")
    assert.are.equal(130, child:close().code)
  end)

  it("ends while it waits for a pipe", function()
    local child = command.start(arguments { "-" })
    command.wait_for_signals(child)
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

  it("ends with what it has checked when it is interrupted, and has nothing to go on from", function()
    local result = interrupt_at_pipe { "--dry-run", "--batch-size", "100", "-" }
    assert.are.equal(143, result.code)
    assert.are.equal("hubspot-associations: interrupted\n", result.stderr)
    local rows, valid = result.stdout:match "^dry run: (%d+) rows: (%d+) can be sent, .* 1 cannot"
    assert.are.equal(tonumber(rows), valid + 1)
    assert_found(result.stdout, "; nothing was sent; the rest of the file was not read\n")
  end)

  it("ends by a rejection that came before, and says what to do", function()
    local rejected = responses.rejected(401, '{"message":"no"}')
    local raw = fixture.raw {
      { { "read_request" }, { "sleep", 0.2 }, { "send", rejected }, { "hold" } },
      { { "read_request" }, { "sleep", 1 }, { "send", responses.created() } },
    }
    local child = command.start(command.create(raw:url(), { "--max-attempts", "1", "--batch-size", "1",
      "--concurrency", "2", file("rows.csv", "1,2\n3,4\n5,6\n") }, "1"))
    exchange.eventually(function() return #raw:requests() == 2 end, "two requests")
    local started = core.now()
    exchange.eventually(function() return core.now() > started + 0.4 end, "the rejection")
    child:kill "INT"
    local result = child:close()
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "unauthorized: no")
    assert_found(result.stderr, "check that the token")
    assert.is_nil(result.stderr:find("nothing was sent", 1, true))
  end)
end)
