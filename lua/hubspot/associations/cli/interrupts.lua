-- Ctrl-C, SIGTERM and SIGHUP (the terminal was closed), for a command that finishes its work first. Handles
-- the signals only in a process that is the command's own: a host's signals are the host's.

local core = require "hubspot.associations.core"

local interrupts = {}

local function never()
  return nil
end

---@param environment hubspot.associations.cli.Environment
---@return fun(): integer|nil caught returns the number of the signal that was caught, if one was
function interrupts.watch(environment)
  if not environment.owns_process then return never end
  core.catch_interrupts()
  return core.interrupted
end

---The exit code of a command that a signal ended, by the convention of shells.
---@param signal integer
---@return integer
function interrupts.code(signal)
  return 128 + signal
end

return interrupts
