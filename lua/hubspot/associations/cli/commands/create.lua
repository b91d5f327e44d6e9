-- `hubspot-associations create`: links the pairs of a file.

local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"

---@type hubspot.associations.cli.JobCommand
local create = {
  name = "create",
  summary = "Create associations between pairs of records.",
  description = "Creates associations between pairs of records, any number of them, and accounts for each "
    .. "row: created, failed, unconfirmed (HubSpot neither listed nor rejected it) or not sent.\n\n"
    .. "FILE is CSV with the columns from, to and, where rows differ, type; a header line may name them in "
    .. "any order, among others, and --from-column, --to-column and --type-column say which they are where "
    .. "they have other names. Without a header, the first line begins with two record ids. Columns are "
    .. "separated by commas, semicolons or tabs. A type is an id, or CATEGORY:ID; spaces stand between "
    .. "several; or it is one name. Columns that `read` writes are known: a column category has that of its "
    .. "types. Or FILE is JSON Lines, one object a line, each written in short, {\"from\":\"101\","
    .. "\"to\":\"202\",\"types\":279}, or as one input of HubSpot's API. - is standard input.\n\n"
    .. help.PROPERTIES .. "\n\nA bad row costs only itself. Ctrl-C finishes what is in flight, and reports.",
  epilog = [[
Type ids, such as 279 for contacts to companies, are listed in HubSpot's documentation:
"Associations v4: association type ID values"; by the commands types and labels, too:
labels has those of your account (GET /crm/v4/associations/{from}/{to}/labels). A type has a direction.

The token is read from the environment variable HUBSPOT_TOKEN, or from --token-file.

Exit status: 0 when all were created, 1 when some were not, 2 when it could not run or had
to stop, 128 + N when signal N (SIGINT, SIGTERM, SIGHUP) ended it.

Examples:
   hubspot-associations create --from contacts --to companies --type 279 pairs.csv
   hubspot-associations create --from deals --to contacts --token-file token.txt typed.csv
   ./export | hubspot-associations create --from contacts --to deals --type 4 -
   hubspot-associations create --from 0-1 --to 2-7 --type 37 --category USER_DEFINED -
   hubspot-associations create --from 0-1 --to 0-2 --type 1 --from-property email p.csv
   hubspot-associations create --from 0-1 --to 0-2 --type 279 --dry-run pairs.csv
   hubspot-associations create --from 0-1 --to 0-2 --type 279 --failures f.csv pairs.csv
   hubspot-associations create --from 0-1 --to 0-2 --type 279 --journal done pairs.csv]],
  arguments = { help.FILE },
  flags = flags.join(flags.DIRECTION, flags.TYPES, flags.PAIR_COLUMNS, flags.TYPE_COLUMN,
    flags.FORMAT, flags.LIMIT, flags.JOB, flags.VERIFY, flags.ACCOUNT),
  endpoint = "create",
  outcome = "created",
  again = "creating an association twice changes nothing",
}

function create.run(arguments, environment)
  return require "hubspot.associations.cli.job_command".run(create, arguments, environment)
end

return create
