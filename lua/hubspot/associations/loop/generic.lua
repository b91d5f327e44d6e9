-- Makes a loop of one function of the host's own: one that waits for a descriptor, or one that only sleeps.

local core = require "hubspot.associations.core"

local generic = {}

-- Seconds between two looks at the descriptor, for a host that can watch none: short against a call to
-- HubSpot, long against the cost of a look.
local NAP = 0.005

---@param poll fun(fd: integer, timeout: number|nil) returns when fd is readable, or after `timeout` seconds
---@return hubspot.associations.Loop
function generic.polling(poll)
  return { wait = poll }
end

---@param sleep fun(seconds: number) lets the host do other things meanwhile
---@param now? fun(): number the host's clock, seconds; by default the system's monotonic one
---@return hubspot.associations.Loop
function generic.sleeping(sleep, now)
  now = now or core.now
  return {
    wait = function(fd, timeout)
      local deadline = timeout and now() + timeout or math.huge
      repeat
        if core.poll(fd, 0) then return end
        sleep(math.max(0.001, math.min(NAP, deadline - now())))
      until now() >= deadline
    end,
  }
end

return generic
