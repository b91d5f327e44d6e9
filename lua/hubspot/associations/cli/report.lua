-- The short report of a call: how many rows had which outcome, and the first that were not created.
-- Makes text of outcomes; decides none.

local terminal = require "hubspot.associations.cli.terminal"

local report = {}

local SHOWN = 20 -- failures, and problems

local printable = terminal.printable

-- A record id as a person reads it.
local function id_text(side)
  if type(side) == "table" then side = side.id end
  if type(side) == "number" and side % 1 == 0 then return ("%d"):format(side) end
  return printable(side)
end

local function failure_line(failure)
  local input, err = failure.input, failure.error
  local place = "a row that HubSpot did not name"
  if input then
    place = ("line %d: %s to %s"):format(input.line, id_text(input.from), id_text(input.to))
  end
  return ("%s: %s: %s"):format(place, printable(err.category or failure.outcome),
    printable(err.message or "HubSpot gave no reason"))
end

local function by_line(one, other)
  local line, other_line = one.input and one.input.line, other.input and other.input.line
  if line and other_line then return line < other_line end
  return line ~= nil and other_line == nil
end

---@class hubspot.associations.cli.Failure
---@field outcome "failed"|"unconfirmed"
---@field input table|nil with `line`, `from`, `to`; nil when HubSpot did not say which
---@field error table with `category` and `message`

---@class hubspot.associations.cli.Outcomes
---@field rows integer
---@field created integer
---@field failed integer
---@field unconfirmed integer
---@field failures hubspot.associations.cli.Failure[] all that were not created

---@param outcomes hubspot.associations.cli.Outcomes
---@return string text lines, each with its newline
function report.text(outcomes)
  local head = ("%d %s: %d created, %d failed"):format(outcomes.rows, outcomes.rows == 1 and "row" or "rows",
    outcomes.created, outcomes.failed)
  if outcomes.unconfirmed > 0 then head = head .. (", %d unconfirmed"):format(outcomes.unconfirmed) end
  local failures = {}
  for index, failure in ipairs(outcomes.failures) do failures[index] = failure end
  table.sort(failures, by_line)
  local text = { head }
  for index = 1, math.min(#failures, SHOWN) do text[#text + 1] = failure_line(failures[index]) end
  if #failures > SHOWN then text[#text + 1] = ("and %d more"):format(#failures - SHOWN) end
  return table.concat(text, "\n") .. "\n"
end

local function problem_place(problem, last)
  local parts = {}
  if problem.line then
    local one = last <= problem.line
    parts[1] = one and "line " .. problem.line or ("lines %d to %d"):format(problem.line, last)
  end
  if problem.column then parts[#parts + 1] = "column " .. problem.column end
  return #parts > 0 and table.concat(parts, ", ") .. ": " or ""
end

---What is wrong with rows, a line for each; one for neighbours with the same fault.
---@param problems hubspot.associations.cli.Problem[]
---@return string[] lines the first of them, and then a count
function report.problems(problems)
  local groups = {}
  for _, problem in ipairs(problems) do
    local group = groups[#groups]
    local first = group and group.first
    if first and problem.line and first.message == problem.message and first.column == problem.column then
      group.last = problem.line
    else
      groups[#groups + 1] = { first = problem, last = problem.line or 0 }
    end
  end
  local text = {}
  for index = 1, math.min(#groups, SHOWN) do
    local group = groups[index]
    text[index] = problem_place(group.first, group.last) .. group.first.message
  end
  if #groups > SHOWN then text[#text + 1] = ("and %d more"):format(#groups - SHOWN) end
  return text
end

return report
