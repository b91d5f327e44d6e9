-- Runs a job over a client's session in steps: each does the I/O that the job asks for, and never waits.
-- create_all waits between the steps; a host with a loop of its own steps the job itself.

local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local sessions = require "hubspot.associations.session.session"
local submissions = require "hubspot.associations.session.submission"

---@class hubspot.associations.Runner
local Runner = {}
Runner.__index = Runner
Runner.__name = "hubspot.associations.runner"

local runner = {}

---@param session hubspot.associations.Session
---@param request table { method, path }
---@param job hubspot.associations.Job
---@param journal hubspot.associations.Journal|nil closed when the job is done
---@return hubspot.associations.Runner
function runner.new(session, request, job, journal)
  local self = setmetatable({
    session = session,
    request = request,
    job = job,
    journal = journal,
    exchanges = {}, -- those in flight, each with its `chunk`
    asked = {}, -- { question, submission }: what the job needs to know, beside its chunks
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

local function handle(self, chunk, raw, failure, info)
  local now = core.now()
  local err = self.job:received(chunk, now, raw, failure, info)
  if raw then responses.release(raw) end
  if err then report_retry(self, chunk, now, err) end
end

-- Handles one response, or failure, that is there; false if none is.
local function receive_one(self)
  for index, exchange in ipairs(self.exchanges) do
    if exchange.transfer:done() then
      table.remove(self.exchanges, index)
      handle(self, exchange.chunk, self.session:receive(exchange))
      return true
    end
  end
  return false
end

-- Handles the failure to send a chunk.
local function unsent(self, chunk, err, info)
  local now = core.now()
  if self.job:unsent(chunk, now, err, info) then report_retry(self, chunk, now, err) end
end

local function submit(self, chunk)
  local report, request = self.job.report, chunk.request or self.request
  local exchange, err, info = self.session:submit({
    method = request.method, path = request.path, body = chunk:payload(),
  }, chunk.attempts.count + 1, report)
  if exchange then
    exchange.chunk = chunk
    self.exchanges[#self.exchanges + 1] = exchange
    self.job:sent(chunk, core.now())
    self.session.wakeups:step() -- sent now: reading the next batch takes a while
  else
    unsent(self, chunk, err, info)
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

-- Begins to ask what the job needs to know; false if that is nothing new.
local function begin_question(self)
  local question = self.job:next_question()
  if not question then return false end
  local submission =
    submissions.new(self.session, question.request, question.response, "job", self.job.report)
  self.asked[#self.asked + 1] = { question = question, submission = submission }
  return true
end

-- Steps the questions until one is answered. Once the job has stopped, only those in flight. Returns how many
-- seconds there is nothing more to do for them, 0 after an answer; nil: until a response comes.
local function ask(self)
  local soonest
  for index, entry in ipairs(self.asked) do
    if not self.job.error or entry.submission:is_in_flight() then
      local done, detail, err = entry.submission:step()
      if done then
        table.remove(self.asked, index)
        entry.question.answered(detail, err)
        return 0
      end
      soonest = detail and math.min(detail, soonest or detail) or soonest
    end
  end
  return soonest
end

-- Whether the response to a question is awaited.
local function is_asking(self)
  for _, entry in ipairs(self.asked) do
    if entry.submission:is_in_flight() then return true end
  end
  return false
end

-- Does what the job says. Returns how many seconds there is nothing more to do for it; nil: until a response
-- comes.
local function follow(self)
  local action, detail, why = self.job:next(core.now())
  if action == "send" then
    self.is_limited = false
    submit(self, detail)
    return 0
  elseif action == "done" then
    if not is_asking(self) then finish(self) end
  elseif why == "rate_limit" then
    report_wait(self, detail)
  end
  return detail
end

-- Handles one response, or else reads and sends one batch. Returns how many seconds there is nothing more to
-- do; nil: until a response comes.
local function act(self)
  if self.session:is_closed() then self.job:cancel(sessions.closed()) end
  if receive_one(self) then return 0 end
  local pause = ask(self)
  if pause == 0 then return 0 end
  local wait = follow(self)
  if begin_question(self) then return 0 end -- what was read may have raised it
  return wait and pause and math.min(wait, pause) or wait or pause
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

local function drop(self)
  for _, exchange in ipairs(self.exchanges) do exchange.transfer:close() end
  for _, entry in ipairs(self.asked) do entry.submission:close() end
  self.session.wakeups:leave(self)
  if self.journal then self.journal:close() end
end

-- After an error that did not come from the caller's code, which the job survives: memory ran out, or a debug
-- hook of the host raised. The state of the job is unknown, so every later step raises the same error, rather
-- than leave a caller waiting.
local function break_off(self, raised)
  self.raised = raised
  drop(self)
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
---limit, the pause before what was written is read back, or the one before another attempt.
---@return number
---@return "rate_limit"|"verify"|"retry"|nil
function Runner:waiting()
  if self.finished or #self.exchanges > 0 or is_asking(self) or not self.wait then return 0 end
  local now = core.now()
  local limited = self.session.policy.limiter:delay(now)
  if limited > 0 then return limited, "rate_limit" end
  return math.max(0, self.waits_until - now), self.job:is_verifying() and "verify" or "retry"
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

-- ---- for a collector, whose groups are jobs ----

---Whether HubSpot may have done what has no outcome yet, or may yet.
---@param self hubspot.associations.Runner
---@return boolean
function runner.may_be_done(self)
  if #self.exchanges > 0 then return true end
  for _, chunk in ipairs(self.job.queue) do
    if chunk.attempts.may_be_done then return true end
  end
  return false
end

---How many responses to its chunks are awaited.
---@param self hubspot.associations.Runner
---@return integer
function runner.awaited(self)
  return #self.exchanges
end

---Goes on after a request with all inputs of the job, which was sent, or could not be, before it began.
---@param self hubspot.associations.Runner
---@param first hubspot.associations.FirstRequest
---@return boolean taken false: nothing is known of it, as types' names have to be asked for again
function runner.take_over(self, first)
  local job = self.job
  local chunk = job:next_chunk(core.now())
  if not chunk then
    if first.raw then responses.release(first.raw) end
    return false
  end
  chunk.attempts = first.attempts
  if chunk.attempts.count > 0 then
    job:counted(chunk)
    handle(self, chunk, first.raw, first.err, first.received)
  else
    unsent(self, chunk, first.err, first.received)
  end
  return true
end

---Drops the job, with what is in flight.
---@param self hubspot.associations.Runner
function runner.close(self)
  if self.finished then return end
  self.finished = true
  drop(self)
end

return runner
