-- The loop for nginx (lua-nginx-module), in the phases that may yield. Lua code in nginx cannot watch a
-- foreign descriptor: the loop sleeps, which lets nginx serve others, and checks it every few milliseconds.

local ngx = assert(ngx, "this loop works inside nginx only") -- luacheck: globals ngx

return require("hubspot.associations.loop.generic").sleeping(ngx.sleep)
