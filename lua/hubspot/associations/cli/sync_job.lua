-- What is particular to the job of the command sync: its question, its report, and failures that are no rows.

local account = require "hubspot.associations.cli.account"
local colours = require "hubspot.associations.cli.output.colours"
local line_numbers = require "hubspot.associations.cli.input.line_numbers"
local places = require "hubspot.associations.cli.input.places"
local plan_question = require "hubspot.associations.cli.plan_question"
local removal_failures = require "hubspot.associations.cli.output.removal_failures"
local sync_report = require "hubspot.associations.cli.output.sync_report"
local terminal = require "hubspot.associations.cli.output.terminal"

local sync_job = {}

-- What stands for the counts in the report of a run that changes nothing.
local function headline(arguments, counts)
  if not (arguments.plan or arguments.dry_run) or not counts.planned then return nil end
  local name = arguments.plan and terminal.one_line(arguments.plan) or "dry run"
  return ("%s: %s; nothing was changed"):format(name, sync_report.plan(counts.planned))
end

-- The account's hub id, where a plan is written or applied. Where HubSpot does not say, the sync itself tells
-- what is wrong, if anything is.
local function account_of(context)
  local arguments = context.arguments
  if arguments.dry_run or not (arguments.plan or arguments.apply) then return nil end
  return account.hub_id(context.client)
end

-- How messages and the plan name a row: as the reports of failures do.
local function place_of_rows(context, numbers)
  local names
  return function(index)
    names = names or places.names(context.arguments.files)
    local place = numbers:of(index)
    return (places.are_named(names) and "" or "line ") .. places.text(place, place, names)
  end
end

---@param context hubspot.associations.cli.Context
---@param options table of client:start
---@return hubspot.associations.cli.JobPart
function sync_job.new(context, options)
  local arguments = context.arguments
  local numbers, index = line_numbers.new(), 0
  local removals = removal_failures.new()
  if not arguments.apply then options.row_place = place_of_rows(context, numbers) end
  options.on_plan, options.account = plan_question.ask(context), account_of(context)
  return {
    options = options,
    row = function(row)
      index = index + 1
      numbers:add(index, row.line)
    end,
    failed = function(failed)
      if failed.action == "remove" then
        removals:add(failed)
        return false
      end
      local line = failed.input.line or index > 0 and numbers:of(failed.index)
      failed.input.line = line or failed.index -- of an applied plan it is that of the plan's line
      return true
    end,
    describe = function(run, counts, failures)
      run.is_whole = counts.failed + counts.unconfirmed == 0
        and (counts.not_sent == 0 or arguments.plan ~= nil or arguments.dry_run == true)
      run.summary = sync_report.counts(counts, colours.painter(false))
      for _, line in ipairs(removals:lines()) do run.reasons[#run.reasons + 1] = line end
      if context.is_declined then run.why, run.advice = "nothing was changed", nil end
      function run.text()
        return sync_report.text(counts, headline(arguments, counts), removals, failures.first, failures.file,
          context.paint)
      end
      return run
    end,
  }
end

return sync_job
