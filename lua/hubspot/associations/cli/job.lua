-- Runs a job: steps it, shows how far it is, ends it well on Ctrl-C, and describes what came of it.

local advice = require "hubspot.associations.cli.output.advice"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local failures_of = require "hubspot.associations.cli.output.failures"
local links = require "hubspot.associations.cli.output.links"
local report = require "hubspot.associations.cli.output.report"
local row_writer = require "hubspot.associations.cli.output.row_writer"

local jobs = {}

local TICK = 0.1 -- seconds; a signal that comes just before a wait is noticed after it

local ENDING = "interrupted: finishing what is in flight; interrupt again to stop at once"

---@class hubspot.associations.cli.Run what came of a job
---@field is_whole boolean whether the job did what it is for with every row; a dry run, whether it may
---@field summary string the counts in short
---@field counts table the report of the job
---@field reasons string[] why rows failed, the first reasons
---@field text fun(): string the report
---@field why string|nil why it stopped before the source ended
---@field is_interrupted boolean|nil whether a signal is why
---@field is_unauthorized boolean|nil whether HubSpot rejected the token
---@field is_open boolean|nil whether rows that it read may not have been checked when it stopped
---@field advice string[]|nil what to do then

local WAITS_FOR = { rate_limit = "for the rate limit", retry = "to try again", verify = "to verify" }

-- Steps the job to its end.
local function drive(job, source, context)
  local shown, caught = context.progress, context.caught
  local is_canceled = false
  while not job:step() do
    if caught() and not is_canceled then
      is_canceled = true
      job:cancel()
      shown:ending()
      if not context.arguments.dry_run then shown:say(ENDING) end
    else
      local wait, reason = job:waiting()
      shown:update(job:progress(), wait, WAITS_FOR[reason])
      shown:tick(core.now(), source:total())
      core.poll(job:fd(), math.min(job:timeout() or TICK, TICK))
    end
  end
  local counts, err = job:result()
  shown:update(counts or job:progress())
  shown:finish(core.now(), source:total())
  return counts, err
end

-- An error in one line, without the library's advice, which names options. A journal's message names it.
local function line_of(err)
  return err.kind == "journal" and err.message or errors.summary(err)
end

-- Why a job stopped, in the words of the part that knows best, and what to do: fields of a Run.
local function stop_of(err, source, failures, context)
  local arguments, again = context.arguments, context.command.again
  local unshown = context.writer and context.writer:problem()
  if unshown then return { why = unshown, advice = { advice.going_on(arguments, again) } } end
  local unwritten = failures.file and failures.file.failed
  if unwritten then return { why = unwritten, advice = { advice.going_on(arguments, again) } } end
  if not err then return {} end
  if context.caught() and (err.kind == "canceled" or source.interrupted) then
    return { why = line_of(err), advice = { advice.going_on(arguments, again) }, is_interrupted = true }
  end
  local first = err.cause or err -- where the token could not be renewed: why it had to be
  return {
    why = source.broken or line_of(first),
    advice = advice.next_steps(first, arguments, again),
    is_unauthorized = first.kind == "unauthorized",
    is_open = not source.broken,
  }
end

-- The same, once what is written is out. A file that is not complete does not get its name.
local function end_of(err, source, failures, context)
  local writer = context.writer
  if not writer then return stop_of(err, source, failures, context) end
  if writer.target.path then writer:flush() end -- of a pipe, a reader that is gone is no error
  writer:finish(stop_of(err, source, failures, context).why ~= nil)
  local run = stop_of(err, source, failures, context)
  if writer.target.kept then
    run.advice[#run.advice + 1] = ("%s has the links so far; it becomes %s when all are there"):format(
      writer.target.kept, writer.target.path)
  end
  return run
end

-- What came of the rows, in short and as a report: the other fields of a Run.
local function describe(run, counts, rest, failures, context)
  counts.duplicates, counts.rate_limit = context.duplicates.count, context.usage:of(counts.elapsed)
  run.counts, run.reasons = counts, failures.first:lines()
  if context.part then return context.part.describe(run, counts, failures) end
  local is_dry, outcome = context.arguments.dry_run, context.command.outcome
  local done = counts[is_dry and "not_sent" or outcome]
  run.is_whole = done == counts.inputs
  run.summary = is_dry and run.is_open and "the dry run stopped before all rows were checked"
    or is_dry and ("%d of %d rows can be sent"):format(done, counts.inputs)
    or ("%d of %d rows were %s"):format(done, counts.inputs, outcome)
  function run.text()
    if is_dry then return report.dry_run(counts, run.is_open, rest, failures.first, failures.file) end
    return report.text(counts, outcome, rest, failures.first, failures.file, context.paint)
  end
  return run
end

-- Opens what a command that writes links writes them to. Returns nil and why when it cannot be written.
local function open_writer(context)
  local arguments = context.arguments
  if not context.command.writes_links or arguments.dry_run then return true end
  local writer, why = row_writer.open(arguments, context.environment, links.COLUMNS, "csv")
  context.writer = writer
  return writer, why
end

-- What a run that did not begin returns.
local function not_begun(context, message)
  if context.writer then context.writer:finish(true) end
  return nil, message
end

-- The functions for on_record and before_journal of such a command: what the journal says is done must be
-- out, and on disk.
local function record_writer(writer)
  if not writer then return nil end
  return function(record)
    for _, link in ipairs(record.links) do
      if not links.write(writer, record.id, link) then return false end
    end
  end, function() return writer:save() end
end

---@class hubspot.associations.cli.JobPart what is particular to the job of a command
---@field options table of client:start
---@field row fun(row: table) sees each row that the job reads
---@field failed fun(failure: table): boolean takes a failure; false: it is no row's
---@field describe fun(run: hubspot.associations.cli.Run, counts: table,
---  failures: hubspot.associations.cli.Failures): hubspot.associations.cli.Run

-- The job's source and options.
local function start(context, source, take)
  local arguments, part = context.arguments, context.part
  local on_record, before_journal = record_writer(context.writer)
  local options = {
    journal = arguments.journal,
    from_property = arguments.from_property,
    to_property = arguments.to_property,
    dry_run = arguments.dry_run,
    verify = arguments.verify,
    on_record = on_record,
    before_journal = before_journal,
    on_failure = take,
  }
  for name, value in pairs(part and part.options or {}) do options[name] = value end
  local function next_row()
    local row = source:next()
    if row then context.duplicates:add(row) end
    if row and part then part.row(row) end
    return row
  end
  return context.client:start(context.command.endpoint, arguments.from, arguments.to,
    #arguments.files > 0 and next_row or nil, options)
end

---Runs a job. A dry run is one that sends nothing.
---@param context hubspot.associations.cli.Context
---@param source hubspot.associations.cli.Source
---@return hubspot.associations.cli.Run|nil
---@return string|string[]|nil message why it could not begin
function jobs.run(context, source)
  local arguments = context.arguments
  local failures, why
  context.part = context.command.prepare and context.command.prepare(context)
  local opened
  opened, why = open_writer(context)
  if not opened then return nil, { why, "nothing was sent" } end
  local job, err = start(context, source, function(failed)
    if context.part and not context.part.failed(failed) then return true end
    return failures:add(failed)
  end)
  if not job then return not_begun(context, advice.not_begun(line_of(err), err)) end
  -- Not before: another process may have the journal, and this file with it.
  failures, why = failures_of.open(arguments, context.environment, source)
  if not failures then
    job:cancel()
    job:step()
    return not_begun(context, { why, "nothing was sent" })
  end
  local counts
  counts, err = drive(job, source, context)
  failures:close(not err)
  -- Such as a journal of other rows.
  if not counts then return not_begun(context, advice.not_begun(line_of(err), err)) end
  local rest = source:rest() -- now: it is closed before the report is written
  local run = end_of(err, source, failures, context)
  return describe(run, counts, rest, failures, context)
end

return jobs
