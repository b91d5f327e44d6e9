-- A terminal emulator (tmux) with a program in it, for specs: what its screen shows, at any width. It has a
-- server of its own, which ends with the spec.

local exchange = require "support.exchange"
local process = require "support.process"

local screen = {}

local HEIGHT = 24

local CONFIGURATION = [[
set -g status off
set -g remain-on-exit on
set -g remain-on-exit-format ""
set -g default-shell /bin/sh
]]

---@class screen.Screen
local Screen = {}
Screen.__index = Screen

---Whether there is a tmux here.
---@return boolean
function screen.is_there()
  return process.run({ "sh", "-c", "command -v tmux" }).code == 0
end

local function tmux(self, ...)
  -- A sanitizer that is preloaded for the code under test has no business in tmux.
  local argv = { "tmux", "-S", self.folder .. "/socket", "-f", self.folder .. "/tmux.conf", ... }
  return process.run(argv, { env = { LD_PRELOAD = false, TMUX = false } })
end

---Starts a program in a terminal.
---@param columns integer
---@param argv string[]
---@param env table<string, string|false> false removes a variable
---@return screen.Screen
function screen.start(columns, argv, env)
  local self = setmetatable({ folder = process.make_folder() }, Screen)
  process.write_file(self.folder .. "/tmux.conf", CONFIGURATION)
  local words = { "exec env" }
  local preloaded = os.getenv "LD_PRELOAD" -- for the program, where it is for the code under test
  if preloaded then words[2] = process.quote("LD_PRELOAD=" .. preloaded) end
  for name, value in pairs(env) do -- env wants every -u before the first assignment
    if value then
      words[#words + 1] = process.quote(name .. "=" .. value)
    else
      table.insert(words, 2, "-u " .. name)
    end
  end
  for _, word in ipairs(argv) do words[#words + 1] = process.quote(word) end
  process.write_file(self.folder .. "/program", table.concat(words, " ") .. "\n")
  local program = "sh " .. self.folder .. "/program"
  local started = tmux(self, "new-session", "-d", "-x", columns, "-y", HEIGHT, program)
  if started.code ~= 0 then
    process.remove_folder(self.folder)
    error("tmux: " .. started.stderr, 2)
  end
  return self
end

---@param columns integer
function Screen:resize(columns)
  assert(tmux(self, "resize-window", "-x", columns, "-y", HEIGHT).code == 0)
end

---The lines of the screen that are not empty, from the top.
---@return string[]
function Screen:lines()
  local lines = {}
  for line in tmux(self, "capture-pane", "-p").stdout:gmatch "[^\n]+" do
    if line:find "%S" then lines[#lines + 1] = line end
  end
  return lines
end

---Waits until the screen shows a text.
---@param text string
function Screen:wait_for(text)
  exchange.eventually(function()
    return table.concat(self:lines(), "\n"):find(text, 1, true) ~= nil
  end, text)
end

---Waits until the program has ended.
function Screen:wait_for_end()
  exchange.eventually(function() return self:is_over() end, "its end")
end

---Types a line.
---@param text string
function Screen:type(text)
  assert(tmux(self, "send-keys", "-l", text).code == 0)
  assert(tmux(self, "send-keys", "Enter").code == 0)
end

---Presses a key.
---@param key string as tmux calls it, such as "C-c"
function Screen:press(key)
  assert(tmux(self, "send-keys", key).code == 0)
end

---Whether the program has ended.
---@return boolean
function Screen:is_over()
  return tmux(self, "display-message", "-p", "#{pane_dead}").stdout:find "1" ~= nil
end

function Screen:close()
  tmux(self, "kill-server")
  process.remove_folder(self.folder)
end

return screen
