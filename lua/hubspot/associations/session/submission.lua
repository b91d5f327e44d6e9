-- One request, from its first attempt to its result: sends it, again as often as the options allow and its
-- errors require, in steps that never wait. A call (call.lua) waits between the steps; a job steps what it
-- asks for beside its chunks (job/runner.lua).

local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local attempts = require "hubspot.associations.policy.attempts"

---@class hubspot.associations.Submission
---@field request table
---@field attempts hubspot.associations.Attempts
local Submission = {}
Submission.__index = Submission

local submission = {}

---@param session hubspot.associations.Session
---@param request table { method, path, body, is_repeatable = false where it is not sent again once HubSpot
---  may have done it }
---@param reader string the endpoint's field `response`
---@param caller hubspot.associations.Caller whose share of the rate limit it takes
---@param info table gets `event_error`, what on_event raised
---@return hubspot.associations.Submission
function submission.new(session, request, reader, caller, info)
  local state = attempts.new()
  state.began = core.now()
  return setmetatable({
    session = session,
    request = request,
    reader = reader,
    caller = caller,
    info = info,
    attempts = state,
    exchange = nil, -- while a response is awaited
    is_limited = false, -- whether it waits for the rate limit, and on_event knows
    is_asked = false, -- whether a budget was asked for leave to send: its reply may end the wait sooner
  }, Submission)
end

-- After a failed attempt: when to try again.
local function fail(self, err, received)
  local state, policy, now = self.attempts, self.session.policy, core.now()
  state:failed(policy, now, err, received)
  if self.request.is_repeatable == false and state.may_be_done then
    err.may_be_done, err.retryable = true, false
    return true, nil, err
  end
  local delay = state:plan_retry(policy, now, err, received)
  if not delay then return true, nil, err end
  self.session.events:retry(self.info, err, delay, state.count)
  return false, delay
end

-- Reads the response, if it is there.
local function receive(self)
  if not self.exchange.transfer:done() then return false end
  local raw, err, received = self.session:receive(self.exchange)
  self.exchange = nil
  local result
  if raw then
    result, err = responses.read(raw, self.reader)
    responses.release(raw)
  end
  if not result then return fail(self, err, received) end
  self.attempts:succeeded(self.session.policy, core.now(), received)
  return true, result, nil, received
end

-- Seconds until the request may be sent, 0: now; or nil and an error if that is too long.
local function pause(self, now)
  local state, policy = self.attempts, self.session.policy
  self.is_asked = false
  if state.not_before > now then return state.not_before - now end
  local delay, is_asked = policy.limiter:delay(now, self.caller, self)
  if delay == 0 then return 0 end
  self.is_asked = is_asked or false
  if is_asked then return delay end
  if not self.is_limited then self.session.events:wait(self.info, delay) end
  self.is_limited = true
  local err = policy.retry:too_long(delay, now - state.began)
  if err then return nil, err end
  return delay
end

local function send(self)
  local session, state = self.session, self.attempts
  if not session:is_closed() then -- else `submit` says so
    local delay, err = pause(self, core.now())
    if err then return fail(self, err, { event_error = self.info.event_error }) end
    if delay > 0 then return false, delay end
  end
  self.is_limited = false
  local exchange, err, received = session:submit(self.request, state.count + 1, self.info)
  if not exchange then return fail(self, err, received) end
  self.exchange = exchange
  state:sent(session.policy, core.now(), self.caller)
  session.wakeups:step(exchange.transfer)
  return receive(self)
end

---Does what can be done now.
---@return boolean done
---@return table|number|nil the result, if it is done and there is one; or the seconds until there is
---  something to do, nil: until the response comes
---@return hubspot.associations.Error|nil err why there is no result
---@return hubspot.associations.ReceivedInfo|nil received what is known of the response, beside the result
function Submission:step()
  if self.exchange then return receive(self) end
  return send(self)
end

---What the response is awaited from, if it is.
---@return userdata|nil core's request
function Submission:transfer()
  return self.exchange and self.exchange.transfer
end

---Whether a response is awaited.
---@return boolean
function Submission:is_in_flight()
  return self.exchange ~= nil
end

---Drops it.
function Submission:close()
  if self.exchange then self.exchange.transfer:close() end
end

return submission
