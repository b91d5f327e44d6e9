-- The exercise in a small scheduler. arg[1] says which loop to make: "polling" or "sleeping". The scheduler
-- is a list of coroutines; each yields the time until which it sleeps, and the descriptor that it waits for.

local core = require "hubspot.associations.core"
local exercise = require "hosts.support.exercise"
local generic = require "hubspot.associations.loop.generic"
local socket = require "socket"

local sleepers = {} -- thread -> { deadline, descriptor = { getfd }|nil }

-- One object per descriptor: luasocket reports one per descriptor, and all that wait for it have to be woken.
local descriptors = setmetatable({}, {
  __index = function(self, fd)
    self[fd] = { getfd = function() return fd end }
    return self[fd]
  end,
})

local function resume(thread)
  sleepers[thread] = nil
  local resumed, deadline, fd = coroutine.resume(thread)
  if not resumed then error(debug.traceback(thread, tostring(deadline)), 0) end
  if coroutine.status(thread) == "dead" then return end
  sleepers[thread] = { deadline = deadline, descriptor = fd and descriptors[fd] }
end

local function spawn(action)
  local thread = coroutine.create(action)
  sleepers[thread] = { deadline = 0 }
  return function() sleepers[thread] = nil end
end

local function sleep(seconds)
  coroutine.yield(core.now() + seconds)
end

local function poll(fd, timeout)
  coroutine.yield(timeout and core.now() + timeout or math.huge, fd)
end

local loops = {
  polling = function() return generic.polling(poll) end,
  sleeping = function() return generic.sleeping(sleep) end,
}

spawn(function()
  local facts = exercise.run { url = exercise.url(), loop = loops[arg[1]](), spawn = spawn, sleep = sleep }
  io.write(exercise.text(facts))
end)

while next(sleepers) do
  local watched, soonest = {}, math.huge
  for _, sleeper in pairs(sleepers) do
    watched[#watched + 1] = sleeper.descriptor
    soonest = math.min(soonest, sleeper.deadline)
  end
  local readable = socket.select(watched, nil, math.max(0, math.min(soonest - core.now(), 60)))
  local due = {}
  for thread, sleeper in pairs(sleepers) do
    if sleeper.deadline <= core.now() or readable[sleeper.descriptor or 0] then due[#due + 1] = thread end
  end
  for _, thread in ipairs(due) do resume(thread) end
end
