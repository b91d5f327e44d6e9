-- The first removals of a sync that did not succeed, for the report. They are no rows of FILE: in the file of
-- failures, which is given to the command again, they would be links to create.

local explanation = require "hubspot.associations.explanation"
local terminal = require "hubspot.associations.cli.output.terminal"

local SHOWN = 20

---@class hubspot.associations.cli.RemovalFailures
---@field count integer of all that were added
local RemovalFailures = {}
RemovalFailures.__index = RemovalFailures

local removal_failures = {}

---@return hubspot.associations.cli.RemovalFailures
function removal_failures.new()
  return setmetatable({ count = 0, shown = {} }, RemovalFailures)
end

---@param failed table { input, outcome, error }, as in on_failure
function RemovalFailures:add(failed)
  if failed.outcome == "not_sent" and not failed.error then return end
  self.count = self.count + 1
  if self.count > SHOWN then return end
  local reason = failed.error and explanation.words(failed.error) or "HubSpot gave no reason"
  self.shown[self.count] = ("the link from %s to %s was not removed: %s"):format(
    failed.input.from, failed.input.to, terminal.one_line(reason))
end

---@return string[] lines
function RemovalFailures:lines()
  local lines = {}
  for index, line in ipairs(self.shown) do lines[index] = line end
  if self.count > SHOWN then lines[#lines + 1] = ("and %d more"):format(self.count - SHOWN) end
  return lines
end

return removal_failures
