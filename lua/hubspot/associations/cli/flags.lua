-- The flags of the commands that work on a HubSpot account, each described once, in groups that a command
-- takes as a whole. The rows are argparse's, with `check` (see checks.lua), `is_secret` (the value may hold a
-- secret, and is not shown) and `never` (why it must not be given; it is in no help).

local checks = require "hubspot.associations.cli.checks"

local flags = {}

---Which object types are meant.
flags.DIRECTION = {
  { name = "--from", argname = "OBJECT", count = "1", check = checks.object_type,
    description = "The object type that is linked, such as contacts or 0-1." },
  { name = "--to", argname = "OBJECT", count = "1", check = checks.object_type,
    description = "The object type that it is linked to, such as companies or 0-2." },
}

---Which association types.
flags.TYPES = {
  { name = "--type", argname = "TYPE", check = checks.association_type,
    description = "The association type of rows that have none: an id, CATEGORY:ID, or a name, such as "
      .. "primary or \"Decision maker\"." },
  { name = "--category", argname = "NAME", check = checks.category,
    description = "The category of types that are a number only: HUBSPOT_DEFINED (default), "
      .. "USER_DEFINED, ..." },
}

---Where FILE has the ids of --from.
flags.FROM_COLUMN = {
  { name = "--from-column", argname = "NAME", check = checks.column_name,
    description = "The column of FILE's header that has the ids of --from, such as \"Record ID\" in "
      .. "HubSpot's exports; in JSON Lines, the key." },
}

---Where it has those of --to.
flags.TO_COLUMN = {
  { name = "--to-column", argname = "NAME", check = checks.column_name,
    description = "The same for the ids of --to." },
}

---By which property FILE names the records of --from.
flags.FROM_PROPERTY = {
  { name = "--from-property", argname = "NAME", check = checks.option "from_property",
    description = "FILE names the records of --from by this property, such as email, whose values are "
      .. "unique. They are looked up. FILE then needs a header." },
}

---And those of --to.
flags.TO_PROPERTY = {
  { name = "--to-property", argname = "NAME", check = checks.option "to_property",
    description = "The same for the records of --to." },
}

---How many records a row has.
flags.SPLIT = {
  { name = "--split", argname = "CHARACTER", check = checks.separator,
    description = "A row may have several records of --to, separated by this character, such as \";\". Each "
      .. "is a link with an outcome of its own." },
}

---Where it has the association types.
flags.TYPE_COLUMN = {
  { name = "--type-column", argname = "NAME", check = checks.column_name,
    description = "The column, or the key, that has the association types." },
}

---How FILE is read.
flags.FORMAT = {
  { name = "--format", choices = { "csv", "jsonl" }, argname = "csv|jsonl",
    description = "What FILE is; by default, what its name or its first character says." },
}

---Of commands that remove.
flags.REMOVAL = {
  { name = "--all-types", is_flag = true,
    description = "Remove whole associations, with all their types, though FILE or --type names types." },
  { name = "--yes", is_flag = true,
    description = "Do not ask. Without it, the command asks on a terminal, and removes nothing elsewhere." },
}

---Where rows are written.
flags.OUTPUT_FILE = {
  { name = "--output", argname = "FILE", check = checks.output_file,
    description = "Write to this file in place of standard output. It gets its name when it is complete: "
      .. "until then, it is FILE.part." },
}

---Where and how.
flags.OUTPUT = {
  flags.OUTPUT_FILE[1],
  { name = "--output-format", choices = { "table", "csv", "jsonl" }, argname = "table|csv|jsonl",
    description = "How rows are written: by default, as a table on a terminal, as JSON Lines to a file whose "
      .. "name ends with .jsonl, and as CSV elsewhere." },
}

---The same where there may be too many rows for a table.
flags.STREAM = {
  flags.OUTPUT_FILE[1],
  { name = "--output-format", choices = { "csv", "jsonl" }, argname = "csv|jsonl",
    description = "How rows are written: by default, as JSON Lines to a file whose name ends with .jsonl, "
      .. "and as CSV elsewhere." },
}

---How much of FILE.
flags.LIMIT = {
  { name = "--limit", argname = "N", check = checks.integer_option "max_failures",
    description = "Read the first N rows of FILE only, to try things out." },
}

local REDIS = { name = "--redis", argname = "URL", check = checks.redis_url, is_secret = true,
  description = "Where Redis is, such as redis://127.0.0.1:6379, without a password; by default, what the "
    .. "environment variable HUBSPOT_REDIS says." }
local BUDGET = { name = "--budget", argname = "NAME", check = checks.shared_name,
  description = "Share the rate limit with all processes that share the budget of this name on the same "
    .. "Redis." }

---How a job runs, and what it writes.
flags.JOB = {
  { name = "--journal", argname = "FILE", check = checks.option_file "journal",
    description = "Record progress in this file. If it has a record of this job, resume from there." },
  { name = "--failures", argname = "FILE", check = checks.file_name,
    description = "Write the rows that failed or are unconfirmed to this CSV file, with the reasons. "
      .. "Correct it, and run this command on it." },
  { name = "--concurrency", argname = "N", check = checks.integer_option "concurrency",
    description = "The most requests in flight at once; 4 by default." },
  { name = "--batch-size", argname = "N", check = checks.integer_option "batch_size",
    description = "The most rows in one request; by default, as many as HubSpot accepts." },
  { name = "--progress", choices = { "auto", "bar", "plain", "json", "none" },
    argname = "auto|bar|plain|json|none",
    default = "auto", show_default = false,
    description = "How to show progress on standard error. auto, the default, is a bar on a terminal, "
      .. "and plain lines elsewhere; json is an object a line, for scripts." },
  { name = "--json", is_flag = true,
    description = "Write the report as one JSON object, for scripts, also with --quiet." },
  { name = "--dry-run", is_flag = true,
    description = "Read and check all rows, and send none. Needs a token only for names of types and "
      .. "look-ups." },
  { name = "-q --quiet", is_flag = true,
    description = "Show no progress, and no report when all went well." },
  BUDGET, REDIS,
}

---Of commands that write.
flags.VERIFY = {
  { name = "--verify", is_flag = true,
    description = "Read back what was written, and list as unconfirmed the rows that HubSpot does not show "
      .. "after three reads. Takes seconds, a request for 1000 records, and the scope to read." },
}

---Where the token is.
flags.TOKEN = {
  { name = "--token-file", argname = "FILE", check = checks.file_name,
    description = "A file that holds the token, and nothing else. It is read again, once, when HubSpot "
      .. "rejects the token during a job." },
  { name = "--token",
    never = "the token is read from HUBSPOT_TOKEN or --token-file; an argument can be read by others" },
}

---How fast the account is asked.
flags.PACE = {
  { name = "--rate", argname = "N", check = checks.integer_option "rate",
    description = "The most requests in 10 seconds; by default, what HubSpot's responses allow." },
  { name = "--max-attempts", argname = "N", check = checks.integer_option "max_attempts",
    description = "The most attempts of a request that fails; 6 by default." },
}

---Which queue.
flags.QUEUE = {
  REDIS,
  { name = "--queue", argname = "NAME", check = checks.shared_name,
    description = "The name of the queue; without it, the queue that is named default." },
}

---How it is drained.
flags.WORK = {
  { name = "--until-empty", is_flag = true, description = "End when the queue is empty." },
  BUDGET,
  { name = "--max-dead", argname = "N", check = checks.integer(1, 1000000000),
    description = "Stop when there are so many dead letters; 100,000 by default." },
  { name = "--concurrency", argname = "N", check = checks.integer_option "concurrency",
    description = "The most requests in flight at once; 4 by default." },
  { name = "--batch-size", argname = "N", check = checks.integer_option "batch_size",
    description = "The most inputs in one request; by default, as many as HubSpot accepts." },
}

---Up to which dead letter.
flags.LAST = {
  { name = "--last", argname = "ID", check = checks.letter_id,
    description = "The id of the last dead letter to remove, as queue --failed shows it." },
}

---What of a queue is shown.
flags.FAILED = {
  { name = "--failed", is_flag = true, description = "Show the dead letters: what failed, and why." },
}

---Which certificates are trusted.
flags.CA_FILE = {
  { name = "--ca-file", argname = "FILE", check = checks.option_file "ca_file",
    description = "Trust the certificates in this file, PEM, instead of this machine's: for a proxy or "
      .. "a server of your own." },
}

---Groups in one list.
---@param ... table[]
---@return table[]
function flags.join(...)
  local list = {}
  for _, group in ipairs { ... } do
    for _, flag in ipairs(group) do list[#list + 1] = flag end
  end
  return list
end

---What is told of single requests.
flags.TRACE = {
  { name = "-v --verbose", is_flag = true,
    description = "Write a line for each request to standard error: method, path, status, time and "
      .. "correlation id. Never a secret." },
}

---Where the account is.
flags.SERVICE = flags.join({
  { name = "--api-version", argname = "VERSION", check = checks.option "version",
    description = "The version of HubSpot's API; 2025-09 by default." },
  { name = "--base-url", argname = "URL", check = checks.option "base_url", is_secret = true,
    description = "The address of the service, https://api.hubapi.com by default; or of a sandbox." },
}, flags.CA_FILE)

---How the account is reached.
flags.ACCOUNT = flags.join(flags.TOKEN, flags.PACE, flags.SERVICE, flags.TRACE)

---Where FILE has pairs of records, and how it names them.
flags.PAIR_COLUMNS = flags.join(flags.FROM_COLUMN, flags.TO_COLUMN, flags.FROM_PROPERTY, flags.TO_PROPERTY,
  flags.SPLIT)

return flags
