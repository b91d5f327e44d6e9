-- When a failed request is sent again: after an exponential backoff with full jitter, never sooner than
-- Retry-After, limited by a number of attempts, a deadline, and a budget that all requests of a client share.
-- Pure: time and randomness are passed in. retryable.lua says which failures may be temporary.

local errors = require "hubspot.associations.errors"
local retryable = require "hubspot.associations.policy.retryable"

local retry = {}

local BASE, LONGEST = 1, 60 -- seconds: the first and the last ceiling of the backoff

-- The budget: a retry takes some of it, a success returns some. In an outage it is used up, and requests fail
-- at once instead of adding to the load.
local BUDGET, COST, COST_OF_TIMEOUT, REFUND = 500, 5, 10, 1

-- The minimum delay that HubSpot's documentation asks for, in seconds; Retry-After may ask for more.
local LEAST_DELAY = { [423] = 2, [502] = 2, [504] = 2 }

local HTTP2_FRAMING = 16 -- libcurl's code

-- Seconds after which a host that cannot be reached is not tried again, until it has been reached once: it
-- is more likely a wrong address than an outage. Enough for a service or a network that is just starting.
local FIRST_CONTACT = 5

-- libcurl's codes of a host that was not reached: the proxy's name or its own could not be resolved, it
-- refused, or it took too long.
local UNREACHED = { [5] = true, [6] = true, [7] = true, [28] = true }

---@class hubspot.associations.Retry shared by all requests of a client
---@field max_attempts integer
---@field deadline number seconds for all attempts of one request
---@field random fun(): number in [0, 1)
---@field budget number what is left of it
---@field is_unknown_host boolean whether it was never reached, and the user did not say how long to try
local Retry = {}
Retry.__index = Retry

---@param limits { max_attempts: integer, retry_deadline: number, is_patient: boolean|nil } is_patient:
---  whether the user gave one of them
---@param random fun(): number in [0, 1)
---@return hubspot.associations.Retry
function retry.new(limits, random)
  return setmetatable({
    max_attempts = limits.max_attempts,
    deadline = limits.retry_deadline,
    random = random,
    budget = BUDGET,
    is_unknown_host = not limits.is_patient,
  }, Retry)
end

---How long to wait before the next attempt.
---@param attempts integer how many failed
---@param err table|nil what the attempt failed with
---@param connection_ended boolean|nil whether the server only ended the connection
---@return number seconds
function Retry:backoff(attempts, err, connection_ended)
  -- A server about to close a connection leaves requests unprocessed (GOAWAY), or breaks it off: a new
  -- connection will probably work. Only once: a server that goes on like this has a problem.
  if attempts == 1 and err and (connection_ended or err.curl_code == HTTP2_FRAMING) then return 0 end
  local ceiling = math.min(LONGEST, BASE * 2 ^ math.max(0, attempts - 1))
  local least = err and (err.retry_after or LEAST_DELAY[err.status]) or 0
  return math.max(least, self.random() * ceiling)
end

-- What a retry takes from the budget. Nothing if the server only ended the connection: it has no problem, and
-- one that accepts few requests per connection would use up the budget of a healthy job.
local function cost_of(err, connection_ended)
  if connection_ended or not retryable.counts(err) then return 0 end
  return err.kind == "timeout" and COST_OF_TIMEOUT or COST
end

-- Seconds for all attempts of a request that failed.
local function deadline_of(self, err)
  local is_unreached = self.is_unknown_host and err.sent == false and UNREACHED[err.curl_code]
  return is_unreached and math.min(FIRST_CONTACT, self.deadline) or self.deadline
end

---Whether another attempt follows a failed one, and when.
---@param err table
---@param attempts integer how many failed and count
---@param elapsed number seconds since the first attempt began
---@param connection_ended boolean|nil whether the server only ended the connection
---@return number|nil delay seconds until the next attempt; nil when there is none
---@return string|nil limit that forbids it: "attempts", "deadline" or "budget"; nil if the error forbids it
function Retry:after(err, attempts, elapsed, connection_ended)
  local deadline = deadline_of(self, err)
  if not retryable.is_retryable(err) then return nil end
  if attempts >= self.max_attempts or self.max_attempts == 1 then return nil, "attempts" end
  local delay = self:backoff(attempts, err, connection_ended)
  if elapsed + delay > deadline then return nil, "deadline" end
  local cost = cost_of(err, connection_ended)
  if self.budget < cost then return nil, "budget" end
  self.budget = self.budget - cost
  return delay
end

---The error of a wait for the rate limit that would exceed the deadline; nil when it would not.
---@param delay number seconds
---@param elapsed number seconds that have passed of the deadline
---@return hubspot.associations.Error|nil
function Retry:too_long(delay, elapsed)
  if elapsed + delay <= self.deadline then return nil end
  return errors.new {
    kind = "rate_limited",
    message = ("the rate limit allows no request for %.0f seconds"):format(delay),
    retry_after = delay,
    retryable = true,
  }
end

---Takes note that the host is there: a request went out to it, whatever became of that.
function Retry:reached()
  self.is_unknown_host = false
end

---Takes note that a request succeeded.
function Retry:succeeded()
  self:reached()
  self.budget = math.min(BUDGET, self.budget + REFUND)
end

return retry
