-- The links of a collector that have no outcome yet, and which of them may be sent. Those of one pair are
-- sent in their order: while some are in flight, the pair's later ones are held back. Pure.
--
-- A debug hook of the host, or a lack of memory, may raise between any two assignments. What is sure then is
-- changed by one assignment each: which links there are, which are over, and which groups. All the rest
-- follows from that, and is made anew after such an error.

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
---@field groups hubspot.associations.Group[] links that were taken together, and are in flight
local Queue = {}
Queue.__index = Queue

local queue = {}

---@return hubspot.associations.Queue
function queue.new()
  return setmetatable({
    pending = 0,
    waiting = 0,
    count = 0,
    links = {}, -- number -> link without an outcome
    oldest = 1, -- there is none before it
    groups = {},
    pairs = {}, -- the two ids -> Pair; of those that have links, or are held
    ready = line.new(), -- pairs in the order in which their links may be sent
    is_whole = true, -- or something is being changed, or raised in between
  }, Queue)
end

local function new_pair(key)
  return {
    key = key, first = false, last = false, count = 0, is_held = false, before = false, behind = false,
  }
end

-- Adds a link to those of its pair.
local function join(pair, link)
  if pair.first then pair.last.later = link else pair.first = link end
  pair.last, pair.count = link, pair.count + 1
end

-- Makes all but the links and the groups anew.
local function mend(self)
  local found, taken, ready, pending, waiting = {}, {}, line.new(), 0, 0
  local function pair_of(link)
    local key = link.pair.key
    found[key] = found[key] or new_pair(key)
    link.pair = found[key]
    return found[key]
  end
  for _, group in ipairs(self.groups) do
    for _, link in ipairs(group.links) do
      taken[link] = true
      pair_of(link).is_held = true
    end
  end
  for number = self.oldest, self.count do
    local link = self.links[number]
    if link and link.is_over then
      self.links[number] = nil
    elseif link then
      pending = pending + 1
      link.is_taken, link.later = taken[link] or false, false
      if not link.is_taken then
        local pair = pair_of(link)
        join(pair, link)
        if not pair.is_held then waiting = waiting + 1 end
        if not pair.is_held and pair.count == 1 then ready:push(pair) end
      end
    end
  end
  self.pairs, self.ready, self.pending, self.waiting = found, ready, pending, waiting
  self.is_whole = true
end

---To be called before `pending` and `waiting` are read, where something may have raised.
function Queue:mend()
  if not self.is_whole then mend(self) end
end

---@param input table
---@param key string the two ids
---@param deadline number not before that of the link before
---@param callback function|nil
---@param cohort hubspot.associations.Cohort|nil
---@return hubspot.associations.Link
function Queue:add(input, key, deadline, callback, cohort)
  if not self.is_whole then mend(self) end
  self.is_whole = false
  local count, pair = self.count + 1, self.pairs[key]
  if not pair then
    pair = new_pair(key)
    self.pairs[key] = pair
    self.ready:push(pair)
  end
  local link = {
    input = input, pair = pair, later = false, callback = callback or false, cohort = cohort or false,
    deadline = deadline, is_over = false, is_taken = false, number = count, group = false, err = false,
  }
  join(pair, link)
  if not pair.is_held then self.waiting = self.waiting + 1 end
  self.count, self.pending = count, self.pending + 1
  self.links[count] = link
  self.is_whole = true
  return link
end

---The one of those that may be sent that would be sent first.
---@return hubspot.associations.Link|nil
function Queue:next()
  if not self.is_whole then mend(self) end
  local pair = self.ready:head()
  return pair and pair.first
end

-- Up to `most` links that may be sent, those of a pair one after the other. Their pairs are held.
local function take(self, most)
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

---Takes up to `most` links that may be sent. Their pairs are held until the group, the last one, is released.
---@param most integer
---@param new_group fun(links: hubspot.associations.Link[]): hubspot.associations.Group with these `links`
function Queue:take(most, new_group)
  if not self.is_whole then mend(self) end
  self.is_whole = false
  local group = new_group(take(self, most))
  self.groups[#self.groups + 1] = group
  self.is_whole = true
end

---The links of a group are no longer in flight.
---@param number integer of the group
function Queue:release(number)
  if not self.is_whole then mend(self) end
  self.is_whole = false
  local links = table.remove(self.groups, number).links
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
  self.is_whole = true
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

---A link has its outcome.
---@param link hubspot.associations.Link
---@param err hubspot.associations.Error|nil
function Queue:settle(link, err)
  if link.is_over then error "a link has one outcome" end
  if not self.is_whole then mend(self) end
  self.is_whole = false
  link.err = err or false
  link.is_over = true
  self.links[link.number] = nil
  self.pending = self.pending - 1
  if not link.is_taken then leave(self, link) end
  self.is_whole = true
end

---The link that was added first, of those without an outcome: its deadline is the first.
---@return hubspot.associations.Link|nil
function Queue:first()
  if not self.is_whole then mend(self) end
  local links, number, count = self.links, self.oldest, self.count
  while number <= count and not links[number] do number = number + 1 end
  self.oldest = number
  return links[number]
end

return queue
