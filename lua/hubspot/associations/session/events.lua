-- Reports requests and waits to `on_event`. That is for logs and metrics, so an error that it raises must not
-- fail the request.

local rate_limit = require "hubspot.associations.api.rate_limit"

local events = {}

---@class hubspot.associations.Event what `on_event` is told
---@field type "request"|"response"|"failure"|"wait"|"retry"|"budget" `failure`: no response came; `budget`:
---  a shared budget is away, is back, or has a lower rate than this process gave
---@field attempt integer|nil of all but `wait` and `budget`
---@field method string|nil of `request`, `response` and `failure`
---@field url string|nil of `request`, `response` and `failure`
---@field bytes integer|nil of `request` and `response`: of the body
---@field status integer|nil of `response`
---@field elapsed number|nil of `response` and `failure`: seconds
---@field http_version string|nil of `response`
---@field correlation_id string|nil of `response`
---@field rate_limit hubspot.associations.RateLimit|nil of `response`
---@field date number|nil of `response`: when it was sent, by the server's clock, in seconds since 1970
---@field kind string|nil of `failure` and `retry`
---@field message string|nil of `failure`
---@field delay number|nil of `wait`: seconds until the rate limit lets a request pass; of `retry`: until
---  the next attempt
---@field state "alone"|"shared"|"lowered"|nil of `budget`
---@field limit integer|nil of `budget`: requests that may be sent within `interval`
---@field interval number|nil of `budget`: seconds
---@field processes integer|nil of `budget` that is not away: how many share it
---@field error hubspot.associations.Error|nil of `budget` that is away: why

---@class hubspot.associations.Events
local Events = {}
Events.__index = Events

---@param on_event fun(event: hubspot.associations.Event)|nil the option
---@return hubspot.associations.Events
function events.new(on_event)
  return setmetatable({ on_event = on_event }, Events)
end

local function emit(self, info, event)
  local called, raised = pcall(self.on_event, event)
  if not called then info.event_error = raised end
end

---A request is about to be sent.
---@param info table gets `event_error`, what on_event raised, as in all methods
---@param method string
---@param url string
---@param attempt integer
---@param bytes integer of the body
function Events:request(info, method, url, attempt, bytes)
  if not self.on_event then return end
  emit(self, info, {
    type = "request",
    method = method,
    url = url,
    attempt = attempt,
    bytes = bytes,
  })
end

---A response came.
---@param exchange hubspot.associations.Exchange
---@param raw hubspot.associations.RawResponse
---@param received hubspot.associations.ReceivedInfo
function Events:response(exchange, raw, received)
  if not self.on_event then return end
  emit(self, exchange.info, {
    type = "response",
    method = exchange.method,
    url = exchange.url,
    status = raw.status,
    elapsed = raw.elapsed,
    attempt = exchange.attempt,
    bytes = #raw.body,
    http_version = raw.http_version,
    correlation_id = received.correlation_id,
    rate_limit = rate_limit.read(raw.headers), -- a copy: the handler may keep or change it
    date = rate_limit.date(raw.headers),
  })
end

---No response came.
---@param exchange hubspot.associations.Exchange
---@param err hubspot.associations.Error
function Events:failure(exchange, err)
  if not self.on_event then return end
  emit(self, exchange.info, {
    type = "failure",
    method = exchange.method,
    url = exchange.url,
    kind = err.kind,
    message = err.message,
    elapsed = err.elapsed,
    attempt = exchange.attempt,
  })
end

---A request waits for the rate limit.
---@param info table
---@param delay number seconds
function Events:wait(info, delay)
  if self.on_event then emit(self, info, { type = "wait", delay = delay }) end
end

---A request that failed is sent again later.
---@param info table
---@param err hubspot.associations.Error
---@param delay number seconds; an immediate retry (0) is not reported
---@param attempt integer the one that failed
function Events:retry(info, err, delay, attempt)
  if not self.on_event or delay <= 0 then return end
  emit(self, info, { type = "retry", kind = err.kind, delay = delay, attempt = attempt })
end

---The process has lost, or found again, what it shares its rate limit by; or others allow less than it gave.
---@param event table { type = "budget", state, limit, interval, processes, error }
function Events:budget(event)
  if not self.on_event then return end
  local info = {} -- of no call
  emit(self, info, {
    type = "budget",
    state = event.state,
    limit = event.limit,
    interval = event.interval,
    processes = event.processes,
    error = event.error,
  })
end

return events
