-- Waits in a cqueues coroutine: the others of its controller go on.

local cqueues = require "cqueues"

return {
  wait = function(fd, timeout)
    cqueues.poll({ pollfd = fd, events = "r" }, timeout)
  end,
}
