-- `hubspot-associations discard-failed`: removes dead letters of a queue on Redis.

local flags = require "hubspot.associations.cli.flags"
local fleet = require "hubspot.associations.cli.fleet"
local help = require "hubspot.associations.cli.help"
local terminal = require "hubspot.associations.cli.output.terminal"

---@type hubspot.associations.cli.Command
local discard_failed = {
  name = "discard-failed",
  summary = "Remove what failed from a queue on Redis.",
  description = "Removes the dead letters of a queue for good, up to the one that --last names: those that "
    .. "somebody has looked at. What has failed since stays.",
  epilog = help.REDIS .. [[

Example:
   hubspot-associations queue --queue links --failed --output failed.csv
   hubspot-associations discard-failed --queue links --last 1764364800000-0]],
  flags = flags.join(flags.QUEUE, flags.LAST, flags.CA_FILE),
}

function discard_failed.run(arguments, environment)
  if not arguments.last then
    return nil, "say up to which dead letter: --last ID, as queue --failed shows it"
  end
  local done, why = fleet.call(arguments, environment, function(queue)
    return queue:discard_failed(arguments.last)
  end)
  if not done then return nil, why end
  terminal.say(environment.stderr, ("%d discarded"):format(done.discarded))
  return 0
end

return discard_failed
