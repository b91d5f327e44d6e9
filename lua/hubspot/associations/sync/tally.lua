-- The report of a sync: counts outcomes, keeps or passes on failures, and knows why the sync stops.

local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"

local tally = {}

---@class hubspot.associations.SyncReport
---@field phase "reading"|"comparing"|"creating"|"removing"|"done" what it does now
---@field inputs integer rows of the source; or lines of an applied plan that create
---@field removals integer links that are to be removed, and unlabeled types that are kept instead
---@field kept integer there already; and unlabeled types that are kept, as their pair keeps another
---@field created integer rows whose types HubSpot confirmed
---@field removed integer HubSpot accepted the removal, or the link was gone already
---@field failed integer
---@field unconfirmed integer
---@field not_sent integer with the five before, these add up to inputs + removals
---@field resumed integer how many of them have their outcome from the journal
---@field protected integer records of which nothing is removed, as they have a row that is doubtful
---@field removals_off string|nil why nothing is removed at all
---@field planned table|nil what the plan says: { creations, removals, kept, failed, protected, in_scope }
---@field compared integer records that were read and compared
---@field requests integer all of them, look-ups included
---@field reads_again integer those that read again before a change
---@field retries integer
---@field elapsed number seconds
---@field failures table[]|nil { index, input, outcome, error, action = "remove" for a removal }
---@field failures_dropped integer|nil
---@field event_error any what on_event raised last

---@class hubspot.associations.sync.Tally
---@field report hubspot.associations.SyncReport
---@field error hubspot.associations.Error|nil why the sync stops
local Tally = {}
Tally.__index = Tally

---@param given table { on_failure, max_failures }
---@return hubspot.associations.sync.Tally
function tally.new(given)
  return setmetatable({
    on_failure = given.on_failure, max_failures = given.max_failures, error = nil,
    report = {
      phase = "reading", inputs = 0, removals = 0, kept = 0, created = 0, removed = 0, failed = 0,
      unconfirmed = 0, not_sent = 0, resumed = 0, protected = 0, compared = 0, requests = 0, retries = 0,
      reads_again = 0, elapsed = 0, failures = not given.on_failure and {} or nil,
    },
  }, Tally)
end

---@param err hubspot.associations.Error
function Tally:stop(err)
  self.error = self.error or err
end

---@param outcome string
---@param count integer
function Tally:count(outcome, count)
  self.report[outcome] = self.report[outcome] + count
end

---Calls a function of the caller; one that raises, or returns false, stops the sync.
---@param callback function
---@param argument table
function Tally:call(callback, argument)
  if self.raised then return end
  local called, result = pcall(callback, argument)
  if not called then
    self.raised = true
    self:stop(errors.new { kind = "callback", message = "a callback raised: " .. one_line(result) })
  elseif result == false then
    self:stop(errors.new { kind = "canceled", message = "a callback ended the job" })
  end
end

---Counts and reports one failure.
---@param failure table { index, input, outcome, error, action }
---@return boolean goes_on
function Tally:fail(failure)
  local report = self.report
  self:count(failure.outcome, 1)
  if self.on_failure then
    self:call(self.on_failure, failure)
  elseif #report.failures < self.max_failures then
    report.failures[#report.failures + 1] = failure
  else
    report.failures_dropped = (report.failures_dropped or 0) + 1
  end
  return self.error == nil
end

---What has no outcome was not sent.
function Tally:close()
  local report = self.report
  local settled = report.kept + report.created + report.removed + report.failed + report.unconfirmed
    + report.not_sent
  report.not_sent = report.not_sent + report.inputs + report.removals - settled
end

return tally
