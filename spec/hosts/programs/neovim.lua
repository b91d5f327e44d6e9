-- The exercise in Neovim, and a call of its API right after a response.

local vim = vim -- luacheck: globals vim
local exercise = require "hosts.support.exercise"

local host = require "hosts.programs.uv_host"(vim.loop)
host.url = exercise.url()
host.loop = require "hubspot.associations.loop.neovim"

local client = assert(require "hubspot.associations".new {
  token = "secret",
  base_url = host.url,
  loop = host.loop,
})

host.spawn(function()
  assert(client:create("contacts", "companies", { { from = 1, to = 2, types = 279 } }))
  local line = vim.api.nvim_buf_get_lines(0, 0, 1, false)[1]
  local facts = exercise.run(host)
  facts.buffer = "'" .. line .. "'"
  io.stdout:write(exercise.text(facts))
  io.stdout:flush()
  vim.schedule(function() vim.cmd "qall!" end)
end)
