-- `hubspot-associations create`: rows from a file or a pipe -> a job -> a report and an exit code.
-- Puts the parts together; each part's work is its own.

local association_types = require "hubspot.associations.cli.association_types"
local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local credential = require "hubspot.associations.cli.credential"
local errors = require "hubspot.associations.errors"
local failures = require "hubspot.associations.cli.output.failures"
local interrupts = require "hubspot.associations.cli.interrupts"
local job = require "hubspot.associations.cli.job"
local progress = require "hubspot.associations.cli.output.progress"
local source = require "hubspot.associations.cli.input.source"
local terminal = require "hubspot.associations.cli.output.terminal"
local types = require "hubspot.associations.types"

local create = {}

local STDERR = 2 -- its descriptor
local COULD_NOT_RUN = 2 -- the exit code
local NOTHING_SENT = "nothing was sent"

-- A dry run sends nothing: its client asks for no token.
local NO_TOKEN = { token = function() return nil, "a dry run has none" end }

-- Its options were checked as they were parsed.
local function new_client(arguments, token, on_event)
  local client, err = associations.new {
    token = token,
    base_url = arguments.base_url,
    version = arguments.api_version,
    max_attempts = arguments.max_attempts,
    concurrency = arguments.concurrency,
    batch_size = arguments.batch_size,
    rate = arguments.rate,
    ca_file = arguments.ca_file,
    on_event = on_event,
  }
  return client, err and errors.summary(err)
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
  local is_terminal = environment.owns_process and environment.getenv "TERM" ~= "dumb" and core.isatty(STDERR)
  return is_terminal and "bar" or "plain"
end

-- The width for the bar, asked each time: the terminal may be resized. COLUMNS is for where there is none.
local function columns_of(environment)
  local digits = (environment.getenv "COLUMNS" or ""):match "^%d%d?%d?%d?$"
  local otherwise = digits and tonumber(digits) > 0 and tonumber(digits) or nil
  return function()
    return environment.owns_process and core.columns(STDERR) or otherwise
  end
end

local function new_progress(arguments, environment)
  return progress.new {
    mode = progress_mode(arguments, environment),
    stream = environment.stderr,
    columns = columns_of(environment),
    now = core.now(),
    quiet = arguments.quiet,
  }
end

---@class hubspot.associations.cli.Context what a run of `create` has to do with
---@field arguments table as arguments.parse gives them
---@field environment hubspot.associations.cli.Environment
---@field credential hubspot.associations.cli.Credential
---@field client hubspot.associations.Client
---@field progress hubspot.associations.cli.Progress
---@field caught fun(): integer|nil tells the signal that interrupted the command

-- Why a run stopped, and what to do: lines for standard error.
local function last_words(run, used)
  local lines = { run.is_interrupted and "interrupted" or run.why }
  if run.is_unauthorized and used.problem then lines[#lines + 1] = used.problem end
  for _, line in ipairs(run.advice or {}) do lines[#lines + 1] = line end
  return lines
end

-- Why --type is none of this direction: told once, before a row or a journal is touched.
local function type_refusal(arguments)
  if not arguments.type then return nil end
  local body = core.body { check_type = types.checker(arguments.from, arguments.to) }
  local given = association_types.read(arguments.type, arguments.category)
  local _, refusal = body:add { from = 1, to = 1, types = given }
  return refusal and { "option '--type': " .. refusal.message, NOTHING_SENT }
end

-- Writes the report: the exit code, and what to say after it.
local function conclude(context, run)
  local environment = context.environment
  if not context.arguments.quiet or run.why or not run.is_whole then
    local written, why = terminal.write(environment.stdout, run.text())
    if not written then return COULD_NOT_RUN, { run.summary, "the report cannot be written: " .. why } end
  end
  if not run.why then return run.is_whole and 0 or 1 end
  local code = run.is_interrupted and interrupts.code(context.caught()) or COULD_NOT_RUN
  return code, last_words(run, context.credential)
end

-- All that may wait, and so be interrupted: the exit code and what to say; nil and why when it did not begin.
local function run(context)
  local rows, why, advised = source.open(context.arguments, context.environment, context.caught)
  if not rows then return nil, { why, advised or NOTHING_SENT, advised and NOTHING_SENT } end
  local made
  made, why = job.run(context, rows)
  rows:close()
  if not made then return nil, why end
  return conclude(context, made)
end

-- Why a file of certificates cannot be used, as far as that can be told now; the first request would tell it.
local function ca_file_refusal(path)
  if not path then return nil end
  local found, why = core.stat(path)
  if found and found.type ~= "file" then why = "is not a regular file" end
  local file = not why and io.open(path, "rb")
  if file then file:close() end
  if file then return nil end
  return ("--ca-file: %s: %s"):format(path, why or "cannot be read")
end

-- What a run has to do with, once nothing speaks against it; nil and what does.
local function prepare(arguments, environment)
  local refused = failures.conflict(arguments, environment) or ca_file_refusal(arguments.ca_file)
    or type_refusal(arguments)
  if refused then return nil, refused end
  local context = { arguments = arguments, environment = environment, credential = NO_TOKEN }
  if not arguments.dry_run then
    context.credential, refused = credential.read(arguments.token_file, environment)
    if not context.credential then return nil, refused end
  end
  context.progress = new_progress(arguments, environment)
  context.client, refused = new_client(arguments, context.credential.token, retry_notice(context.progress))
  if not context.client then return nil, refused end
  context.caught = interrupts.watch(environment)
  return context
end

---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return integer|nil code 0 when all rows were created, 1 when some were not, 2 when it stopped,
---  128 + signal when it was interrupted; nil when it could not run
---@return string|string[]|nil message why it could not run, or stopped
function create.run(arguments, environment)
  local context, refused = prepare(arguments, environment)
  if not context then return nil, refused end
  local code, why = run(context)
  context.client:close()
  if not code and context.caught() then -- before the job began
    code, why = interrupts.code(context.caught()), "interrupted: nothing was sent"
  end
  return code, why
end

return create
