-- Waits in a coroutine inside Prosody (net.server and util.timer): the server goes on.

local server = require "net.server"
local timer = require "util.timer"
local waiters = require "hubspot.associations.loop.waiters"

return waiters.loop {
  watch = function(fd, ready)
    local watcher = server.watchfd(fd, ready)
    return function() watcher:close() end
  end,
  after = function(seconds, action)
    local task = timer.add_task(seconds, function() action() end)
    return function() timer.stop(task) end
  end,
}
