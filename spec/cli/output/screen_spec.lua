-- Runs the command in a real terminal emulator: what the screen shows of a job, at any width, also when the
-- terminal is resized meanwhile. What the bar says is progress_spec's matter.

local command = require "support.command"
local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local process = require "support.process"
local screen = require "support.screen"

local fixture = command.fixture()
local create, file, path = fixture.create, fixture.file, fixture.path
local assert_found, pairs_csv = command.assert_found, command.pairs_csv

describe("a job on standard error", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("is shown by a bar that fits the width", function()
    fixture.server:configure { latency = 0.15 }
    local result = create({ "--progress", "bar", "--batch-size", "100", "--concurrency", "1",
      file("rows.csv", pairs_csv(500)) }, { env = { COLUMNS = "60" } })
    assert.are.equal(0, result.code)
    assert.truthy(result.stderr:find "%[=+ +%]   %d0%%  %d00 rows  %d+ rows/s  %d:%d%d left\27")
    assert.truthy(result.stderr:find "%[=+%]  100%%  500 rows  %d+ rows/s\27[^\r]*\n$")
    for drawn in result.stderr:gmatch "\27%[%?7l([^\27]*)" do assert.is_true(#drawn < 60) end
    assert_found(result.stdout, "500 rows: 500 created, 0 failed\n")
  end)

  it("shows that it waits for the rate limit, and for how long", function()
    local arguments = fixture.arguments { "--batch-size", "1", "--concurrency", "1", "--rate", "1",
      "--progress", "bar", file("rows.csv", "1,2\n3,4\n") }
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
  end)
end)

describe("the report on a terminal", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  -- What a terminal gets; of standard output alone where standard error goes elsewhere.
  local function shown(env, redirection)
    local words = {}
    for _, word in ipairs(command.argv(fixture.arguments { "-q", file("rows.csv", "1,2\n4041,2\n") })) do
      words[#words + 1] = process.quote(word)
    end
    local line = table.concat(words, " ") .. (redirection or "")
    return process.run({ "script", "-qec", line, "/dev/null" }, { env = command.environment(env) }).stdout
  end

  it("has what was created in green, and what failed in red", function()
    local RED, GREEN, OFF = "\27[31m", "\27[32m", "\27[0m"
    local text = shown({ TERM = "xterm", NO_COLOR = false })
    assert_found(text, ("2 rows: %s1 created%s, %s1 failed%s\r\n"):format(GREEN, OFF, RED, OFF))
    assert_found(shown({ TERM = "xterm", NO_COLOR = "" }), RED)
    assert.is_nil(create({ "-" }, { stdin = "1,2\n", env = { TERM = "xterm" } }).stdout:find "\27")
  end)

  it("has no colours where nobody wants them, or the terminal has none", function()
    for _, env in ipairs {
      { TERM = "xterm", NO_COLOR = "1" }, { TERM = "dumb", NO_COLOR = false },
      { TERM = false, NO_COLOR = false },
    } do
      local text = shown(env)
      assert_found(text, "2 rows: 1 created, 1 failed\r\n")
      assert.is_nil(text:find("\27[3", 1, true))
    end
    local text = shown({ TERM = "xterm", NO_COLOR = false }, " | cat")
    assert_found(text, "2 rows: 1 created, 1 failed")
  end)
end)

describe("a job in a terminal", function()
  local shown

  setup(fixture.open)
  teardown(fixture.close)

  before_each(function()
    fixture.reset()
    if not screen.is_there() then pending "tmux is not installed (tools/setup installs it with apt)" end
  end)

  after_each(function()
    if shown then shown:close() end
    shown = nil
  end)

  local function start(columns, rows)
    local arguments = fixture.arguments { "--batch-size", "10", "--concurrency", "1",
      file("rows.csv", pairs_csv(rows)) }
    shown = screen.start(columns, command.argv(arguments), command.environment { COLUMNS = false })
  end

  local function rows_of(line)
    return tonumber((line or ""):match "(%d+) rows")
  end

  -- Waits until the bar has been drawn since.
  local function wait_for_progress(since)
    local lines
    exchange.eventually(function()
      lines = shown:lines()
      return (rows_of(lines[#lines]) or 0) > since
    end, "a bar on the screen")
    return lines
  end

  local function assert_one_line(lines, columns)
    assert.are.equal(1, #lines, table.concat(lines, "\n"))
    assert.is_true(#lines[1] < columns, lines[1])
    assert.matches("%d+%%  %d+ rows", lines[1])
    return rows_of(lines[1])
  end

  for _, columns in ipairs { 30, 40, 70, 80, 120 } do
    it(("is shown in one line of %d columns, to its end"):format(columns), function()
      fixture.server:configure { latency = 0.02 }
      start(columns, 300)
      local seen = 0
      for _ = 1, 3 do seen = assert_one_line(wait_for_progress(seen), columns) end
      exchange.eventually(function() return shown:is_over() end, "the job's end")
      local lines = shown:lines()
      assert.matches("100%%  300 rows", lines[1])
      assert.are.equal(("300 rows: 300 created, 0 failed"):sub(1, columns), lines[2]) -- the report may wrap
    end)
  end

  it("stays in one line when the terminal is resized in its midst, to any width", function()
    fixture.server:configure { latency = 0.05 }
    start(120, 2000)
    local seen = assert_one_line(wait_for_progress(0), 120)
    for _, columns in ipairs { 40, 80, 30, 120, 41, 25, 70 } do
      shown:resize(columns)
      local resized = core.now()
      -- What is drawn from now on knows the new width; a line from before may be on the screen still.
      exchange.eventually(function()
        local lines = shown:lines()
        seen = rows_of(lines[#lines]) or seen
        return core.now() > resized + 0.3 and #lines == 1 and #lines[1] < columns
      end, columns .. " columns")
      seen = assert_one_line(wait_for_progress(seen), columns)
    end
  end)
end)
