-- The report of a sync, and what its plan would do: makes text of counts.

local words = require "hubspot.associations.cli.output.counts"
local report = require "hubspot.associations.cli.output.report"
local terminal = require "hubspot.associations.cli.output.terminal"

local text_of, more = words.of, words.more

local sync_report = {}

---@param counts hubspot.associations.SyncReport
---@param paint fun(text: string, colour: string): string
---@return string "1000 rows and 40 removals: 900 kept, 95 created, 40 removed, 5 failed"
function sync_report.counts(counts, paint)
  local removals = counts.removals > 0 and " and " .. text_of(counts.removals, "removal") or ""
  return ("%s%s: %d kept, %s, %d removed, %s"):format(text_of(counts.inputs, "row"), removals, counts.kept,
    report.outcome(paint, counts.created, "created", "green"), counts.removed,
    report.outcome(paint, counts.failed, "failed", "red"))
    .. more(", %d unconfirmed", counts.unconfirmed)
    .. more(", %d not sent", counts.not_sent)
    .. report.of_them(counts)
end

local function effort(counts)
  return text_of(counts.requests, "request")
    .. more(", %d of them to read again what is changed", counts.reads_again)
    .. more(", %d of them retries", counts.retries)
    .. ("; %.1f s"):format(counts.elapsed)
    .. report.usage(counts.rate_limit)
end

-- What was not removed on purpose, and why.
local function exemptions(counts)
  if counts.removals_off then return { "nothing was removed: " .. terminal.one_line(counts.removals_off) } end
  if counts.protected == 0 then return {} end
  return { ("nothing was removed from %s, as a row of %s is doubtful"):format(
    text_of(counts.protected, "record"), counts.protected == 1 and "it" or "each") }
end

---What a plan would do, in one line.
---@param planned table as on_plan has it
---@return string
function sync_report.plan(planned)
  return ("%s to create, %s to remove of %d that are compared; %d kept, %d failed"):format(
    text_of(planned.creations, "row"), text_of(planned.removals, "link"), planned.in_scope,
    planned.kept, planned.failed)
end

---@param counts hubspot.associations.SyncReport
---@param headline string|nil in place of the counts: of a run that changes nothing
---@param removals hubspot.associations.cli.RemovalFailures
---@param first hubspot.associations.cli.FirstFailures of the rows
---@param file hubspot.associations.cli.FailuresFile|nil
---@param paint fun(text: string, colour: string): string
---@return string text lines, each with its newline
function sync_report.text(counts, headline, removals, first, file, paint)
  local lines = { headline or sync_report.counts(counts, paint), effort(counts) }
  for _, list in ipairs { exemptions(counts), removals:lines() } do
    for _, line in ipairs(list) do lines[#lines + 1] = line end
  end
  return report.with_failures(lines, first, file, first.count, counts.unconfirmed)
end

return sync_report
