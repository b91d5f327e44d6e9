-- What standard error is: a terminal or not, and how wide. Asks the system only in a process that is the
-- command's own: a host's streams need not be its descriptors.

local core = require "hubspot.associations.core"

local screen = {}

local STDIN, STDOUT, STDERR = 0, 1, 2 -- their descriptors

---Whether a bar can be drawn on it.
---@param environment hubspot.associations.cli.Environment
---@return boolean
function screen.is_terminal(environment)
  return environment.owns_process == true and environment.getenv "TERM" ~= "dumb" and core.isatty(STDERR)
end

---Whether a question can be asked on it, and answered.
---@param environment hubspot.associations.cli.Environment
---@return boolean
function screen.can_ask(environment)
  return environment.owns_process == true and not environment.stdin_is_closed and core.isatty(STDERR)
    and core.isatty(STDIN)
end

---Whether standard output is a terminal.
---@param environment hubspot.associations.cli.Environment
---@return boolean
function screen.shows_output(environment)
  return environment.owns_process == true and core.isatty(STDOUT)
end

---Whether what is written to a stream may have colours: it is a terminal that has them, and nobody asked for
---none (https://no-color.org).
---@param environment hubspot.associations.cli.Environment
---@param stream file*
---@return boolean
function screen.has_colours(environment, stream)
  local term = environment.getenv "TERM" or ""
  if not environment.owns_process or term == "" or term == "dumb" then return false end
  return (environment.getenv "NO_COLOR" or "") == ""
    and core.isatty(stream == environment.stderr and STDERR or STDOUT)
end

---Its width at present, which changes when a terminal is resized; COLUMNS says it where there is no terminal.
---@param environment hubspot.associations.cli.Environment
---@return fun(): integer|nil
function screen.columns_of(environment)
  local digits = (environment.getenv "COLUMNS" or ""):match "^%d%d?%d?%d?$"
  local given = tonumber(digits or 0)
  return function()
    return environment.owns_process and core.columns(STDERR) or given > 0 and given or nil
  end
end

return screen
