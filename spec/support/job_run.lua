-- One simulated job for the specs of job/: short to set up, with all that was seen of it at hand.
-- Adds to simulation.lua hooks between the job and the account. Checks that the counts add up.

local cjson = require "cjson"
local jobs = require "support.jobs"
local random = require "support.random"
local simulation = require "support.simulation"

local job_run = {}

local TYPE = 279

---The index-th of a series of different inputs, all good.
---@param index integer
---@return table
function job_run.input(index)
  return { from = ("%.0f"):format(100000 + index), to = "7", types = TYPE }
end

---@param count integer
---@return table[]
function job_run.inputs(count)
  local list = {}
  for index = 1, count do list[index] = job_run.input(index) end
  return list
end

---Changes a successful response: `change` is given the decoded batch.
---@param response table
---@param change fun(batch: table)
---@return table
function job_run.rewrite(response, change)
  local batch = cjson.decode(response.body)
  change(batch)
  response.body = cjson.encode(batch) -- an empty list turns into {}, which is read the same
  return response
end

-- Stands between the job and the account: lets a spec respond instead of the account, and records each
-- request.
local function stand_between(world, given, seen)
  local service = world.service
  world.service = {
    handle = function(_, request)
      seen.handled = seen.handled + 1
      local function pass(changed)
        return service:handle(changed or request)
      end
      local response = given.respond and given.respond(seen.handled, pass, request) or pass()
      seen.statuses[seen.handled] = response.status or "dropped"
      return response
    end,
  }
end

---Runs a job, and raises when its counts do not add up.
---@param given table what simulation.world and simulation.run take, and:
---  `respond` = fun(number, pass, request) that returns the response to the number-th request, or nil for the
---  account's own; `world` of an earlier run, to go on in; `collect` = false: the report keeps the failures
---@return table seen { report, err, world, failures = by index, reported = how many, sizes = inputs per
---  request, sent = when each was sent, statuses = of each response, read = inputs read }
function job_run.run(given)
  local seen = { failures = {}, sizes = {}, sent = {}, statuses = {}, handled = 0, reported = 0 }
  local world = given.world or simulation.world {
    random = random.new(given.seed or 3), account = given.account, chances = given.chances,
    script = given.script, latency = given.latency, base = given.base,
  }
  local inner = world.service
  stand_between(world, given, seen)
  local on_failure = function(failure)
    assert(not seen.failures[failure.index], "an input has two outcomes")
    seen.failures[failure.index], seen.reported = failure, seen.reported + 1
    if given.on_failure then return given.on_failure(failure) end
  end
  if given.collect == false then on_failure = nil end
  local options = {}
  for name, value in pairs(given) do options[name] = value end
  options.on_failure = on_failure
  options.batch_size = given.batch_size or 10
  options.concurrency = given.concurrency or 1
  options.requests = given.requests or 20000
  function options.on_send(chunk)
    seen.sizes[#seen.sizes + 1] = #chunk.positions
    seen.sent[#seen.sent + 1] = world.now
    if given.on_send then given.on_send(chunk) end
  end
  seen.world = world
  seen.report, seen.err, seen.read = simulation.run(world, options)
  world.service = inner
  local report = seen.report
  if report then
    jobs.assert_adds_up(report)
    assert(report.requests == #seen.sizes, "the requests are not counted")
  end
  return seen
end

---The four counts of a run, for a comparison: succeeded, failed, unconfirmed, not_sent.
---@param seen table
---@return integer[]
function job_run.counts(seen)
  local report = seen.report
  local succeeded = report.created or report.archived or report.read
  return { succeeded, report.failed, report.unconfirmed, report.not_sent }
end

return job_run
