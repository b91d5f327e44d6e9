-- Links that are sent together: by one request, if its response confirms them all (first_request.lua); else
-- a job of one batch goes on after it, and gives each of them its outcome.

local errors = require "hubspot.associations.errors"
local first_requests = require "hubspot.associations.collector.first_request"
local runners = require "hubspot.associations.job.runner"
local one_line = require "hubspot.associations.text.one_line"

local group = {}

---@class hubspot.associations.Group
---@field links hubspot.associations.Link[]
---@field open integer how many of them have no outcome
---@field has_begun boolean
---@field first hubspot.associations.FirstRequest|nil until its response is there
---@field runner hubspot.associations.Runner|nil of the job, if there has to be one
---@field err hubspot.associations.Error|nil why it could not begin
---@field raised any what its step raised, which ended it
---@field is_doubtful boolean whether HubSpot may have done what the job does not know of
local Group = {}
Group.__index = Group

-- An error of one link. The job's may be one for several inputs, and says where they are in its list.
local function own_error(given, is_unconfirmed)
  local own = errors.copy(given)
  own.index = nil
  if own.kind == "invalid_input" then own.retryable = false end
  if is_unconfirmed then own.may_be_done, own.retryable = true, false end
  return own
end

---@param links hubspot.associations.Link[]
---@param sender hubspot.associations.Sender
---@param settle fun(link: hubspot.associations.Link, err: hubspot.associations.Error|nil) called for each
---@return hubspot.associations.Group
function group.new(links, sender, settle)
  local self = setmetatable({
    links = links, open = #links, sender = sender, settle = settle, has_begun = false, first = nil,
    runner = nil, err = nil, raised = nil, is_doubtful = false,
  }, Group)
  for index = 1, #links do links[index].group = self end
  return self
end

-- A link has its outcome, unless its time was over before.
local function settle(self, link, err)
  if link.is_over then return end
  self.open = self.open - 1
  self.settle(link, err)
end

local function begin_job(self, naming)
  local inputs, links = {}, self.links
  for index, link in ipairs(links) do inputs[index] = link.input end
  self.runner, self.err = self.sender.begin(inputs, function(index, outcome, err)
    local is_doubtful = outcome == "unconfirmed" or self.is_doubtful
    settle(self, links[index], outcome and own_error(err, is_doubtful))
  end, naming)
end

-- Handles the response to the first request. Returns whether that was all.
local function receive(self)
  local first = self.first
  self.first = nil
  if first:receive() then
    local links = self.links
    for index = 1, #links do settle(self, links[index]) end
    return true
  end
  begin_job(self, first.naming)
  local taken = self.runner ~= nil and runners.take_over(self.runner, first)
  self.is_doubtful = not taken and first.attempts.count > 0
  if self.open == 0 and self.runner then self.runner:cancel() end
  return false
end

local function begin(self)
  self.has_begun = true
  self.first = first_requests.send(self.links, self.sender)
  if not self.first then begin_job(self) end
end

---One of its links has no more time. While others have, they are sent, and it with them; without any left,
---nothing more is sent.
---@return boolean may_be_done whether HubSpot may have done it, or may yet
function Group:drop()
  self.open = self.open - 1
  if self.open > 0 then return true end
  local may_be_done = self:may_be_done()
  if self.runner then self.runner:cancel() end
  return may_be_done
end

---Does what can be done now.
---@return boolean done
function Group:step()
  if self.raised ~= nil then error(self.raised, 0) end
  if not self.has_begun then begin(self) end
  if self.first then
    if self.first:is_in_flight() then return false end
    if receive(self) then return true end
  end
  return self.runner == nil or self.runner:step()
end

---What the first response is awaited from, if it is.
---@return userdata|nil core's request
function Group:transfer()
  return self.first and self.first:transfer()
end

---Seconds until there is something to do; nil: until a response comes.
---@return number|nil
function Group:timeout()
  return self.runner and self.runner:timeout()
end

---Whether the first response is awaited: then the next links wait for it, too.
---@return boolean
function Group:is_fresh()
  if self.first or not self.has_begun then return true end
  if not self.runner then return false end
  local requests = self.runner:progress().requests
  return requests == 0 or requests == 1 and runners.awaited(self.runner) > 0
end

---Gives the links an error that the job, which is done, gave no outcome: it stopped before it read them.
function Group:finish()
  local raised = self.raised
  if self.open == 0 and raised == nil then return end
  local err, may_be_done = self.err, self.is_doubtful
  if raised ~= nil then
    err = { kind = "canceled", message = "the request was given up: " .. one_line(raised) }
    may_be_done = true -- it may have raised anywhere, also between a response and what was to follow from it
    self:close()
  elseif self.runner then
    err = select(2, self.runner:result())
  end
  for _, link in ipairs(self.links) do
    if not link.is_over then self.settle(link, own_error(err, may_be_done)) end
  end
end

---Whether HubSpot may have done what has no outcome yet, or may yet.
---@return boolean
function Group:may_be_done()
  return self.first ~= nil or self.is_doubtful or self.runner ~= nil and runners.may_be_done(self.runner)
end

---Drops it, with what is in flight.
function Group:close()
  if self.first then self.first:close() end
  if self.runner then runners.close(self.runner) end
end

return group
