-- The report of a sync: counts outcomes, keeps or passes on failures, and knows why the sync stops.

local reporting = require "hubspot.associations.job.reporting"

local tally = {}

---@class hubspot.associations.SyncReport
---@field phase "reading"|"comparing"|"creating"|"removing"|"done" what it does now
---@field inputs integer rows of the source; or lines of an applied plan that create
---@field removals integer links that are to be removed, and unlabeled types that are kept instead
---@field kept integer there already; and unlabeled types that are kept, as their pair keeps another
---@field created integer rows whose types HubSpot confirmed
---@field removed integer HubSpot accepted the removal, or the link was gone already
---@field failed integer as in a job
---@field unconfirmed integer as in a job
---@field not_sent integer as in a job
---@field resumed integer how many of them have their outcome from the journal
---@field protected integer records of which nothing is removed, as they have a row that is doubtful
---@field removals_off string|nil why nothing is removed at all
---@field planned hubspot.associations.SyncPlan|nil what the plan says
---@field compared integer records that were read and compared
---@field requests integer all of them, look-ups included
---@field reads_again integer those that read again before a change
---@field retries integer those that repeated an earlier one
---@field elapsed number seconds
---@field failures hubspot.associations.Failure[]|nil nil when `on_failure` was given them
---@field failures_dropped integer|nil how many were beyond `max_failures`
---@field event_error any what `on_event` raised last

---@class hubspot.associations.sync.Tally: hubspot.associations.Reporter
---@field report hubspot.associations.SyncReport
---@field error hubspot.associations.Error|nil why the sync stops
local Tally = {}
Tally.__index = Tally
for name, method in pairs(reporting) do Tally[name] = method end

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

---@param outcome string
---@param count integer
function Tally:count(outcome, count)
  self.report[outcome] = self.report[outcome] + count
end

---Counts and reports one failure.
---@param failure table { index, input, outcome, error, action }
---@return boolean goes_on
function Tally:fail(failure)
  self:report_failure(failure)
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
