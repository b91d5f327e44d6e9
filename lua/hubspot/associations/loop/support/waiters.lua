-- Coroutines that wait for a descriptor, in hosts with callbacks. When it becomes readable, all that wait for
-- it are resumed; when the time of one is up, that one is. The host supplies watchers and timers. Many hosts
-- allow one watcher per descriptor, so that all waiters of a descriptor share one.

local waiters = {}

---For the running coroutine: what suspends it, and what resumes it. An error that it raises once resumed is
---raised from the host's callback, with the coroutine's traceback.
---@return fun() wait
---@return fun() wake
function waiters.pause()
  local thread, is_main = coroutine.running()
  if not thread or is_main then error("this loop can only wait in a coroutine: make the call in one", 0) end
  return coroutine.yield, function()
    if coroutine.status(thread) == "dead" then return end -- its owner closed it
    local resumed, raised = coroutine.resume(thread)
    if not resumed then error(debug.traceback(thread, tostring(raised)), 0) end
  end
end

-- Wakes all waiters, even if one raises; then raises the first error.
local function wake_all(list)
  local failed, failure = false, nil
  for _, waiter in ipairs(list) do
    local woken, raised = pcall(waiter.wake)
    if not woken and not failed then failed, failure = true, raised end
  end
  if failed then error(failure, 0) end
end

---@class hubspot.associations.Waiting what the host supplies; `watch` and `after` return what cancels them
---@field watch fun(fd: integer, ready: fun()): fun() calls `ready`, which cancels it, when fd is readable
---@field after fun(seconds: number, action: fun()): fun() calls `action` once; not canceled after that
---@field pause (fun(): fun(), fun())|nil in place of waiters.pause, if the host suspends in its own way

---@param host hubspot.associations.Waiting
---@return hubspot.associations.Loop
function waiters.loop(host)
  local pause = host.pause or waiters.pause
  local watched = {} -- fd -> { unwatch, waiters = list of { wake, cancel } }

  local function ready(fd)
    local entry = watched[fd]
    watched[fd] = nil -- first: a waiter that is woken may wait again
    entry.unwatch()
    for _, waiter in ipairs(entry.waiters) do
      if waiter.cancel then waiter.cancel() end
    end
    wake_all(entry.waiters)
  end

  local function leave(fd, entry, leaving)
    for index, waiter in ipairs(entry.waiters) do
      if waiter == leaving then
        table.remove(entry.waiters, index)
        break
      end
    end
    if #entry.waiters == 0 and watched[fd] == entry then
      watched[fd] = nil
      entry.unwatch()
    end
  end

  return {
    wait = function(fd, timeout)
      local wait, wake = pause()
      local entry = watched[fd]
      if not entry then
        entry = { waiters = {}, unwatch = host.watch(fd, function() ready(fd) end) }
        watched[fd] = entry
      end
      local waiter = { wake = wake }
      entry.waiters[#entry.waiters + 1] = waiter
      waiter.cancel = timeout and host.after(timeout, function()
        leave(fd, entry, waiter)
        wake()
      end)
      wait()
    end,
  }
end

return waiters
