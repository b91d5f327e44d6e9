-- `hubspot-associations archive`: removes the associations of the pairs of a file, with all their types.

local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"

---@type hubspot.associations.cli.JobCommand
local archive = {
  name = "archive",
  summary = "Remove associations, with all their types.",
  description = "Removes the associations between pairs of records, with all their types and in both "
    .. "directions, and accounts for each row: archived (HubSpot accepted it; it lists nothing), failed, "
    .. "unconfirmed or not sent. " .. help.REMOVAL .. "\n\n" .. help.PAIRS .. " A file with types, such as "
    .. "`read` writes, is taken with --all-types only: archive-labels removes single types.\n\n"
    .. help.PROPERTIES .. "\n\n" .. help.ACCOUNTING,
  epilog = help.TOKEN .. "\n" .. help.exit_status "archived" .. [[

Examples:
   hubspot-associations archive --from 0-1 --to 0-2 --dry-run pairs.csv
   hubspot-associations archive --from contacts --to companies --yes pairs.csv
   hubspot-associations archive --from 0-1 --to 0-2 --all-types --yes links.csv]],
  arguments = { help.FILE },
  flags = flags.join(flags.DIRECTION, flags.PAIR_COLUMNS, flags.FORMAT, flags.REMOVAL,
    flags.LIMIT, flags.JOB, flags.VERIFY, flags.ACCOUNT),
  endpoint = "archive",
  outcome = "archived",
  again = "removing an association twice changes nothing",
  removes = { text = "all types of %s", unit = "pair" },
}

function archive.rows(context)
  return {
    takes = "pairs",
    typed = not context.arguments.all_types
      and "the row has a type, and all types of the pair would be removed: give --all-types if that is "
      .. "meant, or use the command archive-labels" or nil,
  }
end

function archive.run(arguments, environment)
  return require "hubspot.associations.cli.job_command".run(archive, arguments, environment)
end

return archive
