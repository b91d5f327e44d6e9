-- The module in Neovim, headless, on LuaJIT.

local behaviour = require "hosts.support.behaviour"
local hosts = require "hosts.support.hosts"
local process = require "support.process"

local missing = hosts.missing({ commands = { "nvim" }, build = "luajit" })

describe("the loop for Neovim", function()
  if missing then
    pending(missing)
    return
  end

  local latest
  behaviour.of_host("Neovim", function(sandbox)
    local folder = process.make_folder()
    local argv = { "nvim", "--headless", "-u", "NONE", "-i", "NONE", "-n", "-c" }
    argv[#argv + 1] = "luafile " .. hosts.program("neovim.lua")
    local done, facts = pcall(hosts.run, "luajit", argv, {
      SANDBOX_URL = sandbox:url(),
      HOME = folder,
      XDG_CONFIG_HOME = folder,
      XDG_DATA_HOME = folder,
      XDG_STATE_HOME = folder,
      XDG_CACHE_HOME = folder,
    })
    process.remove_folder(folder)
    latest = done and facts or error(facts, 0)
    return latest
  end)

  it("lets the coroutine call Neovim's API after a response", function()
    assert.equal("''", latest.buffer)
  end)
end)
