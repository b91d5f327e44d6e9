-- `hubspot-associations sandbox`: a HubSpot account in memory, served on loopback until a signal ends it.
-- Needs cqueues, which nothing else here does.

local account = require "hubspot.associations.sandbox.account"
local faults = require "hubspot.associations.sandbox.faults"
local server = require "hubspot.associations.sandbox.server"
local signal = require "cqueues.signal"
local terminal = require "hubspot.associations.cli.output.terminal"

local sandbox = {}

local USE = [[
This is the address of a HubSpot account in memory. Records whose id begins with 404 do not exist in it.
HUBSPOT_TOKEN=%s hubspot-associations create --base-url %s --from contacts --to companies --type 279 FILE
What it holds: %s/sandbox/associations. Ctrl-C ends it.
]]

-- The account's options, from the command's.
local function options_of(arguments)
  local options = {
    now = server.now,
    random = math.random,
    latency = arguments.latency,
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
local function account_of(arguments)
  local plain = account.new(options_of(arguments))
  if not arguments.faults then return plain end
  return faults.new(plain, { random = math.random, script = arguments.faults })
end

-- Signals are taken by a descriptor in the server's loop, so that they end it between two steps.
local function close_on_signal(running)
  local signals = { signal.SIGINT, signal.SIGTERM }
  signal.block(signals[1], signals[2])
  running:close_when(signal.listen(signals[1], signals[2]))
end

---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return integer|nil code
---@return string|nil message why it could not run
function sandbox.run(arguments, environment)
  math.randomseed(os.time())
  local running, why = server.listen {
    account = account_of(arguments),
    port = arguments.port,
    shutdown_on_eof = arguments.until_eof,
  }
  if not running then return nil, why end
  close_on_signal(running)
  local url = running:url()
  local written
  written, why = terminal.write(environment.stdout, url .. "\n")
  if not written then return nil, "the address cannot be written: " .. why end
  local token = #arguments.token > 0 and "TOKEN" or "any"
  terminal.write(environment.stderr, USE:format(token, url, url))
  running:run()
  return 0
end

return sandbox
