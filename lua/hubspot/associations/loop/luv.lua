-- Waits in a coroutine under luv: its loop goes on.

return require "hubspot.associations.loop.support.uv"((require "luv")) -- the one value: 5.4 gives two
