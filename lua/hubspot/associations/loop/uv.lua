-- A loop of a libuv binding for Lua: luv, or the one in Neovim.

local waiters = require "hubspot.associations.loop.waiters"

---@param uv table
---@return hubspot.associations.Loop
return function(uv)
  return waiters.loop {
    watch = function(fd, ready)
      local handle = assert(uv.new_poll(fd))
      assert(handle:start("r", function() ready() end))
      return function()
        handle:stop()
        handle:close()
      end
    end,
    after = function(seconds, action)
      local timer = assert(uv.new_timer())
      timer:start(math.ceil(seconds * 1000), 0, action)
      return function()
        if not timer:is_closing() then timer:close() end
      end
    end,
  }
end
