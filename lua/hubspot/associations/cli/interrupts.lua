-- Ctrl-C and SIGTERM, for a command that wants to end well. Takes the signals of a process only when the
-- process is the command's own.

local core = require "hubspot.associations.core"

local interrupts = {}

local function never()
  return nil
end

---@param environment hubspot.associations.cli.Environment
---@return fun(): integer|nil caught tells the number of the signal that came, if one did
function interrupts.watch(environment)
  if not environment.owns_process then return never end
  core.catch_interrupts()
  return core.interrupted
end

---The exit code that says which signal ended the command, as shells have it.
---@param signal integer
---@return integer
function interrupts.code(signal)
  return 128 + signal
end

return interrupts
