-- Completion scripts for shells: argparse's, from the rows of the commands, with what it gets wrong for this
-- command mended. What a later argparse writes in another way is left as it is.

local argparse = require "argparse"

local checks = require "hubspot.associations.cli.checks"
local type_data = require "hubspot.associations.type_data"

local completion = {}

-- By shell: what argparse writes, and what stands in its place.
local MENDED = {
  bash = {
    -- the word at the cursor is no command yet: create may become create-default
    ['args=("${COMP_WORDS[@]}")'] = 'args=("${COMP_WORDS[@]:0:COMP_CWORD}")',
    -- bash itself completes names of files, also those with spaces
    ['COMPREPLY=($(compgen -f -- "$cur"))'] = "COMPREPLY=()",
    -- a command does not have the options of no command
    ['opts="$opts '] = 'opts="',
  },
  fish = {
    -- the options of create are not those of create-default
    ['string match -q "$argv*" (__fish_hubspot-associations_print_command)'] =
      'test (__fish_hubspot-associations_print_command) = "$argv"',
    -- nor does a command have those of no command
    ["complete -c hubspot-associations -l "] =
      "complete -c hubspot-associations -n __fish_hubspot-associations_using_command -l ",
    ["complete -c hubspot-associations -s "] =
      "complete -c hubspot-associations -n __fish_hubspot-associations_using_command -s ",
  },
  zsh = {
    ["options=(\n        $options\n"] = "options=(\n",
  },
}

local function object_types()
  local names = {}
  for name in type_data.OBJECT_TYPES:gmatch "%f[%d]%d+%-%d+ [^ \n]+ ([^ \n]+)\n" do
    names[#names + 1] = name
  end
  return names
end

-- A row as a shell is to suggest it.
local function suggested(row)
  return {
    name = row.name, description = row.description, count = row.count,
    args = row.is_flag and 0 or row.args or 1,
    choices = row.choices or row.check == checks.object_type and object_types() or nil,
  }
end

local function add_rows(parser, rows)
  for _, row in ipairs(rows) do
    if not row.never then parser:option(suggested(row)) end
  end
end

---The script for a shell.
---@param shell "bash"|"fish"|"zsh"
---@param program string
---@param commands hubspot.associations.cli.Command[]
---@param options table[] rows of the options that the program has without a command
---@param help table the row of that which every command has
---@return string
function completion.script(shell, program, commands, options, help)
  local parser = argparse { name = program, add_help = false }
  for _, command in ipairs(commands) do
    local sub = parser:command {
      name = command.name, summary = command.summary, description = command.description, add_help = false,
    }
    for _, row in ipairs(command.arguments or {}) do sub:argument(suggested(row)) end
    add_rows(sub, command.flags)
    add_rows(sub, { help })
  end
  add_rows(parser, options)
  add_rows(parser, { help })
  local text = parser["get_" .. shell .. "_complete"](parser)
  for before, after in pairs(MENDED[shell]) do
    text = text:gsub(before:gsub("[^A-Za-z0-9]", "%%%0"), (after:gsub("%%", "%%%%")))
  end
  return text
end

return completion
