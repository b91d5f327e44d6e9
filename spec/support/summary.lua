-- The usual output of busted, and a record that tools/test counts from.
-- The record is the file named by -Xoutput: one line per result (passed, failed or skipped), then "end".
-- Each line is flushed before the next test starts, so that a crash loses none.

local WORD = { success = "passed", failure = "failed", error = "failed", pending = "skipped" }

return function(options)
  local busted = require("busted")
  local usual = require("busted.outputHandlers." .. options.defaultOutput)(options)
  local record = assert(io.open(options.arguments[1], "w"))

  local function write(word)
    record:write(word, "\n")
    record:flush()
    return nil, true
  end

  -- An error outside a test (in a file that does not load, in a setup) is a failure, too.
  local function outside(element)
    if element.descriptor ~= "it" then
      write("failed")
    end
    return nil, true
  end

  busted.subscribe({ "test", "end" }, function(_, _, status)
    return write(WORD[status])
  end)
  busted.subscribe({ "error" }, outside)
  busted.subscribe({ "failure" }, outside)
  busted.subscribe({ "exit" }, function()
    return write("end")
  end)
  return usual
end
