-- One simulated sync, all of it drawn from a seed. run(seed) raises if the sync broke a promise, and says
-- which. sync_oracle.lua says what is promised where nothing goes wrong. What is promised besides:
--  - nothing is changed before the source ended and on_plan was told the counts; nor by a dry run, a plan
--    that is written to a file, an on_plan that returns false, or more removals than max_removals;
--  - no request ever removes what the list has, what is out of scope, or anything of a record that the list
--    does not name or that a doubtful row protects; none creates what the list does not have, except for the
--    labels that a pair had, which a write replaces;
--  - whatever fails, what the list has is there where it was there, what a row is reported as is so, and the
--    rest of the account is untouched;
--  - nothing is removed of a record of which a row was reported as failed, whatever the reason; between
--    records of one object type, of either record of such a row, from whichever side the link shows;
--  - when all that could be done was done, also after crashes, the account is as the oracle says;
--  - a sync that is stepped, by client:start, does the same, and one that is canceled ends as one that stops;
--  - a journal that has been gone through is refused for another list, and changes nothing for the same;
--  - where another program changed a pair between the reading and the writing: a pair that gained a type
--    loses nothing, a label that it gained is kept by the creation of another (unless the pair had no link at
--    all when it was read), and what it added or removed elsewhere stays so;
--  - where it changed links at any time: no request removes more than any reading would allow, and the
--    records of which the list says nothing have what that program gave them.

local accounts = require "support.sync_account"
local sync_draw = require "support.sync_draw"
local oracle = require "support.sync_oracle"
local sync_files = require "support.sync_files"
local sync_checks = require "support.sync_checks"
local simulation = require "support.simulation"
local virtual_client = require "support.virtual_client"
local applying = require "hubspot.associations.sync.applying"

local sync_case = {}

local check = sync_checks.check

-- ---- the world ----

local function new_world(case)
  local world = simulation.world {
    random = case.luck, account = case.account, chances = case.chances, latency = case.latency,
  }
  case.model = accounts.new(world, case.direction, case.account, case.lag)
  for _, link in ipairs(case.links) do case.model:link(link.from, link.to, link.keys) end
  if case.rate then world.account:configure { rate = case.rate } end
  case.world, case.before = world, case.model:state()
  case.expected = oracle.expect(case.rows, case.before, case.rules)
  for _, one in ipairs(case.is_anytime and case.changes or {}) do
    world:after(one.after, function() sync_checks.change(case, one) end)
  end
  local faulty = world.service
  local handler = accounts.hide(faulty.account, case.rules.unreadable)
  faulty.account = {
    handle = function(_, request)
      local kept, problem = pcall(sync_checks.request, case, request)
      if not kept then case.problem = case.problem or problem end
      return handler:handle(request)
    end,
  }
  -- A response that leaves labels out would make good names bad: labels are listed without faults.
  world.service = {
    handle = function(_, request)
      return (request.method == "GET" and handler or faulty):handle(request)
    end,
  }
  case.faulty = faulty
end

-- ---- one process ----

local function source_of(case, is_other)
  local list = {}
  for index, row in ipairs(case.rows) do
    local copy = {}
    for name, value in pairs(row.input) do copy[name] = value end
    list[index] = copy
  end
  if is_other then
    list[#list + 1] = { from = "1", to = "2", types = tonumber((case.direction.unlabeled:match "%d+$")) }
  end
  if not case.iterates then
    case.has_ended = true
    return list
  end
  case.has_ended = false
  local index = 0
  return function()
    index = index + 1
    if list[index] then return list[index] end
    case.has_ended = true
    if case.rules.ends_with_error and index == #list + 1 then return nil, "the connection was lost" end
  end
end

local function options_of(case, process)
  local is_applied = process.way == "apply" -- a plan has all of these
  return {
    mode = not is_applied and case.rules.mode or nil, empty = not is_applied and case.rules.empty or nil,
    types = not is_applied and case.types or nil,
    max_removals = not is_applied and case.percentage or case.limit or 1000000,
    dry_run = process.way == "dry_run" or nil,
    plan = process.way == "plan" and process.files:path ".csv" or nil,
    apply = process.way == "apply" and process.files:path ".csv" or nil,
    journal = process.journal and process.files:path ".journal" or nil,
    on_plan = function(counts)
      case.told, case.told_scope = counts.removals, counts.in_scope
      case.was_told = true
      if process.on_plan then process.on_plan() end
      if process.way == "declined" then return false end
    end,
    on_failure = function(failure)
      local kept, problem = pcall(sync_checks.failure, case, process, failure)
      if not kept then case.problem = case.problem or problem end
    end,
  }
end

-- A process that may be killed: what it does after that has no effect. Returns what sync_all returns, or
-- nothing after a crash.
local function run_process(case, process)
  local world, crash = case.world, process.crash
  local left = crash and { time = crash.after, request = crash.after, file = crash.after }
  local dies_at = crash and crash.by == "time" and world.now + crash.after or math.huge
  local function die(write)
    if not process.is_dead then
      if write and case.luck:one_in(2) then write(case.luck:integer(0, 100) / 100) end
      process.files:leave()
    end
    process.is_dead = true
    error("killed", 0)
  end
  local function count(what)
    return function(write)
      if case.problem then error(case.problem, 0) end
      if process.is_dead or world.now >= dies_at then die() end
      if not crash or crash.by ~= what then return end
      left[what] = left[what] - 1
      if left[what] < 0 then die(write) end
    end
  end
  process.failures, process.removals = {}, {}
  local count_request = count "request"
  world.on_request, world.on_wait = function() count_request() end, count "wait"
  local source = process.way ~= "apply" and source_of(case, process.is_other) or nil
  if not source then case.has_ended = true end
  case.process = process
  local function sync(client, wait)
    local from, to, options = case.direction.from, case.direction.to, options_of(case, process)
    if not case.is_stepped then return client:sync_all(from, to, source, options) end
    local runner, err = client:start("sync", from, to, source, options)
    if not runner then return nil, err end
    local steps = 0
    while not runner:step() do
      steps = steps + 1
      if steps == case.cancels_at then
        case.is_canceled = true
        runner:cancel()
      end
      wait(runner:timeout())
    end
    return runner:result()
  end
  local done, report, err = process.files:watch(count "file", function()
    return virtual_client.run(world, case.client, sync)
  end)
  world.on_request, world.on_wait = nil, nil
  if case.problem then error(case.problem, 0) end
  if process.is_dead then return end
  if not done then error(report, 0) end
  check(process.files:left() == 0, "%d temporary files are left", process.files:left())
  return report, err
end

-- ---- the ways ----

-- What another program does between what a sync reads and what it writes.
local function change(case)
  if not case.changes[1] or case.is_anytime then return end
  for _, one in ipairs(case.changes) do sync_checks.change(case, one) end
  case.meanwhile = case.model:state()
  case.expected = oracle.expect(case.rows, case.before, case.rules, case.meanwhile)
end

-- Runs, with crashes on the way, until a process comes to its end.
local function run_to_end(case, way, files, on_plan)
  for _, crash in ipairs(case.crashes) do
    local process = { way = way, files = files, journal = true, crash = crash }
    local report, err = run_process(case, process)
    if not process.is_dead then return report, err, process end
    files:sweep()
    case.world:settle()
    case.has_crashed = true
    if case.luck:one_in(2) then case.faulty.chances, case.chances = {}, {} end
  end
  local has_journal = case.has_crashed or case.crashes[1] ~= nil or case.luck:one_in(6)
  local process = { way = way, files = files, journal = has_journal, on_plan = on_plan }
  local report, err = run_process(case, process)
  return report, err, process
end

local WAYS = {}

function WAYS.sync(case, files)
  return run_to_end(case, "sync", files, function() change(case) end)
end

function WAYS.declined(case, files) return run_to_end(case, "declined", files) end
function WAYS.dry_run(case, files) return run_to_end(case, "dry_run", files) end

-- The plan is made by one process, which changes nothing, and done by another.
function WAYS.plan_apply(case, files)
  local process = { way = "plan", files = files }
  local report, err = run_process(case, process)
  case.world:settle()
  sync_checks.untouched(case, "a plan")
  if err then
    sync_checks.report(case, process, report, err)
    return report, err, process
  end
  case.planner = process
  case.is_planned = sync_checks.plan(case, process, files:read ".csv")
  change(case)
  return run_to_end(case, "apply", files)
end

-- Once more with the journal of a sync that came to its end: for the same list, and for another.
local function repeat_with_journal(case, process)
  if process.way ~= "sync" or not process.journal or not process.is_exact or case.cancels_at then return end
  case.is_over, case.cancels_at = true, nil
  local again = { way = "sync", files = process.files, journal = true, is_other = true }
  local report, err = run_process(case, again)
  check(not report and err and err.reason == "other_job", "another list goes on with the journal: %s",
    tostring(err))
  again.is_other = nil
  report, err = run_process(case, again)
  check(report, "the same list does not go on with its journal: %s", tostring(err))
  sync_checks.report(case, again, report, err)
  if report.not_sent + report.unconfirmed == 0 then
    check(report.resumed == report.inputs + report.removals, "%d of %d and %d are known from the journal",
      report.resumed, report.inputs, report.removals)
  end
end

---@param seed integer
---@return table statistics
function sync_case.run(seed)
  local case, files, window = sync_draw.draw(seed), sync_files.new(), applying.window
  applying.window = case.window or window
  local kept, result = xpcall(function()
    new_world(case)
    local report, err, process = WAYS[case.way](case, files)
    case.world:settle()
    if case.problem then error(case.problem, 0) end
    sync_checks.report(case, process, report, err)
    sync_checks.final(case, process, report, err)
    if report and not err and case.is_calm then repeat_with_journal(case, process) end
    return {
      way = case.way, inputs = #case.rows, requests = report and report.requests or 0,
      stopped = err and err.kind, created = report and report.created or 0,
      removed = report and report.removed or 0, kept = report and report.kept or 0,
      failed = report and report.failed or 0, unconfirmed = report and report.unconfirmed or 0,
      not_sent = report and report.not_sent or 0, resumed = report and report.resumed or 0,
      has_crashed = case.has_crashed,
      is_changed = case.changes[1] ~= nil, is_exact = process.is_exact,
    }
  end, sync_checks.trace)
  files:remove()
  applying.window = window
  if not kept then error(result, 0) end
  return result
end

return sync_case
