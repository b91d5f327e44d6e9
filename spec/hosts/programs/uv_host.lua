-- How the exercise spawns and sleeps on libuv, for luv and for Neovim.

return function(uv)
  local host = {}

  function host.spawn(action)
    local thread = coroutine.create(action)
    local begun, raised = coroutine.resume(thread)
    if not begun then error(debug.traceback(thread, tostring(raised)), 0) end
    local close = coroutine.close -- of Lua 5.4
    return close and function() close(thread) end
  end

  function host.sleep(seconds)
    local thread = coroutine.running()
    local timer = uv.new_timer()
    timer:start(math.ceil(seconds * 1000), 0, function()
      timer:close()
      local resumed, raised = coroutine.resume(thread)
      if not resumed then error(debug.traceback(thread, tostring(raised)), 0) end
    end)
    coroutine.yield()
  end

  return host
end
