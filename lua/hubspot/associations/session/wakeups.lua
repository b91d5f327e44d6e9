-- The owners of a client's one descriptor, which are its waits and jobs: when each is to look again, and how
-- they share a turn of the host's loop, through which they wait. Stepping the transport clears its timer,
-- even if that was set for another owner: so the deadline of each is kept here, and the timer is set to the
-- soonest.

local core = require "hubspot.associations.core"

local wakeups = {}

-- Minimum delay before an overdue owner is woken again: with 0, the other owners would spin.
local REMINDER = 0.005 -- seconds

-- Seconds of work that all owners together may do in one turn of the host's loop.
local LONGEST_TURN = 0.003

local NEXT_TURN = 0.001 -- seconds to wait for the next turn, unless the descriptor is readable sooner

local NAP = 0.01 -- seconds to sleep when there is no descriptor

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
    -- owner, a wait or a runner -> when to wake it; weak, as a runner may be dropped unfinished
    deadlines = setmetatable({}, { __mode = "k" }),
    alarm = math.huge, -- when the transport wakes the owners next
    is_closed = false,
    turn = 0, -- number of the current one of the host
    worked = 0, -- seconds of work in this turn
    on_step = nil, -- called after each step of the transport
    resumed = nil, -- when the owner that is working was resumed
  }, Wakeups)
end

---Ends the transport. The descriptor stays open and readable until the last owner has left: a closed one
---wakes none.
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

---Adds an owner (a wait or a runner), until it leaves, and sets when the descriptor is to be readable for it.
---@param owner table
---@param seconds number|nil nil: only when the transport has something to do
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

---Has an owner that waits look again at once, as another one did its work.
---@param owner table
function Wakeups:hurry(owner)
  if self.deadlines[owner] then self:set(owner, 0) end
end

---Has all owners look again at once: something changed that any of them may wait for.
function Wakeups:hurry_all()
  local now = core.now()
  for owner in pairs(self.deadlines) do self.deadlines[owner] = now end
  self.alarm = now
  self.transport:wake(0)
end

---@param action fun() called after each step of the transport: what came by it may be there for others
function Wakeups:after_steps(action)
  self.on_step = action
end

---Lets the transport do what it can do now; never waits.
---@param transfer userdata|nil that of the caller, who takes its response next
function Wakeups:step(transfer)
  self.transport:step(transfer)
  if self.on_step then self.on_step() end
  local now = core.now()
  if now >= self.alarm then set_alarm(self, now) end
end

---@return integer fd readable when the transport has something to do; -1 once it is closed
function Wakeups:fd()
  return self.transport:fd()
end

local function suspend(self, timeout)
  local fd = self:fd()
  if fd >= 0 then
    self.loop.wait(fd, timeout)
  elseif not self.is_closed then
    core.poll(nil, NAP) -- a forked child lost its descriptor, and may get a new one soon
  end
end

---Takes note that the work after a wait is done.
function Wakeups:end_work()
  if self.resumed then self.worked = self.worked + core.now() - self.resumed end
  self.resumed = nil
end

---Waits until the transport has something to do, or `timeout` seconds have passed, and steps it.
---
---A host resumes all waiting owners in one turn, and each may have work to do. Once their work has taken
---LONGEST_TURN, the remaining owners wait for the next turn. It begins when the first of them is resumed.
---@param timeout number|nil
---@param transfer userdata|nil see step
---@param wait table|nil the owner, if somebody may hurry it
function Wakeups:wait(timeout, transfer, wait)
  wait = wait or {}
  self:end_work()
  self:set(wait, timeout)
  suspend(self, timeout)
  self:end_work()
  while self.worked > LONGEST_TURN do
    local turn = self.turn
    self:set(wait, 0)
    suspend(self, NEXT_TURN)
    self:end_work()
    if self.turn == turn then self.turn, self.worked = turn + 1, 0 end
  end
  self:leave(wait)
  self.resumed = core.now()
  self:step(transfer)
end

---Waits for `seconds`, or until the transport is closed. The use of the transport by other owners wakes this
---wait early: it then waits again.
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
