-- Paragraphs that the help of several commands has.

local checks = require "hubspot.associations.cli.checks"

local help = {}

help.TOKEN = "The token is read from the environment variable HUBSPOT_TOKEN, or from --token-file.\n"

help.REDIS = "The URL of Redis is read from the environment variable HUBSPOT_REDIS, or from --redis.\n"

help.PAIRS = "FILE is CSV with the columns from and to; a header line may name them in any order, among "
  .. "others, and --from-column and --to-column say which they are where they have other names. Without a "
  .. "header, the first line begins with two record ids. Or FILE is JSON Lines, one object a line, such as "
  .. "{\"from\":\"101\",\"to\":\"202\"}. - is standard input."

help.PROPERTIES = "With --from-property or --to-property, FILE names the records of that side by the values "
  .. "of a unique property, such as email or domain, in a column from, to or of that name; it then needs "
  .. "a header. With --split \";\", a cell of the column to may have several records."

help.REMOVAL = "On a terminal, it says how much it is going to remove, and asks. Elsewhere it removes "
  .. "nothing without --yes."

help.ACCOUNTING = "A bad row costs only itself. Ctrl-C finishes what is in flight, and reports."

---@param done string what all rows were, such as "created"
---@return string
function help.exit_status(done)
  return ([[
Exit status: 0 when all were %s, 1 when some were not, 2 when it could not run or
had to stop, 128 + N when signal N (SIGINT, SIGTERM, SIGHUP) ended it.
]]):format(done)
end

help.FILE = {
  name = "FILE", target = "files", argname = "FILE", args = "+", check = checks.file_or_stream,
  description = "The pairs; - for standard input. Several files are read one after the other.",
}

return help
