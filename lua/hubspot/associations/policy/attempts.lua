-- The attempts at one request, whether a single call or a job sends it: how often it was sent, what is known
-- of it, when it may be sent again, and what its error says. Pure: time is passed in.

local retryable = require "hubspot.associations.policy.retryable"

local attempts = {}

---@class hubspot.associations.Policy what the requests of one client have in common
---@field retry hubspot.associations.Retry
---@field limiter hubspot.associations.Limiter

---@class hubspot.associations.ReceivedInfo what a session knows of a request that it received, or did not
---  send
---@field status integer|nil
---@field correlation_id string|nil
---@field rate_limit hubspot.associations.RateLimit|nil
---@field http_version string|nil
---@field is_new_token boolean|nil whether the token was rejected, and there is another one now
---@field is_unprocessed boolean|nil whether the server ended the connection, and did nothing of the request
---@field event_error any what on_event raised

---@class hubspot.associations.Attempts
---@field count integer how often it was sent
---@field counted_failures integer how many of these failed for what counts against max_attempts
---@field began number|nil when it was first sent, or asked for
---@field sent_at number|nil when it was last sent
---@field not_before number when it may be sent again
---@field failing_since number|nil when an attempt failed first
---@field may_be_done boolean whether HubSpot may have done it although no response says so
---@field went_out boolean whether anything of it went out, in any attempt
local Attempts = {}
Attempts.__index = Attempts

---@param parent hubspot.associations.Attempts|nil those of a request that had the same inputs and more
---@return hubspot.associations.Attempts
function attempts.new(parent)
  return setmetatable({
    count = 0,
    counted_failures = 0,
    not_before = 0,
    may_be_done = parent ~= nil and parent.may_be_done,
    went_out = parent ~= nil and parent.went_out,
    has_new_token = false,
    ticket = nil, -- the limiter's, while it is under way
  }, Attempts)
end

---Tells that it is sent.
---@param policy hubspot.associations.Policy
---@param now number
---@param caller "call"|"job"
function Attempts:sent(policy, now, caller)
  self.count = self.count + 1
  self.began = self.began or now
  self.sent_at = now
  self.ticket = policy.limiter:sent(now, caller)
end

local function settle(self, policy, now, err, info)
  if not self.ticket then return end -- it was not sent
  policy.limiter:completed(self.ticket, now, info.rate_limit, err)
  self.ticket = nil
end

---Tells that HubSpot did as it was asked, or to some of its inputs.
---@param policy hubspot.associations.Policy
---@param now number
---@param info hubspot.associations.ReceivedInfo
function Attempts:succeeded(policy, now, info)
  settle(self, policy, now, nil, info)
  policy.retry:succeeded()
end

---Tells that an attempt failed, or could not begin; and completes its error, which becomes that of all
---attempts.
---@param policy hubspot.associations.Policy
---@param now number
---@param err hubspot.associations.Error
---@param info hubspot.associations.ReceivedInfo
function Attempts:failed(policy, now, err, info)
  local was_sent = self.ticket ~= nil
  settle(self, policy, now, err, info)
  self.failing_since = self.failing_since or now
  if was_sent and retryable.may_have_been_done(err) then self.may_be_done = true end
  self.went_out = self.went_out or was_sent and err.sent ~= false
  if self.went_out then err.sent = nil end
  err.retryable = info.is_new_token or retryable.is_retryable(err)
  err.attempts, err.elapsed = self.count, now - (self.began or now)
  err.rate_limit, err.event_error = info.rate_limit, info.event_error
end

---When it is sent again after `failed`.
---@param policy hubspot.associations.Policy
---@param now number
---@param err hubspot.associations.Error
---@param info hubspot.associations.ReceivedInfo
---@return number|nil delay seconds; nil when it is not
function Attempts:retry_delay(policy, now, err, info)
  local delay
  if info.is_new_token and not self.has_new_token then -- at once, and once
    self.has_new_token, delay = true, 0
  else
    if retryable.counts(err) then self.counted_failures = self.counted_failures + 1 end
    delay = policy.retry:after(err, self.counted_failures, now - (self.began or now), info.is_unprocessed)
  end
  if delay then self.not_before = now + delay end
  return delay
end

return attempts
