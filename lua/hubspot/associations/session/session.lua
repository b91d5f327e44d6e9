-- One request and its answer over a client's transport, with the token, the events, and what the token
-- provider and the limiter have to know of it. The only file besides the loops that touches a transport.

local answer = require "hubspot.associations.api.response"
local blocking = require "hubspot.associations.loop.blocking"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local limiter = require "hubspot.associations.policy.limiter"
local proxies = require "hubspot.associations.session.proxy"
local redact = require "hubspot.associations.text.redact"
local retry = require "hubspot.associations.policy.retry"
local retryable = require "hubspot.associations.policy.retryable"
local tokens = require "hubspot.associations.session.token"
local trust = require "hubspot.associations.session.trust"

---@class hubspot.associations.Connection
---@field limiter hubspot.associations.Limiter
---@field retry hubspot.associations.Retry
---@field closed boolean
local Connection = {}
Connection.__index = Connection

local connection = {}

-- Seconds after which those who let their time go by are woken again. Never at once: others wait here, too.
local REMINDER = 0.005

-- Seconds of work that those who wait may do together in one turn of the host's.
local LONGEST_TURN = 0.003

local NEXT_TURN = 0.001 -- seconds to wait for it, where the descriptor is not readable sooner

local NAP = 0.01 -- seconds, where there is nothing to wait for

local USER_AGENT = table.concat {
  "hubspot-associations/", core.VERSION, " (", _VERSION, "; libcurl/", core.LIBCURL_VERSION, ")",
}

---@param options hubspot.associations.Options checked ones
---@return hubspot.associations.Connection|nil
---@return hubspot.associations.Error|nil
function connection.open(options)
  local token, err = tokens.from(options.token)
  if not token then return nil, err end
  options.token = nil -- it lives in the closures of `token` from here on
  local trusted = trust.of(options)
  local transport, failure = core.transport {
    proxy = options.proxy,
    ca_file = trusted.ca_file,
    ca_path = trusted.ca_path,
    keep_default_ca = trusted.keep_default_ca,
    http_version = options.http_version,
  }
  local proxy = proxies.of(options.proxy)
  options.proxy = nil -- for its password's sake
  if not transport then return nil, errors.new(failure) end
  return setmetatable({
    proxy = proxy,
    options = options,
    base_url = options.base_url:gsub("/+$", ""),
    is_plain = options.base_url:find "^[hH][tT][tT][pP]:" ~= nil, -- on this machine: never through a proxy
    user_agent = options.user_agent and USER_AGENT .. " " .. options.user_agent or USER_AGENT,
    token = token,
    trust = trusted,
    transport = transport,
    limiter = limiter.new(options.rate),
    retry = retry.new(options, math.random),
    loop = options.loop or blocking,
    -- Waits and jobs under way -> when each is to be woken, whatever comes. One that is forgotten goes.
    users = setmetatable({}, { __mode = "k" }),
    alarm = math.huge, -- when the transport wakes the soonest of them
    closed = false,
    turn = 0, -- counts the host's
    worked = 0, -- seconds, in this turn
    resumed = nil, -- when the one that works now began
  }, Connection)
end

---Ends all requests and connections. The descriptor stays, readable, until the last of its users has seen it:
---one that is closed wakes nobody.
function Connection:close()
  self.closed = true
  self.transport:shutdown()
  if next(self.users) == nil then self.transport:close() end
end

---Tells that `user`, a wait or a job, has done with the connection.
---@param user table
function Connection:leave(user)
  self.users[user] = nil
  if self.closed and next(self.users) == nil then self.transport:close() end
end

---Counts `user`, a wait or a job, among those that use the connection, until it leaves; and makes the
---descriptor readable in so many seconds for its sake, until it says otherwise.
---@param user table
---@param seconds number|nil nil for never
function Connection:use(user, seconds)
  local deadline = seconds and core.now() + seconds or math.huge
  self.users[user] = deadline
  self.alarm = math.min(self.alarm, deadline)
  if seconds then self.transport:wake(seconds) end
end

-- A step uses up the wake that was due, which may have been another's.
local function set_alarm(self, now)
  self.alarm = math.huge
  for _, deadline in pairs(self.users) do self.alarm = math.min(self.alarm, deadline) end
  if self.alarm == math.huge then return end
  self.alarm = math.max(self.alarm, now + REMINDER)
  self.transport:wake(self.alarm - now)
end

---Does what is ready; never waits.
function Connection:step()
  self.transport:step()
  local now = core.now()
  if now >= self.alarm then set_alarm(self, now) end
end

local function suspend(self, timeout)
  local fd = self.transport:fd()
  if fd >= 0 then
    self.loop.wait(fd, timeout)
  elseif not self.closed then
    core.poll(nil, NAP) -- a forked child without a descriptor left: there may be one soon
  end
end

---Tells that the work which came of a wait is done.
function Connection:rest()
  if self.resumed then self.worked = self.worked + core.now() - self.resumed end
  self.resumed = nil
end

---Waits until the transport has something to do, or `timeout` seconds have passed, and lets it do it.
---
---A host resumes all who wait in one turn, and each may have work to do. Once that has taken LONGEST_TURN
---together, the others wait for the next turn, which begins with the first of them to come back.
---@param timeout number|nil
function Connection:wait(timeout)
  local wait = {}
  self:rest()
  self:use(wait, timeout)
  suspend(self, timeout)
  self:rest()
  while self.worked > LONGEST_TURN do
    local turn = self.turn
    self:use(wait, 0)
    suspend(self, NEXT_TURN)
    self:rest()
    if self.turn == turn then self.turn, self.worked = turn + 1, 0 end
  end
  self:leave(wait)
  self.resumed = core.now()
  self:step()
end

---@return hubspot.associations.Error
function connection.closed()
  return errors.new { kind = "closed", message = "the client is closed", sent = false, retryable = false }
end

---Tells on_event. It is for logs and metrics: what it raises must not cost an answer.
---@param sink table gets `event_error`, what it raised
---@param event table
function Connection:emit(sink, event)
  if not self.options.on_event then return end
  local told, raised = pcall(self.options.on_event, event)
  if not told then sink.event_error = raised end
end

local function headers(self, token)
  return {
    "Authorization: Bearer " .. token,
    "Content-Type: application/json",
    "Accept: application/json",
    "User-Agent: " .. self.user_agent,
  }
end

---@class hubspot.associations.Flight a request under way
---@field request userdata core's
---@field token fun(): string what it was made with; no table that can be printed holds it
---@field attempt integer
---@field sink table

local function unusable(refusal)
  return errors.new {
    kind = "network", reason = "proxy", message = refusal, sent = false, retryable = false,
  }
end

---Sends a POST with a JSON body.
---@param path string
---@param body string
---@param attempt integer which attempt this is, for the events
---@param sink table gets `event_error`
---@return hubspot.associations.Flight|nil
---@return hubspot.associations.Error|nil
function Connection:send(path, body, attempt, sink)
  if self.closed then return nil, connection.closed() end
  local token, err = self.token.get()
  if not token then return nil, err end
  if self.proxy.refusal and not self.is_plain then return nil, unusable(self.proxy.refusal) end
  local url = self.base_url .. path
  self:emit(sink, { type = "request", method = "POST", url = url, attempt = attempt, bytes = #body })
  if self.closed then return nil, connection.closed() end -- by the token function, or by on_event
  local request, failure = self.transport:submit {
    method = "POST",
    url = url,
    headers = headers(self, token),
    body = body,
    timeout = self.options.timeout,
    connect_timeout = self.options.connect_timeout,
  }
  if not request then return nil, errors.new(failure) end
  local function sent_token() return token end
  return { request = request, token = sent_token, attempt = attempt, sink = sink }
end

-- Whether the request was refused for its token, and there is another one now.
local function renewed(self, flight, err)
  if err.kind ~= "unauthorized" then return false end
  local is_new, failure = self.token.renew(flight.token())
  if failure then
    failure.cause = err
    return false, failure
  end
  return is_new
end

local function fail(self, flight, failure)
  if not self.is_plain then self.proxy.explain(failure) end
  failure.looked_up = nil
  failure.retryable = retryable.is_retryable(failure)
  failure.message = redact.text(self.trust:explain(failure), self.token.secrets(flight.token()))
  self:emit(flight.sink, {
    type = "failure",
    kind = failure.kind,
    message = failure.message,
    elapsed = failure.elapsed,
    attempt = flight.attempt,
  })
  return errors.new(failure)
end

-- What HubSpot's answer is: batch | nil, error. One that broke off behind its head is an answer where that is
-- enough: a refusal is one by its status, and a success by its JSON, when that is whole. Else: nil, nil.
local function read(response, failure, confirm)
  local is_success = response.status >= 200 and response.status < 300
  local batch = is_success and confirm and confirm(response.body)
  if batch then return batch end
  local decoded, err = answer.read(response, os.time())
  if failure and is_success and not decoded then return nil end
  return decoded, err
end

local function tell_response(self, flight, response, meta)
  self:emit(flight.sink, {
    type = "response",
    status = response.status,
    elapsed = response.elapsed,
    attempt = flight.attempt,
    bytes = #response.body,
    http_version = response.http_version,
    correlation_id = meta.correlation_id,
    rate_limit = answer.rate_limit(response.headers), -- its own: a handler may keep or change it
  })
end

---What came of a flight whose request is done.
---@param flight hubspot.associations.Flight
---@param confirm (fun(body: string): table|nil)|nil tells the batch of a success without decoding it
---@return table|nil batch
---@return hubspot.associations.Error|nil err with `renewed` set when it is worth sending again at once
---@return table meta { status, correlation_id, rate_limit, http_version }
function Connection:land(flight, confirm)
  local response, failure = flight.request:response()
  if not response then return nil, fail(self, flight, failure), {} end
  response.secrets = self.token.secrets(flight.token())
  local batch, err = read(response, failure, confirm)
  if not batch and not err then return nil, fail(self, flight, failure), {} end
  local meta = {
    status = response.status,
    correlation_id = answer.correlation_id(response),
    rate_limit = answer.rate_limit(response.headers),
    http_version = response.http_version,
  }
  tell_response(self, flight, response, meta)
  if err then
    local is_new, unavailable = renewed(self, flight, err)
    err = unavailable or err
    err.renewed = is_new or nil
    err.retryable = is_new or retryable.is_retryable(err)
  end
  if not err or err.kind ~= "unauthorized" then self.token.accepted(flight.token()) end
  return batch, err, meta
end

return connection
