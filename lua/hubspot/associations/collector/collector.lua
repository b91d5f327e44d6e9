-- Links one at a time, sent together: a link is sent at once when nothing is in flight, and what comes
-- meanwhile goes together in the next request, as soon as one may be sent, which a job interprets
-- (group.lua). Those who wait for their links step it (cohort.lua); a host may do it as well.

local cohorts = require "hubspot.associations.collector.cohort"
local groups = require "hubspot.associations.collector.group"
local intake = require "hubspot.associations.collector.intake"
local outcomes = require "hubspot.associations.collector.outcome"
local queue = require "hubspot.associations.collector.queue"

---@class hubspot.associations.Collector what `client:collector` returns: links of one pair of object types
local Collector = {}
Collector.__index = Collector
Collector.__name = "hubspot.associations.collector"

local collector = {}

---@class hubspot.associations.CollectorSpec
---@field now fun(): number
---@field sender hubspot.associations.Sender
---@field is_closed fun(): boolean whether the client is
---@field wakeups hubspot.associations.Wakeups
---@field bells hubspot.associations.Bells
---@field policy hubspot.associations.Policy
---@field checks table options of core.body
---@field most integer links in one request
---@field linger number seconds
---@field max_pending integer
---@field timeout number seconds for a link

-- Takes a link, or says why not.
local function admit(self, input, now, callback, cohort)
  local spec = self.spec
  if self.is_closed or spec.is_closed() then return nil, outcomes.closed(false) end
  local copy, pair = self.intake:read(input)
  if not copy then return nil, pair end
  local link = self.queue:add(copy, pair, now + spec.timeout, callback, cohort)
  if spec.linger > 0 and self.queue.waiting == 1 then self.lingers_until = now + spec.linger end
  return link
end

-- ---- groups ----

local function has_fresh(self)
  for _, group in ipairs(self.groups) do
    if group:is_fresh() then return true end
  end
  return false
end

-- Seconds until a group may begin, 0: now; nil: when a response has come.
local function pause(self, now)
  local spec, count = self.spec, self.queue.waiting
  if count == 0 or #self.groups >= spec.sender.window:allowed() then return nil end
  local soonest = now
  if count < spec.most then
    if has_fresh(self) then return nil end
    soonest = math.max(now, self.not_before, self.lingers_until or 0)
  end
  local delay = spec.policy.limiter:delay(now, "job", self)
  return math.max(delay, soonest - now)
end

-- Steps a group. What its job raises, because memory ran out or a debug hook of the host raised, ends it as
-- well, and is raised again. It is one of the groups until its end is complete, which may be raised in, too.
local function step_group(self, number)
  local group = self.groups[number]
  local stepped, done = pcall(group.step, group)
  if stepped and not done then return end
  if not stepped then group.raised = done end
  group:finish()
  self.queue:release(number)
  if not stepped then error(done, 0) end
end

-- The rate limit lets nothing pass for so long that a call would not wait for it either.
local function refuse_all(self, err)
  local link = self.queue:next()
  while link do
    self.settle(link, outcomes.unsent(err))
    link = self.queue:next()
  end
end

-- Begins the groups that may begin. Returns how many seconds none can; nil: until a response comes.
local function begin_groups(self, now)
  local spec = self.spec
  while true do
    local delay, count = pause(self, now), self.queue.waiting
    if delay ~= 0 then
      self.begins_at, self.was_full = count == 0 and 0 or now + (delay or math.huge), count >= spec.most
      local err = delay and spec.policy.retry:too_long(delay, 0)
      if not err then return delay end
      refuse_all(self, err)
    else
      self.queue:take(spec.most, self.new_group)
      self.lingers_until, self.cohort = nil, nil
      step_group(self, #self.groups)
      self.not_before = now + spec.policy.limiter:pace(now, "job")
    end
  end
end

local function expire(self, now)
  while true do
    local link = self.queue:first()
    if not link or link.deadline > now then return end
    local may_be_done = link.group and link.group:drop()
    self.settle(link, outcomes.timeout(self.spec.timeout, may_be_done))
  end
end

-- When to step next.
local function plan(self, now, delay)
  local wait = delay or math.huge
  for _, group in ipairs(self.groups) do wait = math.min(wait, group:timeout() or math.huge) end
  local first = self.queue:first()
  if first then wait = math.min(wait, math.max(0, first.deadline - now)) end
  if self.outcomes:is_untold() then wait = 0 end
  self.due = now + wait
  if wait < math.huge then
    self.spec.wakeups:set(self, wait)
  else
    self.spec.wakeups:leave(self)
  end
end

local function advance(self)
  if self.ends then self.outcomes:end_all(self.queue, self.groups) end
  for number = #self.groups, 1, -1 do step_group(self, number) end
  if self.spec.is_closed() then self.outcomes:end_all(self.queue, self.groups) end
  local now = self.spec.now()
  expire(self, now)
  return begin_groups(self, now)
end

local function running()
  return coroutine.running() or "main" -- Lua 5.1 says nil there
end

-- Raises for a caller who would wait for itself: what a step calls cannot wait for the next one.
local function check_wait(self, method)
  if self.stepping and self.stepping == running() then
    error(("collector:%s: on_event and the token function cannot wait for links"):format(method), 3)
  end
end

local function begin_to(self, action, now)
  self.stepping = running()
  self.queue:mend()
  local delay = action(self, now)
  self.stepping = false
  return delay
end

-- Calls a function that changes something, tells those who wait, and plans the next step. Wherever it raises,
-- the collector is not `stepping` afterwards: it would never take another step.
local function act(self, action, now)
  local acted, delay = pcall(begin_to, self, action, now)
  if not acted then self.stepping = false end
  self.outcomes:ring()
  plan(self, self.spec.now(), acted and delay or nil)
  if not acted then error(delay, 0) end
end

-- What the first response is awaited from: `work` takes it, so that nobody need be woken for it.
local function transfer(self)
  local group = self.groups[1]
  return group and group:transfer()
end

-- Does what can be done now, once the transport was stepped.
local function work(self)
  if self.stepping then return false end
  act(self, advance)
  self.outcomes:tell()
  return self.queue.pending == 0
end

---Does what can be done now, and never waits. Returns whether no link waits for its outcome.
---@return boolean
function Collector:step()
  if self.stepping then return false end -- `on_event` may call it, too
  self.spec.wakeups:step(transfer(self))
  return work(self)
end

-- Sends what has come, if it may be sent.
local function begin(self, now)
  local is_full = self.queue.waiting >= self.spec.most
  if self.stepping or now < self.begins_at and is_full == self.was_full then return end
  act(self, begin_groups, now)
end

-- ---- what a caller does ----

---Links a pair, and waits until that has its outcome.
---@param input hubspot.associations.Input
---@return true|nil
---@return hubspot.associations.Error|nil
function Collector:link(input)
  check_wait(self, "link")
  local now = self.spec.now()
  local cohort = self.cohort
  if not cohort then
    cohort = cohorts.new(self.spec.bells)
    self.cohort = cohort
  end
  local link, err = admit(self, input, now, nil, cohort)
  if not link then return nil, err end
  begin(self, now)
  cohort:wait_for(self, link, now)
  if link.err then return nil, link.err end
  return true
end

---Takes a link, and returns at once; `nil, err` when the input is invalid, or of kind `busy`. What `link`
---would return is given to `callback`, once, in a later step; it must not yield.
---@param input hubspot.associations.Input
---@param callback nil|fun(linked: true|nil, err: hubspot.associations.Error|nil)
---@return true|nil
---@return hubspot.associations.Error|nil
function Collector:add(input, callback)
  if callback ~= nil and type(callback) ~= "function" then
    error("collector:add: callback: expected a function, found a " .. type(callback), 2)
  end
  if self.queue.pending >= self.spec.max_pending then return nil, outcomes.busy(self.spec.max_pending) end
  local now = self.spec.now()
  local link, err = admit(self, input, now, callback, nil)
  if not link then return nil, err end
  begin(self, now)
  return true
end

---Waits until all links that were given so far have their outcome; `nil, err`, of kind `callback`, when a
---callback has raised.
---@return true|nil
---@return hubspot.associations.Error|nil
function Collector:flush()
  check_wait(self, "flush")
  self.lingers_until, self.begins_at = nil, 0
  self:step()
  local last, first = self.queue.count, self.queue:first()
  while first and first.number <= last do
    first.cohort = first.cohort or cohorts.new(self.spec.bells)
    first.cohort:wait_for(self, first, self.spec.now())
    first = self.queue:first()
  end
  local err = self.outcomes.raised
  self.outcomes.raised = nil
  if err then return nil, err end
  return true
end

---How many links have no outcome yet.
---@return integer
function Collector:pending()
  self.queue:mend()
  return self.queue.pending
end

---Takes no more links, and waits as `flush` does; or, with `{ now = true }`, ends those without an outcome by
---an error of kind `closed`.
---@param given { now: boolean|nil }|nil
---@return true|nil
---@return hubspot.associations.Error|nil
function Collector:close(given)
  self.is_closed = true
  self.ends = given ~= nil and given.now == true
  return self:flush()
end

---The descriptor that is readable when `step` has something to do; -1 once the client is closed. It is the
---client's.
---@return integer
function Collector:fd()
  return self.spec.wakeups:fd()
end

---Seconds after which to step at the latest; nil: when the descriptor is readable.
---@return number|nil
function Collector:timeout()
  if self.due == math.huge then return nil end
  return math.max(0, self.due - self.spec.now())
end

---@param spec hubspot.associations.CollectorSpec
---@return hubspot.associations.Collector
function collector.new(spec)
  local links = queue.new()
  local self = setmetatable({
    spec = spec,
    intake = intake.new(spec.checks),
    queue = links,
    groups = links.groups,
    outcomes = outcomes.new(),
    cohort = nil, -- those who wait for links that came since the last group began
    not_before = 0, -- when the next group may begin that is not full
    lingers_until = nil, -- the same, for the option `linger`
    begins_at = 0, -- no group may begin sooner, unless there are enough links to fill one
    was_full = false, -- whether there were when that was found
    due = math.huge, -- when there is something to do
    is_closed = false,
    ends = false, -- whether all links are to be given an error
    stepping = false, -- or the coroutine that does
    transfer = transfer, work = work, -- what a leader does
  }, Collector)
  local told = self.outcomes
  local function settle(link, err)
    told:told(link) -- first: what raises in between must not lose the callback
    links:settle(link, err)
  end
  self.settle = settle
  self.new_group = function(taken) return groups.new(taken, spec.sender, settle) end
  self.guard = outcomes.guard(told, links, self.groups)
  return self
end

return collector
