-- Coroutines that wait for one descriptor, for hosts that take one callback for each: each is resumed when
-- the descriptor is readable, or when its time is up. The host's part is to watch and to set timers.

local waiters = {}

-- Raises in the host's callback what a coroutine raised, with its own traceback.
local function resume(thread)
  local resumed, raised = coroutine.resume(thread)
  if not resumed then error(debug.traceback(thread, tostring(raised)), 0) end
end

---@param host table { watch = function(fd, ready) -> unwatch, after = function(seconds, action) -> cancel }:
---  `watch` calls `ready` whenever fd is readable; both return a function that ends them
---@return hubspot.associations.Loop
function waiters.loop(host)
  local watched = {} -- fd -> { unwatch, threads = { [thread] = cancel or false } }

  local function remove(fd, thread)
    local entry = watched[fd]
    if not entry or entry.threads[thread] == nil then return false end
    if entry.threads[thread] then entry.threads[thread]() end
    entry.threads[thread] = nil
    if next(entry.threads) == nil then
      watched[fd] = nil
      entry.unwatch()
    end
    return true
  end

  local function wake_all(fd)
    local threads = {}
    for thread in pairs(watched[fd] and watched[fd].threads or {}) do threads[#threads + 1] = thread end
    for _, thread in ipairs(threads) do
      if remove(fd, thread) then resume(thread) end
    end
  end

  return {
    wait = function(fd, timeout)
      local thread, is_main = coroutine.running()
      if not thread or is_main then error("this loop waits in a coroutine, and this is none", 2) end
      local entry = watched[fd]
      if not entry then
        entry = { threads = {} }
        watched[fd] = entry
        entry.unwatch = host.watch(fd, function() wake_all(fd) end)
      end
      entry.threads[thread] = timeout and host.after(timeout, function()
        if remove(fd, thread) then resume(thread) end
      end) or false
      return coroutine.yield()
    end,
  }
end

return waiters
