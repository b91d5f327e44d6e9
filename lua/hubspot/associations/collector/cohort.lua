-- Coroutines whose links came while none could be sent: most of them will be sent together, and have their
-- outcome at the same time. One of them leads: it waits for the client's descriptor, and steps the collector.
-- The others wait for a bell, which rings when there are outcomes.
--
-- A leader that is killed is replaced: before it waits, it sees to it that the bell rings if it does not come
-- back in time.

local core = require "hubspot.associations.core"

local cohorts = {}

local LONGEST_LEAD = 0.25 -- seconds after which a leader shows that it is alive
local LATE = 0.25 -- seconds that a busy host may resume it later
local SPARE = 0.5 -- seconds by which an alarm is set later, so that it is seldom set

---@class hubspot.associations.Cohort
---@field bell hubspot.associations.Bell|nil that its coroutines wait for
---@field led_until number when its leader is late
---@field alarm_at number when the bell is to ring because of that
---@field leader_waits boolean whether its leader waits
---@field has_news boolean whether links have their outcome, and nobody was told
local Cohort = {}
Cohort.__index = Cohort

---@param bells hubspot.associations.Bells
---@return hubspot.associations.Cohort
function cohorts.new(bells)
  return setmetatable({
    bells = bells, bell = nil, led_until = 0, alarm_at = 0, leader_waits = false, has_news = false,
  }, Cohort)
end

-- Rings for those who wait.
local function ring(self)
  local bell = self.bell
  self.bell = nil
  if bell then bell:ring() end
end

---Wakes those who wait, and the leader.
function Cohort:announce()
  self.has_news = false
  ring(self)
  if self.leader_waits and core.now() <= self.led_until then self.bells.wakeups:set(self, 0) end
end

-- Waits for the bell. False if there is none.
local function wait(self)
  local bell = self.bell
  if not bell then
    bell = self.bells:take()
    if not bell then return false end
    self.bell = bell
    bell:set_alarm(self.alarm_at)
  end
  local is_last = bell:wait()
  if is_last == nil then return false end
  if self.bell == bell and (is_last or bell.is_rung) then self.bell = nil end
  return true
end

-- Waits for the client's descriptor, and steps the collector.
local function lead(self, collector, now)
  local timeout = math.min(collector:timeout() or LONGEST_LEAD, LONGEST_LEAD)
  self.led_until = now + timeout + LATE
  if self.led_until > self.alarm_at then
    self.alarm_at = self.led_until + SPARE
    if self.bell then self.bell:set_alarm(self.alarm_at) end
  end
  local wakeups = self.bells.wakeups
  self.leader_waits = true
  wakeups:wait(timeout, collector:transfer())
  self.leader_waits = false
  wakeups:leave(self) -- `announce` may have set it
  collector:work()
end

---Waits until a link of the cohort has its outcome.
---@param collector hubspot.associations.Collector
---@param link hubspot.associations.Link
---@param now number
function Cohort:wait_for(collector, link, now)
  local leads = false
  while not link.is_over do
    leads = leads or now > self.led_until
    if leads or not wait(self) then
      leads = true
      lead(self, collector, now)
    end
    if not link.is_over then now = core.now() end
  end
  if not leads then return end
  self.led_until = 0 -- another one leads, if any is left
  ring(self)
  self.bells.wakeups:end_work()
end

return cohorts
