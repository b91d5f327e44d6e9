-- How many requests of one job may be in flight. Under overload it halves, and it grows by one with each
-- round of successes (AIMD), between 1 and the job's `concurrency`.

local concurrency = {}

---@class hubspot.associations.Concurrency
local Concurrency = {}
Concurrency.__index = Concurrency

---@param most integer
---@return hubspot.associations.Concurrency
function concurrency.new(most)
  return setmetatable({ most = most, window = most, fell = -math.huge }, Concurrency)
end

---@return integer
function Concurrency:allowed()
  return math.floor(self.window)
end

function Concurrency:succeeded()
  self.window = math.min(self.most, self.window + 1 / self.window)
end

---@param sent number when the failed request was sent: those sent before the last halving do not count
---@param now number
function Concurrency:overloaded(sent, now)
  if sent < self.fell then return end
  self.window = math.max(1, self.window / 2)
  self.fell = now
end

return concurrency
