-- Waits in a coroutine inside Neovim: the editor goes on.

local vim = vim -- luacheck: globals vim

return require "hubspot.associations.loop.uv"(vim.uv or vim.loop)
