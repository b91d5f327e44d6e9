-- Runs the command in a real terminal emulator: what the screen shows of a job, at any width, also when the
-- terminal is resized in its midst. What the bar says is progress_spec's to check.

local command = require "support.command"
local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local process = require "support.process"
local sandbox = require "support.sandbox"
local screen = require "support.screen"

describe("a job in a terminal", function()
  local server, folder, shown

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
    if not screen.is_there() then pending "tmux is not installed (tools/setup installs it with apt)" end
  end)

  after_each(function()
    if shown then shown:close() end
    shown = nil
  end)

  local function start(columns, rows)
    local lines = {}
    for row = 1, rows do lines[row] = ("%d,%d"):format(row + 1000000, row + 2000000) end
    local path = process.write_file(folder .. "/rows.csv", table.concat(lines, "\n") .. "\n")
    local arguments = command.create(server:url(), { "--batch-size", "10", "--concurrency", "1", path }, "1")
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
      server:configure { latency = 0.02 }
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
    server:configure { latency = 0.05 }
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
