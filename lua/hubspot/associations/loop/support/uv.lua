-- Makes a loop from a Lua binding of libuv: luv, or the one in Neovim.

local waiters = require "hubspot.associations.loop.support.waiters"

---@param uv table the binding
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
      -- At least 1 ms: a timer of 0 that is started within a callback may fire in the same turn of the loop.
      timer:start(math.max(1, math.ceil(seconds * 1000)), 0, function()
        timer:close()
        action()
      end)
      return function() timer:close() end
    end,
    pause = pause,
  }
end
