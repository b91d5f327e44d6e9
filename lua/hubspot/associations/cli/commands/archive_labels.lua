-- `hubspot-associations archive-labels`: removes single types of the pairs of a file. Removing the unlabeled
-- type removes them all: that has to be asked for.

local association_types = require "hubspot.associations.cli.association_types"
local errors = require "hubspot.associations.errors"
local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"
local types = require "hubspot.associations.types"

---@type hubspot.associations.cli.JobCommand
local archive_labels = {
  name = "archive-labels",
  summary = "Remove single types of associations.",
  description = "Removes single types, such as labels, of the associations between pairs of records, and "
    .. "accounts for each row: archived (HubSpot accepted it; it lists nothing), failed, unconfirmed or not "
    .. "sent. " .. help.REMOVAL .. "\n\n" .. help.PAIRS .. " A column type has the types, as for create; so "
    .. "a file that `read` wrote can be given, without the rows that are to stay. Removing the unlabeled "
    .. "type removes all types of a pair: such a row is bad without --all-types. Which type that is with a "
    .. "custom object, HubSpot has to say: a dry run does not ask, and takes such a row for a good one, "
    .. "unless it says \"unlabeled\".\n\n"
    .. help.PROPERTIES .. "\n\n" .. help.ACCOUNTING,
  epilog = help.TOKEN .. "\n" .. help.exit_status "archived" .. [[

Examples:
   hubspot-associations archive-labels --from 0-1 --to 0-2 --type 1 --yes pairs.csv
   hubspot-associations archive-labels --from 0-1 --to 0-2 --dry-run links.csv]],
  arguments = { help.FILE },
  flags = flags.join(flags.DIRECTION, flags.TYPES, flags.PAIR_COLUMNS, flags.TYPE_COLUMN,
    flags.FORMAT, flags.REMOVAL, flags.LIMIT, flags.JOB, flags.VERIFY, flags.ACCOUNT),
  endpoint = "archive_labels",
  outcome = "archived",
  again = "removing a type twice changes nothing",
  removes = { text = "the types in %s", unit = "row" },
}

local UNLABELED = "the unlabeled type is among its types, and removing it removes all types of the pair: "
  .. "give --all-types if that is meant"

-- The unlabeled types of a direction, as "CATEGORY:ID" -> true: HubSpot's own, or, where a custom object is
-- involved, those of the account, which a dry run does not ask.
local function unlabeled_types(context)
  local arguments = context.arguments
  local id = types.id(arguments.from, arguments.to)
  if id then return { [("HUBSPOT_DEFINED:%d"):format(id)] = true } end
  if arguments.dry_run then return {} end
  local page, err = context.client:labels(arguments.from, arguments.to)
  if not page then return nil, errors.summary(err) end
  local is_unlabeled = {}
  for _, entry in ipairs(page.results) do
    local is_label = type(entry.label) == "string" and entry.label:find "[^ \t-\r]"
    local type_id = tonumber(entry.typeId)
    if not is_label and type_id then
      is_unlabeled[("%s:%.0f"):format(tostring(entry.category), type_id)] = true
    end
  end
  return is_unlabeled
end

-- Whether a name is that of the unlabeled type. A label of that text would be its type, too: the library
-- finds names in the table first.
local function is_unlabeled_name(name, arguments, is_unlabeled)
  local id = types.names(arguments.from, arguments.to)[name]
  return name == "unlabeled" or id ~= nil and is_unlabeled[("HUBSPOT_DEFINED:%d"):format(id)] == true
end

function archive_labels.rows(context)
  local arguments = context.arguments
  if arguments.all_types then return {} end
  local is_unlabeled, why = unlabeled_types(context)
  if not is_unlabeled then return nil, why end
  local function guard(given)
    local list = type(given) == "table" and #given > 0 and given or { given }
    for _, entry in ipairs(list) do
      local found = type(entry) == "string" and is_unlabeled_name(entry, arguments, is_unlabeled)
        or is_unlabeled[association_types.write(entry, true)]
      if found then return UNLABELED end
    end
  end
  local default = arguments.type and association_types.read(arguments.type, arguments.category)
  why = default ~= nil and guard(default)
  if why then return nil, "option '--type': " .. why end
  return { guard = guard }
end

function archive_labels.run(arguments, environment)
  return require "hubspot.associations.cli.job_command".run(archive_labels, arguments, environment)
end

return archive_labels
