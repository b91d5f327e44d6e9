-- How the outcomes of links are told: to callbacks, and to those who wait. And the errors that a collector
-- itself gives.

local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"

local outcomes = {}

---@class hubspot.associations.Outcomes
---@field raised hubspot.associations.Error|nil what a callback raised
local Outcomes = {}
Outcomes.__index = Outcomes

-- An error that says whether the link may be done.
local function new_error(fields, may_be_done)
  local err = errors.new(fields)
  if may_be_done then err.may_be_done = true else err.sent = false end
  return err
end

---@param may_be_done boolean whether the link was sent
---@return hubspot.associations.Error
function outcomes.closed(may_be_done)
  local message = "the collector, or its client, was closed before the link had its outcome"
  return new_error({ kind = "closed", message = message, retryable = false }, may_be_done)
end

---An error of links that were not sent, for one of them.
---@param err hubspot.associations.Error
---@return hubspot.associations.Error
function outcomes.unsent(err)
  return new_error(errors.copy(err), false)
end

---@param seconds number
---@param may_be_done boolean
---@return hubspot.associations.Error
function outcomes.timeout(seconds, may_be_done)
  local state = may_be_done and "has no outcome" or "could not be sent"
  local message = ("the link %s within %s seconds"):format(state, tostring(seconds))
  return new_error({ kind = "timeout", message = message, retryable = not may_be_done }, may_be_done)
end

---@param most integer
---@return hubspot.associations.Error
function outcomes.busy(most)
  local message = ("%.0f links wait for their outcome, and max_pending allows no more"):format(most)
  return new_error({ kind = "busy", message = message, retryable = true }, false)
end

---@return hubspot.associations.Outcomes
function outcomes.new()
  return setmetatable({
    cohorts = {}, -- those that have news
    untold = {}, first = 1, last = 0, -- links whose callbacks are to be called
    raised = nil,
  }, Outcomes)
end

---A link is about to have its outcome: `ring` and `tell` say so.
---@param link hubspot.associations.Link
function Outcomes:told(link)
  local cohort = link.cohort
  if cohort and not cohort.has_news then
    cohort.has_news = true
    self.cohorts[#self.cohorts + 1] = cohort
  end
  if link.callback then
    self.last = self.last + 1
    self.untold[self.last] = link
  end
end

---Wakes those who wait.
function Outcomes:ring()
  local cohorts = self.cohorts
  if #cohorts == 0 then return end
  self.cohorts = {}
  for _, cohort in ipairs(cohorts) do cohort:announce() end
end

---Whether there are callbacks to be called.
---@return boolean
function Outcomes:is_untold()
  return self.first <= self.last
end

local function call(link)
  local callback = link.callback
  link.callback = false
  callback(not link.err or nil, link.err or nil)
end

---Calls the callbacks. One may add links, which may have their outcome at once, or step the collector. One
---that raises does not keep the others from being called. A link leaves the list once it was told, or when it
---has no outcome yet, because something raised: it comes again.
function Outcomes:tell()
  while self.first <= self.last do
    local first = self.first
    local link = self.untold[first]
    if link and link.callback and link.is_over then
      local called, raised = pcall(call, link)
      if not called then
        self.raised = errors.new { kind = "callback", message = "a callback raised: " .. one_line(raised) }
      end
    else
      self.untold[first] = nil
      self.first = first + 1
    end
  end
end

---Gives all links an error, and drops what is in flight.
---@param queue hubspot.associations.Queue
---@param groups hubspot.associations.Group[]
function Outcomes:end_all(queue, groups)
  local link = queue:first()
  while link do
    self:told(link)
    queue:settle(link, outcomes.closed(link.group and link.group:may_be_done()))
    link = queue:first()
  end
  for number = #groups, 1, -1 do
    groups[number]:close()
    groups[number] = nil
  end
end

-- A value whose finalizer is `action`.
local function finalized(action)
  local new = rawget(_G, "newproxy") -- Lua 5.1 has finalizers of userdata only
  if not new then return setmetatable({}, { __gc = action }) end
  local proxy = new(true)
  getmetatable(proxy).__gc = action
  return proxy
end

---A value to keep in a collector: when that is collected, links without an outcome are told so.
---@param self hubspot.associations.Outcomes
---@param queue hubspot.associations.Queue
---@param groups hubspot.associations.Group[]
---@return any
function outcomes.guard(self, queue, groups)
  return finalized(function()
    self:end_all(queue, groups)
    self:ring()
    self:tell()
  end)
end

return outcomes
