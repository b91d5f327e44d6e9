-- The loop for Prosody: suspends the calling coroutine, while the server goes on. It watches by net.server,
-- and suspends by util.async, since Prosody runs its handlers in runners of util.async.

local async = require "util.async"
local server = require "net.server"
local timer = require "util.timer"
local waiters = require "hubspot.associations.loop.support.waiters"

return waiters.loop {
  watch = function(fd, ready)
    local watcher = server.watchfd(fd, function() ready() end)
    return function()
      if watcher.close then
        watcher:close()
      else -- a watcher of the libevent backend has no close
        watcher:setflags(false, false)
      end
    end
  end,
  after = function(seconds, action)
    local task = timer.add_task(seconds, function() action() end) -- a returned number would repeat it
    return function() timer.stop(task) end
  end,
  pause = async.waiter,
}
