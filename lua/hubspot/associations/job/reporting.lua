-- How what came of inputs reaches the caller, and why that ends a job: methods of what has a report, a job
-- (job.lua) or a sync (sync/tally.lua).

local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"

---@class hubspot.associations.Reporter
---@field report table
---@field error hubspot.associations.Error|nil why it stops
---@field on_failure function|nil
---@field max_failures integer how many failures the report keeps, where there is no on_failure
---@field callback_raised boolean|nil true: none is called any more
local reporting = {}

---Nothing new is sent from here on. Requests in flight complete.
---@param err hubspot.associations.Error
function reporting:stop(err)
  self.error = self.error or err
end

---Calls a callback of the caller. One that raises, or returns false, stops the job.
---@param callback function
---@param argument any
---@return boolean goes_on whether it neither raised nor ended the job
function reporting:call(callback, argument)
  if self.callback_raised then return false end
  local called, result = pcall(callback, argument)
  if not called then
    self.callback_raised = true
    self:stop(errors.new { kind = "callback", message = "a callback raised: " .. one_line(result) })
  elseif result == false then
    self:stop(errors.new { kind = "canceled", message = "a callback ended the job" })
  end
  return called and result ~= false
end

---Counts a failure, and gives it to on_failure or keeps it.
---@param failure table { index, input, outcome, error }
function reporting:report_failure(failure)
  local report = self.report
  report[failure.outcome] = report[failure.outcome] + 1
  if self.on_failure then
    self:call(self.on_failure, failure)
  elseif #report.failures < self.max_failures then
    report.failures[#report.failures + 1] = failure
  else
    report.failures_dropped = (report.failures_dropped or 0) + 1
  end
end

return reporting
