-- Waits in a coroutine under luv: its loop goes on.

return require "hubspot.associations.loop.uv"((require "luv")) -- the one value: 5.4 gives two
