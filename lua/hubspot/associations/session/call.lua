-- One call: a request to its end, while the caller waits.

local core = require "hubspot.associations.core"
local submissions = require "hubspot.associations.session.submission"

---@class hubspot.associations.CallInfo what a call returns together with its result
---@field status integer 200, 201, 207, …
---@field attempts integer how often the request was sent
---@field elapsed number seconds
---@field correlation_id string|nil HubSpot's support asks for it
---@field rate_limit hubspot.associations.RateLimit|nil from the response headers
---@field http_version string such as `"2"`
---@field event_error any what `on_event` raised

---@param session hubspot.associations.Session
---@param request table see submission.lua
---@param reader string the endpoint's field `response`
---@return table|nil result
---@return hubspot.associations.CallInfo|hubspot.associations.Error
local function call(session, request, reader)
  local wakeups = session.wakeups
  local info = { -- sized for all its fields: a table that grows with each costs more
    status = nil, attempts = nil, elapsed = nil, correlation_id = nil, rate_limit = nil, http_version = nil,
    event_error = nil,
  }
  local submission = submissions.new(session, request, reader, "call", info)
  local done, detail, err, received = submission:step()
  while not done do
    if detail and not submission.is_asked then
      wakeups:sleep(detail)
    else
      wakeups:wait(detail, submission:transfer())
    end
    done, detail, err, received = submission:step()
  end
  wakeups:end_work()
  if type(request.body) == "userdata" then request.body:free() end -- the collector does not see its size
  if err then return nil, err end
  local attempts = submission.attempts
  info.status, info.http_version = received.status, received.http_version
  info.correlation_id, info.rate_limit = received.correlation_id, received.rate_limit
  info.attempts, info.elapsed = attempts.count, core.now() - attempts.began
  return detail, info
end

return call
