-- Checks terminal.lua: text from elsewhere as a line that is safe to print, and streams that fail.

local command = require "support.command"
local terminal = require "hubspot.associations.cli.output.terminal"

describe("text on a terminal", function()
  it("is one line, in which nothing acts", function()
    assert.equal("a b c", terminal.one_line "a\nb\27c")
    assert.equal("12", terminal.one_line(12))
  end)

  it("is cut when it is long, and at no half character", function()
    assert.equal(("x"):rep(1000), terminal.one_line(("x"):rep(1000)))
    assert.equal(("x"):rep(1000) .. "...", terminal.one_line(("x"):rep(1001)))
    assert.equal(("x"):rep(999) .. "...", terminal.one_line(("x"):rep(999) .. "é"))
  end)

  it("is written, unless the reader is gone, which is no error", function()
    local stream = command.stream()
    assert.is_true(terminal.write(stream, "text\n"))
    assert.equal("text\n", stream.text)
    assert.is_true(terminal.write(command.stream { "Broken pipe", 32 }, "text\n"))
    assert.same({ nil, "No space left on device" },
      { terminal.write(command.stream { "No space left on device", 28 }, "text\n") })
  end)

  it("is not written when only the flush fails", function()
    local stream = command.stream()
    function stream.flush() return nil, "No space left on device", 28 end
    assert.same({ nil, "No space left on device" }, { terminal.write(stream, "text\n") })
  end)

  it("begins each line of a message with the program's name", function()
    local stream = command.stream()
    terminal.say(stream, "one")
    terminal.say(stream, { "two\nlines", "three" })
    assert.equal("hubspot-associations: one\nhubspot-associations: two lines\nhubspot-associations: three\n",
      stream.text)
    assert.has_no.errors(function() terminal.say(command.stream { "No space left", 28 }, "lost") end)
  end)
end)
