-- Makes a loop of one function of the host's own: one that waits for a descriptor, or one that only sleeps.

local core = require "hubspot.associations.core"

local generic = {}

-- Seconds between two looks at the descriptor, for a host that can watch none: short at first, for what comes
-- at once; at most short against a call to HubSpot, long against the cost of a look.
local FIRST_NAP, LONGEST_NAP = 0.001, 0.005

---@param poll fun(fd: integer, timeout: number|nil) returns when fd is readable, or after `timeout` seconds
---@return hubspot.associations.Loop
function generic.polling(poll)
  if type(poll) ~= "function" then error("generic.polling: expected a function that waits", 2) end
  return { wait = poll }
end

---@param sleep fun(seconds: number) lets the host do other things meanwhile
---@return hubspot.associations.Loop
function generic.sleeping(sleep)
  if type(sleep) ~= "function" then error("generic.sleeping: expected a function that sleeps", 2) end
  local found = {} -- fd -> how often one of its waits found it readable, which ends them all
  return {
    -- Sleeps before it looks: what is there may be for another coroutine, which has to get its turn.
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
