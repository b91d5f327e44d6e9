-- `hubspot-associations sandbox`: serves a HubSpot account in memory on loopback, until a signal ends it.
-- What it runs is loaded when it runs: it needs cqueues, which the help and other commands do without.

local checks = require "hubspot.associations.cli.checks"
local terminal = require "hubspot.associations.cli.output.terminal"

local COUNT = checks.integer(0, 1000000000)

---@type hubspot.associations.cli.Command
local sandbox = {
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
  flags = {
    { name = "--port", argname = "N", check = checks.integer(0, 65535), default = "0", show_default = false,
      description = "The port to listen at; 0, the default, lets the system choose one." },
    { name = "--token", argname = "TOKEN", count = "*", check = checks.token, is_secret = true,
      description = "Accept this made-up token only; may be repeated. By default, any but \"expired\"." },
    { name = "--latency", argname = "SECONDS", check = checks.seconds,
      description = "Delay each response by this many seconds." },
    { name = "--visible-after", argname = "SECONDS", check = checks.seconds,
      description = "Show a write in reads only after this many seconds." },
    { name = "--rate", argname = "N", check = COUNT,
      description = "Allow N requests in each interval, and answer 429 to the others." },
    { name = "--interval", argname = "SECONDS", check = checks.positive_seconds,
      description = "The interval of --rate; 10 by default." },
    { name = "--daily", argname = "N", check = COUNT,
      description = "Allow N requests in all, and answer 429 of policy DAILY to the others." },
    { name = "--status", argname = "N", check = checks.integer(200, 299),
      description = "The HTTP status of a full success, such as 200." },
    { name = "--faults", argname = "N:KIND,...", check = checks.faults,
      description = "Inject a fault into the N-th request, and others. A KIND is lost_response, secondly, "
        .. "unavailable or another; an unknown one lists them all." },
    { name = "--retry-after", is_flag = true, description = "Send Retry-After with each 429." },
    { name = "--string-ids", is_flag = true,
      description = "Send record ids as strings, as HubSpot describes them; by default, as numbers." },
    { name = "--until-eof", is_flag = true,
      description = "End when standard input ends as well: for a test that starts it." },
  },
}

local USAGE = [[
This is the address of a HubSpot account in memory. Records whose id begins with 404 do not exist in it.
HUBSPOT_TOKEN=%s hubspot-associations create --base-url %s --from contacts --to companies --type 279 FILE
What it holds: %s/sandbox/associations. Ctrl-C ends it.
]]

-- The account's options, from the command's.
local function options_of(arguments, now)
  local options = {
    now = now,
    random = math.random,
    latency = arguments.latency,
    visible_after = arguments.visible_after,
    status = arguments.status,
    numeric_ids = not arguments.string_ids,
  }
  if #arguments.token > 0 then options.token = arguments.token end
  if arguments.rate or arguments.daily then
    options.rate = {
      limit = arguments.rate,
      daily = arguments.daily,
      interval = arguments.interval,
      retry_after = arguments.retry_after,
    }
  end
  return options
end

-- The account, behind the faults that were asked for.
local function account_of(arguments, now)
  local account = require "hubspot.associations.sandbox.account".new(options_of(arguments, now))
  if not arguments.faults then return account end
  return require "hubspot.associations.sandbox.faults".new(account,
    { random = math.random, script = arguments.faults })
end

-- Signals are taken from a descriptor in the server's loop, so that they end it between two steps.
local function close_on_signal(server)
  local signal = require "cqueues.signal"
  local signals = { signal.SIGINT, signal.SIGTERM }
  signal.block(signals[1], signals[2])
  server:close_when(signal.listen(signals[1], signals[2]))
end

---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return integer|nil code
---@return string|nil message why it could not run
function sandbox.run(arguments, environment)
  local servers = require "hubspot.associations.sandbox.server"
  math.randomseed(os.time())
  local server, why = servers.listen {
    account = account_of(arguments, servers.now),
    port = arguments.port,
    shutdown_on_eof = arguments.until_eof,
  }
  if not server then return nil, why end
  close_on_signal(server)
  local url = server:url()
  local written
  written, why = terminal.write(environment.stdout, url .. "\n")
  if not written then return nil, "the address cannot be written: " .. why end
  local token = #arguments.token > 0 and "TOKEN" or "any"
  terminal.write(environment.stderr, USAGE:format(token, url, url))
  server:run()
  return 0
end

return sandbox
