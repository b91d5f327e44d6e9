-- Lua scripts in a process of their own, run by the interpreter that runs the spec, with its search paths.
-- For what a spec cannot test in its own process: the environment, exits, signals.
-- A child starts like a program from a shell; it does not load luasocket unless its script does.

local process = require "support.process"

-- A script that runs longer is ended, with exit code 124.
local PATIENCE_SECONDS = 20

local child = {}

--- Runs a script to its end.
---@param text string
---@param options? { env?: table<string, string|false>, descriptors?: integer } at most so many descriptors
---@return process.Result
function child.run(text, options)
  local paths = ("package.path, package.cpath = %q, %q\n"):format(package.path, package.cpath)
  -- luasocket ignores SIGPIPE in this process, and a child would inherit that.
  local argv = { "timeout", PATIENCE_SECONDS, "env", "--default-signal=PIPE", process.interpreter(), "-" }
  options = options or {}
  if options.descriptors then
    local limited = { "sh", "-c", "ulimit -n " .. options.descriptors .. '; exec "$@"', "sh" }
    for _, word in ipairs(argv) do
      limited[#limited + 1] = word
    end
    argv = limited
  end
  return process.run(argv, { stdin = paths .. text, env = options.env })
end

return child
