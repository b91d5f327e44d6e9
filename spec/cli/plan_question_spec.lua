-- Checks plan_question.lua by the command sync in a terminal.

local command = require "support.command"
local screen = require "support.screen"

local fixture = command.fixture()
local create, file, held = fixture.create, fixture.file, fixture.held

describe("the command sync, in a terminal", function()
  local shown

  setup(fixture.open)
  teardown(fixture.close)
  before_each(function()
    fixture.reset()
    create({ "-" }, { stdin = "1,2,279\n1,3,279\n" })
  end)
  after_each(function()
    if shown then shown:close() end
    shown = nil
  end)

  local function start(more)
    if not screen.is_there() then pending "tmux is not installed (tools/setup installs it with apt)" end
    local arguments = { "sync", "--from", "contacts", "--to", "companies", "--mode", "mirror", "--base-url",
      fixture.server:url() }
    for _, word in ipairs(more) do arguments[#arguments + 1] = word end
    shown = screen.start(160, command.argv(arguments), command.environment { COLUMNS = false })
  end

  local function wait_for(text) shown:wait_for(text) end

  local QUESTION = "1 row to create, 1 link to remove of 2 that are compared; 1 kept, 0 failed, from "
    .. "contacts to companies. Go on? [y/N]"

  it("says what it would do, and does it when the answer is yes", function()
    start { file("rows.csv", "1,2,279\n1,4,279\n") }
    wait_for(QUESTION)
    assert.are.same({ "1/2/279", "1/3/279" }, held())
    shown:type "y"
    wait_for "2 rows and 1 removal: 1 kept, 1 created, 1 removed, 0 failed"
    assert.are.same({ "1/2/279", "1/4/279" }, held())
  end)

  for _, answer in ipairs { "", "n", "o y" } do
    it(("changes nothing when the answer is %q"):format(answer), function()
      start { file("rows.csv", "1,2,279\n1,4,279\n") }
      wait_for(QUESTION)
      shown:type(answer)
      wait_for "nothing was changed"
      shown:wait_for_end()
      assert.are.same({ "1/2/279", "1/3/279" }, held())
    end)
  end

  it("does not ask where there is nothing to do", function()
    start { file("rows.csv", "1,2,279\n1,3,279\n") }
    wait_for "2 rows: 2 kept, 0 created, 0 removed, 0 failed"
  end)

  it("cannot ask where FILE is standard input", function()
    start { "-" }
    wait_for "FILE is standard input, where it would read the answer; give --yes"
  end)
end)
