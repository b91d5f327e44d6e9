-- The loop for Neovim: suspends the calling coroutine, while the editor goes on. The coroutine is resumed by
-- vim.schedule, because most of Neovim's API may not be called within a callback of libuv.

local vim = assert(vim, "this loop works inside Neovim only") -- luacheck: globals vim
local waiters = require "hubspot.associations.loop.support.waiters"

return require "hubspot.associations.loop.support.uv"(vim.uv or vim.loop, function()
  local wait, wake = waiters.pause()
  return wait, vim.schedule_wrap(wake)
end)
