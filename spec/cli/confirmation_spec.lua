-- Checks confirmation.lua by the commands that remove, without a terminal and in one.

local command = require "support.command"
local screen = require "support.screen"

local fixture = command.fixture()
local create, file, held, run_on = fixture.create, fixture.file, fixture.held, fixture.run_on
local assert_found = command.assert_found

describe("a command that removes", function()
  local shown

  setup(fixture.open)
  teardown(fixture.close)
  before_each(function()
    fixture.reset()
    create({ "--type", "1", "-" }, { stdin = "1,2\n3,4\n" })
  end)
  after_each(function()
    if shown then shown:close() end
    shown = nil
  end)

  for name, more in pairs { archive = {}, ["archive-labels"] = { "--type", "1" } } do
    it("removes nothing without --yes, where there is no terminal: " .. name, function()
      more[#more + 1] = file("rows.csv", "1,2\n")
      local requests = fixture.server:statistics().requests
      local result = run_on(name, more)
      assert.are.same({ 2, "" }, { result.code, result.stdout })
      assert_found(result.stderr, name .. ": there is no terminal on which it could ask; give --yes")
      assert_found(result.stderr, "nothing was removed\n")
      assert.are.equal(requests, fixture.server:statistics().requests)
      table.insert(more, 1, "--dry-run")
      assert_found(run_on(name, more).stdout, "dry run: 1 row: 1 can be sent, in 1 request")
      assert.are.equal(requests, fixture.server:statistics().requests)
    end)
  end

  local function start(more, name)
    if not screen.is_there() then pending "tmux is not installed (tools/setup installs it with apt)" end
    local arguments = { name or "archive", "--from", "contacts", "--to", "companies", "--base-url",
      fixture.server:url() }
    for _, word in ipairs(more) do arguments[#arguments + 1] = word end
    shown = screen.start(100, command.argv(arguments), command.environment { COLUMNS = false })
  end

  local function wait_for(text) shown:wait_for(text) end

  it("says in a terminal how many pairs it would remove, and removes them when the answer is yes", function()
    start { file("rows.csv", "1,2\n3,4\nx,5\n") }
    wait_for "This removes all types of 2 pairs (and 1 bad row), from contacts to companies. Go on? [y/N]"
    assert.are.equal(2, #held())
    shown:type "y"
    wait_for "3 rows: 2 archived, 1 failed"
    assert.are.same({}, held())
  end)

  for _, answer in ipairs { "", "n", "no", "o y" } do
    it(("removes nothing when the answer is %q"):format(answer), function()
      start { file("rows.csv", "1,2\n") }
      wait_for "This removes all types of 1 pair, from contacts to companies. Go on? [y/N]"
      shown:type(answer)
      wait_for "nothing was removed"
      shown:wait_for_end()
      assert.are.equal(2, #held())
    end)
  end

  it("counts a pair once whose rows stand together, as in what read writes", function()
    local links = file("links.csv", run_on("read", { "-q", file("ids.csv", "1\n3\n") }).stdout)
    start { "--all-types", links }
    wait_for "This removes all types of 2 pairs, from contacts to companies. Go on? [y/N]"
    shown:close()
    start({ "--all-types", links }, "archive-labels")
    wait_for "This removes the types in 4 rows, from contacts to companies. Go on? [y/N]"
  end)

  it("ends at Ctrl-C", function()
    start { file("rows.csv", "1,2\n") }
    wait_for "Go on? [y/N]"
    shown:press "C-c"
    wait_for "interrupted: nothing was sent"
    shown:wait_for_end()
    assert.are.equal(2, #held())
  end)

  it("cannot ask in a terminal where FILE can be read only once", function()
    start { "-" }
    wait_for "FILE can be read only once"
  end)
end)
