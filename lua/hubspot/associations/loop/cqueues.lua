-- The loop for cqueues: suspends the calling coroutine, while the controller runs the others.
-- cqueues keeps a descriptor registered after a wait, and would not watch a later one that is given the same
-- number. So the descriptor is canceled once no coroutine waits for it.

local cqueues = require "cqueues"

local WEAK = { __mode = "k" } -- a coroutine that is collected while it waits leaves no entry behind
local waiting = {} -- fd -> set of the waits under way

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
