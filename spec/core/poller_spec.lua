-- Checks src/poller_*.c by spec/core/poller.c, which is compiled for it.

local c_program = require "support.c_program"
local process = require "support.process"

describe("the poller", function()
  it("is readable while an alarm is due or a socket is ready, and wakes whoever watches it", function()
    local is_linux = process.run({ "uname", "-s" }).stdout == "Linux\n"
    local sources = { "spec/core/poller.c", is_linux and "src/poller_epoll.c" or "src/poller_kqueue.c" }
    local printed = c_program.run(sources, {}, {})
    if not printed then pending "no C compiler" end
    assert.equal("checked\n", printed)
  end)
end)
