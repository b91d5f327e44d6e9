-- What became of a row that was not created, in words: for a person, and for a file.
-- Makes text of a job's failures; keeps none.

local association_types = require "hubspot.associations.cli.association_types"
local terminal = require "hubspot.associations.cli.terminal"

local failure = {}

local printable = terminal.printable

-- A record id as a person reads it.
local function id_text(side)
  if type(side) == "table" then side = side.id end
  if side == nil then return "" end
  if type(side) == "number" and side % 1 == 0 then return ("%.0f"):format(side) end
  return printable(side)
end

-- The words for an error, and for what kind it is. Of a bad row, those of who read it.
local function reason(failed)
  local problem, err = failed.input.problem, failed.error or {}
  if problem then
    return "invalid_input", problem.column and ("column %s: %s"):format(problem.column, problem.message)
      or problem.message
  end
  local category = err.category or (failed.outcome == "failed" and err.kind or failed.outcome)
  local message = err.message or "HubSpot gave no reason"
  if err.field then message = err.field .. ": " .. message end
  return category, message
end

---@class hubspot.associations.cli.FailedRow all text, but for the line
---@field line integer
---@field from string
---@field to string
---@field type string
---@field outcome string
---@field category string
---@field message string
---@field is_bad boolean whether nothing was asked of HubSpot

---@param failed table { input, outcome, error }, as a job's on_failure has it
---@param category string the category of types that are a number only
---@return hubspot.associations.cli.FailedRow
function failure.describe(failed, category)
  local input = failed.input
  local known = input.problem and (input.problem.row or {}) or input
  local kind, message = reason(failed)
  return {
    line = input.line,
    from = id_text(known.from),
    to = id_text(known.to),
    type = known.type or association_types.write(known.types, category),
    outcome = failed.outcome,
    category = printable(kind),
    message = printable(message),
    is_bad = input.problem ~= nil or failed.error ~= nil and failed.error.kind == "invalid_input",
  }
end

return failure
