-- Links that are sent together: a job of one batch, which gives each of them its outcome.

local errors = require "hubspot.associations.errors"
local runners = require "hubspot.associations.job.runner"
local one_line = require "hubspot.associations.text.one_line"

local group = {}

---@class hubspot.associations.Group
---@field links hubspot.associations.Link[]
---@field open integer how many of them have no outcome
---@field runner hubspot.associations.Runner|nil nil: the job could not begin
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
---@param begin fun(inputs: table[], on_settled: function): hubspot.associations.Runner|nil, table|nil
---@param settle fun(link: hubspot.associations.Link, err: hubspot.associations.Error|nil) called for each
---@return hubspot.associations.Group
function group.new(links, begin, settle)
  local self, inputs = setmetatable({ links = links, open = #links, settle = settle }, Group), {}
  for index, link in ipairs(links) do
    inputs[index], link.group = link.input, self
  end
  self.runner, self.err = begin(inputs, function(index, outcome, err)
    local link = links[index]
    if link.is_over then return end
    self.open = self.open - 1
    settle(link, outcome and own_error(err, outcome == "unconfirmed"))
  end)
  return self
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
  return self.runner == nil or self.runner:step()
end

---Seconds until there is something to do; nil: until a response comes.
---@return number|nil
function Group:timeout()
  return self.runner and self.runner:timeout()
end

---Whether the first response is awaited: then the next links wait for it, too.
---@return boolean
function Group:is_fresh()
  if not self.runner then return false end
  local requests = self.runner:progress().requests
  return requests == 0 or requests == 1 and runners.awaited(self.runner) > 0
end

---Gives the links an error that the job, which is done, gave no outcome: it stopped before it read them.
---@param raised any what the job raised, if that ended it
function Group:finish(raised)
  local err, may_be_done = self.err, false
  if raised ~= nil then
    err = { kind = "canceled", message = "the request was given up: " .. one_line(raised) }
    may_be_done = self:may_be_done()
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
  return self.runner ~= nil and runners.may_be_done(self.runner)
end

---Drops it, with what is in flight.
function Group:close()
  if self.runner then runners.close(self.runner) end
end

return group
