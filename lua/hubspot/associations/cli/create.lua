-- `hubspot-associations create`: rows from a file or a pipe -> a job -> a report and an exit code.
-- Puts the parts together; each part's work is its own.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local credential = require "hubspot.associations.cli.credential"
local dry_run = require "hubspot.associations.cli.dry_run"
local failures = require "hubspot.associations.cli.failures"
local interrupts = require "hubspot.associations.cli.interrupts"
local job = require "hubspot.associations.cli.job"
local progress = require "hubspot.associations.cli.progress"
local shell = require "hubspot.associations.cli.shell"
local source = require "hubspot.associations.cli.source"
local terminal = require "hubspot.associations.cli.terminal"

local create = {}

local MOST = 2000 -- rows of one request: HubSpot's limit

-- The client's options and the command's names for them.
local FLAG_OF = {
  base_url = "--base-url", version = "--api-version", max_attempts = "--max-attempts",
  concurrency = "--concurrency", batch_size = "--batch-size", rate = "--rate",
}

-- A dry run needs no token, but the options are checked as a client checks them.
local NO_TOKEN = "none"

local function new_client(arguments, token, on_event)
  local done, client, err = pcall(associations.new, {
    token = token,
    base_url = arguments.base_url,
    version = arguments.api_version,
    max_attempts = arguments.max_attempts,
    concurrency = arguments.concurrency,
    batch_size = arguments.batch_size,
    rate = arguments.rate,
    on_event = on_event,
  })
  if done then return client, err and tostring(err) end
  -- The client raises on what a program got wrong; here, it is the user's argument.
  local option, complaint = tostring(client):match "associations%.new: option ([%w_]+): (.*)"
  if not option or not FLAG_OF[option] then error(client, 0) end
  return nil, FLAG_OF[option] .. ": " .. complaint
end

-- Tells why a request is sent again, and when. Its answer, if there was one, is told just before.
local function retry_notice(show)
  local status
  return function(event)
    if event.type == "response" then
      status = event.status
    elseif event.type == "retry" then
      local reason = event.kind == "http" and ("HTTP %d"):format(status) or event.kind
      show:notice(("%s: trying again in %.1f s"):format(reason, event.delay))
    end
  end
end

local function progress_mode(arguments, environment)
  if arguments.quiet then return "none" end
  if arguments.progress ~= "auto" then return arguments.progress end
  local is_terminal = environment.owns_process and environment.getenv "TERM" ~= "dumb" and shell.test "-t 2"
  return is_terminal and "bar" or "plain"
end

local function new_progress(arguments, environment)
  local columns = tonumber(environment.getenv "COLUMNS" or "")
  return progress.new {
    mode = progress_mode(arguments, environment),
    stream = environment.stderr,
    columns = columns and columns > 0 and columns or nil,
    now = core.now(),
    quiet = arguments.quiet,
  }
end

local function run_dry(arguments, rows)
  local sink, why = failures.open(arguments)
  if not sink then return nil, why end
  local run = dry_run.run(rows, sink, arguments.batch_size or MOST)
  local closed, unwritten = sink:close(not run.why)
  if not closed then run.why = unwritten end
  return run
end

-- Writes the report: the exit code, or nil and what to say.
local function conclude(run, arguments, environment, signal)
  if not arguments.quiet or run.why or not run.is_whole then
    local written, why = terminal.write(environment.stdout, run.text())
    if not written then return nil, { run.summary, "the report cannot be written: " .. why } end
  end
  if not run.why then return run.is_whole and 0 or 1 end
  if not signal then return nil, { run.why, run.advice } end
  terminal.say(environment.stderr, { "interrupted", run.advice })
  return interrupts.code(signal)
end

-- All that may wait, and so be interrupted.
local function run(arguments, environment, client, show, caught)
  local rows, made, why
  rows, why = source.open(arguments, environment, caught)
  if not rows then return nil, { why, "nothing was sent" } end
  if arguments.dry_run then
    made, why = run_dry(arguments, rows)
  else
    made, why = job.run(client, arguments, rows, show, caught)
  end
  rows:close()
  if not made then return nil, why end
  return conclude(made, arguments, environment, caught())
end

---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return integer|nil code 0 when all rows were created, 1 when some were not, 128 + signal when interrupted
---@return string|string[]|nil message why it could not run, or stopped
function create.run(arguments, environment)
  local conflict = failures.conflict(arguments)
  if conflict then return nil, conflict end
  local token, unknown
  if arguments.dry_run then
    token = NO_TOKEN
  else
    token, unknown = credential.read(arguments.token_file, environment)
  end
  if not token then return nil, unknown end
  local show = new_progress(arguments, environment)
  local client, refused = new_client(arguments, token, retry_notice(show))
  if not client then return nil, refused end
  local caught = interrupts.watch(environment)
  local code, why = run(arguments, environment, client, show, caught)
  client:close()
  if code or not caught() then return code, why end
  terminal.say(environment.stderr, "interrupted: nothing was sent") -- before the job began
  return interrupts.code(caught())
end

return create
