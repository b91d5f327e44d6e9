-- What a worker holds of a queue, and until when by its own clock: that is counted from sending the request
-- for it, and Redis counts it from handling that request, so it ends here first. Settles what has its
-- outcome.

local core = require "hubspot.associations.core"

local tenure = {}

local VALID = 6 -- seconds: then another worker may take what a dead one held
local RENEWALS = 4 -- in that time
local AT_ONCE = 500 -- entries that one script settles

---@class hubspot.associations.Tenure
local Tenure = {}
Tenure.__index = Tenure

---@param queue hubspot.associations.SharedQueue
---@param account string|nil the worker's
---@return hubspot.associations.Tenure
function tenure.new(queue, account)
  return setmetatable({
    queue = queue,
    account = account,
    worker = "", -- as Redis named it
    held = {}, -- index of a stream -> fence
    is_lost = false, -- whether another worker has a stream that it held when the round began
    ends = 0,
    renews_at = 0,
    dead = 0, -- letters, as of the last renewal
    settled = {}, -- index -> list of { entry, reason } that Redis does not know of yet
    counts = { done = 0, failed = 0 },
  }, Tenure)
end

---Whether another worker may hold the streams by now, or holds one of them.
---@return boolean
function Tenure:is_over()
  return self.is_lost or core.now() >= self.ends
end

-- Whether a stream is missing from what is held now.
local function has_lost(before, held)
  for index in pairs(before) do
    if not held[index] then return true end
  end
  return false
end

---Prolongs the tenure.
---@param is_working boolean nothing is let go, and nothing is taken: a stream that is missing then is
---  another worker's, and what was read of it must not be sent any more
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Tenure:renew(is_working)
  local now = core.now()
  self.renews_at = now + VALID / RENEWALS
  local got, err = self.queue:hold(self.worker, self.held, VALID, is_working, self.account)
  if not got then return nil, err end
  self.is_lost = is_working and (self.is_lost or has_lost(self.held, got.held))
  self.worker, self.held, self.ends, self.dead = got.worker, got.held, now + VALID, got.dead
  return true
end

---Renews it when that is due.
function Tenure:keep()
  if core.now() >= self.renews_at then self:renew(true) end
end

---Takes note that an entry has its outcome.
---@param entry hubspot.associations.QueueEntry
---@param reason table|nil why it has failed
function Tenure:settle(entry, reason)
  local list = self.settled[entry.stream] or {}
  self.settled[entry.stream] = list
  list[#list + 1] = { entry = entry, reason = reason }
end

local function count(self, list)
  for _, each in ipairs(list) do
    local name = each.reason and "failed" or "done"
    self.counts[name] = self.counts[name] + 1
  end
end

-- Tells Redis of the first ones of a list.
local function settle_some(self, stream, list)
  local some, others = {}, {}
  for index, each in ipairs(list) do
    if index <= AT_ONCE then some[index] = each else others[#others + 1] = each end
  end
  local is_held, err = self.queue:settle(self.worker, stream, self.held[stream], some)
  if is_held == nil then return nil, err end
  if not is_held then
    self.held[stream], self.settled[stream] = nil, nil -- another worker does it all again
    self.is_lost = true
    return true
  end
  count(self, some)
  self.settled[stream] = #others > 0 and others or nil
  return true
end

---Tells Redis what has its outcome.
---@return boolean|nil
---@return hubspot.associations.Error|nil
function Tenure:flush()
  local stream, list = next(self.settled)
  while stream do
    if not self.held[stream] then
      self.settled[stream] = nil
    else
      local settled, err = settle_some(self, stream, list)
      if not settled then return nil, err end
    end
    stream, list = next(self.settled)
  end
  return true
end

---Ends it, so that another worker need not wait.
function Tenure:leave()
  if self.worker ~= "" then self.queue:leave(self.worker, self.held) end
  self.held, self.ends = {}, 0
end

return tenure
