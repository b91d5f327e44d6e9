-- POST …/usage/high-usage-report/{userId}: asks for a report that goes to the user by mail. The sandbox sends
-- none; the address is invented.

local rejection = require "hubspot.associations.sandbox.rejection"

local usage_report = {}

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function usage_report.handle(call)
  local user = call.parameters.userId
  if not user:find "^[1-9]%d*$" then return nil, rejection.invalid("No user has the id " .. user) end
  return {
    status = 200,
    body = ('{"userId":%s,"userEmail":"user-%s@sandbox.invalid","enqueueTime":"%s"}'):format(
      user, user, call.date),
  }
end

return usage_report
