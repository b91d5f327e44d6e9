-- The request with which a job asks for the account's labels, as its source has names that are not known. In
-- steps that never wait; its attempts are those of every request.

local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local attempts = require "hubspot.associations.policy.attempts"

---@class hubspot.associations.LabelRequest
local LabelRequest = {}
LabelRequest.__index = LabelRequest

local label_request = {}

---@param session hubspot.associations.Session
---@param request table { method, path }
---@param info table gets `event_error`, what on_event raised
---@return hubspot.associations.LabelRequest
function label_request.new(session, request, info)
  local self = setmetatable({
    session = session, request = request, info = info, attempts = attempts.new(), exchange = nil,
    is_limited = false, -- whether it waits for the rate limit, and on_event knows
  }, LabelRequest)
  self.attempts.began = core.now()
  return self
end

-- After a failed attempt: when to try again.
local function fail(self, err, received)
  local state, policy, now = self.attempts, self.session.policy, core.now()
  state:failed(policy, now, err, received)
  local delay = state:plan_retry(policy, now, err, received)
  if not delay then return true, nil, err end
  self.session.events:retry(self.info, err, delay, state.count)
  return false, delay
end

local function receive(self)
  local raw, err, received = self.session:receive(self.exchange)
  self.exchange = nil
  local page
  if raw then page, err = responses.read(raw, "page") end
  if not page then return fail(self, err, received) end
  self.attempts:succeeded(self.session.policy, core.now(), received)
  return true, page
end

-- Waits for the rate limit. Returns the seconds to wait, 0 if none; or nil and an error.
local function limit_delay(self, now)
  local policy = self.session.policy
  local delay = policy.limiter:delay(now, "call", self)
  if delay == 0 then return 0 end
  local err = policy.retry:too_long(delay, now - self.attempts.began)
  if err then return nil, err end
  if not self.is_limited then self.session.events:wait(self.info, delay) end
  self.is_limited = true
  return delay
end

local function send(self)
  local state, now = self.attempts, core.now()
  if state.not_before > now then return false, state.not_before - now end
  local delay, err = limit_delay(self, now)
  if err then return true, nil, err end
  if delay > 0 then return false, delay end
  self.is_limited = false
  local received
  self.exchange, err, received = self.session:submit(self.request, state.count + 1, self.info)
  if not self.exchange then return fail(self, err, received) end
  state:sent(self.session.policy, core.now(), "call")
  self.session.wakeups:step()
  return false
end

---Does what can be done now.
---@return boolean done
---@return table|number|nil the response, if it is done and there is one; or the seconds until something is to
---  be done, nil: until the response comes
---@return hubspot.associations.Error|nil why there is no response
function LabelRequest:step()
  if not self.exchange then return send(self) end
  if self.exchange.transfer:done() then return receive(self) end
  return false
end

---Whether a response is awaited.
---@return boolean
function LabelRequest:is_in_flight()
  return self.exchange ~= nil
end

---Drops it, when the job breaks off.
function LabelRequest:close()
  if self.exchange then self.exchange.transfer:close() end
end

return label_request
