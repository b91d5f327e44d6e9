-- The command line: words in, the arguments of one command out, or a text to show (help, version).
-- Parses only; reads no file and no environment, and ends no process.

local argparse = require "argparse"

local arguments = {}

local PROGRAM = "hubspot-associations"
local DESCRIPTION = "Creates, reads and removes associations between HubSpot CRM records."
local WIDTH = 90 -- columns

-- The longest argument, in bytes. No system has longer file names, and argparse takes a time that grows as
-- the square of an option's length to suggest what it may have been meant to be.
local LONGEST = 4096

---@class hubspot.associations.cli.Command one command: how it is called, and what it does
---@field name string
---@field summary string
---@field description string
---@field epilog string
---@field arguments table[]|nil rows as in flags.lua
---@field flags table[]
---@field run fun(arguments: table, environment: table): integer|nil, string|string[]|nil the exit code (nil:
---  it could not run), and what to say on standard error

---@type hubspot.associations.cli.Command[] in the order of the help
local COMMANDS = {
  require "hubspot.associations.cli.commands.create",
  require "hubspot.associations.cli.commands.create_default",
  require "hubspot.associations.cli.commands.archive",
  require "hubspot.associations.cli.commands.archive_labels",
  require "hubspot.associations.cli.commands.sync",
  require "hubspot.associations.cli.commands.read",
  require "hubspot.associations.cli.commands.list",
  require "hubspot.associations.cli.commands.labels",
  require "hubspot.associations.cli.commands.types",
  require "hubspot.associations.cli.commands.work",
  require "hubspot.associations.cli.commands.queue",
  require "hubspot.associations.cli.commands.retry_failed",
  require "hubspot.associations.cli.commands.discard_failed",
  require "hubspot.associations.cli.commands.doctor",
  (require "hubspot.associations.cli.commands.sandbox"), -- one value, also since Lua 5.4
}

local HELP = { name = "-h --help", description = "Show this help.", is_flag = true }

-- The options without a command.
local OPTIONS = {
  { name = "--version", description = "Show the version.", is_flag = true },
  { name = "--completion", argname = "bash|fish|zsh", choices = { "bash", "fish", "zsh" },
    description = "Write a completion script for this shell." },
}

-- Raised to end argparse's parse early: it would print, and end the process.
local EARLY = {}

local function stop(ended, name, text)
  ended[name] = text
  error(EARLY, 0)
end

local function add_help(parser, ended)
  parser:flag { name = HELP.name, description = HELP.description,
    action = function() stop(ended, "text", parser:get_help() .. "\n") end }
end

local function quoted(text)
  return text == "" and "nothing" or ("'%s'"):format(text)
end

-- A row of a command as argparse takes it. A value that fails its check is named by its option, and shown
-- only where it cannot be a secret.
local function converted(row, ended)
  if row.never then
    return { name = row.name, args = "?", hidden = true, action = function()
      stop(ended, "message", ("option '%s': %s"):format(row.name, row.never))
    end }
  end
  local copy = {}
  for name, value in pairs(row) do copy[name] = value end
  local name = row.name:find "^%-" and ("option '%s'"):format(row.name) or row.argname
  copy.convert = row.check and function(text)
    local value, expected = row.check(text)
    local found = row.is_secret and text ~= "" and "" or ", found " .. quoted(text)
    return value, expected and ("%s: %s%s"):format(name, expected, found)
  end
  return copy
end

-- Takes the arguments that are too many, to name them; argparse itself only counts them.
local function add_rest(parser, ended)
  parser:argument { name = "rest", args = "*", hidden = true, action = function(_, _, values)
    if #values == 0 then return end
    for index, value in ipairs(values) do values[index] = quoted(value) end
    stop(ended, "message", ("too many arguments: %s; put quotes around what has spaces"):format(
      table.concat(values, " ")
    ))
  end }
end

local function add_command(parser, command, ended)
  local sub = parser:command {
    name = command.name, summary = command.summary, description = command.description,
    epilog = command.epilog, add_help = false,
  }
  for _, row in ipairs(command.arguments or {}) do sub:argument(converted(row, ended)) end
  for _, row in ipairs(command.flags) do
    if row.is_flag then
      sub:flag { name = row.name, description = row.description }
    else
      sub:option(converted(row, ended))
    end
  end
  add_rest(sub, ended)
  add_help(sub, ended)
end

local function new_parser(version, ended)
  local parser = argparse {
    name = PROGRAM,
    description = DESCRIPTION,
    epilog = "Each command has its own help: " .. PROGRAM .. " create --help",
    usage_max_width = WIDTH, help_max_width = WIDTH, add_help = false,
  }
  parser:command_target "command"
  for _, command in ipairs(COMMANDS) do add_command(parser, command, ended) end
  local shows, completes = OPTIONS[1], OPTIONS[2]
  parser:flag { name = shows.name, description = shows.description,
    action = function() stop(ended, "text", PROGRAM .. " " .. version .. "\n") end }
  parser:option { name = completes.name, argname = completes.argname, choices = completes.choices,
    description = completes.description,
    action = function(_, _, shell) stop(ended, "text", arguments.completion(shell)) end }
  add_help(parser, ended)
  return parser
end

local function too_long(argv)
  for index, text in ipairs(argv) do
    if #text > LONGEST then return ("argument %d is too long: %d bytes"):format(index, #text) end
  end
end

---The command of a name.
---@param name string|nil
---@return hubspot.associations.cli.Command|nil
function arguments.command(name)
  for _, command in ipairs(COMMANDS) do
    if command.name == name then return command end
  end
end

---A completion script.
---@param shell string
---@return string
function arguments.completion(shell)
  return require "hubspot.associations.cli.completion".script(shell, PROGRAM, COMMANDS, OPTIONS, HELP)
end

---All that the command line has, for the manual.
---@return table
function arguments.table()
  return { program = PROGRAM, description = DESCRIPTION, commands = COMMANDS, options = OPTIONS, help = HELP }
end

-- What to say of an option of one letter that the command does not have: argparse would suggest others of one
-- letter, where those that begin with it are more likely meant.
local function unknown_letter(argv)
  local command = arguments.command(argv[1])
  for _, word in ipairs(command and argv or {}) do
    if word == "--" then return nil end
    local letter, list = word:match "^%-([A-Za-z])$", {}
    for _, row in ipairs(letter and letter ~= "h" and command.flags or {}) do
      if row.name:find("^%-" .. letter .. " ") then
        list = {}
        break
      end
      local flag = not row.never and row.name:match("%-%-" .. letter .. "[a-z-]*$")
      if flag then list[#list + 1] = ("'%s'"):format(flag) end
    end
    if #list > 0 then
      return ("unknown option '-%s'; did you mean %s%s?"):format(letter, #list > 1 and "one of these: " or "",
        table.concat(list, " "))
    end
  end
end

---Reads the words of a command line.
---@param argv string[]
---@param version string what --version shows
---@return table|nil parsed `command`, its name, and its arguments under their names; or `text` alone, to show
---@return string|nil message what is wrong with them
function arguments.parse(argv, version)
  local message = too_long(argv)
  if message then return nil, message end
  local ended = {}
  local parser = new_parser(version, ended)
  local called, done, parsed = pcall(parser.pparse, parser, argv)
  if called and done then return parsed end
  if called then return nil, unknown_letter(argv) or (parsed:gsub("\nDid you mean", "; did you mean")) end
  if ended.message then return nil, ended.message end
  if ended.text then return { text = ended.text } end
  error(done, 0)
end

return arguments
