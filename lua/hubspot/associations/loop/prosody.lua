-- Waits in a coroutine inside Prosody (net.server and util.timer): the server goes on. Waits by util.async,
-- as the runners of Prosody's own handlers have to.

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
      else -- libevent's
        watcher:setflags(false, false)
      end
    end
  end,
  after = function(seconds, action)
    local task = timer.add_task(seconds, function() action() end) -- returning nothing: once
    return function() timer.stop(task) end
  end,
  pause = async.waiter,
}
