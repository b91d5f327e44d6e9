-- Runs a job over a client's session in steps: each does the I/O that the job asks for, and never waits.
-- create_all waits between the steps; a host with a loop of its own steps the job itself.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local label_requests = require "hubspot.associations.job.label_request"
local sessions = require "hubspot.associations.session.session"

---@class hubspot.associations.Runner
local Runner = {}
Runner.__index = Runner
Runner.__name = "hubspot.associations.runner"

local runner = {}

---@param session hubspot.associations.Session
---@param request table { method, path, labels = the request for the account's labels, if inputs have types }
---@param job hubspot.associations.Job
---@param journal hubspot.associations.Journal|nil closed when the job is done
---@return hubspot.associations.Runner
function runner.new(session, request, job, journal)
  local self = setmetatable({
    session = session,
    request = request,
    job = job,
    journal = journal,
    exchanges = {}, -- { chunk, exchange }
    label_request = nil, -- while the source waits for the names of types
    is_limited = false, -- whether it waits for the rate limit, and on_event knows
    finished = false,
  }, Runner)
  session.wakeups:set(self)
  return self
end

-- Reports that a chunk which failed is sent again.
local function report_retry(self, chunk, now, err)
  local attempts = chunk.attempts
  self.session.events:retry(self.job.report, err, attempts.not_before - now, attempts.count)
end

local function receive(self, chunk, exchange)
  local raw, failure, info = self.session:receive(exchange)
  local now = core.now()
  local err = self.job:received(chunk, now, raw, failure, info)
  if err then report_retry(self, chunk, now, err) end
end

-- Handles one response, or failure, that is there; false if none is.
local function receive_one(self)
  for index, entry in ipairs(self.exchanges) do
    if entry.exchange.transfer:done() then
      table.remove(self.exchanges, index)
      receive(self, entry.chunk, entry.exchange)
      return true
    end
  end
  return false
end

local function submit(self, chunk)
  local report, request = self.job.report, self.request
  local exchange, err, info = self.session:submit({
    method = request.method, path = request.path, body = chunk:json(),
  }, chunk.attempts.count + 1, report)
  local now = core.now()
  if exchange then
    self.exchanges[#self.exchanges + 1] = { chunk = chunk, exchange = exchange }
    self.job:sent(chunk, now)
    self.session.wakeups:step() -- sent now: reading the next batch takes a while
  elseif self.job:unsent(chunk, now, err, info) then
    report_retry(self, chunk, now, err)
  end
end

local function finish(self)
  self.session.wakeups:leave(self)
  if self.journal then self.journal:close() end
  self.report, self.error = self.job:finish(core.now())
  self.finished = true
end

-- Reports that the job waits for the rate limit: once, until it sends again.
local function report_wait(self, delay)
  if self.is_limited then return end
  self.is_limited = true
  self.session.events:wait(self.job.report, delay)
end

-- Asks for the account's labels while the source waits for them. Returns how many seconds there is nothing
-- more to do for that; nil: until the response comes.
local function ask_for_labels(self)
  local asked = self.label_request
  if not asked then
    asked = label_requests.new(self.session, self.request.labels, self.job.report)
    self.label_request = asked
  end
  local done, detail, err = asked:step()
  if not done then return detail end
  self.label_request = nil
  self.job:names_known(detail, err)
  return 0
end

-- Whether there is something to ask for, or to receive.
local function has_question(self)
  if self.label_request and self.label_request:is_in_flight() then return true end
  return not self.job.error and self.job:waits_for_names()
end

-- Handles one response, or else reads and sends one batch. Returns how many seconds there is nothing more to
-- do; nil: until a response comes.
local function act(self)
  if self.session:is_closed() then self.job:cancel(sessions.closed()) end
  if receive_one(self) then return 0 end
  local is_asking, pause = has_question(self), nil
  if is_asking then pause = ask_for_labels(self) end
  if pause == 0 then return 0 end
  local action, detail, why = self.job:next(core.now())
  if action == "send" then
    self.is_limited = false
    submit(self, detail)
    return 0
  elseif action == "done" then
    if not is_asking then finish(self) end
  elseif why == "rate_limit" then
    report_wait(self, detail)
  end
  if not is_asking and has_question(self) then return 0 end -- what was read names a type that is not known
  return detail and pause and math.min(detail, pause) or detail or pause
end

-- Seconds after which a step begins nothing more: the host must get its turn.
local LONGEST_STEP = 0.001

local function advance(self)
  local began = core.now()
  self.session.wakeups:set(self)
  self.session.wakeups:step()
  local wait
  repeat
    wait = act(self)
  until self.finished or wait ~= 0 or core.now() - began >= LONGEST_STEP
  if self.finished then return true end
  self.wait = wait
  self.waits_until = core.now() + (wait or 0)
  self.session.wakeups:set(self, wait)
  return false
end

local function advance_once(self)
  self.stepping = true
  local done = advance(self)
  self.stepping = false
  return done
end

-- After an error that did not come from the caller's code, which the job survives: memory ran out, or a debug
-- hook of the host raised. The state of the job is unknown, so every later step raises the same error, rather
-- than leave a caller waiting.
local function break_off(self, raised)
  self.raised = raised
  for _, entry in ipairs(self.exchanges) do entry.exchange.transfer:close() end
  if self.label_request then self.label_request:close() end
  self.session.wakeups:leave(self)
  if self.journal then self.journal:close() end
  error(raised, 0)
end

---Does what can be done now, and never waits. Raises when memory runs out.
---@return boolean done
function Runner:step()
  if self.raised then error(self.raised, 0) end
  if self.finished or self.stepping then return self:done() end -- a callback may call it, too
  local advanced, done = pcall(advance_once, self)
  if advanced then return done end
  break_off(self, done)
end

---A descriptor that is readable whenever `step` has something to do, also at the end of a wait. All runners
---of a client have the same one, and each is to be stepped when it is readable.
---@return integer fd -1 once the client is closed and its runners are done
function Runner:fd()
  return self.session.wakeups:fd()
end

---How many seconds `step` has nothing to do, unless the descriptor is readable sooner; nil: until then.
---@return number|nil
function Runner:timeout()
  return self.wait
end

---How many seconds nothing can be sent, while no response is awaited either; else 0. And the reason: the rate
---limit, or the pause before another attempt.
---@return number
---@return "rate_limit"|"retry"|nil
function Runner:waiting()
  if self.finished or #self.exchanges > 0 or not self.wait then return 0 end
  if self.label_request and self.label_request:is_in_flight() then return 0 end
  local now = core.now()
  local limited = self.session.policy.limiter:delay(now)
  if limited > 0 then return limited, "rate_limit" end
  return math.max(0, self.waits_until - now), "retry"
end

---The report so far.
---@return hubspot.associations.Report
function Runner:progress()
  return self.job.report
end

---@return boolean
function Runner:done()
  return self.finished
end

---What create_all returns, once the job is done; nil before.
---@return hubspot.associations.Report|nil
---@return hubspot.associations.Error|nil
function Runner:result()
  return self.report, self.error
end

---Ends the job early. Requests in flight still complete: go on stepping until it is done.
function Runner:cancel()
  if self.finished or self.raised then return end
  self.job:cancel(errors.new { kind = "canceled", message = "the job was canceled" })
  self.session.wakeups:set(self, 0)
end

return runner
