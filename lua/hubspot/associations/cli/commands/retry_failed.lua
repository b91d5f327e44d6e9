-- `hubspot-associations retry-failed`: puts the dead letters of a queue on Redis back into it.

local flags = require "hubspot.associations.cli.flags"
local fleet = require "hubspot.associations.cli.fleet"
local help = require "hubspot.associations.cli.help"
local terminal = require "hubspot.associations.cli.output.terminal"

---@type hubspot.associations.cli.Command
local retry_failed = {
  name = "retry-failed",
  summary = "Put what failed back into a queue on Redis.",
  description = "Puts the dead letters of a queue back into it, so that workers send them again. Those whose "
    .. "pair has a newer input, whatever became of that, are dropped: they would undo it.",
  epilog = help.REDIS .. [[

Example:
   hubspot-associations retry-failed --redis redis://127.0.0.1:6379 --queue links]],
  flags = flags.join(flags.QUEUE, flags.CA_FILE),
}

function retry_failed.run(arguments, environment)
  local done, why = fleet.call(arguments, environment, function(queue) return queue:retry_failed() end)
  if not done then return nil, why end
  terminal.say(environment.stderr, ("%d put back, %d dropped"):format(done.retried, done.dropped))
  return 0
end

return retry_failed
