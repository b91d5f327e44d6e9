-- A failure of a job as text: for the report, and for the file of failures. Keeps none.

local association_types = require "hubspot.associations.cli.association_types"
local explanation = require "hubspot.associations.explanation"
local terminal = require "hubspot.associations.cli.output.terminal"
local digits_of = require "hubspot.associations.text.digits"

local failure = {}

local one_line = terminal.one_line

-- The exact text of a record id; empty when there is none. A row with an empty id is invalid again when it is
-- fed back, where a rounded number would be another record.
local function id_text(side)
  if type(side) == "table" then side = side.id end
  if type(side) == "string" then return side end
  return type(side) == "number" and digits_of(side) or ""
end

-- A word for the kind of a failure, and a message. For a bad row, they are those of its reader.
local function reason(failed)
  local problem, err = failed.input.problem, failed.error or {}
  if problem then
    return "invalid_input", problem.column and ("column %s: %s"):format(problem.column, problem.message)
      or problem.message
  end
  local category = err.category or (failed.outcome == "failed" and err.kind or failed.outcome)
  local message = err.message and explanation.words(err) or "HubSpot gave no reason"
  if err.field then message = err.field .. ": " .. message end
  return category, message
end

---@class hubspot.associations.cli.FailedRow
---@field line integer its place: see places.lua
---@field from string as in the row, also what acts on a terminal: a file that is fed back must hold the same
---@field to string the same
---@field type string the same
---@field outcome string
---@field category string
---@field message string
---@field shared string|nil the message without the value of this row, when that differs
---@field kept string[]|string|nil what stands in FILE, as its reader kept it
---@field is_bad boolean whether the row itself is at fault, so that it was not sent

---@param failed table { input, outcome, error }, as in on_failure
---@param with_category boolean whether each type is written with its category
---@return hubspot.associations.cli.FailedRow
function failure.describe(failed, with_category)
  local input = failed.input
  local known = input.problem and (input.problem.row or {}) or input
  local kind, message = reason(failed)
  local err = failed.error
  local flaw = not input.problem and err and err.flaw
  local value = not input.problem and err and err.kind == "not_found" and err.value or nil -- of a look-up
  return {
    line = input.line,
    from = id_text(known.from == nil and known.id or known.from),
    to = id_text(known.to),
    type = known.type or association_types.write(known.types, with_category),
    outcome = failed.outcome,
    category = one_line(kind),
    message = one_line(message),
    shared = flaw and ("%s: no record id: %s"):format(err.field, flaw)
      or (value or "") ~= "" and ("%s: no record has this %s"):format(err.field, err.property) or nil,
    kept = known.kept,
    is_bad = input.problem ~= nil or err ~= nil and err.kind == "invalid_input" or value ~= nil,
  }
end

return failure
