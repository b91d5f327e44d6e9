-- Waits in an nginx light thread (lua-nginx-module), in a phase where it may yield: nginx serves others
-- meanwhile. It can watch no foreign descriptor from Lua, and so looks at it every few milliseconds.

local ngx = assert(ngx, "this loop works inside nginx only") -- luacheck: globals ngx

return require("hubspot.associations.loop.generic").sleeping(ngx.sleep)
