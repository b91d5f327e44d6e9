-- A job under way over a client's connection: does the I/O that the job asks for, a step at a time, and
-- never waits. create_all waits for it; a host that ticks steps it itself.

local connections = require "hubspot.associations.session.session"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"

---@class hubspot.associations.Runner
local Runner = {}
Runner.__index = Runner
Runner.__name = "hubspot.associations.runner"

local runner = {}

---@param connection hubspot.associations.Connection
---@param path string the endpoint
---@param job hubspot.associations.Job
---@param journal hubspot.associations.Journal|nil closed when the runner is done
---@return hubspot.associations.Runner
function runner.new(connection, path, job, journal)
  local self = setmetatable({
    connection = connection,
    path = path,
    job = job,
    journal = journal,
    flights = {}, -- { chunk, flight }
    finished = false,
  }, Runner)
  connection:use(self)
  return self
end

local function land(self, chunk, flight)
  local function confirm(body)
    return self.job:confirm(chunk, body)
  end
  local batch, err, meta = self.connection:land(flight, confirm)
  local now = core.now()
  self.job:answered(chunk, now, batch, err, meta.rate_limit)
  if err and chunk.not_before > now then
    self.connection:emit(self.job.report, {
      type = "retry",
      kind = err.kind,
      delay = chunk.not_before - now,
      attempt = chunk.attempts,
    })
  end
end

-- Whether a response was there.
local function land_one(self)
  for index, entry in ipairs(self.flights) do
    if entry.flight.request:done() then
      table.remove(self.flights, index)
      land(self, entry.chunk, entry.flight)
      return true
    end
  end
  return false
end

local function send(self, chunk)
  local flight, err = self.connection:send(self.path, chunk:json(), chunk.attempts, self.job.report)
  if flight then
    self.flights[#self.flights + 1] = { chunk = chunk, flight = flight }
    self.connection:step() -- on its way before the next batch is read, which takes its time
  else
    self.job:answered(chunk, core.now(), nil, err)
  end
end

local function finish(self)
  self.connection:leave(self)
  if self.journal then self.journal:close() end
  self.report, self.error = self.job:finish(core.now())
  self.finished = true
end

-- Lands one response, or else reads and sends one batch: how long there is nothing more to do, nil for until
-- something comes.
local function act(self)
  if self.connection.closed then self.job:cancel(connections.closed()) end
  if land_one(self) then return 0 end
  local action, detail = self.job:next(core.now())
  if action == "send" then
    send(self, detail)
    return 0
  elseif action == "done" then
    finish(self)
  end
  return detail
end

-- Seconds after which a step begins nothing more: the host gets its turn, and the next step does the rest.
local LONGEST_STEP = 0.001

local function advance(self)
  local began = core.now()
  self.connection:use(self)
  self.connection:step()
  local wait
  repeat
    wait = act(self)
  until self.finished or wait ~= 0 or core.now() - began >= LONGEST_STEP
  if self.finished then return true end
  self.wait = wait
  self.waits_until = core.now() + (wait or 0)
  self.connection:use(self, wait)
  return false
end

local function advance_once(self)
  self.stepping = true
  local done = advance(self)
  self.stepping = false
  return done
end

-- Something raised that is not the caller's code, which the job survives: memory is out, or a hook of the
-- host's raised. The job cannot be trusted any more, and says so each time: nobody waits for it for ever.
local function break_off(self, raised)
  self.raised = raised
  for _, entry in ipairs(self.flights) do entry.flight.request:close() end
  self.connection:leave(self)
  if self.journal then self.journal:close() end
  error(raised, 0)
end

---Does what can be done now; never waits. Raises when memory is out.
---@return boolean done
function Runner:step()
  if self.raised then error(self.raised, 0) end
  if self.finished or self.stepping then return self:done() end -- also when a callback calls it
  local advanced, done = pcall(advance_once, self)
  if advanced then return done end
  break_off(self, done)
end

---A descriptor that is readable whenever `step` has something to do, also when a time to wait is over. It is
---the client's: the same for all its operations, each of which is to be stepped when it is readable.
---@return integer fd -1 once the client is closed and its operations are done
function Runner:fd()
  return self.connection.transport:fd()
end

---How long `step` has nothing to do, if nothing comes: seconds, or nil for as long as nothing comes.
---@return number|nil
function Runner:timeout()
  return self.wait
end

---For how long nothing can be sent, while no answer is awaited either: seconds, 0 where that is not so; and
---whether the rate limit is why, or the pause before another attempt.
---@return number
---@return "rate_limit"|"retry"|nil
function Runner:waiting()
  if self.finished or #self.flights > 0 or not self.wait then return 0 end
  local now = core.now()
  local limited = self.connection.limiter:delay(now)
  if limited > 0 then return limited, "rate_limit" end
  return math.max(0, self.waits_until - now), "retry"
end

---How far it is: the report, with the counts so far.
---@return hubspot.associations.Report
function Runner:progress()
  return self.job.report
end

---@return boolean
function Runner:done()
  return self.finished
end

---What create_all returns, once it is done; nil before.
---@return hubspot.associations.Report|nil
---@return hubspot.associations.Error|nil
function Runner:result()
  return self.report, self.error
end

---Sends nothing more. What is in flight is still waited for: go on stepping until it is done.
function Runner:cancel()
  if self.finished or self.raised then return end
  self.job:cancel(errors.new { kind = "canceled", message = "the job was canceled" })
  self.connection:use(self, 0)
end

return runner
