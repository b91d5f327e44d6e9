-- The command's arguments, as data: what may be given, what it means, and how it is checked.
-- Parses only; reads no file and no environment, and ends no process.

local argparse = require "argparse"
local association_types = require "hubspot.associations.cli.association_types"
local core = require "hubspot.associations.core"
local one_line = require "hubspot.associations.text.one_line"

local arguments = {}

local PROGRAM = "hubspot-associations"
local WIDTH = 90 -- columns

-- ---- what an argument may be: each gives the value, or nil and a message ----

local function whole(least, most)
  local expected = ("expected a whole number from %d to %d"):format(least, most)
  return function(text)
    local value = #text <= 15 and text:find "^%d+$" and tonumber(text)
    if value and value >= least and value <= most then return value end
    return nil, expected
  end
end

local MOST_SECONDS = 1000000

local function seconds(text)
  local value = text:find "^[%d.]+$" and tonumber(text)
  if value and value <= MOST_SECONDS then return value end
  return nil, ("expected a number of seconds, %d at most"):format(MOST_SECONDS)
end

local function positive_seconds(text)
  local value, expected = seconds(text)
  if value and value > 0 then return value end
  return nil, expected or "expected a positive number of seconds"
end

-- Stays text: which category a number has is said by another option.
local function association_type(text)
  local types, expected = association_types.read(text, "HUBSPOT_DEFINED")
  return types and text, expected
end

local function category(text)
  if core.is_category(text) then return text end
  return nil, "expected a category in upper case, such as USER_DEFINED"
end

-- The name of a file that is no stream: "-" would be taken for one.
local function file_name(text)
  if text == "" then return nil, "expected the name of a file" end
  if text ~= "-" then return text end
  return nil, "expected the name of a file (./- is one)"
end

local function file_or_stream(text)
  if text ~= "" then return text end
  return nil, "expected the name of a file, or - for standard input"
end

local function column_name(text)
  if text:find "[^ \t-\r]" then return text end
  return nil, "expected the name of a column"
end

-- What goes into a path of HubSpot's, a journal, and messages.
local function object_type(text)
  local is_step = text == "." or text == ".."
  local has_margin = text:find "^[ \t-\r]" or text:find "[ \t-\r]$"
  if text ~= "" and not is_step and not has_margin and one_line(text) == text then
    return text
  end
  return nil, "expected an object type, such as contacts or 0-1"
end

-- What the module's option of this name takes.
local function option(name)
  return function(text)
    local expected = require "hubspot.associations.options".expected(name, text)
    if expected then return nil, "expected " .. expected end
    return text
  end
end

-- The same of an option that is a whole number.
local function number_option(name)
  local check = option(name)
  return function(text)
    local value = #text <= 15 and text:find "^%d+$" and tonumber(text)
    return check(value or text)
  end
end

-- A file that the module opens: it takes no control characters in its name.
local function option_file(name)
  local check = option(name)
  return function(text)
    local given, expected = file_name(text)
    if not given then return nil, expected end
    return check(text)
  end
end

-- A made-up token of the sandbox: one that a client could send.
local function token(text)
  if text:find "^[A-Za-z0-9%-%._~%+/=]+$" then return text end
  return nil, "expected a token (letters, digits and - . _ ~ + / =)"
end

-- "3:secondly,6:lost_response" -> { [3] = "secondly", [6] = "lost_response" }
local function faults(text)
  local kinds, names, script = require "hubspot.associations.sandbox.faults".kinds(), {}, {}
  for _, kind in ipairs(kinds) do names[kind] = true end
  for entry in (text .. ","):gmatch "([^,]*)," do
    local number, kind = entry:match "^(%d+):([A-Za-z0-9_]+)$"
    if not names[kind] then
      return nil, "expected N:KIND,..., KIND one of " .. table.concat(kinds, ", ")
    end
    script[tonumber(number)] = kind
  end
  return script
end

local COUNT = whole(0, 1000000000)

-- ---- what there is ----

local COMMANDS = {
  {
    name = "create",
    summary = "Create associations between pairs of records.",
    description = "Creates associations between pairs of records, any number of them, and accounts for each "
      .. "row: created, failed, unconfirmed (HubSpot neither listed nor refused it) or not sent.\n\n"
      .. "FILE is CSV with the columns from, to and, where rows differ, type; a header line may name them in "
      .. "any order, among others, and --from-column, --to-column and --type-column say which they are where "
      .. "they have other names. Without a header, the first line begins with two record ids. Columns are "
      .. "separated by commas, semicolons or tabs. A type is an id, or CATEGORY:ID; spaces stand between "
      .. "several. Or FILE is JSON Lines, one object a line, each written in short, {\"from\":\"101\","
      .. "\"to\":\"202\",\"types\":279}, or as one input of HubSpot's API. - is standard input.\n\n"
      .. "A bad row costs only itself. Ctrl-C finishes what is in flight, and reports.",
    epilog = [[
Type ids, such as 279 for contacts to companies, are listed in HubSpot's documentation:
"Associations v4: association type ID values"; those of your account, with its labels, by
GET /crm/v4/associations/{from}/{to}/labels. A type has a direction.

The token is read from the environment variable HUBSPOT_TOKEN, or from --token-file.

Exit status: 0 when all were created, 1 when some were not, 2 when it could not run or had
to stop, 130 or 143 when it was interrupted (SIGINT, SIGTERM).

Examples:
   hubspot-associations create --from contacts --to companies --type 279 pairs.csv
   hubspot-associations create --from deals --to contacts --token-file token.txt typed.csv
   ./export | hubspot-associations create --from contacts --to deals --type 4 -
   hubspot-associations create --from 0-1 --to 2-7 --type 37 --category USER_DEFINED -
   hubspot-associations create --from 0-1 --to 0-2 --type 279 --dry-run pairs.csv
   hubspot-associations create --from 0-1 --to 0-2 --type 279 --failures f.csv pairs.csv
   hubspot-associations create --from 0-1 --to 0-2 --type 279 --journal done pairs.csv]],
    arguments = {
      { name = "file", argname = "FILE", check = file_or_stream,
        description = "The pairs; - for standard input." },
    },
    options = {
      { name = "--from", argname = "OBJECT", count = "1", check = object_type,
        description = "The object type that is linked, such as contacts or 0-1." },
      { name = "--to", argname = "OBJECT", count = "1", check = object_type,
        description = "The object type that it is linked to, such as companies or 0-2." },
      { name = "--type", argname = "ID", check = association_type,
        description = "The association type id of rows that have none, or CATEGORY:ID." },
      { name = "--category", argname = "NAME", check = category,
        description = "The category of types that are a number only: HUBSPOT_DEFINED (default), "
          .. "USER_DEFINED, ..." },
      { name = "--from-column", argname = "NAME", check = column_name,
        description = "The column of FILE's header that has the ids of --from, such as \"Record ID\" in "
          .. "HubSpot's exports; in JSON Lines, the key." },
      { name = "--to-column", argname = "NAME", check = column_name,
        description = "The same for the ids of --to." },
      { name = "--type-column", argname = "NAME", check = column_name,
        description = "The same for the association types." },
      { name = "--token-file", argname = "FILE", check = file_name,
        description = "A file that holds the token, and nothing else. It is read again, once, when HubSpot "
          .. "refuses the token in the midst of a job." },
      { name = "--token",
        never = "the token is read from HUBSPOT_TOKEN or --token-file; an argument can be read by others" },
      { name = "--format", choices = { "csv", "jsonl" }, argname = "csv|jsonl",
        description = "What FILE is; by default, what its name or its first character says." },
      { name = "--journal", argname = "FILE", check = option_file "journal",
        description = "Record progress in this file. If it has a record of this job, resume from there." },
      { name = "--failures", argname = "FILE", check = file_name,
        description = "Write the rows that failed or are unconfirmed to this CSV file, with the reasons. "
          .. "Correct it, and run this command on it." },
      { name = "--concurrency", argname = "N", check = number_option "concurrency",
        description = "The most requests in flight at once; 4 by default." },
      { name = "--batch-size", argname = "N", check = number_option "batch_size",
        description = "The most rows in one request; 2000 by default, HubSpot's limit." },
      { name = "--rate", argname = "N", check = number_option "rate",
        description = "The most requests in 10 seconds; by default, what HubSpot's responses allow." },
      { name = "--progress", choices = { "auto", "bar", "plain", "none" }, argname = "auto|bar|plain|none",
        default = "auto", show_default = false,
        description = "How to show progress on standard error. auto, the default, is a bar on a terminal, "
          .. "and plain lines elsewhere." },
      { name = "--ca-file", argname = "FILE", check = option_file "ca_file",
        description = "Trust the certificates in this file, PEM, instead of this machine's: for a proxy or "
          .. "a server of your own." },
      { name = "--base-url", argname = "URL", check = option "base_url", is_secret = true,
        description = "The address of the service, https://api.hubapi.com by default; or of a sandbox." },
      { name = "--api-version", argname = "VERSION", check = option "version",
        description = "The version of HubSpot's API; 2025-09 by default." },
      { name = "--max-attempts", argname = "N", check = number_option "max_attempts",
        description = "The most attempts of a request that fails; 6 by default." },
    },
    flags = {
      { name = "--dry-run",
        description = "Read and check all rows, and send nothing. Needs no token." },
      { name = "-q --quiet",
        description = "Show no progress, and no report when all rows were created." },
    },
  },
  {
    name = "sandbox",
    summary = "Serve a HubSpot account in memory, for tests.",
    description = "Serves a HubSpot account in memory on this machine, to try things out and for tests. "
      .. "Its first line of output is its address. Ctrl-C or SIGTERM ends it.",
    epilog = [[
Needs cqueues: apt-get install lua-cqueues, or luarocks install cqueues.

Examples:
   hubspot-associations sandbox --port 8080
   hubspot-associations sandbox --latency 0.2 --rate 100 --retry-after
   hubspot-associations sandbox --faults 3:secondly,4:secondly,6:lost_response]],
    options = {
      { name = "--port", argname = "N", check = whole(0, 65535), default = "0",
        show_default = false,
        description = "The port to listen at; 0, the default, lets the system choose one." },
      { name = "--token", argname = "TOKEN", count = "*", check = token, is_secret = true,
        description = "Accept this made-up token only; may be repeated. By default, any but \"expired\"." },
      { name = "--latency", argname = "SECONDS", check = seconds,
        description = "Delay each response by this many seconds." },
      { name = "--rate", argname = "N", check = COUNT,
        description = "Allow N requests in each interval, and answer 429 to the others." },
      { name = "--interval", argname = "SECONDS", check = positive_seconds,
        description = "The interval of --rate; 10 by default." },
      { name = "--daily", argname = "N", check = COUNT,
        description = "Allow N requests in all, and answer 429 of policy DAILY to the others." },
      { name = "--status", argname = "N", check = whole(200, 299),
        description = "The HTTP status of a full success, such as 200." },
      { name = "--faults", argname = "N:KIND,...", check = faults,
        description = "Inject a fault into the N-th request, and others. A KIND is lost_response, secondly, "
          .. "unavailable or another; an unknown one lists them all." },
    },
    flags = {
      { name = "--retry-after", description = "Send Retry-After with each 429." },
      { name = "--string-ids",
        description = "Send record ids as strings, as HubSpot describes them; by default, as numbers." },
      { name = "--until-eof",
        description = "End when standard input ends as well: for a test that starts it." },
    },
  },
}

-- ---- parsing ----

-- What ends the parse early, in place of argparse's own way: to print, and to end the process.
local EARLY = {}

local function add_help(parser, ended)
  parser:flag { name = "-h --help", description = "Show this help.",
    action = function()
      ended.text = parser:get_help() .. "\n"
      error(EARLY, 0)
    end }
end

local function shown(text)
  return text == "" and "nothing" or ("'%s'"):format(text)
end

-- An option or an argument as argparse takes it: a value that fails its check is refused under its name, and
-- repeated only where it cannot hold a secret. An option that is never to be given is in no help.
local function checked(given, ended)
  if given.never then
    return { name = given.name, args = "?", hidden = true, action = function()
      ended.refusal = ("option '%s': %s"):format(given.name, given.never)
      error(EARLY, 0)
    end }
  end
  local copy = {}
  for name, value in pairs(given) do copy[name] = value end
  local name = given.name:find "^%-" and ("option '%s'"):format(given.name) or given.argname
  copy.convert = given.check and function(text)
    local value, expected = given.check(text)
    local found = given.is_secret and text ~= "" and "" or ", found " .. shown(text)
    return value, expected and ("%s: %s%s"):format(name, expected, found)
  end
  return copy
end

local function add_command(parser, command, ended)
  local sub = parser:command {
    name = command.name, summary = command.summary, description = command.description,
    epilog = command.epilog, add_help = false,
  }
  for _, argument in ipairs(command.arguments or {}) do sub:argument(checked(argument, ended)) end
  for _, given in ipairs(command.options or {}) do sub:option(checked(given, ended)) end
  for _, flag in ipairs(command.flags or {}) do sub:flag(flag) end
  add_help(sub, ended)
end

local function new_parser(version, ended)
  local parser = argparse {
    name = PROGRAM,
    description = "Creates associations between HubSpot CRM records.",
    epilog = "Each command has its own help: " .. PROGRAM .. " create --help",
    usage_max_width = WIDTH, help_max_width = WIDTH, add_help = false,
  }
  parser:command_target "command"
  for _, command in ipairs(COMMANDS) do add_command(parser, command, ended) end
  parser:flag { name = "--version", description = "Show the version.",
    action = function()
      ended.text = PROGRAM .. " " .. version .. "\n"
      error(EARLY, 0)
    end }
  add_help(parser, ended)
  return parser
end

-- A file's name is shorter on every system, and so is all else; argparse looks for what a long option may
-- have been meant to be for as long as the square of its length.
local LONGEST = 4096 -- bytes

local function too_long(argv)
  for index, text in ipairs(argv) do
    if #text > LONGEST then return ("argument %d is too long: %d bytes"):format(index, #text) end
  end
end

---Reads the arguments.
---@param argv string[]
---@param version string what --version is to show
---@return table|nil parsed `command` and its arguments under their names; or `text` alone, to be shown
---@return string|nil message what is wrong with them
function arguments.parse(argv, version)
  local long = too_long(argv)
  if long then return nil, long end
  local ended = {}
  local parser = new_parser(version, ended)
  local called, done, parsed = pcall(parser.pparse, parser, argv)
  if called and done then return parsed end
  if called then
    local message = parsed:gsub("\nDid you mean", "; did you mean")
    if message == "too many arguments" then message = message .. "; put quotes around what has spaces" end
    return nil, message
  end
  if ended.refusal then return nil, ended.refusal end
  if ended.text then return { text = ended.text } end
  error(done, 0)
end

return arguments
