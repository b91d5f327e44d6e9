-- A client: its options, its token, its connections, and one call, create.
-- The only file besides the loops that touches a transport.

local answer = require "hubspot.associations.answer"
local core = require "hubspot.associations.core"
local endpoint = require "hubspot.associations.endpoint"
local errors = require "hubspot.associations.errors"
local options = require "hubspot.associations.options"
local redact = require "hubspot.associations.redact"
local tokens = require "hubspot.associations.token"

---@class hubspot.associations.Client
local Client = {}
Client.__index = Client
Client.__name = "hubspot.associations.client"

local USER_AGENT = table.concat {
  "hubspot-associations/", core.VERSION, " (", _VERSION, "; libcurl/", core.LIBCURL_VERSION, ")",
}

-- on_event is for logs and metrics: what it raises must not cost an answer. The call reports it.
local function emit(self, meta, event)
  if not self.options.on_event then return end
  local told, raised = pcall(self.options.on_event, event)
  if not told then meta.event_error = raised end
end

local function headers(self, token)
  return {
    "Authorization: Bearer " .. token,
    "Content-Type: application/json",
    "Accept: application/json",
    "User-Agent: " .. self.user_agent,
  }
end

-- Sends one request and waits for its response: response | nil, { kind, message }.
local function exchange(self, path, body, token)
  local transport = self.transport
  local request, failure = transport:submit {
    method = "POST",
    url = self.base_url .. path,
    headers = headers(self, token),
    body = body,
    timeout = self.options.timeout,
    connect_timeout = self.options.connect_timeout,
  }
  if not request then return nil, failure end
  transport:step()
  while not request:done() do
    self.wait(transport:fd())
    transport:step()
  end
  return request:response()
end

-- One attempt, with its events: batch | nil, error.
local function attempt(self, path, body, token, meta)
  meta.attempts = meta.attempts + 1
  emit(self, meta, {
    type = "request",
    method = "POST",
    url = self.base_url .. path,
    attempt = meta.attempts,
    bytes = #body,
  })
  local response, failure = exchange(self, path, body, token)
  if not response then
    failure.message = redact(failure.message, token)
    emit(self, meta, {
      type = "failure",
      kind = failure.kind,
      message = failure.message,
      attempt = meta.attempts,
    })
    return nil, errors.new(failure)
  end
  response.body = redact(response.body, token)
  meta.status = response.status
  meta.correlation_id = answer.correlation_id(response)
  meta.rate_limit = answer.rate_limit(response.headers)
  meta.http_version = response.http_version
  emit(self, meta, {
    type = "response",
    status = response.status,
    elapsed = response.elapsed,
    attempt = meta.attempts,
    bytes = #response.body,
    http_version = response.http_version,
    correlation_id = meta.correlation_id,
    rate_limit = meta.rate_limit,
  })
  return answer.read(response)
end

-- A call: one attempt, and one more with a fresh token when the first was refused for its token.
local function call(self, path, body)
  local meta = { attempts = 0 }
  local began = core.now()
  local token, batch, err
  token, err = self.token "first"
  if token then
    batch, err = attempt(self, path, body, token, meta)
    if err and err.kind == "unauthorized" and self.renewable then
      local refused = err
      token, err = self.token "unauthorized"
      if token then
        batch, err = attempt(self, path, body, token, meta)
      else
        err.cause = refused
      end
    end
  end
  meta.elapsed = core.now() - began
  if batch then return batch, meta end
  err.attempts = meta.attempts
  err.rate_limit = meta.rate_limit
  return nil, err
end

local function check_argument(name, value, expected)
  if type(value) ~= expected then
    error(("client:create: %s: expected a %s, found a %s"):format(name, expected, type(value)), 3)
  end
end

---Creates associations: HubSpot's batch create, in one request.
---
---An input is { from = id, to = id, types = types }. An id is { id = string }, a string or an integer.
---Types are a list of { associationCategory = string, associationTypeId = integer }, one of them, or an
---integer (a type of category HUBSPOT_DEFINED). Inputs may be proxies: they are read through `__index`,
---which must not yield. Lists must be plain. Other fields of an input are ignored.
---
---An answer with `errors` is a success: some inputs were not created, and errors says which and why.
---@param from_object_type string an object name or object type id, e.g. "contacts", "0-1"
---@param to_object_type string
---@param inputs table[] 1 to `batch_size` of them
---@return hubspot.associations.Batch|nil batch HubSpot's response
---@return table|hubspot.associations.Error meta { status, attempts, elapsed (seconds), correlation_id,
---  rate_limit, http_version, event_error }; the error when there is no batch
function Client:create(from_object_type, to_object_type, inputs)
  check_argument("fromObjectType", from_object_type, "string")
  check_argument("toObjectType", to_object_type, "string")
  check_argument("inputs", inputs, "table")
  if self.closed then return nil, errors.new { kind = "closed", message = "the client is closed" } end
  local path, err = endpoint.batch_create(self.options.version, from_object_type, to_object_type)
  if not path then return nil, err end
  if #inputs > self.options.batch_size then
    return nil,
      errors.new {
        kind = "invalid_input",
        field = "inputs",
        message = ("expected at most %d inputs, found %d: use create_all for any number"):format(
          self.options.batch_size, #inputs
        ),
      }
  end
  local body = core.body()
  local added, refusals, count = body:add_list(inputs)
  if not added then return nil, errors.of_inputs(refusals, count) end
  return call(self, path, body:json())
end

---Ends the client's connections. Calls under way in other coroutines end with kind `closed`.
---A client that is collected, or goes out of scope as `local client <close>`, is closed too.
function Client:close()
  self.closed = true
  self.transport:close()
end

Client.__close = Client.close

---A client for one HubSpot account. Sends nothing yet.
---Raises when an option is unknown or wrong; returns nil and an error when there is no usable token.
---@param given hubspot.associations.Options
---@return hubspot.associations.Client|nil
---@return hubspot.associations.Error|nil
local function new(given)
  local read = options.read(given)
  local token, err, renewable = tokens.from(read.token)
  if not token then return nil, err end
  read.token = nil
  local transport, failure = core.transport {
    proxy = read.proxy,
    ca_file = read.ca_file,
    ca_path = read.ca_path,
  }
  if not transport then return nil, errors.new(failure) end
  local loop = read.loop or require "hubspot.associations.loop.blocking"
  return setmetatable({
    options = read,
    base_url = read.base_url:gsub("/+$", ""),
    user_agent = read.user_agent and USER_AGENT .. " " .. read.user_agent or USER_AGENT,
    token = token,
    renewable = renewable,
    transport = transport,
    wait = loop.wait,
    closed = false,
  }, Client)
end

return { new = new }
