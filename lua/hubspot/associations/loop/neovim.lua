-- Waits in a coroutine inside Neovim: the editor goes on. The coroutine is resumed by vim.schedule, not in
-- libuv's callback, where most of Neovim's API may not be called.

local vim = assert(vim, "this loop works inside Neovim only") -- luacheck: globals vim
local waiters = require "hubspot.associations.loop.support.waiters"

return require "hubspot.associations.loop.support.uv"(vim.uv or vim.loop, function()
  local wait, wake = waiters.pause()
  return wait, vim.schedule_wrap(wake)
end)
