-- Steps a sync: a script in a coroutine, which yields the runner of each job that it waits for. It has the
-- methods of a job's runner.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"

---@class hubspot.associations.SyncRunner
local Runner = {}
Runner.__index = Runner
Runner.__name = "hubspot.associations.sync.runner"

local runner = {}

-- Seconds after which a step begins nothing more: the host must get its turn.
local LONGEST_STEP = 0.001

---@param wakeups hubspot.associations.Wakeups
---@param sync table with the methods `script` and `close`, and a tally
---@return hubspot.associations.SyncRunner
function runner.new(wakeups, sync)
  local self = setmetatable({
    wakeups = wakeups, sync = sync, tally = sync.tally,
    thread = coroutine.create(function() sync:script() end),
    done_before = { requests = 0, retries = 0, reads_again = 0 },
    child = nil, began = core.now(), finished = false, wait = 0,
  }, Runner)
  wakeups:set(self, 0)
  return self
end

local function finish(self)
  self.sync:close()
  self.tally.report.elapsed = core.now() - self.began
  self.wakeups:leave(self)
  self.finished = true
end

local function counts_of(report)
  return { requests = report.requests, retries = report.retries, reads_again = report.reads_again }
end

-- Lets the script go on, with what the job returned for which it waited.
local function resume(self, ...)
  local resumed, child = coroutine.resume(self.thread, ...)
  if not resumed then error(child, 0) end
  if coroutine.status(self.thread) == "dead" then return finish(self) end
  self.child = child
end

-- Adds the requests of the job that runs to those of the jobs before. A dry run counts the requests that it
-- does not send.
local function count_requests(self)
  local child, report, done = self.child, self.tally.report, self.done_before
  local part = child.runner:progress()
  local requests = (child.is_dry and 0 or part.requests) + (part.look_ups or 0)
  report.requests = done.requests + requests
  report.retries = done.retries + part.retries
  report.reads_again = done.reads_again + (child.is_again and requests or 0)
  report.event_error = part.event_error or report.event_error
end

-- Steps the job that the script waits for, or else the script. Returns how many seconds there is nothing more
-- to do; nil: until a response comes.
local function act(self)
  local child = self.child
  if not child then
    resume(self)
  elseif child.runner:step() then
    count_requests(self)
    self.child, self.done_before = nil, counts_of(self.tally.report)
    resume(self, child.runner:result())
  else
    return child.runner:timeout()
  end
  return 0
end

local function advance(self)
  local began = core.now()
  self.wakeups:set(self)
  local wait
  repeat
    wait = act(self)
  until self.finished or wait ~= 0 or core.now() - began >= LONGEST_STEP
  if self.finished then return end
  self.wait = wait
  if not self.child then self.wakeups:set(self, 0) end
end

---Does what can be done now. Blocks only for sort(1), and for the disk.
---@return boolean done
function Runner:step()
  if self.raised then error(self.raised, 0) end
  if self.finished or self.stepping then return self.finished end
  self.stepping = true
  local advanced, raised = pcall(advance, self)
  self.stepping = false
  if advanced then return self.finished end
  self.raised = raised
  self.sync:close()
  self.wakeups:leave(self)
  error(raised, 0)
end

---@return integer fd
function Runner:fd()
  return self.wakeups:fd()
end

---@return number|nil
function Runner:timeout()
  return self.wait
end

---@return number
---@return "rate_limit"|"retry"|nil
function Runner:waiting()
  if self.finished or not self.child then return 0 end
  return self.child.runner:waiting()
end

---The report so far.
---@return hubspot.associations.SyncReport
function Runner:progress()
  local report = self.tally.report
  if self.child then count_requests(self) end
  if not self.finished then report.elapsed = core.now() - self.began end
  return report
end

---@return boolean
function Runner:done()
  return self.finished
end

---@return hubspot.associations.SyncReport|nil
---@return hubspot.associations.Error|nil
function Runner:result()
  if not self.finished then return nil end
  if self.sync.unusable then return nil, self.sync.unusable end
  return self.tally.report, self.tally.error
end

---Ends the sync early. Requests in flight still complete: go on stepping until it is done.
function Runner:cancel()
  if self.finished or self.raised then return end
  self.tally:stop(errors.new { kind = "canceled", message = "the job was canceled" })
  if self.child then self.child.runner:cancel() end
  self.wakeups:set(self, 0)
end

return runner
