-- Those in one process who wait for leave to send, in the order in which they came. One that has not asked
-- again by the time it was to counts no more. Pure: time is passed in.

local waiters = {}

---@class hubspot.associations.Waiters
local Waiters = {}
Waiters.__index = Waiters

---@return hubspot.associations.Waiters
function waiters.new()
  return setmetatable({
    entries = setmetatable({}, { __mode = "k" }), -- waiter -> entry; weak: a waiter may be collected
    line = {}, -- entries { ends }, in order
    first = 1,
    last = 0,
  }, Waiters)
end

---Adds a waiter, at the end, or keeps its place.
---@param waiter table
---@param ends number until when it counts
function Waiters:add(waiter, ends)
  local entry = self.entries[waiter]
  if entry and not entry.is_gone then
    entry.ends = ends
    return
  end
  entry = { ends = ends, is_gone = false }
  self.entries[waiter] = entry
  self.last = self.last + 1
  self.line[self.last] = entry
end

---@param waiter table
function Waiters:remove(waiter)
  local entry = self.entries[waiter]
  if not entry then return end
  entry.is_gone = true
  self.entries[waiter] = nil
end

-- The entries that count, in order.
local function each(self, now)
  while self.first <= self.last do
    local entry = self.line[self.first]
    if not entry.is_gone and entry.ends > now then break end
    entry.is_gone = true
    self.line[self.first] = nil
    self.first = self.first + 1
  end
  local index = self.first - 1
  return function()
    while index < self.last do
      index = index + 1
      local entry = self.line[index]
      if not entry.is_gone and entry.ends > now then return entry end
    end
  end
end

---@param now number
---@return integer
function Waiters:count(now)
  local count = 0
  for _ in each(self, now) do count = count + 1 end
  return count
end

---Whether so many may go now that a waiter is among them.
---@param waiter table
---@param count integer
---@param now number
---@return boolean
function Waiters:is_among(waiter, count, now)
  local own = self.entries[waiter]
  for entry in each(self, now) do
    if count <= 0 then return false end
    if entry == own then return true end
    count = count - 1
  end
  return false
end

return waiters
