-- Bells: descriptors that many coroutines wait for, through the host's loop, until another one rings. Who
-- waits for the client's own descriptor is woken whenever anything happens there, which is too much for
-- hundreds of them.
--
-- A bell stays readable until the last of its waiters was resumed, however late. Nobody else begins to wait
-- for it meanwhile: who comes later takes another one, that is silent.

local core = require "hubspot.associations.core"

local bells = {}

local MOST = 16 -- descriptors; a waiter that was killed keeps one until it is collected

---@class hubspot.associations.Bell
---@field notifier userdata core's
---@field waiters integer
---@field alarm_at number when it rings by itself
---@field is_rung boolean
local Bell = {}
Bell.__index = Bell

---@class hubspot.associations.Bells
local Bells = {}
Bells.__index = Bells

---@param wakeups hubspot.associations.Wakeups
---@return hubspot.associations.Bells
function bells.new(wakeups)
  return setmetatable({
    wakeups = wakeups,
    free = {},
    all = setmetatable({}, { __mode = "k" }),
  }, Bells)
end

---A bell that nobody waits for.
---@return hubspot.associations.Bell|nil bell nil: there is no descriptor for one
function Bells:take()
  local bell = table.remove(self.free)
  if bell then return bell end
  local count = 0
  for _ in pairs(self.all) do count = count + 1 end
  local notifier = count < MOST and core.notifier() or nil
  if not notifier then return nil end
  bell = setmetatable({
    bells = self, notifier = notifier, waiters = 0, alarm_at = math.huge, is_rung = false,
  }, Bell)
  self.all[bell] = true
  return bell
end

---Waits until it rings; may return early.
---@return boolean|nil is_last whether nobody waits any more: then it was given back; nil: it cannot be waited
---  for, in a forked child that has no descriptor left
function Bell:wait()
  local wakeups, fd = self.bells.wakeups, self.notifier:fd()
  if fd < 0 then return nil end
  wakeups:end_work()
  self.waiters = self.waiters + 1
  wakeups.loop.wait(fd)
  self.waiters = self.waiters - 1
  if not self.is_rung and core.now() >= self.alarm_at then self.is_rung = true end
  if self.waiters > 0 then return false end
  if self.is_rung or self.alarm_at < math.huge then self.notifier:reset() end
  self.alarm_at, self.is_rung = math.huge, false
  table.insert(self.bells.free, self)
  return true
end

---Wakes all that wait for it.
function Bell:ring()
  self.is_rung = true
  self.notifier:notify()
end

---Rings at a time, unless it is set again before.
---@param at number
function Bell:set_alarm(at)
  self.alarm_at = at
  self.notifier:notify(math.max(0.001, at - core.now()))
end

return bells
