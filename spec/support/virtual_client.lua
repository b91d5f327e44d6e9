-- A whole client in a simulated world: its transport is the world's network, its clock the world's, and so
-- are its random numbers. What a spec calls is the client's own methods, as a user does.

local virtual_client = {}

local sync_checks = require "support.sync_checks"
local core = require "hubspot.associations.core"

local CURL_TIMEOUT, CURL_GOT_NOTHING, CURL_PARTIAL = 28, 52, 18
local BASE_URL = "http://127.0.0.1:9"

-- ---- a request ----

local Request = {}
Request.__index = Request

function Request:done() return self.is_done end
function Request:close() self.is_closed = true end

function Request:response()
  assert(self.is_done, "the request is not done")
  return self.answer, self.failure
end

local function fail(request, kind, code, message)
  request.failure = { kind = kind, curl_code = code, message = message, elapsed = 0, sent = true }
end

-- What becomes of a request once the service has handled it.
local function finish(request, response)
  if response.dropped then
    fail(request, response.is_timeout and "timeout" or "network",
      response.is_timeout and CURL_TIMEOUT or CURL_GOT_NOTHING, "no response")
  elseif response.cut then
    fail(request, "network", CURL_PARTIAL, "transfer closed")
  else
    request.answer = {
      status = response.status, headers = response.headers, body = response.body, elapsed = 0,
      http_version = "1.1", connects = 0,
    }
  end
  request.is_done = true
end

-- ---- the transport ----

local Transport = {}
Transport.__index = Transport

local function headers_of(lines)
  local headers = {}
  for _, line in ipairs(lines) do
    local name, value = line:match "^([^:]+): (.*)$"
    headers[name:lower()] = value
  end
  return headers
end

-- The text of a body: a string, or what core sends where it is.
local function text_of(body)
  if type(body) == "userdata" then return body:json() end
  return body or ""
end

---Sends a request into the world. It arrives, and is handled, also when its client is gone by then.
function Transport:submit(given)
  local world, request = self.world, setmetatable({}, Request)
  if world.on_request then world.on_request(given) end
  local path = given.url:sub(#BASE_URL + 1)
  local sent = {
    method = given.method, path = path, headers = headers_of(given.headers), body = text_of(given.body),
  }
  local jitter = world.latency - world.base
  local there, back = world.base + jitter * world.random(), world.base + jitter * world.random()
  world:after(there, function()
    local response = world.service:handle(sent)
    local took = back + (response.delay or 0)
    if response.dropped and world.random() < 0.5 then
      response.is_timeout, took = true, given.timeout
    end
    world:after(took, function() finish(request, response) end)
  end)
  return request
end

function Transport:step() self.world.alarm = nil end
function Transport:wake(seconds) self.world.alarm = self.world.now + seconds end
function Transport.shutdown() end
function Transport.close() end
function Transport.fd() return 3 end

-- ---- the client ----

-- The host's wait: the world goes on until something happens, or the time has passed.
local function wait(world, timeout)
  if world.on_wait then world.on_wait() end
  local most = timeout
  if world.alarm then most = math.min(most or math.huge, math.max(0, world.alarm - world.now)) end
  world:advance(most)
end

---Calls a function with a client of this world, and returns what it returns. An error in it is raised.
---@param world table of simulation.world; `on_request` and `on_wait` are called before a request is sent,
---  and before the client waits, and may raise
---@param options table of the client
---@param action fun(client: table, wait: fun(timeout: number|nil)): ... `wait` as the host's loop does
function virtual_client.run(world, options, action)
  local real_now, real_transport, real_random = core.now, core.transport, math.random -- luacheck: ignore
  local given = {
    token = "simulated", base_url = BASE_URL,
    loop = { wait = function(_, timeout) wait(world, timeout) end },
  }
  for name, value in pairs(options or {}) do given[name] = value end
  core.now = function() return world.now end
  core.transport = function() return setmetatable({ world = world }, Transport) end
  math.random = world.random -- luacheck: ignore
  local results = { xpcall(function()
    local client = assert(require "hubspot.associations".new(given))
    return action(client, function(timeout) wait(world, timeout) end)
  end, sync_checks.trace) }
  core.now, core.transport = real_now, real_transport
  math.random = real_random -- luacheck: ignore
  if not results[1] then error(results[2], 0) end
  return (table.unpack or unpack)(results, 2, 4) -- luacheck: ignore
end

return virtual_client
