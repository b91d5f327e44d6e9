-- Waits in a cqueues coroutine: the others of its controller go on. cqueues remembers a descriptor after the
-- wait, and would never watch another that gets its number: it is made to forget it when nobody waits.

local cqueues = require "cqueues"

local WEAK = { __mode = "k" } -- a coroutine that is gone waits no more
local waiting = {} -- fd -> set of waits

return {
  wait = function(fd, timeout)
    local wait, waits = {}, waiting[fd] or setmetatable({}, WEAK)
    waiting[fd], waits[wait] = waits, true
    cqueues.poll({ pollfd = fd, events = "r" }, timeout or math.huge)
    waits[wait] = nil
    if next(waits) == nil then
      waiting[fd] = nil
      cqueues.cancel(fd)
    end
  end,
}
