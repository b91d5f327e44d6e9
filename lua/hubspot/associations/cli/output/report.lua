-- The report at the end of a job: the outcomes of the rows, the effort, the first failures, and what to do
-- about them. Makes text of counts.

local words = require "hubspot.associations.cli.output.counts"
local terminal = require "hubspot.associations.cli.output.terminal"

local text_of, more = words.of, words.more

local report = {}

local SHORTEST = 0.1 -- seconds; over less, a rate means nothing

---A number of rows with an outcome, in a colour unless it is 0.
---@param paint fun(text: string, colour: string): string
---@param count integer
---@param outcome string
---@param colour string
---@return string "50 failed"
function report.outcome(paint, count, outcome, colour)
  local text = ("%d %s"):format(count, outcome)
  return count > 0 and paint(text, colour) or text
end

---What is true of some of the rows, whatever their outcomes.
---@param counts hubspot.associations.Report with `duplicates`
---@return string
function report.of_them(counts)
  local duplicates = counts.duplicates == 1 and "; 1 of them a duplicate" or "; %d of them duplicates"
  return more("; %d of them known from the journal", counts.resumed) .. more(duplicates, counts.duplicates)
end

-- "20000 rows: 19950 created, 50 failed"
local function counts_text(counts, outcome, paint)
  return ("%s: %s, %s"):format(text_of(counts.inputs, "row"),
    report.outcome(paint, counts[outcome], outcome, "green"),
    report.outcome(paint, counts.failed, "failed", "red"))
    .. more(", %d unconfirmed", counts.unconfirmed)
    .. more(", %d not sent", counts.not_sent)
    .. report.of_them(counts)
end

---How much of the rate limit was used.
---@param used table|nil as in usage.lua
---@return string
function report.usage(used)
  if not used then return "" end
  local percent = used.share and math.floor(used.share * 100 + 0.5)
  local left = used.daily_remaining and ("%.0f requests left today"):format(used.daily_remaining)
  if not percent then return "; " .. left end
  return ("; %s of the rate limit"):format(percent < 1 and "under 1 %" or ("%d %%"):format(percent))
    .. (left and ", " .. left or "")
end

local function look_ups_text(counts)
  return counts.look_ups == 1 and ", 1 look-up" or more(", %d look-ups", counts.look_ups)
end

local function effort(counts)
  local sent = counts.inputs - counts.resumed - counts.not_sent
  return text_of(counts.requests, "request") .. look_ups_text(counts)
    .. (counts.retries == 1 and ", 1 of them a retry" or more(", %d of them retries", counts.retries))
    .. ("; %.1f s"):format(counts.elapsed)
    .. (counts.elapsed >= SHORTEST and (", %.0f rows/s"):format(sent / counts.elapsed) or "")
    .. report.usage(counts.rate_limit)
end

-- What to do with the file of failures. An unconfirmed row needs no correction.
local function repair(failed, unconfirmed)
  if unconfirmed == 0 then return "correct it, and give it to this command" end
  if failed == 0 then return "give it to this command, to be sent once more" end
  return "correct the rows that failed, and give it to this command"
end

-- The options of this run with which the file must not be read.
local function without(options)
  return #options > 0 and ", without " .. table.concat(options, ", ") or ""
end

---Lines, and after them the first failures and what to do about them.
---@param lines string[]
---@param first hubspot.associations.cli.FirstFailures
---@param file hubspot.associations.cli.FailuresFile|nil
---@param failed integer rows
---@param unconfirmed integer rows
---@return string text
function report.with_failures(lines, first, file, failed, unconfirmed)
  for _, line in ipairs(first:lines()) do lines[#lines + 1] = line end
  if file and file.rows > 0 and file.is_complete then
    lines[#lines + 1] = ("%s lists %s: %s"):format(terminal.one_line(file.path),
      file.rows == 1 and "that row" or ("all %d of them"):format(file.rows), repair(failed, unconfirmed))
      .. without(file.not_of_it)
  end
  return table.concat(lines, "\n") .. "\n"
end

-- What was not read, as the source says.
local function unread(rest)
  return rest and ("; %s was not read"):format(rest) or ""
end

---@param counts hubspot.associations.Report
---@param outcome string "created": the count of the rows for which the job did what it is for
---@param rest string|nil what was not read, so that its rows are not counted
---@param first hubspot.associations.cli.FirstFailures
---@param file hubspot.associations.cli.FailuresFile|nil
---@param paint fun(text: string, colour: string): string
---@return string text lines, each with its newline
function report.text(counts, outcome, rest, first, file, paint)
  local lines = { counts_text(counts, outcome, paint) .. unread(rest), effort(counts) }
  return report.with_failures(lines, first, file, counts.failed, counts.unconfirmed)
end

---@param counts hubspot.associations.Report
---@param is_open boolean|nil whether it stopped, so that rows that were read may not have been checked
---@param rest string|nil
---@param first hubspot.associations.cli.FirstFailures
---@param file hubspot.associations.cli.FailuresFile|nil
---@return string
function report.dry_run(counts, is_open, rest, first, file)
  local head = ("dry run: %s: %d can be sent, in %s; %d cannot%s; nothing was sent"):format(
    text_of(counts.inputs, "row"), counts.not_sent, text_of(counts.requests, "request"), counts.failed,
    report.of_them(counts)
  )
  if is_open then
    head = ("dry run: it stopped before all rows were checked%s; nothing was sent"):format(
      more("; %d cannot be sent", counts.failed))
    rest = nil
  end
  return report.with_failures({ head .. unread(rest) }, first, file, counts.failed, 0)
end

return report
