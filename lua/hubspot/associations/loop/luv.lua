-- The loop for luv: suspends the calling coroutine, while libuv's loop runs.

return require "hubspot.associations.loop.support.uv"((require "luv")) -- 5.4's require returns two values
