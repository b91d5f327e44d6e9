-- The links of a collector that have no outcome yet, and which of them may be sent. Those of one pair are
-- sent in their order: while some are in flight, the pair's later ones are held back. Pure.

local line = require "hubspot.associations.collector.line"

---@class hubspot.associations.Link one link of a collector; all its fields are there from the start
---@field input table { from, to, types }, the collector's own copy
---@field pair hubspot.associations.Pair
---@field later hubspot.associations.Link|false the next one of the pair, while both are not taken
---@field callback function|false called with its outcome
---@field cohort hubspot.associations.Cohort|false those who wait for it
---@field deadline number when it has to have its outcome
---@field is_over boolean whether it has its outcome
---@field is_taken boolean whether it was taken to be sent
---@field number integer in the order in which links were added
---@field group hubspot.associations.Group|false those that it is sent with
---@field err hubspot.associations.Error|false its outcome; false: it is made

---@class hubspot.associations.Pair
---@field key string the two ids
---@field first hubspot.associations.Link|false of its links that are not taken
---@field last hubspot.associations.Link
---@field count integer how many of them have no outcome
---@field is_held boolean whether some of its links are in flight: else it stands in the queue

---@class hubspot.associations.Queue
---@field pending integer links without an outcome
---@field waiting integer those that may be sent now
---@field count integer of all that were added
local Queue = {}
Queue.__index = Queue

local queue = {}

---@return hubspot.associations.Queue
function queue.new()
  return setmetatable({
    pending = 0,
    waiting = 0,
    count = 0,
    pairs = {}, -- the two ids -> Pair; of those that have links, or are held
    ready = line.new(), -- pairs in the order in which their links may be sent
    due = line.new(), -- links without an outcome, in the order of their deadlines
  }, Queue)
end

-- Adds a link to those of its pair; a new pair stands in the queue.
local function join(self, key, link)
  local pair = self.pairs[key]
  if not pair then
    pair = {
      key = key, first = link, last = link, count = 1, is_held = false, before = false, behind = false,
    }
    self.pairs[key] = pair
    self.ready:push(pair)
    return pair
  end
  if pair.first then pair.last.later = link else pair.first = link end
  pair.last, pair.count = link, pair.count + 1
  return pair
end

---@param input table
---@param key string the two ids
---@param deadline number
---@param callback function|nil
---@param cohort hubspot.associations.Cohort|nil
---@return hubspot.associations.Link
function Queue:add(input, key, deadline, callback, cohort)
  local count = self.count + 1
  self.count, self.pending = count, self.pending + 1
  local link = {
    input = input, pair = false, later = false, callback = callback or false, cohort = cohort or false,
    deadline = deadline, is_over = false, is_taken = false, number = count, group = false, err = false,
    before = false, behind = false,
  }
  local pair = join(self, key, link)
  link.pair = pair
  self.due:push(link)
  if not pair.is_held then self.waiting = self.waiting + 1 end
  return link
end

---Takes up to `most` links that may be sent, those of a pair one after the other. Their pairs are held until
---they are released.
---@param most integer
---@return hubspot.associations.Link[]
function Queue:take(most)
  local taken, count, ready = {}, 0, self.ready
  local pair = ready:head()
  while pair and count < most do
    line.remove(pair)
    self.waiting = self.waiting - pair.count
    pair.is_held = true
    local link = pair.first
    while link and count < most do
      if not link.is_over then
        count = count + 1
        taken[count] = link
        link.is_taken, pair.count = true, pair.count - 1
      end
      link, link.later = link.later, false
    end
    pair.first = link
    pair = ready:head()
  end
  return taken
end

---The links that were taken together are no longer in flight.
---@param links hubspot.associations.Link[]
function Queue:release(links)
  for index = 1, #links do -- not `ipairs`, which costs a call for each
    local pair = links[index].pair
    if pair.is_held then
      pair.is_held = false
      if pair.count > 0 then
        self.waiting = self.waiting + pair.count
        self.ready:push(pair)
      else
        self.pairs[pair.key] = nil
      end
    end
  end
end

-- A link is over that was not taken.
local function leave(self, link)
  local pair = link.pair
  local first = pair.first
  while first and first.is_over do first = first.later end
  pair.first, pair.count = first, pair.count - 1
  if pair.is_held then return end
  self.waiting = self.waiting - 1
  if pair.count > 0 then return end
  line.remove(pair)
  self.pairs[pair.key] = nil
end

-- A link that is over leaves the queue.
local function finish(self, link)
  self.pending = self.pending - 1
  line.remove(link)
  if not link.is_taken then leave(self, link) end
end

---A link has its outcome.
---@param link hubspot.associations.Link
---@param err hubspot.associations.Error|nil
function Queue:settle(link, err)
  if link.is_over then error "a link has one outcome" end
  link.err = err or false
  link.is_over = true
  finish(self, link)
end

---The link that was added first, of those without an outcome: its deadline is the first.
---@return hubspot.associations.Link|nil
function Queue:first()
  local link = self.due:head()
  while link and link.is_over do -- a debug hook, or a lack of memory, raised before it had left
    finish(self, link)
    link = self.due:head()
  end
  return link
end

return queue
