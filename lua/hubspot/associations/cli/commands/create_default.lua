-- `hubspot-associations create-default`: links the pairs of a file by the default type of their direction.

local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"

---@type hubspot.associations.cli.JobCommand
local create_default = {
  name = "create-default",
  summary = "Create associations of the default type.",
  description = "Creates associations of the default type, the unlabeled one of HubSpot's own, between pairs "
    .. "of records, and accounts for each row.\n\n" .. help.PAIRS .. " A row with a type is bad: the default "
    .. "type would be made instead.\n\n" .. help.PROPERTIES .. "\n\n" .. help.ACCOUNTING,
  epilog = help.TOKEN .. "\n" .. help.exit_status "created" .. [[

Examples:
   hubspot-associations create-default --from contacts --to companies pairs.csv
   hubspot-associations create-default --from 0-1 --to 2-7 --dry-run pairs.csv]],
  arguments = { help.FILE },
  flags = flags.join(flags.DIRECTION, flags.PAIR_COLUMNS, flags.FORMAT, flags.LIMIT, flags.JOB,
    flags.VERIFY, flags.ACCOUNT),
  endpoint = "create_default",
  outcome = "created",
  again = "creating an association twice changes nothing",
}

function create_default.rows()
  return {
    takes = "pairs",
    typed = "the row has a type, and the default type would be made: remove it, or use the command create",
  }
end

function create_default.run(arguments, environment)
  return require "hubspot.associations.cli.job_command".run(create_default, arguments, environment)
end

return create_default
