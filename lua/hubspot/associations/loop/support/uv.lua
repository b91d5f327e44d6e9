-- A loop of a libuv binding for Lua: luv, or the one in Neovim.

local waiters = require "hubspot.associations.loop.support.waiters"

---@param uv table
---@param pause? fun(): fun(), fun() see waiters.pause
---@return hubspot.associations.Loop
return function(uv, pause)
  return waiters.loop {
    watch = function(fd, ready)
      local handle = assert(uv.new_poll(fd))
      assert(handle:start("r", function() ready() end))
      return function() handle:close() end
    end,
    after = function(seconds, action)
      local timer = assert(uv.new_timer())
      -- One of 0, begun by another, may be due in the same turn of the loop.
      timer:start(math.max(1, math.ceil(seconds * 1000)), 0, function()
        timer:close()
        action()
      end)
      return function() timer:close() end
    end,
    pause = pause,
  }
end
