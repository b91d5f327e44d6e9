-- A fleet in virtual time: processes that share an account's budget by the script of Redis, each with a
-- clock, a way to Redis and a way to HubSpot of its own.

local members = require "hubspot.associations.redis.member"
local rate_window = require "hubspot.associations.sandbox.rate_window"
local redis_stand_in = require "support.redis_stand_in"

local fleet = {}

local World = {}
World.__index = World

---@param given table { random, limit, interval = 10, redis_latency = 0.002, latency = 0.2, retry_after }
function fleet.world(given)
  local self = setmetatable({
    now = 1000, events = {}, random = given.random, latency = given.latency or 0.2,
    redis_latency = given.redis_latency or 0.002, redis_ahead = 0, processes = {}, redis = nil, is_away = nil,
    accepted = 0, rejected = 0, told = {},
  }, World)
  self.redis = redis_stand_in.new(function() return self.now + self.redis_ahead end)
  self.account = rate_window.new {
    limit = given.limit or 100, interval = given.interval or 10, retry_after = given.retry_after,
  }
  return self
end

function World:after(delay, action)
  local event, low, high = { at = self.now + delay, action = action }, 1, #self.events + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if self.events[middle].at > event.at then high = middle else low = middle + 1 end
  end
  table.insert(self.events, low, event)
end

-- Between half and one and a half of it.
function World:about(seconds) return seconds * (0.5 + self.random:integer(0, 1000) / 1000) end

function World:run(seconds)
  local ends = self.now + seconds
  while self.events[1] and self.events[1].at <= ends do
    local event = table.remove(self.events, 1)
    self.now = event.at
    event.action()
  end
  self.now = ends
end

-- ---- the way to Redis ----

local function exchange_of(world, process, script, keys, arguments)
  local exchange = { is_done = false }
  function exchange.done() return exchange.is_done end
  function exchange.reply() return exchange.value, exchange.err end
  local function finish(value, err)
    exchange.is_done, exchange.value, exchange.err = true, value, err
    process:wake()
  end
  local away = world.is_away
  if away == "refuses" then
    world:after(world:about(world.redis_latency), function()
      finish(nil, { kind = "network", message = "refused" })
    end)
  elseif not away then
    world:after(world:about(world.redis_latency), function()
      if world.is_away then return end
      local value = world.redis:eval(script, keys, arguments)
      world:after(world:about(world.redis_latency), function() finish(value) end)
    end)
  end
  return exchange
end

-- ---- a process ----

local Process = {}
Process.__index = Process

---@param given table { lanes = requests at a time, 4; rate; ahead = of its clock, seconds; pace = seconds
---  between two requests of a lane, 0 }
function World:add(given)
  local process = setmetatable({
    world = self, ahead = given.ahead or 0, accepted = 0, rejected = 0, waits = {}, is_dead = false,
    pace = given.pace or 0,
  }, Process)
  process.member = members.new {
    keys = { "{a}state", "{a}charges", "{a}members", "{a}waiting" },
    rate = given.rate,
    ask = function(script, keys, arguments) return exchange_of(self, process, script, keys, arguments) end,
    tell = function(event)
      event.process, event.at = process, self.now
      self.told[#self.told + 1] = event
    end,
  }
  self.processes[#self.processes + 1] = process
  for lane = 1, given.lanes or 4 do
    local waiter = { lane = lane }
    self:after(self:about(0.01), function() process:try(waiter) end)
  end
  return process
end

function Process:now() return self.world.now + self.ahead end

-- What waits looks again, as all owners of a descriptor do. In the order of the lanes: that of `pairs` would
-- not be the seed's.
function Process:wake()
  local waits, waiters = self.waits, {}
  self.waits = {}
  for waiter in pairs(waits) do waiters[#waiters + 1] = waiter end
  table.sort(waiters, function(a, b) return a.lane < b.lane end)
  for _, waiter in ipairs(waiters) do
    waits[waiter].is_over = true
    self:try(waiter)
  end
end

function Process:try(waiter)
  if self.is_dead then return end
  local delay, is_asked = self.member:delay(self:now(), "job", waiter)
  if delay == 0 then return self:send(waiter) end
  local wait = { is_over = false }
  if is_asked then self.waits[waiter] = wait end
  self.world:after(delay, function()
    if wait.is_over then return end
    if self.waits[waiter] == wait then self.waits[waiter] = nil end
    self:try(waiter)
  end)
end

function Process:send(waiter)
  local world, ticket = self.world, self.member:sent(self:now(), "job")
  world:after(world:about(world.latency / 2), function()
    local policy, wait = world.account:take(world.now)
    local headers = {}
    world.account:describe(headers)
    local count = policy and "rejected" or "accepted"
    self[count], world[count] = self[count] + 1, world[count] + 1
    world:after(world:about(world.latency / 2), function()
      if self.is_dead then return end
      local retry_after = world.account.retry_after and math.ceil(wait or 0) or nil
      self.member:completed(ticket, self:now(), {
        max = tonumber(headers["x-hubspot-ratelimit-max"]),
        remaining = tonumber(headers["x-hubspot-ratelimit-remaining"]),
        interval = tonumber(headers["x-hubspot-ratelimit-interval-milliseconds"]) / 1000,
      }, policy and { kind = "rate_limited", policyName = policy, retry_after = retry_after } or nil)
      world:after(self.pace + 0.001, function() self:try(waiter) end)
    end)
  end)
end

---Counts from here on.
function World:reset()
  self.accepted, self.rejected = 0, 0
  for _, process in ipairs(self.processes) do process.accepted, process.rejected = 0, 0 end
end

---@return table { used = of what the account allows, rejected = of the requests, slowest = its part of the
---  mean, calls = of Redis a second }
function World:measure(seconds)
  self:reset()
  local calls = self.redis.calls
  self:run(seconds)
  local slowest, alive = math.huge, 0
  for _, process in ipairs(self.processes) do
    if not process.is_dead then
      slowest, alive = math.min(slowest, process.accepted), alive + 1
    end
  end
  return {
    used = self.accepted / (self.account.limit * seconds / self.account.interval),
    rejected = self.rejected / math.max(1, self.accepted + self.rejected),
    slowest = slowest / math.max(1, self.accepted / alive),
    calls = (self.redis.calls - calls) / seconds,
  }
end

return fleet
