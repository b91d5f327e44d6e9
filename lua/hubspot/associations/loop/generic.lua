-- Makes a loop from one function of the host: one that waits for a descriptor, or one that only sleeps.

local core = require "hubspot.associations.core"

local generic = {}

-- Seconds between two checks of the descriptor, in a host that cannot watch it. The first is short, for
-- responses that arrive at once. The longest is short compared with a call to HubSpot, and long compared with
-- what a check costs.
local FIRST_NAP, LONGEST_NAP = 0.001, 0.005

---@param poll fun(fd: integer, timeout: number|nil) returns when fd is readable, or after `timeout` seconds
---@return hubspot.associations.Loop
function generic.polling(poll)
  if type(poll) ~= "function" then error("generic.polling: expected a function that waits", 2) end
  return { wait = poll }
end

---@param sleep fun(seconds: number) suspends the caller; the host goes on
---@return hubspot.associations.Loop
function generic.sleeping(sleep)
  if type(sleep) ~= "function" then error("generic.sleeping: expected a function that sleeps", 2) end
  local found = {} -- fd -> how often a wait found it readable; a change ends the other waits for it, too
  return {
    -- It sleeps before the first check: if the descriptor is readable already, that may concern another
    -- coroutine, which has to run before the descriptor can change.
    wait = function(fd, timeout)
      local deadline = timeout and core.now() + timeout or math.huge
      local before, nap = found[fd], FIRST_NAP
      repeat
        sleep(math.max(FIRST_NAP, math.min(nap, deadline - core.now())))
        nap = math.min(2 * nap, LONGEST_NAP)
        if found[fd] ~= before then return end
        if core.poll(fd, 0) then
          found[fd] = (before or 0) + 1
          return
        end
      until core.now() >= deadline
    end,
  }
end

return generic
