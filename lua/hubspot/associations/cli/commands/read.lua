-- `hubspot-associations read`: writes the associations of the records of a file, a row for each type.

local checks = require "hubspot.associations.cli.checks"
local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"

---@type hubspot.associations.cli.JobCommand
local read = {
  name = "read",
  summary = "Write the associations of records.",
  description = "Writes the associations of any number of records to standard output, with the columns from, "
    .. "to, category, type and label, a row for each type of a pair. The report goes to standard error. A "
    .. "record without associations has no row; order is not kept.\n\n"
    .. "FILE is CSV with the ids of --from in a column from or id, or in the one that --from-column names; "
    .. "without a header, the first line is a record id. Or FILE is JSON Lines, such as {\"id\":\"101\"}. - "
    .. "is standard input. What it writes can be given to create and archive-labels.\n\n"
    .. "With --from-property, it names the records by a unique property, such as email, in a column from or "
    .. "of that name, and needs a header; what is written has their ids.\n\n"
    .. "With --journal, a run that goes on writes the records that are left; after a crash, some of them "
    .. "again: append its output, >>. It begins with an empty line, in case a row was cut short. --output "
    .. "FILE appends by itself.",
  epilog = help.TOKEN .. "\n" .. help.exit_status "read" .. [[

Examples:
   hubspot-associations read --from contacts --to companies ids.csv >links.csv
   printf '101\n102\n' | hubspot-associations read --from 0-1 --to 0-2 --output l.jsonl -]],
  arguments = {
    { name = "FILE", target = "files", argname = "FILE", args = "+", check = checks.file_or_stream,
      description = "The records; - for standard input." },
  },
  flags = flags.join(flags.DIRECTION, flags.FROM_COLUMN, flags.FROM_PROPERTY, flags.FORMAT, flags.STREAM,
    flags.LIMIT, flags.JOB, flags.ACCOUNT),
  endpoint = "read",
  outcome = "read",
  again = "records may be read twice",
  writes_links = true,
}

function read.rows()
  return { takes = "records" }
end

function read.run(arguments, environment)
  return require "hubspot.associations.cli.job_command".run(read, arguments, environment)
end

return read
