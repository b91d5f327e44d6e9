-- A world for the job: a HubSpot account behind faults, a network that takes time, and a virtual clock. It
-- runs the real job, retries, limiter and journal, and checks nothing itself.

local account = require "hubspot.associations.sandbox.account"
local endpoints = require "hubspot.associations.api.endpoints"
local errors = require "hubspot.associations.errors"
local faults = require "hubspot.associations.sandbox.faults"
local jobs = require "hubspot.associations.job.job"
local journals = require "hubspot.associations.job.journal"
local limiter = require "hubspot.associations.policy.limiter"
local look_ahead = require "hubspot.associations.job.look_ahead"
local paths = require "hubspot.associations.api.path"
local rate_limits = require "hubspot.associations.api.rate_limit"
local rejection = require "hubspot.associations.api.rejection"
local requests = require "hubspot.associations.api.request"
local responses = require "hubspot.associations.api.response"
local retry = require "hubspot.associations.policy.retry"
local retryable = require "hubspot.associations.policy.retryable"

local simulation = {}

local CURL_TIMEOUT, CURL_GOT_NOTHING, CURL_PARTIAL = 28, 52, 18

-- ---- time ----

local World = {}
World.__index = World

---@param given table { seed = random source, account = options, chances, script, latency = the most
---  seconds that a message takes, base = the least, 0 }
function simulation.world(given)
  local self = setmetatable({
    now = 0, events = {}, latency = given.latency or 0.1, base = given.base or 0,
  }, World)
  function self.random()
    return given.random:integer(0, 2 ^ 30 - 1) / 2 ^ 30
  end
  local options = { now = function() return self.now end, random = self.random }
  for name, value in pairs(given.account or {}) do options[name] = value end
  self.account = account.new(options)
  self.service = faults.new(self.account, {
    random = self.random, chances = given.chances, script = given.script,
  })
  return self
end

function World:after(delay, action)
  local event = { at = self.now + delay, action = action }
  local i = #self.events + 1
  while i > 1 and self.events[i - 1].at > event.at do i = i - 1 end
  table.insert(self.events, i, event)
end

-- Moves the clock to the next event, or by `most` seconds if none comes first.
function World:advance(most)
  local event = self.events[1]
  if event and (not most or event.at <= self.now + most) then
    table.remove(self.events, 1)
    self.now = math.max(self.now, event.at)
    event.action()
  else
    assert(most, "the job waits for a response, and none is under way")
    self.now = self.now + most
  end
end

-- Lets everything that is under way happen.
function World:settle()
  while #self.events > 0 do self:advance() end
end

-- ---- the network ----

local function failure(kind, code, message)
  return errors.new { kind = kind, curl_code = code, message = message }
end

-- What the session gives of a response: raw | nil, error, info.
local function receive(response, now)
  if response.dropped then return nil, failure("network", CURL_GOT_NOTHING, "Empty reply from server"), {} end
  if response.cut then return nil, failure("network", CURL_PARTIAL, "transfer closed"), {} end
  response.date = now
  return response, nil, {
    status = response.status,
    rate_limit = rate_limits.read(response.headers),
    is_new_token = response.is_new_token, -- where a spec says so
  }
end

function World:post(path, body, reply)
  local request = {
    method = "POST", path = path, body = body,
    headers = { authorization = "Bearer simulated", ["content-type"] = "application/json" },
  }
  local jitter = self.latency - self.base
  local there, back = self.base + jitter * self.random(), self.base + jitter * self.random()
  self:after(there, function()
    local response = self.service:handle(request)
    local took = back + (response.delay or 0)
    if response.dropped and self.random() < 0.5 then
      self:after(30, function() reply(nil, failure("timeout", CURL_TIMEOUT, "Operation timed out"), {}) end)
    else
      self:after(took, function() reply(receive(response, self.now)) end)
    end
  end)
end

-- Asks what a job needs to know beside its chunks, up to six times, a second apart.
function World:ask(question, is_alive, attempt)
  self:post(question.request.path, question.request.body, function(raw, err)
    if not is_alive() then return end
    local result
    if raw then result, err = responses.read(raw, question.response) end
    if err and retryable.is_retryable(err) and attempt < 6 then
      return self:after(1, function() self:ask(question, is_alive, attempt + 1) end)
    end
    question.answered(result, err)
  end)
end

-- ---- a journal that can be torn ----

local Memory = {}
Memory.__index = Memory

function simulation.memory()
  return setmetatable({ text = "" }, Memory)
end

function Memory:read(offset, count) return self.text:sub(offset + 1, offset + count) end
function Memory:append(text) self.text = self.text .. text return true end
function Memory:truncate(length) self.text = self.text:sub(1, length) return true end
function Memory.close() end

-- ---- runs ----

-- What a job needs to read back what it wrote.
local function verify_by(version, types, size)
  local row = endpoints.read
  return {
    endpoint = row, batch_size = size,
    request = { method = row[1], path = assert(paths.of(row, version, types)) },
    checks = requests.checks(row, { check_ids = true }),
  }
end

---Runs a job until it is done, or until the clock passes `crash_at`.
---@param world table
---@param given table { source, endpoint = its name, "create", version, checks, batch_size, concurrency,
---  on_failure, on_batch, on_record, store, crash_at, on_send, on_response, max_attempts, retry_deadline,
---  requests = most that it may send, from_property, to_property, verify, dry_run, on_step = called with job
---  and world before each step }
---@return table|nil report nil after a crash
---@return table|nil err
---@return integer|nil read how many inputs of the source were read
function simulation.run(world, given)
  local name = given.endpoint or "create"
  local endpoint = endpoints[name]
  local identity = {
    from = "contacts", to = "companies", endpoint = name ~= "create" and name or nil,
    from_property = given.from_property, to_property = given.to_property,
  }
  local book = given.store and assert(journals.new(given.store, "memory", identity, endpoint.outcome))
  local types = { fromObjectType = "contacts", toObjectType = "companies" }
  local path = assert(paths.of(endpoint, given.version or "2025-09", types))
  local checks = requests.checks(endpoint, { check_ids = true, check_types = false })
  for option, value in pairs(given.checks or {}) do checks[option] = value end
  local job = jobs.new({
    source = given.source,
    checks = checks,
    batch_size = given.batch_size,
    concurrency = given.concurrency,
    max_failures = 1000,
    on_failure = given.on_failure,
    on_batch = given.on_batch,
    on_record = given.on_record,
    endpoint = endpoint,
    policy = {
      retry = retry.new({
        max_attempts = given.max_attempts or 6, retry_deadline = given.retry_deadline or 300,
      }, world.random),
      limiter = given.limiter or limiter.new(),
    },
    journal = book,
    ahead = look_ahead.of(endpoint.shape, types, given, book ~= nil),
    look_up_request = function(object_type, fields)
      local version = { version = given.version or "2025-09" }
      return requests.of(endpoints.read_objects, version, {
        values = { fromObjectType = object_type }, last = fields,
      })
    end,
    dry_run = given.dry_run,
    verify = given.verify and verify_by(given.version or "2025-09", types, given.read_size or 1000),
    direction = rejection.direction("contacts", "companies"),
  }, world.now)
  local alive = true
  local function is_alive() return alive end
  while true do
    if given.crash_at and world.now >= given.crash_at then
      alive = false
      return nil
    end
    assert(job.report.requests <= (given.requests or math.huge), "the job sends without end")
    if given.on_step then given.on_step(job, world) end
    local action, detail = job:next(world.now)
    local question = job:next_question() -- what was read may have raised it
    if question then world:ask(question, is_alive, 1) end
    if action == "done" then
      local report, err = job:finish(world.now)
      return report, err, job.index
    end
    if action == "send" then
      job:sent(detail, world.now)
      if given.on_send then given.on_send(detail) end
      world:post(detail.request and detail.request.path or path, detail:json(), function(raw, err, info)
        if not alive then return end
        if given.on_response then given.on_response(detail) end
        job:received(detail, world.now, raw, err, info)
      end)
    elseif not question then
      world:advance(detail)
    end
  end
end

return simulation
