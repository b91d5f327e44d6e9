-- `hubspot-associations work`: drains a queue on Redis.

local account = require "hubspot.associations.cli.account"
local credential = require "hubspot.associations.cli.credential"
local files = require "hubspot.associations.cli.files"
local flags = require "hubspot.associations.cli.flags"
local fleet = require "hubspot.associations.cli.fleet"
local help = require "hubspot.associations.cli.help"
local interrupts = require "hubspot.associations.cli.interrupts"
local terminal = require "hubspot.associations.cli.output.terminal"

---@type hubspot.associations.cli.Command
local work = {
  name = "work",
  summary = "Send what is in a queue on Redis.",
  description = "Sends the inputs that programs add to a queue on Redis, in full batches, and removes those "
    .. "that have their outcome. Any number of workers may run, on any number of machines. What fails stays "
    .. "in the queue as dead letters: see the command queue. It goes on until it is interrupted, and then "
    .. "finishes what is in flight.",
  epilog = help.TOKEN .. help.REDIS .. [[

Exit status: 0 when the queue is empty (--until-empty) and nothing failed, 1 when
something did, 2 when it could not run or had to stop, 130 or 143 when it was
interrupted (SIGINT, SIGTERM), after it has finished what was in flight.

Examples:
   hubspot-associations work --redis redis://127.0.0.1:6379 --budget production
   hubspot-associations work --queue links --until-empty]],
  flags = flags.join(flags.QUEUE, flags.WORK, flags.ACCOUNT),
}

-- Lines for standard error.
local function report_of(report)
  local plural = report.requests == 1 and "" or "s"
  return {
    ("%.0f done, %.0f failed"):format(report.done, report.failed),
    ("%.0f request%s; %.1f s"):format(report.requests, plural, report.elapsed),
  }
end

local function run(arguments, environment, client, queue)
  local caught, signal = interrupts.watch(environment), nil
  local report, err = client:work(queue, {
    account = account.hub_id(client),
    until_empty = arguments.until_empty,
    stop = function()
      signal = signal or caught()
      return signal ~= nil
    end,
    on_error = function(failure, delay)
      terminal.say(environment.stderr, ("%s: trying again in %.0f s"):format(fleet.summary(failure), delay))
    end,
  })
  terminal.say(environment.stderr, report_of(report))
  if err then return nil, fleet.summary(err) end
  if signal then return interrupts.code(signal) end
  if report.failed > 0 then
    terminal.say(environment.stderr, "what failed, and why: hubspot-associations queue --failed")
    return 1
  end
  return 0
end

function work.run(arguments, environment)
  local problem = files.unreadable("--ca-file", arguments.ca_file)
  if problem then return nil, problem end
  local used, why = credential.read(arguments.token_file, environment)
  if not used then return nil, why end
  local queue, client, code
  queue, why = fleet.queue(arguments, environment)
  if not queue then return nil, why end
  arguments.shared_budget = fleet.budget(arguments, environment)
  local function say(message) terminal.say(environment.stderr, message) end
  fleet.warn(queue, environment)
  client, why = account.client(arguments, used.token, account.teller(arguments, say, say))
  if client then
    code, why = run(arguments, environment, client, queue)
    client:close()
  end
  queue:close()
  return code, why
end

return work
