-- `hubspot-associations doctor`: says what is right and wrong with the token, the account, the scopes and
-- this machine, on a page to paste into a ticket. Changes nothing, and shows no secret.

local account = require "hubspot.associations.cli.account"
local checks = require "hubspot.associations.cli.checks"
local credential = require "hubspot.associations.cli.credential"
local flags = require "hubspot.associations.cli.flags"
local help = require "hubspot.associations.cli.help"
local machine = require "hubspot.associations.cli.doctor.machine"
local page = require "hubspot.associations.cli.doctor.page"
local redact = require "hubspot.associations.text.redact"
local service = require "hubspot.associations.cli.doctor.service"
local terminal = require "hubspot.associations.cli.output.terminal"

---@type hubspot.associations.cli.Command
local doctor = {
  name = "doctor",
  summary = "Check token, account, scopes and this machine.",
  description = "Says what is right and what is wrong with the token, the account, the rate limit and this "
    .. "machine (certificates, proxy, clock), and with --from and --to, which scopes are missing: a page to "
    .. "paste into a ticket, without a secret. It makes one request for each question, and changes nothing.",
  epilog = help.TOKEN .. [[

Exit status: 0 when nothing is wrong, 1 when something is, 2 when it could not run.

Examples:
   hubspot-associations doctor
   hubspot-associations doctor --from contacts --to companies]],
  flags = flags.join({
    { name = "--from", argname = "OBJECT", check = checks.object_type,
      description = "The object type that is linked, for its scopes." },
    { name = "--to", argname = "OBJECT", check = checks.object_type,
      description = "The object type that it is linked to." },
    { name = "--output-format", choices = { "text", "jsonl" }, argname = "text|jsonl", default = "text",
      show_default = false,
      description = "How the page is written; as text by default." },
  }, flags.OUTPUT_FILE, flags.TOKEN, flags.SERVICE, flags.TRACE),
}

-- The token, read once: an answer of 401 is told, and no other token is tried.
local function read_token(arguments, environment)
  local used, why = credential.read(arguments.token_file, environment)
  if not used then return nil, why end
  if type(used.token) == "function" then return used.token "first" end
  return used.token
end

-- A client of one attempt a request; without a token, one that can say what it would use, and sends nothing.
local function open(arguments, token, on_event)
  return account.client({
    base_url = arguments.base_url, api_version = arguments.api_version, ca_file = arguments.ca_file,
    max_attempts = 1,
  }, token or function() return nil, "there is no token" end, on_event)
end

local function wrong_token(why)
  return { status = "wrong", check = "token", found = why,
    advice = "give the access token of a private app, which HubSpot shows in the settings of the app" }
end

-- A function for on_event that observes and, with --verbose, tells.
local function listener(arguments, environment, observe)
  local tell = account.teller(arguments, function() end, function(message)
    terminal.say(environment.stderr, message)
  end)
  return function(event)
    observe(event)
    tell(event)
  end
end

local function findings(arguments, environment, token, problem)
  local observed, observe = service.observer()
  local on_event = listener(arguments, environment, observe)
  local client, why = open(arguments, token, on_event)
  if not client and token then
    token, problem = nil, why
    client, why = open(arguments, nil, on_event)
  end
  local list = { machine.versions() }
  if not client then
    list[2] = { status = "wrong", check = "client", found = why, advice = "correct what is named" }
    return list
  end
  local connection = client:connection()
  list[2], list[3] = machine.certificates(connection), machine.proxy(connection)
  if token then
    local origin = arguments.token_file and "the file " .. arguments.token_file or "HUBSPOT_TOKEN"
    for _, finding in ipairs(service.findings(client, observed, origin, arguments)) do
      list[#list + 1] = finding
    end
  else
    list[4] = wrong_token(problem)
    list[5] = { status = "unknown", check = "service", found = "nothing was asked, as there is no token" }
  end
  client:close()
  return list
end

function doctor.run(arguments, environment)
  if (arguments.from == nil) ~= (arguments.to == nil) then
    return nil, "options '--from' and '--to' belong together: a direction has both"
  end
  local token, problem = read_token(arguments, environment)
  local list = findings(arguments, environment, token, problem)
  local of_environment = environment.getenv "HUBSPOT_TOKEN"
  local secrets = redact.secrets(token or of_environment, of_environment)
  return page.write(arguments, environment, list, secrets)
end

return doctor
