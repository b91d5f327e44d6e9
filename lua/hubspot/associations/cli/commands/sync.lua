-- `hubspot-associations sync`: makes HubSpot look like the list in a file, or does what a plan says.

local association_types = require "hubspot.associations.cli.association_types"
local checks = require "hubspot.associations.cli.checks"
local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"
local plan_question = require "hubspot.associations.cli.plan_question"
local sync_job = require "hubspot.associations.cli.sync_job"

local SYNC_FLAGS = {
  { name = "--mode", choices = { "add", "mirror" }, argname = "add|mirror",
    description = "add, the default, creates what is missing. mirror also removes what FILE does not have, "
      .. "of the records of --from that it names." },
  { name = "--scope", argname = "TYPE", count = "*", check = checks.association_type,
    description = "Compare, and remove, this association type only; may be given several times. By default, "
      .. "those that FILE has." },
  { name = "--empty-to", choices = { "none" }, argname = "none",
    description = "A row with an empty to says that its record shall have no links. By default, it is a bad "
      .. "row." },
  { name = "--plan", argname = "FILE", check = checks.file_name,
    description = "Write what would be created and removed to this CSV file, and change nothing." },
  { name = "--apply", argname = "FILE", check = checks.file_name,
    description = "Do what this plan says, in place of FILE; what has changed since is not touched." },
  { name = "--max-removals", argname = "N|N%", check = checks.max_removals,
    description = "Change nothing when more links would be removed: a number, or a part of those that are "
      .. "compared; by default 10%, or 100 if that is more." },
  { name = "--yes", is_flag = true,
    description = "Do not ask. Without it, the command asks on a terminal, and changes nothing elsewhere." },
  { name = "--limit",
    never = "a sync takes all rows of FILE, as --mode mirror would remove the links that are in the others; "
      .. "give a FILE with a part of the records, and all rows of each" },
}

---@type hubspot.associations.cli.JobCommand
local sync = {
  name = "sync",
  summary = "Make HubSpot look like a list: create what is missing, remove the rest.",
  description = "Reads FILE to its end, reads what HubSpot has of the records that FILE names, and makes the "
    .. "difference. It first shows how much it is going to create and remove, and asks; elsewhere than on a "
    .. "terminal it changes nothing without --yes. --plan FILE writes what it would do, for a look; --apply "
    .. "FILE does it.\n\n"
    .. help.PAIRS .. " A column type has the types, as for create.\n\n"
    .. "What is doubtful protects: nothing is removed from a record that has a bad row, and nothing at all "
    .. "when a row does not say which record it is about.",
  epilog = help.TOKEN .. [[
Exit status: 0 when HubSpot looks like FILE (or the plan is written), 1 when some rows or
removals failed, 2 when it could not run or had to stop, 128 + N when signal N ended it.

Examples:
   hubspot-associations sync --from contacts --to companies --plan plan.csv links.csv
   hubspot-associations sync --from contacts --to companies --apply plan.csv --yes
   hubspot-associations sync --from 0-1 --to 0-2 --type 279 --mode mirror --yes links.csv
   hubspot-associations sync --from 0-1 --to 0-2 --mode mirror --max-removals 5% links.csv]],
  arguments = {
    { name = "FILE", target = "files", argname = "FILE", args = "*", check = checks.file_or_stream,
      description = "The links that there shall be; - for standard input. Not with --apply." },
  },
  flags = flags.join(flags.DIRECTION, flags.TYPES, SYNC_FLAGS, flags.PAIR_COLUMNS, flags.TYPE_COLUMN,
    flags.FORMAT, flags.JOB, flags.ACCOUNT),
  endpoint = "sync",
  forgets_rows = true,
  again = "a sync does what is left to do",
}

-- A file of failures does not have all links of its records.
local NOT_FAILURES = "is a file of failures, with some of the links of its records: mirror would remove the "
  .. "others; use --mode add"

-- With --empty-to none, a row may have no type either: it says nothing of types.
function sync.rows(context)
  local arguments = context.arguments
  return {
    empty_to = arguments.empty_to == "none" or nil,
    not_failures = arguments.mode == "mirror" and NOT_FAILURES or nil,
  }
end

-- Types of --scope as the library takes them.
local function scope_of(arguments)
  if not arguments.scope or #arguments.scope == 0 then return nil end
  local list = {}
  for _, text in ipairs(arguments.scope) do
    local read = association_types.read(text, arguments.category)
    local entries = type(read) == "table" and #read > 0 and read or { read }
    for _, entry in ipairs(entries) do list[#list + 1] = entry end
  end
  return list
end

-- Why the arguments do not go together.
local function contradiction(arguments)
  local has_file = #arguments.files > 0
  if arguments.apply and has_file then return "--apply takes no FILE: the plan says what is to be done" end
  if not arguments.apply and not has_file then return "expected FILE, or --apply with a plan" end
  if arguments.apply and arguments.plan then return "--apply and --plan: give one of them" end
  for _, name in ipairs(arguments.apply and { "mode", "empty_to", "type" } or {}) do
    local flag = "--" .. name:gsub("_", "-")
    if arguments[name] then return ("--apply takes no %s: the plan says what is to be done"):format(flag) end
  end
end

---@param arguments table
---@param environment hubspot.associations.cli.Environment
---@return string|nil message
function sync.problem(arguments, environment)
  local why = contradiction(arguments)
  if why then return why end
  return plan_question.problem(arguments, environment)
end

---@param context hubspot.associations.cli.Context
---@return hubspot.associations.cli.JobPart
function sync.prepare(context)
  local arguments = context.arguments
  return sync_job.new(context, {
    mode = arguments.mode, types = scope_of(arguments), empty = arguments.empty_to,
    plan = arguments.plan, apply = arguments.apply, max_removals = arguments.max_removals,
  })
end

function sync.run(arguments, environment)
  return require "hubspot.associations.cli.job_command".run(sync, arguments, environment)
end

return sync
