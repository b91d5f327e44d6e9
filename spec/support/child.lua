-- Lua scripts in a process of their own, run by the interpreter that runs the spec, with its search paths.
-- For what a spec cannot try in its own process: the environment, exits, signals.
-- A child starts as a program from a shell does; it never loads luasocket unless its script says so.

local process = require "support.process"

-- A script that does not end is ended after this long, with exit code 124.
local PATIENCE_SECONDS = 20

local child = {}

--- Runs a script to its end.
---@param text string
---@param options? { env?: table<string, string|false>, descriptors?: integer } at most so many descriptors
---@return process.Result
function child.run(text, options)
  local paths = ("package.path, package.cpath = %q, %q\n"):format(package.path, package.cpath)
  -- luasocket has SIGPIPE ignored in this process, which a child would inherit.
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
