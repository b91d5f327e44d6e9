-- One call: sends a request, again as often as the options allow and its errors require, while the caller
-- waits.

local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local attempts = require "hubspot.associations.policy.attempts"

---@class hubspot.associations.CallInfo what a call returns together with its result
---@field status integer
---@field attempts integer
---@field elapsed number seconds
---@field correlation_id string|nil
---@field rate_limit hubspot.associations.RateLimit|nil
---@field http_version string
---@field event_error any what on_event raised

-- Waits until the rate limit allows the request. Returns nil, or an error if the wait would be too long.
local function wait_for_limit(session, state, info)
  local limiter, retry = session.policy.limiter, session.policy.retry
  local now = core.now()
  local delay = limiter:delay(now, "call", state)
  if delay > 0 then session.events:wait(info, delay) end
  while delay > 0 and not session:is_closed() do
    local err = retry:too_long(delay, now - state.began)
    if err then return err end
    session.wakeups:sleep(delay)
    now = core.now()
    delay = limiter:delay(now, "call", state)
  end
end

-- Makes one attempt. Returns the result, or nil and an error; and what is known of the response.
local function attempt(session, request, reader, state, info)
  local err = wait_for_limit(session, state, info)
  if err then return nil, err, { event_error = info.event_error } end
  local exchange, received
  exchange, err, received = session:submit(request, state.count + 1, info)
  if not exchange then return nil, err, received end
  state:sent(session.policy, core.now(), "call")
  session.wakeups:step()
  while not exchange.transfer:done() do session.wakeups:wait() end
  local raw, result
  raw, err, received = session:receive(exchange)
  if raw then result, err = responses.read(raw, reader) end
  session.wakeups:end_work()
  return result, err, received
end

---@param session hubspot.associations.Session
---@param request table { method, path, body, is_repeatable = false where it is not sent again once HubSpot
---  may have done it }
---@param reader string the endpoint's field `response`
---@return table|nil result
---@return hubspot.associations.CallInfo|hubspot.associations.Error
local function call(session, request, reader)
  local state, info = attempts.new(), {}
  state.began = core.now()
  while true do
    local result, err, received = attempt(session, request, reader, state, info)
    local now = core.now()
    if result then
      state:succeeded(session.policy, now, received)
      info.status, info.http_version = received.status, received.http_version
      info.correlation_id, info.rate_limit = received.correlation_id, received.rate_limit
      info.attempts, info.elapsed = state.count, now - state.began
      return result, info
    end
    state:failed(session.policy, now, err, received)
    if request.is_repeatable == false and state.may_be_done then
      err.may_be_done, err.retryable = true, false
      return nil, err
    end
    local delay = state:plan_retry(session.policy, now, err, received)
    if not delay then return nil, err end
    session.events:retry(info, err, delay, state.count)
    session.wakeups:sleep(delay)
  end
end

return call
