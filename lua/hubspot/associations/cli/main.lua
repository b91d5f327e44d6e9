-- The command `hubspot-associations`: words in, an exit code out. Leaves the work to one of the commands, and
-- turns whatever is raised into a message: a user never sees a traceback.

local terminal = require "hubspot.associations.cli.output.terminal"

local cli = {}

local COULD_NOT_RUN = 2
local INTERRUPTED = 130 -- 128 + SIGINT, as shells have it

-- Modules that may be missing, and how to get them.
local SOURCE_OF = {
  argparse = "apt-get install lua-argparse, or luarocks install argparse",
  cjson = "apt-get install lua-cjson, or luarocks install lua-cjson",
  cqueues = "apt-get install lua-cqueues, or luarocks install cqueues",
  ["hubspot.associations.core"] = "it is built by make, and found by LUA_CPATH",
}

---@class hubspot.associations.cli.Environment
---@field stdin file*
---@field stdout file*
---@field stderr file*
---@field getenv fun(name: string): string|nil
---@field owns_process boolean|nil whether the process is the command's own: it then takes its signals
---@field stdin_is_closed boolean|nil

-- The arguments; of `--version` alone, which scripts ask for, without loading what reads all others.
local function parse(argv)
  local version = require "hubspot.associations.version"
  local asks_version = #argv == 1 and argv[1] == "--version"
  if asks_version then return { text = "hubspot-associations " .. version .. "\n" } end
  return require("hubspot.associations.cli.arguments").parse(argv, version)
end

local function run(argv, environment)
  local core = require "hubspot.associations.core"
  if environment.owns_process then
    environment.stdin_is_closed = core.hold_standard_descriptors()
  end
  local parsed, wrong = parse(argv)
  if parsed and parsed.text then
    local written, why = terminal.write(environment.stdout, parsed.text)
    return written and 0, why
  end
  local arguments = require "hubspot.associations.cli.arguments"
  if not parsed then
    local command = arguments.command(argv[1]) and argv[1] .. " " or ""
    return nil, { wrong, ("try: hubspot-associations %s--help"):format(command) }
  end
  return arguments.command(parsed.command).run(parsed, environment)
end

-- What was raised, in words: a module is missing, or this program has a mistake. Lua's own errors have no
-- fields, so that their text is all there is.
local function explain(raised)
  raised = tostring(raised)
  local module = raised:match "module '([A-Za-z0-9_.]+)' not found"
  if module then
    local source = SOURCE_OF[module] or SOURCE_OF[module:match "^[^.]+"]
    if source then return ("this needs the Lua module %s: %s"):format(module, source) end
  end
  return "internal error, which is a bug: " .. (raised:match "^[^\n]*" or raised)
end

---Runs the command.
---@param argv string[]
---@param environment hubspot.associations.cli.Environment
---@return integer code 0: done; 1: not for every row; 2: it could not run, or stopped; 129, 130, 143: ended
function cli.main(argv, environment)
  local ran, code, message = pcall(run, argv, environment)
  if ran and message then terminal.say(environment.stderr, message) end
  if ran then return code or COULD_NOT_RUN end
  -- The interpreter raises this on SIGINT. A job handles its signals itself: this is before one, or the
  -- sandbox.
  if tostring(code):find "interrupted!$" then
    terminal.say(environment.stderr, "interrupted")
    return INTERRUPTED
  end
  terminal.say(environment.stderr, explain(code))
  return COULD_NOT_RUN
end

return cli
