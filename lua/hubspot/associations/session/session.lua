-- The I/O of one client: sends requests with a token, and receives raw responses; with the events, the
-- renewal of the token, and the policy that all requests of the client share. Only this file and wakeups.lua
-- use a transport.

local rate_limit = require "hubspot.associations.api.rate_limit"
local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local blocking = require "hubspot.associations.loop.blocking"
local limiter = require "hubspot.associations.policy.limiter"
local retry = require "hubspot.associations.policy.retry"
local events = require "hubspot.associations.session.events"
local proxies = require "hubspot.associations.session.proxy"
local tokens = require "hubspot.associations.session.token"
local trust = require "hubspot.associations.session.trust"
local wakeups = require "hubspot.associations.session.wakeups"
local redact = require "hubspot.associations.text.redact"

---@class hubspot.associations.Session
---@field policy hubspot.associations.Policy
---@field wakeups hubspot.associations.Wakeups
---@field events hubspot.associations.Events
---@field transport userdata core's
---@field options hubspot.associations.Options those of the client, without token and proxy
---@field base_url string
---@field is_plain boolean whether that is http, which is sent through no proxy
---@field user_agent string
---@field token hubspot.associations.Tokens
---@field proxy table see proxy.lua
---@field trust table see trust.lua
local Session = {}
Session.__index = Session

local session = {}

local UNAUTHORIZED = 401

local USER_AGENT = table.concat {
  "hubspot-associations/", core.VERSION, " (", _VERSION, "; libcurl/", core.LIBCURL_VERSION, ")",
}

---@param options hubspot.associations.Options checked ones
---@return hubspot.associations.Session|nil
---@return hubspot.associations.Error|nil
function session.open(options)
  local token, err = tokens.from(options.token)
  if not token then return nil, err end
  options.token = nil -- from here on, it is kept only in the closures of `token`
  local trusted = trust.of(options)
  local transport, failure = core.transport {
    proxy = options.proxy,
    ca_file = trusted.ca_file,
    ca_path = trusted.ca_path,
    keep_default_ca = trusted.keep_default_ca,
    http_version = options.http_version,
  }
  local proxy = proxies.of(options.proxy)
  options.proxy = nil -- it may contain a password
  if not transport then return nil, errors.new(failure) end
  local self = setmetatable({
    proxy = proxy,
    options = options,
    base_url = options.base_url:gsub("/+$", ""),
    is_plain = options.base_url:find "^[hH][tT][tT][pP]:" ~= nil, -- loopback: never through a proxy
    user_agent = options.user_agent and USER_AGENT .. " " .. options.user_agent or USER_AGENT,
    token = token,
    trust = trusted,
    transport = transport,
    policy = { limiter = limiter.new(options.rate), retry = retry.new(options, math.random) },
    events = events.new(options.on_event),
    wakeups = wakeups.new(transport, options.loop or blocking),
  }, Session)
  if options.budget then self.policy.limiter = options.budget:join(self) end
  return self
end

---Ends all requests and connections.
function Session:close()
  self.wakeups:close()
end

---@return boolean
function Session:is_closed()
  return self.wakeups.is_closed
end

local function headers(self, token, body)
  return {
    "Authorization: Bearer " .. token,
    "Accept: application/json",
    "User-Agent: " .. self.user_agent,
    body and "Content-Type: application/json" or nil,
  }
end

---@class hubspot.associations.Connection where the requests of a client go, and through what; no secret
---@field base_url string that of the option
---@field version string of the API
---@field proxy string|nil without user and password; nil when there is none, or it cannot be used
---@field proxy_origin string|nil the option or environment variable that names it
---@field proxy_problem string|nil why it cannot be used
---@field ca_file string|nil the certificates to trust in place of libcurl's default
---@field ca_path string|nil the same as a directory
---@field ca_origin string|nil the option or environment variable that names them
---@field ca_problem string|nil why they cannot be used

---@return hubspot.associations.Connection
function Session:connection()
  local proxy = self.is_plain and {} or self.proxy.describe()
  local path, why = self.trust:problem()
  return {
    base_url = self.base_url,
    version = self.options.version,
    proxy = proxy.url,
    proxy_origin = proxy.origin,
    proxy_problem = proxy.problem,
    ca_file = self.trust.ca_file,
    ca_path = self.trust.ca_path,
    ca_origin = self.trust.origin,
    ca_problem = path and path .. ": " .. why,
  }
end

---@return hubspot.associations.Error
function session.closed()
  return errors.new { kind = "closed", message = "the client is closed", sent = false, retryable = false }
end

local function unusable(reason)
  return errors.new {
    kind = "network", reason = "proxy", message = reason, sent = false, retryable = false,
  }
end

local function not_sent(err, info)
  return nil, err, { event_error = info.event_error }
end

---@class hubspot.associations.Exchange a request in flight
---@field transfer userdata core's request
---@field token fun(): string the token it was sent with; a function, so that printing a table cannot show it
---@field attempt integer|nil these three where there is an on_event, which is told of them
---@field method string|nil
---@field url string|nil
---@field info table gets `event_error`
---@field chunk hubspot.associations.Chunk|nil what is sent, where a job's runner keeps it here

---Sends a request.
---@param request table { method, path, body = JSON or nil, a string or a body of core.body }; or `body_of` in
---  place of the body, which makes it of the token: so that stands in no table of a caller's, and in no event
---@param attempt integer the number of the attempt, for the events
---@param info table gets `event_error`, what on_event raised
---@return hubspot.associations.Exchange|nil
---@return hubspot.associations.Error|nil
---@return hubspot.associations.ReceivedInfo|nil what is known of a request that was not sent
function Session:submit(request, attempt, info)
  if self:is_closed() then return not_sent(session.closed(), info) end
  local token, err = self.token.get()
  if not token then return not_sent(err, info) end
  if self.proxy.reason and not self.is_plain then return not_sent(unusable(self.proxy.reason), info) end
  local url = self.base_url .. request.path
  local body = request.body or request.body_of and request.body_of(token)
  self.events:request(info, request.method, url, attempt, #(body or ""))
  if self:is_closed() then return not_sent(session.closed(), info) end -- by the token function or on_event
  local transfer, failure = self.transport:submit {
    method = request.method,
    url = url,
    headers = headers(self, token, body),
    body = body,
    timeout = self.options.timeout,
    connect_timeout = self.options.connect_timeout,
  }
  if not transfer then return not_sent(errors.new(failure), info) end
  local exchange = { transfer = transfer, token = function() return token end, info = info, chunk = nil }
  if self.events.on_event then
    exchange.attempt, exchange.method, exchange.url = attempt, request.method, url
  end
  return exchange
end

-- No response came, or an incomplete one.
local function fail(self, exchange, failure, received)
  if not self.is_plain then self.proxy.explain(failure) end
  failure.looked_up = nil
  received.connection_ended, failure.connection_ended = failure.connection_ended, nil
  failure.message = redact.text(self.trust:explain(failure), self.token.secrets(exchange.token()))
  local err = errors.new(failure)
  self.events:failure(exchange, err)
  received.event_error = exchange.info.event_error
  return nil, err, received
end

-- Whether a response that broke off after its headers can be used all the same: a rejection because of its
-- status, a success if its JSON is complete.
local function is_usable(raw)
  return not responses.is_success(raw) or core.decode(raw.body) ~= nil
end

-- After a 401: asks the token function for another token. Returns its error, if it fails.
local function renew(self, exchange, received)
  local is_new, err = self.token.renew(exchange.token())
  received.is_new_token = is_new or nil
  return err
end

---The raw response of an exchange that is done; api/response.lua reads it into tables, and releases it.
---@param exchange hubspot.associations.Exchange
---@return hubspot.associations.RawResponse|nil
---@return hubspot.associations.Error|nil err why there is none; or, after a 401, the error of the token
---  function, with the rejection as its cause
---@return hubspot.associations.ReceivedInfo
function Session:receive(exchange)
  local raw, failure = exchange.transfer:response(true)
  local received = {}
  if not raw or failure and not is_usable(raw) then
    if raw then responses.release(raw) end
    return fail(self, exchange, failure, received)
  end
  raw.secrets = self.token.secrets(exchange.token())
  raw.date = os.time()
  received.status, received.http_version = raw.status, raw.http_version
  received.correlation_id = responses.correlation_id(raw)
  received.rate_limit = rate_limit.read(raw.headers)
  self.events:response(exchange, raw, received)
  received.event_error = exchange.info.event_error
  if raw.status ~= UNAUTHORIZED then
    self.token.accepted(exchange.token())
    return raw, nil, received
  end
  local err = renew(self, exchange, received)
  if not err then return raw, nil, received end
  local _, rejection = responses.read(raw, "none")
  responses.release(raw)
  err.cause = rejection
  return nil, err, received
end

return session
