-- `hubspot-associations queue`: shows a queue on Redis, or its dead letters.

local errors = require "hubspot.associations.errors"
local files = require "hubspot.associations.cli.files"
local flags = require "hubspot.associations.cli.flags"
local fleet = require "hubspot.associations.cli.fleet"
local help = require "hubspot.associations.cli.help"
local row_writer = require "hubspot.associations.cli.output.row_writer"

local STATUS = { "depth", "oldest", "workers", "dead", "streams", "held" }
local LETTER = { "id", "endpoint", "from_type", "from", "to_type", "to", "kind", "status", "reason" }

---@type hubspot.associations.cli.Command
local command = {
  name = "queue",
  summary = "Show a queue on Redis.",
  description = "Shows how many inputs are in a queue (depth), the age of the oldest in seconds, the "
    .. "workers, the dead letters, and how many of its streams a worker holds. With --failed, it shows the "
    .. "dead letters: the inputs that failed, with HubSpot's reason, and an id. retry-failed puts them back, "
    .. "discard-failed removes them.",
  epilog = help.REDIS .. [[

Examples:
   hubspot-associations queue --redis redis://127.0.0.1:6379
   hubspot-associations queue --queue links --failed --output failed.csv]],
  flags = flags.join(flags.QUEUE, flags.FAILED, flags.OUTPUT, flags.CA_FILE),
}

local function show_status(queue, writer)
  local status, err = queue:status()
  if not status then return nil, err end
  if status.oldest then status.oldest = ("%.1f"):format(status.oldest) end
  writer:add(status)
  return true
end

local function show_letters(queue, writer)
  local after
  repeat
    local letters, err = queue:dead_letters(after)
    if not letters then return nil, err end
    for _, letter in ipairs(letters) do
      local entry, reason = letter.entry, letter.reason
      local goes_on = writer:add {
        id = letter.id, endpoint = entry.endpoint, from_type = entry.from_type, from = entry.input.from,
        to_type = entry.to_type, to = entry.input.to,
        kind = reason.kind, status = reason.status, reason = reason.message,
      }
      if not goes_on then return true end
      after = letter.id
    end
  until #letters == 0
  return true
end

function command.run(arguments, environment)
  local problem = files.unreadable("--ca-file", arguments.ca_file)
  if problem then return nil, problem end
  local queue, why = fleet.queue(arguments, environment)
  if not queue then return nil, why end
  local writer, cannot = row_writer.open(arguments, environment, arguments.failed and LETTER or STATUS)
  local shown, err
  if writer then
    shown, err = (arguments.failed and show_letters or show_status)(queue, writer)
  end
  queue:close()
  if not writer then return nil, cannot end
  if shown then return writer:finish() end
  writer:finish(true)
  return nil, errors.summary(err)
end

return command
