-- Drives a job over its client: steps it, shows how far it is, and lets Ctrl-C end it well.

local advice = require "hubspot.associations.cli.output.advice"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local failures_of = require "hubspot.associations.cli.output.failures"
local report = require "hubspot.associations.cli.output.report"

local job = {}

local TICK = 0.1 -- seconds; a signal that comes just before a wait is noticed after it

local ENDING = "interrupted: finishing what is in flight; interrupt again to stop at once"

---@class hubspot.associations.cli.Run what came of a run
---@field is_whole boolean whether all rows were created; of a dry run, whether all can be sent
---@field summary string the counts in short
---@field text fun(): string the report
---@field why string|nil why it stopped before the source ended
---@field is_interrupted boolean|nil whether a signal is why
---@field is_unauthorized boolean|nil whether the token was refused
---@field advice string[]|nil what to do then

local WAITS_FOR = { rate_limit = "for the rate limit", retry = "to try again" }

-- Steps the operation to its end.
local function drive(operation, source, progress, caught, is_dry)
  local canceled = false
  while not operation:step() do
    if caught() and not canceled then
      canceled = true
      operation:cancel()
      progress:ending()
      if not is_dry then progress:say(ENDING) end
    else
      local wait, reason = operation:waiting()
      progress:update(operation:progress(), wait, WAITS_FOR[reason])
      progress:tick(core.now(), source:total())
      core.poll(operation:fd(), math.min(operation:timeout() or TICK, TICK))
    end
  end
  return operation:result()
end

-- An error in a line, without the advice for programs. The message of one of kind "journal" names it itself.
local function words(err)
  return err.kind == "journal" and err.message or errors.summary(err)
end

-- Why a job stopped, in the words of whoever knows best, and what to do: as a Run has it.
local function stop_of(err, source, failures, arguments, caught)
  local unwritten = failures.file and failures.file.failed
  if unwritten then return { why = unwritten, advice = { advice.going_on(arguments) } } end
  if not err then return {} end
  if caught() and (err.kind == "canceled" or source.interrupted) then
    return { why = words(err), advice = { advice.going_on(arguments) }, is_interrupted = true }
  end
  local first = err.cause or err -- of a token that could not be renewed, the refusal
  return {
    why = source.broken or words(first),
    advice = advice.next_steps(first, arguments),
    is_unauthorized = first.kind == "unauthorized",
  }
end

-- What came of the rows, in short and as a report.
local function describe(run, counts, has_rest, failures, is_dry)
  local done = is_dry and counts.not_sent or counts.created
  local summary = is_dry and "%d of %d rows can be sent" or "%d of %d rows were created"
  local text = is_dry and report.dry_run or report.text
  run.is_whole = done == counts.inputs
  run.summary = summary:format(done, counts.inputs)
  function run.text() return text(counts, has_rest, failures.first, failures.file) end
  return run
end

---Runs a job. A dry run is one that sends nothing.
---@param context hubspot.associations.cli.Context
---@param source hubspot.associations.cli.Source
---@return hubspot.associations.cli.Run|nil
---@return string|string[]|nil message why it could not begin
function job.run(context, source)
  local arguments, progress, caught = context.arguments, context.progress, context.caught
  local failures, why
  local function next_input() return source:next() end
  local operation, err = context.client:start(arguments.from, arguments.to, next_input, {
    journal = arguments.journal,
    dry_run = arguments.dry_run,
    on_failure = function(failed) return failures:add(failed) end,
  })
  if not operation then return nil, advice.not_begun(words(err), err) end
  -- Now: another process may have had the journal, and this file with it.
  failures, why = failures_of.open(arguments, context.environment)
  if not failures then
    operation:cancel()
    operation:step()
    return nil, { why, "nothing was sent" }
  end
  local counts
  counts, err = drive(operation, source, progress, caught, arguments.dry_run)
  progress:update(counts)
  progress:finish(core.now(), source:total())
  failures:close(not err)
  local has_rest = source:has_rest() -- now: it is closed before the report is written
  local run = stop_of(err, source, failures, arguments, caught)
  return describe(run, counts, has_rest, failures, arguments.dry_run)
end

return job
