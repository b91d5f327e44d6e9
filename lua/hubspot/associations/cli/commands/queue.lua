-- `hubspot-associations queue`: shows a queue on Redis, or its dead letters.

local cjson = require "cjson"
local files = require "hubspot.associations.cli.files"
local flags = require "hubspot.associations.cli.flags"
local fleet = require "hubspot.associations.cli.fleet"
local help = require "hubspot.associations.cli.help"
local row_writer = require "hubspot.associations.cli.output.row_writer"
local terminal = require "hubspot.associations.cli.output.terminal"

local NO_QUEUE = "nothing was ever added to a queue of this name"
local STATUS = { "depth", "oldest", "workers", "dead", "streams", "held" }
local LETTER = {
  "id", "endpoint", "from_type", "from", "to_type", "to", "types", "outcome", "kind", "reason",
}

---@type hubspot.associations.cli.Command
local command = {
  name = "queue",
  summary = "Show a queue on Redis.",
  description = "Shows how many inputs are in a queue (depth), the age of the oldest in seconds, the "
    .. "workers, the dead letters, and how many of its streams a worker holds. With --failed, it shows the "
    .. "dead letters: the inputs that failed, with HubSpot's reason, and an id. retry-failed puts them back, "
    .. "discard-failed removes them. A monitor reads it with --output-format jsonl.",
  epilog = help.REDIS .. [[

Examples:
   hubspot-associations queue --redis redis://127.0.0.1:6379
   hubspot-associations queue --queue links --failed --output failed.csv]],
  flags = flags.join(flags.QUEUE, flags.FAILED, flags.OUTPUT, flags.CA_FILE),
}

local function show_status(_, writer, status)
  if status.oldest then status.oldest = ("%.1f"):format(status.oldest) end
  writer:add(status)
  return true
end

-- Types as a cell has them.
local function types_text(types)
  return type(types) == "table" and cjson.encode(types) or types
end

local function show_letters(queue, writer, letters)
  local after, err
  while #letters > 0 do
    for _, letter in ipairs(letters) do
      local entry, reason = letter.entry, letter.reason
      local goes_on = writer:add {
        id = letter.id, endpoint = entry.endpoint, from_type = entry.from_type, from = entry.input.from,
        to_type = entry.to_type, to = entry.input.to, types = types_text(entry.input.types),
        outcome = reason.outcome, kind = reason.kind, reason = reason.message,
      }
      if not goes_on then return true end
      after = letter.id
    end
    letters, err = queue:dead_letters(after)
    if not letters then return nil, err end
  end
  return true
end

-- Shows a status, or the first dead letters and those behind them.
local function show(arguments, environment, queue, first)
  local writer, cannot = row_writer.open(arguments, environment, arguments.failed and LETTER or STATUS)
  if not writer then return nil, cannot end
  local shown, err = (arguments.failed and show_letters or show_status)(queue, writer, first)
  if shown then return writer:finish() end
  writer:finish(true)
  return nil, fleet.summary(err)
end

function command.run(arguments, environment)
  local problem = files.unreadable("--ca-file", arguments.ca_file)
  if problem then return nil, problem end
  local queue, why = fleet.queue(arguments, environment)
  if not queue then return nil, why end
  local code
  local first, err = queue[arguments.failed and "dead_letters" or "status"](queue)
  if first then
    if first.streams == 0 then
      terminal.say(environment.stderr, NO_QUEUE)
    else
      fleet.warn(queue, environment, not arguments.failed and first or nil)
    end
    code, why = show(arguments, environment, queue, first)
  else
    why = fleet.summary(err)
  end
  queue:close()
  return code, why
end

return command
