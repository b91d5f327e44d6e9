-- What is tried again, and when: exponential backoff with full jitter, never sooner than Retry-After,
-- within a number of attempts, a deadline, and a budget that all calls of a client share.
-- Pure: the clock and the luck come in.

local errors = require "hubspot.associations.errors"

local retry = {}

local BASE, LONGEST = 1, 60 -- seconds: the backoff's first ceiling, and its last

-- The budget: a retry takes some of it, a success brings some back. In an outage it runs dry, and calls
-- fail at once instead of adding to the load.
local BUDGET, COST, COST_OF_TIMEOUT, REFUND = 500, 5, 10, 1

local RETRYABLE_KIND = { network = true, timeout = true, decode = true, rate_limited = true }
local RETRYABLE_STATUS = { [408] = true, [409] = true, [423] = true, [429] = true, [477] = true }

-- Seconds that HubSpot asks to wait at least after these, where no Retry-After says more.
local LEAST_DELAY = { [423] = 2, [502] = 2, [504] = 2 }

-- libcurl's codes.
local SSL_CONNECT_ERROR, HTTP2_FRAMING = 35, 16

-- Refusals of a CONNECT that pass: the proxy is busy, or waited too long. All others of the client's kind
-- (407: wrong user or password; 403: not to this host) and redirections are the same the next time.
local RETRYABLE_PROXY_STATUS = { [408] = true, [425] = true, [429] = true }

-- A SOCKS proxy's refusals that are the same the next time, as libcurl numbers them (CURLproxycode). Others
-- are of the network behind it.
local PERMANENT_PROXY_CODE = {
  [1] = "it sent an address of a type that SOCKS does not have",
  [2] = "it speaks another version of SOCKS",
  [4] = "authentication by GSSAPI failed",
  [5] = "authentication by GSSAPI failed",
  [6] = "authentication by GSSAPI failed",
  [7] = "it found no identd",
  [8] = "identd names another user",
  [9] = "the host's name is too long",
  [10] = "the password is too long",
  [11] = "the user's name is too long",
  [12] = "it takes none of the ways to authenticate",
  [17] = "it does not know this type of address",
  [18] = "it does not know the command",
  [23] = "its rules do not allow the connection",
  [32] = "it wants another way to authenticate",
  [33] = "it refused user and password",
}

-- libcurl's codes for what the same request will always meet.
local PERMANENT_CURL_CODE = {
  [3] = "a URL that it cannot parse",
  [4] = "it is built without what is asked for",
  [67] = "user or password refused",
  [94] = "authentication failed",
}

-- Of a network failure: whether it is not of the network, but of what a proxy or libcurl will always refuse.
local function is_permanent(err)
  local status = err.proxy_status
  if status and status < 500 and not RETRYABLE_PROXY_STATUS[status] then return true end
  return err.reason == "proxy" or PERMANENT_PROXY_CODE[err.proxy_code] ~= nil
    or PERMANENT_CURL_CODE[err.curl_code] ~= nil
end

---Whether the same request may succeed later.
---@param err table
---@return boolean
function retry.is_retryable(err)
  if err.kind == "network" and is_permanent(err) then return false end
  if err.kind == "http" then return RETRYABLE_STATUS[err.status] or err.status >= 500 end
  if err.kind == "tls" then return err.curl_code == SSL_CONNECT_ERROR end -- a handshake cut short, too
  return RETRYABLE_KIND[err.kind] or false
end

local UNANSWERED = {
  network = true, tls = true, timeout = true, closed = true, decode = true, too_large = true,
}

---Whether HubSpot may have done what was asked, although no answer says so.
---@param err table
---@return boolean
function retry.may_have_been_done(err)
  local status = type(err.status) == "number" and err.status or 0 -- "error" in the error of a single input
  if err.kind == "http" then return status >= 500 or status == 408 end
  return UNANSWERED[err.kind] ~= nil and err.sent ~= false
end

---@class hubspot.associations.Retry
local Policy = {}
Policy.__index = Policy

---@param limits { max_attempts: integer, retry_deadline: number }
---@param random fun(): number in [0, 1)
---@return hubspot.associations.Retry
function retry.new(limits, random)
  return setmetatable({
    max_attempts = limits.max_attempts,
    deadline = limits.retry_deadline,
    random = random,
    budget = BUDGET,
  }, Policy)
end

---How long to wait for the `attempts`-th attempt's successor.
---@param attempts integer
---@param err table|nil what the attempt failed with
---@return number seconds
function Policy:backoff(attempts, err)
  -- A connection that the server is about to close refuses requests (GOAWAY), or breaks under them; a new one
  -- will probably do. Only once: a server that goes on like this is in trouble.
  if attempts == 1 and err and (err.again or err.curl_code == HTTP2_FRAMING) then return 0 end
  local ceiling = math.min(LONGEST, BASE * 2 ^ math.max(0, attempts - 1))
  local least = err and (err.retry_after or LEAST_DELAY[err.status]) or 0
  return math.max(least, self.random() * ceiling)
end

---Whether a failed attempt counts against `max_attempts`. One that the rate limit refused does not: that
---was no fault of the request's, and the wait for the limit is bounded by the deadline.
---@param err table
---@return boolean
function retry.counts(err)
  return err.kind ~= "rate_limited"
end

-- What a retry takes of the budget. Nothing, where the server only ended a connection: it is not in trouble,
-- and one that serves few requests on each would use up the budget of a sound job.
local function cost_of(err)
  if not retry.counts(err) or err.again then return 0 end
  return err.kind == "timeout" and COST_OF_TIMEOUT or COST
end

---What follows a failed attempt.
---@param err table
---@param attempts integer failed so far, of those that count
---@param elapsed number seconds since the first began
---@return number|nil delay seconds until the next; nil when there is none
---@return string|nil why "attempts", "deadline" or "budget"; nil where the error itself forbids it
function Policy:after(err, attempts, elapsed)
  if not retry.is_retryable(err) then return nil end
  if attempts >= self.max_attempts or self.max_attempts == 1 then return nil, "attempts" end
  local delay = self:backoff(attempts, err)
  if elapsed + delay > self.deadline then return nil, "deadline" end
  local cost = cost_of(err)
  if self.budget < cost then return nil, "budget" end
  self.budget = self.budget - cost
  return delay
end

---The error of a wait for the rate limit that is longer than all attempts may take; nil when it is not.
---@param delay number seconds
---@return hubspot.associations.Error|nil
function Policy:too_long(delay)
  if delay <= self.deadline then return nil end
  return errors.new {
    kind = "rate_limited",
    message = ("HubSpot lets nothing through for %.0f seconds"):format(delay),
    retry_after = delay,
    retryable = true,
  }
end

---Tells that a request succeeded.
function Policy:succeeded()
  self.budget = math.min(BUDGET, self.budget + REFUND)
end

return retry
