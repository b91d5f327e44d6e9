-- The loop for HAProxy's tasks, actions and services. Lua code in HAProxy cannot watch a foreign descriptor:
-- the loop sleeps, which lets HAProxy go on, and checks it every few milliseconds.

local haproxy = assert(core, "this loop works inside HAProxy only") -- luacheck: globals core

return require("hubspot.associations.loop.generic").sleeping(function(seconds)
  haproxy.msleep(math.ceil(seconds * 1000))
end)
