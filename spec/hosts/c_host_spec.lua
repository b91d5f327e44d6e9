-- A C program with its own poll loop, linked with the static library: the loop keeps running while
-- associations are created, and nothing is left when the program ends. The documentation refers to host.c as
-- an example.

local c_host = require "support.c_host"
local sandbox = require "support.sandbox"

local TOKEN = "pat-na1-0123456789abcdef"
local LATENCY, MOST_BETWEEN_TICKS = 0.3, 50 -- seconds; milliseconds

describe("a C host that links the core", function()
  local account, program, missing

  setup(function()
    missing = c_host.missing()
    program = not missing and c_host.build("host")
  end)

  before_each(function()
    account = sandbox.start({ latency = LATENCY, token = { TOKEN }, missing = { "2001" } })
  end)

  after_each(function()
    account:close()
  end)

  local function run(argv, token)
    return c_host.run(argv, { env = { HUBSPOT_TOKEN = token or TOKEN } })
  end

  -- Runs it, and checks that the loop went on: in one of three runs, since a busy machine may hold it.
  local function assert_ticks(argv, code, counts)
    local result, worst
    for _ = 1, 3 do
      account:reset()
      result = run(argv)
      assert.same({ code, "" }, { result.code, result.stderr })
      assert.matches(counts, result.stdout, 1, true)
      assert.equal(2000, #account:associations())
      local count, gap = result.stdout:match("(%d+) ticks, the worst gap ([%d.]+) ms")
      -- 20 requests, 4 at a time: five times the latency, in ticks of 10 ms.
      assert.is_true(tonumber(count) > 75, result.stdout)
      worst = tonumber(gap)
      if worst < MOST_BETWEEN_TICKS then return end
    end
    error("the worst gap between two ticks was " .. worst .. " ms, in each of three runs")
  end

  it("creates associations while its loop goes on ticking", function()
    if missing then pending(missing) end
    assert_ticks({ program, account:url(), 2000 }, 0,
      "2000 inputs, 2000 created, 0 failed, 0 unconfirmed, 0 not_sent")
  end)

  it("links one at a time while its loop goes on ticking", function()
    if missing then pending(missing) end
    assert_ticks({ program, account:url(), 2001, "links" }, 1,
      "2001 inputs, 2000 created, 1 failed, 0 unconfirmed, 0 not_sent")
  end)

  it("is told what was not created, and why a job stopped", function()
    if missing then pending(missing) end
    local result = run({ program, account:url(), 2001 })
    assert.equal(1, result.code)
    assert.matches("2001 inputs, 2000 created, 1 failed, 0 unconfirmed, 0 not_sent", result.stdout, 1, true)
    result = run({ program, account:url(), 10 }, "another-token")
    assert.equal(1, result.code)
    assert.matches("0 created, 0 failed, 0 unconfirmed, 10 not_sent\nstopped: ", result.stdout, 1, true)
    result = run({ program, "ftp://127.0.0.1", 10 })
    assert.equal(2, result.code)
    assert.matches("host: .*base_url", result.stderr)
  end)

  it("touches no memory that is not its own, and leaves none behind", function()
    if missing then pending(missing) end
    if not c_host.has("valgrind") then pending("no valgrind") end
    for _, mode in ipairs({ "", "links" }) do
      local argv = {
        "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
        "--errors-for-leak-kinds=definite,indirect,possible", program, account:url(), 1000,
      }
      argv[#argv + 1] = mode ~= "" and mode or nil
      local result = run(argv)
      assert.same({ 0, "" }, { result.code, result.stderr }, mode)
      assert.matches("1000 created", result.stdout, 1, true)
    end
  end)
end)
