-- The links of a collector that have no outcome yet, and which of them may be sent. Those of one pair are
-- sent in their order: while some are in flight, the pair's later ones are held back. Pure.

local line = require "hubspot.associations.collector.line"

---@class hubspot.associations.Link one link of a collector
---@field input table { from, to, types }, the collector's own copy
---@field pair hubspot.associations.Pair
---@field later hubspot.associations.Link|nil the next one of the pair, while both are not taken
---@field callback function|nil called with its outcome
---@field cohort hubspot.associations.Cohort|nil those who wait for it
---@field deadline number when it has to have its outcome
---@field is_over boolean whether it has its outcome
---@field is_taken boolean whether it was taken to be sent
---@field number integer in the order in which links were added
---@field group hubspot.associations.Group|nil those that it is sent with
---@field err hubspot.associations.Error|nil its outcome; nil: it is made

---@class hubspot.associations.Pair
---@field key string the two ids
---@field first hubspot.associations.Link|nil of its links that are not taken
---@field last hubspot.associations.Link|nil
---@field count integer how many of them have no outcome
---@field is_held boolean whether some of its links are in flight: else it stands in the queue
---@field is_over boolean whether none of its links is left

---@class hubspot.associations.Queue
---@field pending integer links without an outcome
---@field waiting integer those that may be sent now
local Queue = {}
Queue.__index = Queue

local queue = {}

---@return hubspot.associations.Queue
function queue.new()
  return setmetatable({
    pending = 0,
    waiting = 0,
    count = 0, -- of all that were added
    pairs = {}, -- the two ids -> Pair; of those that have links, or are held
    ready = line.new(), -- pairs in the order in which their links may be sent
    due = line.new(), -- all links, in the order of their deadlines
  }, Queue)
end

-- The pair of a link; a new one stands in the queue.
local function pair_of(self, key)
  local pair = self.pairs[key]
  if pair then return pair end
  pair = { key = key, first = nil, last = nil, count = 0, is_held = false, is_over = false }
  self.pairs[key] = pair
  self.ready:push(pair)
  return pair
end

-- The first link of a pair that has no outcome.
local function first_of(pair)
  local link = pair.first
  while link and link.is_over do link = link.later end
  pair.first = link
  if not link then pair.last = nil end
  return link
end

---@param link hubspot.associations.Link
---@param key string the two ids
function Queue:add(link, key)
  local pair = pair_of(self, key)
  self.count = self.count + 1
  link.number, link.pair = self.count, pair
  if pair.last then pair.last.later = link else pair.first = link end
  pair.last, pair.count = link, pair.count + 1
  self.due:push(link)
  self.pending = self.pending + 1
  if not pair.is_held then self.waiting = self.waiting + 1 end
end

-- Takes links of a pair, as long as there are fewer than `most`.
local function take_of(pair, taken, most)
  local link = first_of(pair)
  while link and #taken < most do
    taken[#taken + 1] = link
    link.is_taken, pair.count, pair.first = true, pair.count - 1, link.later
    link.later = nil
    link = first_of(pair)
  end
end

---Takes up to `most` links that may be sent. Their pairs are held until they are released.
---@param most integer
---@return hubspot.associations.Link[]
function Queue:take(most)
  local taken = {}
  while #taken < most do
    local pair = self.ready:take()
    if not pair then break end
    self.waiting = self.waiting - pair.count
    pair.is_held = true
    take_of(pair, taken, most)
  end
  return taken
end

---The links that were taken together are no longer in flight.
---@param links hubspot.associations.Link[]
function Queue:release(links)
  for _, link in ipairs(links) do
    local pair = link.pair
    if pair.is_held then
      pair.is_held = false
      self.waiting = self.waiting + pair.count
      if pair.count > 0 then self.ready:push(pair) else self.pairs[pair.key] = nil end
    end
  end
end

---A link has its outcome.
---@param link hubspot.associations.Link
---@param err hubspot.associations.Error|nil
function Queue:settle(link, err)
  assert(not link.is_over, "a link has one outcome")
  link.is_over, link.err = true, err
  self.pending = self.pending - 1
  if link.is_taken then return end
  local pair = link.pair
  first_of(pair)
  pair.count = pair.count - 1
  if pair.is_held then return end
  self.waiting = self.waiting - 1
  if pair.count == 0 then
    pair.is_over = true
    self.pairs[pair.key] = nil
  end
end

---The link that was added first, of those without an outcome: its deadline is the first.
---@return hubspot.associations.Link|nil
function Queue:first()
  return self.due:head()
end

return queue
