-- The client of a command, and single calls: how the account is reached.

local associations = require "hubspot.associations"
local credential = require "hubspot.associations.cli.credential"
local digits_of = require "hubspot.associations.text.digits"
local errors = require "hubspot.associations.errors"
local files = require "hubspot.associations.cli.files"
local terminal = require "hubspot.associations.cli.output.terminal"

local account = {}

---A client, as the arguments say. The options were checked as they were parsed.
---@param arguments table as arguments.parse gives them
---@param token string|function
---@param on_event function
---@return hubspot.associations.Client|nil
---@return string|nil message
function account.client(arguments, token, on_event)
  local client, err = associations.new {
    token = token,
    base_url = arguments.base_url,
    version = arguments.api_version,
    max_attempts = arguments.max_attempts,
    concurrency = arguments.concurrency,
    batch_size = arguments.batch_size,
    rate = not arguments.shared_budget and arguments.rate or nil,
    budget = arguments.shared_budget,
    ca_file = arguments.ca_file,
    on_event = on_event,
  }
  return client, err and errors.summary(err)
end

-- A function for on_event that says why a request is sent again, and when. The event of its response, or of
-- its failure, comes just before.
local function retry_notice(notice)
  local status, failure
  return function(event)
    if event.type == "response" then
      status, failure = event.status, nil
    elseif event.type == "failure" then
      failure = event.message
    elseif event.type == "retry" then
      local reason = event.kind == "http" and ("HTTP %d"):format(status) or event.kind
      if failure then reason = reason .. ": " .. failure end
      notice(("%s; trying again in %.1f s"):format(reason, event.delay))
    end
  end
end

-- What is said when the budget is lost, when it is back, and when it has a lower rate.
local function budget_notice(event)
  local rate = ("%.0f requests in %.0f s"):format(event.limit, event.interval)
  if event.state == "lowered" then return "another process gives the budget a lower rate: " .. rate end
  if event.state ~= "alone" then return ("the budget is back: %s, shared"):format(rate) end
  return ("no budget: %s: going on alone, with %s"):format(errors.summary(event.error), rate)
end

-- What became of a request, for --verbose. The path has object types and ids, and no secret.
local function trace(event)
  local request = event.method .. " " .. event.url:match "^[^:]+://[^/]*(.*)$"
  if event.attempt > 1 then request = ("%s (attempt %d)"):format(request, event.attempt) end
  local time = event.elapsed and (" in %.0f ms"):format(event.elapsed * 1000) or ""
  if event.type == "failure" then return ("%s: %s%s: %s"):format(request, event.kind, time, event.message) end
  local id = event.correlation_id and ", correlation id " .. event.correlation_id or ""
  return ("%s: %d%s%s"):format(request, event.status, time, id)
end

---A function for on_event that tells people what goes on.
---@param arguments table as arguments.parse gives them
---@param notice fun(message: string) says why a request is sent again, and what became of the budget
---@param say fun(message: string) with --verbose, says what became of each request
---@return function
function account.teller(arguments, notice, say)
  local noticed = retry_notice(notice)
  return function(event)
    if arguments.verbose and (event.type == "response" or event.type == "failure") then say(trace(event)) end
    if event.type == "budget" then notice(budget_notice(event)) end
    noticed(event)
  end
end

---The hub id of the token's account: record ids of one account fit any other, so what is to be written later
---says which one it is for. Nil where HubSpot does not say, as the token may not ask.
---@param client hubspot.associations.Client
---@return string|nil
function account.hub_id(client)
  local details = client:account()
  local id = details and details.portalId
  if type(id) == "number" then return digits_of(id) end
  return type(id) == "string" and id:match "^%d+$" or nil
end

---Makes single calls with a client of its own.
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@param calls fun(client: hubspot.associations.Client): table|nil, hubspot.associations.Error|nil
---@return table|nil result
---@return string|string[]|nil message
function account.call(arguments, environment, calls)
  local problem = files.unreadable("--ca-file", arguments.ca_file)
  if problem then return nil, problem end
  local used, why = credential.read(arguments.token_file, environment)
  if not used then return nil, why end
  local client
  local function say(message) terminal.say(environment.stderr, message) end
  client, why = account.client(arguments, used.token, account.teller(arguments, say, say))
  if not client then return nil, why end
  local result, err = calls(client)
  client:close()
  if result then return result end
  local lines = { errors.summary(err) }
  if err.kind == "unauthorized" then lines[2] = used.problem end
  return nil, lines
end

return account
