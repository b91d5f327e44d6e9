-- What the commands that run a job share: from the arguments to an exit code. Puts the parts together; the
-- job itself is job.lua's.

local account = require "hubspot.associations.cli.account"
local association_types = require "hubspot.associations.cli.association_types"
local colours = require "hubspot.associations.cli.output.colours"
local confirmation = require "hubspot.associations.cli.confirmation"
local core = require "hubspot.associations.core"
local credential = require "hubspot.associations.cli.credential"
local duplicates = require "hubspot.associations.cli.input.duplicates"
local files = require "hubspot.associations.cli.files"
local fleet = require "hubspot.associations.cli.fleet"
local interrupts = require "hubspot.associations.cli.interrupts"
local jobs = require "hubspot.associations.cli.job"
local json_report = require "hubspot.associations.cli.output.json_report"
local progress = require "hubspot.associations.cli.output.progress"
local screen = require "hubspot.associations.cli.output.screen"
local source = require "hubspot.associations.cli.input.source"
local terminal = require "hubspot.associations.cli.output.terminal"
local types = require "hubspot.associations.types"
local usage = require "hubspot.associations.cli.usage"

local job_command = {}

local COULD_NOT_RUN = 2 -- the exit code
local NOTHING_SENT = "nothing was sent"

---@class hubspot.associations.cli.JobCommand: hubspot.associations.cli.Command
---@field endpoint string
---@field outcome string the report's count of the rows for which the job did what it is for
---@field again string what happens when rows are sent a second time
---@field rows (fun(context: hubspot.associations.cli.Context): table|nil, string|nil)|nil how rows are read:
---  takes, typed and guard, as in rows.lua
---@field problem (fun(arguments: table, environment: table): string|nil)|nil why it must not run
---@field prepare (fun(context: hubspot.associations.cli.Context): hubspot.associations.cli.JobPart)|nil makes
---  what is particular to its job
---@field removes { text: string, unit: "pair"|"row" }|nil what it removes, with %s for a number of units: it
---  asks first
---@field forgets_rows boolean|nil whether its failures do not have the rows that FILE has
---@field writes_links boolean|nil whether it writes links to standard output, and so its report to the other

---@class hubspot.associations.cli.Context what one run works with
---@field command hubspot.associations.cli.JobCommand
---@field arguments table as arguments.parse gives them
---@field environment hubspot.associations.cli.Environment
---@field credential hubspot.associations.cli.Credential
---@field client hubspot.associations.Client
---@field progress hubspot.associations.cli.Progress
---@field report_stream file*
---@field paint fun(text: string, colour: string): string of the report
---@field duplicates hubspot.associations.cli.Duplicates
---@field usage hubspot.associations.cli.Usage
---@field caught fun(): integer|nil the number of the signal that interrupted the command

local function progress_mode(command, arguments, environment)
  if arguments.quiet then return "none" end
  local is_busy = command.writes_links and not arguments.output and screen.shows_output(environment)
  if is_busy and arguments.progress == "auto" then return "none" end
  if arguments.progress ~= "auto" then return arguments.progress end
  return screen.is_terminal(environment) and "bar" or "plain"
end

local function new_progress(command, arguments, environment)
  return progress.new {
    mode = progress_mode(command, arguments, environment),
    stream = environment.stderr,
    columns = screen.columns_of(environment),
    now = core.now(),
    quiet = arguments.quiet,
  }
end

-- Why --type is none of this direction: said once, before a row is read or a journal is opened.
local function type_problem(arguments)
  local problem_of = arguments.type and types.checker(arguments.from, arguments.to)
  if not problem_of then return nil end
  for _, id in ipairs(association_types.hubspot_ids(arguments.type, arguments.category)) do
    local problem = problem_of(id)
    if problem then return { "option '--type': " .. problem, NOTHING_SENT } end
  end
end

-- What a run works with; nil and a message when something is wrong already.
local function prepare(command, arguments, environment)
  local problem = files.conflict(arguments, environment) or files.unreadable("--ca-file", arguments.ca_file)
    or type_problem(arguments) or command.problem and command.problem(arguments, environment)
  if problem then return nil, problem end
  local context = {
    command = command, arguments = arguments, environment = environment,
    report_stream = command.writes_links and environment.stderr or environment.stdout,
    duplicates = duplicates.new(), usage = usage.new(),
  }
  context.paint = colours.painter(screen.has_colours(environment, context.report_stream))
  local read = arguments.dry_run and credential.read_when_asked or credential.read
  context.credential, problem = read(arguments.token_file, environment)
  if not context.credential then return nil, problem end
  arguments.shared_budget, problem = fleet.budget_of_job(arguments, environment)
  if problem then return nil, problem end
  context.progress = new_progress(command, arguments, environment)
  local tell = account.teller(arguments,
    function(message) context.progress:notice(message) end,
    function(message) context.progress:say(message) end)
  local function on_event(event)
    context.usage:note(event)
    tell(event)
  end
  context.client, problem = account.client(arguments, context.credential.token, on_event)
  if not context.client then return nil, problem end
  context.caught = interrupts.watch(environment)
  return context
end

-- Why a run stopped, and what to do: lines for standard error.
local function last_words(run, used)
  local lines = { run.is_interrupted and "interrupted" or run.why }
  if run.is_unauthorized and used.problem then lines[#lines + 1] = used.problem end
  for _, line in ipairs(run.advice or {}) do lines[#lines + 1] = line end
  return lines
end

-- The exit code of a run.
local function code_of(context, run)
  if not run.why then return run.is_whole and 0 or 1 end
  return run.is_interrupted and interrupts.code(context.caught()) or COULD_NOT_RUN
end

-- Writes the report. Returns the exit code, and what to say after it.
local function conclude(context, run)
  local arguments, code = context.arguments, code_of(context, run)
  if arguments.json or not arguments.quiet or code ~= 0 then
    local text = arguments.json and json_report.text(run, code) or run.text()
    local written, why = terminal.write(context.report_stream, text)
    if not written then return COULD_NOT_RUN, { run.summary, "the report cannot be written: " .. why } end
  end
  return code, run.why and last_words(run, context.credential)
end

-- How the command reads rows.
local function options_of(context)
  local command, options, why = context.command, {}, nil
  if command.rows then options, why = command.rows(context) end
  if not options then return nil, { why, NOTHING_SENT } end
  options.keeps = context.arguments.failures ~= nil and not command.forgets_rows
  return options
end

-- The part that may wait, and so be interrupted. Returns the exit code and what to say; nil and why when the
-- job did not begin.
local function read_and_run(context)
  local options, problem = options_of(context)
  if not options then return nil, problem end
  local may_run
  may_run, problem = confirmation.ask(context, options)
  if not may_run then return nil, problem end
  local rows, why, advice = source.none(), nil, nil
  if #context.arguments.files > 0 then
    rows, why, advice = source.open(context.arguments, context.environment, context.caught, options)
  end
  if not rows then return nil, { why, advice or NOTHING_SENT, advice and NOTHING_SENT } end
  local run
  run, why = jobs.run(context, rows)
  rows:close()
  if not run then return nil, why end
  return conclude(context, run)
end

---@param command hubspot.associations.cli.JobCommand
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return integer|nil code 0 when the job did all that it is for, 1 when it did not for some rows, 2 when it
---  stopped, 128 + signal when it was interrupted; nil when it could not run
---@return string|string[]|nil message why it could not run, or stopped
function job_command.run(command, arguments, environment)
  local context, problem = prepare(command, arguments, environment)
  if not context then return nil, problem end
  local code, message = read_and_run(context)
  context.client:close()
  if not code and context.caught() then -- before the job began
    code, message = interrupts.code(context.caught()), "interrupted: nothing was sent"
  end
  return code, message
end

return job_command
