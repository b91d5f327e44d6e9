-- Who waits for a client's one descriptor, and until when. A step of any of them uses up the wake that was
-- due, which may have been another's: so each owner's deadline is kept here, and the transport's timer is set
-- to the soonest. Waiting goes through the host's event loop.

local core = require "hubspot.associations.core"

local wakeups = {}

-- Minimum delay before an overdue owner is woken again: with 0, the other owners would spin.
local REMINDER = 0.005 -- seconds

-- Seconds of work that all who wait may do together in one turn of the host's.
local LONGEST_TURN = 0.003

local NEXT_TURN = 0.001 -- seconds to wait for it, where the descriptor is not readable sooner

local NAP = 0.01 -- seconds, where there is nothing to wait for

---@class hubspot.associations.Wakeups
local Wakeups = {}
Wakeups.__index = Wakeups

---@param transport userdata core's
---@param loop table { wait = function(fd, timeout) }
---@return hubspot.associations.Wakeups
function wakeups.new(transport, loop)
  return setmetatable({
    transport = transport,
    loop = loop,
    -- Waits and jobs under way -> when each is to be woken, whatever comes. One that is forgotten goes.
    deadlines = setmetatable({}, { __mode = "k" }),
    alarm = math.huge, -- when the transport wakes the soonest of them
    is_closed = false,
    turn = 0, -- counts the host's
    worked = 0, -- seconds, in this turn
    resumed = nil, -- when the owner that works now began
  }, Wakeups)
end

---Ends the transport. The descriptor stays, readable, until the last owner has seen it: one that is closed
---wakes nobody.
function Wakeups:close()
  self.is_closed = true
  self.transport:shutdown()
  if next(self.deadlines) == nil then self.transport:close() end
end

---Removes an owner.
---@param owner table
function Wakeups:leave(owner)
  self.deadlines[owner] = nil
  if self.is_closed and next(self.deadlines) == nil then self.transport:close() end
end

---Adds an owner, a wait or a job, until it leaves; and makes the descriptor readable in so many seconds for
---its sake, until it says otherwise.
---@param owner table
---@param seconds number|nil nil for never
function Wakeups:set(owner, seconds)
  local deadline = seconds and core.now() + seconds or math.huge
  self.deadlines[owner] = deadline
  self.alarm = math.min(self.alarm, deadline)
  if seconds then self.transport:wake(seconds) end
end

local function set_alarm(self, now)
  self.alarm = math.huge
  for _, deadline in pairs(self.deadlines) do self.alarm = math.min(self.alarm, deadline) end
  if self.alarm == math.huge then return end
  self.alarm = math.max(self.alarm, now + REMINDER)
  self.transport:wake(self.alarm - now)
end

---Does what the transport has ready; never waits.
function Wakeups:step()
  self.transport:step()
  local now = core.now()
  if now >= self.alarm then set_alarm(self, now) end
end

local function suspend(self, timeout)
  local fd = self.transport:fd()
  if fd >= 0 then
    self.loop.wait(fd, timeout)
  elseif not self.is_closed then
    core.poll(nil, NAP) -- a forked child without a descriptor left: there may be one soon
  end
end

---Tells that the work which followed a wait is done.
function Wakeups:rest()
  if self.resumed then self.worked = self.worked + core.now() - self.resumed end
  self.resumed = nil
end

---Waits until the transport has something to do, or `timeout` seconds have passed, and lets it do it.
---
---A host resumes all who wait in one turn, and each may have work to do. Once that has taken LONGEST_TURN
---together, the others wait for the next turn, which begins with the first of them to come back.
---@param timeout number|nil
function Wakeups:wait(timeout)
  local wait = {}
  self:rest()
  self:set(wait, timeout)
  suspend(self, timeout)
  self:rest()
  while self.worked > LONGEST_TURN do
    local turn = self.turn
    self:set(wait, 0)
    suspend(self, NEXT_TURN)
    self:rest()
    if self.turn == turn then self.turn, self.worked = turn + 1, 0 end
  end
  self:leave(wait)
  self.resumed = core.now()
  self:step()
end

---Waits for `seconds`, or until the transport is closed. Others may use it meanwhile, which wakes this wait,
---too.
---@param seconds number
function Wakeups:sleep(seconds)
  local now = core.now()
  local deadline = now + seconds
  while now < deadline and not self.is_closed do
    self:wait(deadline - now)
    now = core.now()
  end
end

return wakeups
