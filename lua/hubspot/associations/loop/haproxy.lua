-- Waits in a HAProxy task, action or service: HAProxy goes on meanwhile. It can watch no foreign descriptor
-- from Lua, and so looks at it every few milliseconds.

local haproxy = assert(core, "this loop works inside HAProxy only") -- luacheck: globals core

return require("hubspot.associations.loop.generic").sleeping(function(seconds)
  haproxy.msleep(math.ceil(seconds * 1000))
end)
