-- Drives a job over its client: steps it, shows how far it is, and lets Ctrl-C end it well.

local core = require "hubspot.associations.core"
local failures_of = require "hubspot.associations.cli.failures"
local report = require "hubspot.associations.cli.report"

local job = {}

local TICK = 0.1 -- seconds; a signal that comes just before a wait is noticed after it

local ENDING = "interrupted: finishing what is in flight; once more ends it at once"

---@class hubspot.associations.cli.Run what came of a run
---@field is_whole boolean whether all rows were created
---@field summary string the counts in short
---@field text fun(): string the report
---@field why string|nil why it stopped before the source ended
---@field advice string|nil what to do then

-- Steps the operation to its end.
local function drive(operation, source, progress, caught)
  local canceled = false
  while not operation:step() do
    if caught() and not canceled then
      canceled = true
      operation:cancel()
      progress:say(ENDING)
    else
      progress:update(operation:progress())
      progress:tick(core.now(), source:total())
      core.poll(operation:fd(), math.min(operation:timeout() or TICK, TICK))
    end
  end
  return operation:result()
end

-- An error in a line. The message of one of kind "journal" names the journal itself.
local function words(err)
  return (tostring(err):gsub("^journal: journal ", "journal "))
end

-- Why a job stopped, in the words of whoever knows best.
local function reason(err, source, failures)
  if failures.file and failures.file.failed then return failures.file.failed end
  return source.broken or words(err)
end

---Runs a job.
---@param client hubspot.associations.Client
---@param arguments table as arguments.parse gives them
---@param source hubspot.associations.cli.Source
---@param progress hubspot.associations.cli.Progress
---@param caught fun(): integer|nil
---@return hubspot.associations.cli.Run|nil
---@return string|string[]|nil message why it could not begin
function job.run(client, arguments, source, progress, caught)
  local failures, why
  local operation, err = client:start(arguments.from, arguments.to, function() return source:next() end, {
    journal = arguments.journal,
    on_failure = function(failed) return failures:add(failed) end,
  })
  if not operation then return nil, { words(err), "nothing was sent" } end
  failures, why = failures_of.open(arguments) -- now: another process may have had the journal
  if not failures then
    operation:cancel()
    operation:step()
    return nil, { why, "nothing was sent" }
  end
  local counts
  counts, err = drive(operation, source, progress, caught)
  progress:update(counts)
  progress:finish(core.now(), source:total())
  failures:close(not err)
  local has_rest = source:has_rest() -- now: it is closed before the report is written
  why = (err or failures.file and failures.file.failed) and reason(err, source, failures)
  return {
    is_whole = counts.created == counts.inputs,
    summary = ("%d of %d rows were created"):format(counts.created, counts.inputs),
    text = function() return report.text(counts, has_rest, failures.first, failures.file) end,
    why = why,
    advice = why and report.next_step(arguments.journal, err),
  }
end

return job
