-- Coroutines that wait for a descriptor, for hosts that call back: once it is readable, or their time is up,
-- all that wait for it are resumed. Watching and setting timers is the host's part; hosts often allow one
-- watcher for a descriptor only, so that all share it.

local waiters = {}

---The coroutine that runs, and how to resume it. What it raises then comes out of the host's callback, with
---the coroutine's own traceback.
---@return fun() wait
---@return fun() wake
function waiters.pause()
  local thread, is_main = coroutine.running()
  if not thread or is_main then error("this loop waits in a coroutine, and this is none", 0) end
  return coroutine.yield, function()
    if coroutine.status(thread) == "dead" then return end -- closed by its owner meanwhile
    local resumed, raised = coroutine.resume(thread)
    if not resumed then error(debug.traceback(thread, tostring(raised)), 0) end
  end
end

-- Wakes all, also when one of them raises; then raises the first that was raised.
local function wake_all(list)
  local failed, failure = false, nil
  for _, waiter in ipairs(list) do
    local woken, raised = pcall(waiter.wake)
    if not woken and not failed then failed, failure = true, raised end
  end
  if failed then error(failure, 0) end
end

---@class hubspot.associations.Waiting what a host brings; `watch` and `after` return a function that ends
---  what they began
---@field watch fun(fd: integer, ready: fun()): fun() calls ready when fd is readable; is ended by then
---@field after fun(seconds: number, action: fun()): fun() calls action once, which needs no ending
---@field pause (fun(): fun(), fun())|nil as waiters.pause, where the host has its own

---@param host hubspot.associations.Waiting
---@return hubspot.associations.Loop
function waiters.loop(host)
  local pause = host.pause or waiters.pause
  local watched = {} -- fd -> { unwatch, waiters = list of { wake, cancel } }

  local function ready(fd)
    local entry = watched[fd]
    watched[fd] = nil -- before anyone is woken, who may wait again
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
