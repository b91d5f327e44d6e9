-- The attempts at one request, of a single call or of a job: how often it was sent, whether it may have been
-- done, when it may be sent again, and the error of all attempts. Pure: time is passed in.

local retryable = require "hubspot.associations.policy.retryable"

local attempts = {}

---@class hubspot.associations.Policy shared by all requests of a client
---@field retry hubspot.associations.Retry
---@field limiter hubspot.associations.Limiter

---@class hubspot.associations.ReceivedInfo what the session knows of a response, or of a failure
---@field status integer|nil
---@field correlation_id string|nil
---@field rate_limit hubspot.associations.RateLimit|nil
---@field http_version string|nil
---@field is_new_token boolean|nil whether the token was rejected, and there is a new one
---@field connection_ended boolean|nil whether the server only ended the connection: another is worth a try at
---  once
---@field event_error any what on_event raised

---@class hubspot.associations.Attempts
---@field count integer how often it was sent
---@field counted_failures integer how many failures count against max_attempts
---@field began number|nil when it was first sent, or when the call began
---@field sent_at number|nil when it was last sent
---@field not_before number the earliest time to send it again
---@field failing_since number|nil when an attempt first failed
---@field may_be_done boolean whether HubSpot may have processed it although no response says so
---@field went_out boolean whether any part of it was sent, in any attempt
---@field has_new_token boolean whether it was sent again for a new token
---@field ticket table|nil the limiter's, while it is in flight
local Attempts = {
  count = 0, counted_failures = 0, not_before = 0, -- until an attempt is made
  may_be_done = false, went_out = false, has_new_token = false,
}
Attempts.__index = Attempts

---@param parent hubspot.associations.Attempts|nil of an earlier request with these inputs and more
---@return hubspot.associations.Attempts
function attempts.new(parent)
  -- The table has room for what `sent` sets: a request that succeeds at once needs no more.
  local self = setmetatable({ count = 0, began = nil, sent_at = nil, ticket = nil }, Attempts)
  if parent then self.may_be_done, self.went_out = parent.may_be_done, parent.went_out end
  return self
end

---Takes note that the request is sent.
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

---Takes note that HubSpot accepted the request, if only for some of its inputs.
---@param policy hubspot.associations.Policy
---@param now number
---@param info hubspot.associations.ReceivedInfo
function Attempts:succeeded(policy, now, info)
  settle(self, policy, now, nil, info)
  policy.retry:succeeded()
end

---Takes note that an attempt failed, or could not begin, and adds to its error what is true of all attempts
---so far.
---@param policy hubspot.associations.Policy
---@param now number
---@param err hubspot.associations.Error
---@param info hubspot.associations.ReceivedInfo
function Attempts:failed(policy, now, err, info)
  local was_sent = self.ticket ~= nil
  settle(self, policy, now, err, info)
  self.failing_since = self.failing_since or now
  if was_sent and err.sent ~= false then policy.retry:reached() end
  if was_sent and retryable.may_have_been_done(err) then self.may_be_done = true end
  self.went_out = self.went_out or was_sent and err.sent ~= false
  if self.went_out then err.sent = nil end
  err.retryable = info.is_new_token or retryable.is_retryable(err)
  err.attempts, err.elapsed = self.count, now - (self.began or now)
  err.rate_limit, err.event_error = info.rate_limit, info.event_error
end

---Decides after `failed` whether the request is sent again, and when: takes the new token or a part of the
---budget for it.
---@param policy hubspot.associations.Policy
---@param now number
---@param err hubspot.associations.Error
---@param info hubspot.associations.ReceivedInfo
---@return number|nil delay seconds; nil when it is not sent again
function Attempts:plan_retry(policy, now, err, info)
  local delay
  if info.is_new_token and not self.has_new_token then -- at once, and only once
    self.has_new_token, delay = true, 0
  else
    if retryable.counts(err) then self.counted_failures = self.counted_failures + 1 end
    delay = policy.retry:after(err, self.counted_failures, now - (self.began or now), info.connection_ended)
  end
  if delay then self.not_before = now + delay end
  return delay
end

return attempts
