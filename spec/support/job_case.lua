-- One simulated job, drawn whole from a seed: its inputs, the account's ways, the faults, the crashes.
-- run(seed) raises when the job broke a promise.

local random = require "support.random"
local simulation = require "support.simulation"
local faults = require "hubspot.associations.sandbox.faults"

local job_case = {}

local TYPE, NO_SUCH_TYPE = 279, 4 -- of contacts to companies; of another direction

-- ---- drawing ----

local function key_of(input)
  return input.from .. ">" .. string.format("%.0f", input.to)
end

-- What an input is, and so what must come of it.
local KINDS = { { "good", 80 }, { "missing", 6 }, { "bad_type", 4 }, { "invalid", 4 }, { "refused", 2 } }

local function draw_kind(luck, kinds)
  local total = 0
  for _, kind in ipairs(kinds) do total = total + kind[2] end
  local at = luck:integer(1, total)
  for _, kind in ipairs(kinds) do
    at = at - kind[2]
    if at <= 0 then return kind[1] end
  end
end

local DRAW = {
  good = function(luck)
    -- A small range, so that pairs repeat; ids that begin with 404 do not exist.
    return { from = tostring(1000 + luck:integer(0, 300)), to = 5000 + luck:integer(0, 2), types = TYPE }
  end,
  missing = function(luck)
    return { from = { id = "404" .. luck:integer(0, 9) }, to = { id = "7" }, types = TYPE }
  end,
  bad_type = function(luck)
    -- Of the same range: the same pair, another type.
    return {
      from = tostring(1000 + luck:integer(0, 300)),
      to = 5000 + luck:integer(0, 2),
      types = { NO_SUCH_TYPE },
    }
  end,
  invalid = function(luck)
    return luck:pick {
      { from = "1", types = TYPE }, { from = "1", to = "2", types = {} }, { from = 1.5, to = "2" }, true,
    }
  end,
  refused = function(luck)
    return { from = "9" .. luck:integer(0, 9), to = "13", types = TYPE }
  end,
}

local FAULTS = faults.kinds()
local STORMS = { "lost_answer", "lost_request", "bad_gateway", "unavailable", "partial", "secondly" }

local function draw_chances(luck)
  local chances = {}
  if luck:one_in(5) then return chances end -- a calm day
  if luck:one_in(8) then -- a storm
    local kind = luck:pick(STORMS)
    chances[kind] = luck:integer(40, 100) / 100
    return chances
  end
  for _ = 1, luck:integer(1, 6) do
    local kind = luck:pick(FAULTS)
    if kind ~= "daily" or luck:one_in(5) then chances[kind] = luck:integer(1, 12) / 100 end
  end
  return chances
end

local function draw(seed)
  local luck = random.new(seed)
  local kinds = { KINDS[1] }
  for i = 2, #KINDS do kinds[i] = { KINDS[i][1], luck:one_in(3) and 0 or KINDS[i][2] } end
  local case = { luck = luck, inputs = {}, kinds = {}, asked = {}, failed = {}, crashes = {} }
  for i = 1, luck:integer(0, luck:one_in(10) and 1500 or 300) do
    case.kinds[i] = draw_kind(luck, kinds)
    case.inputs[i] = DRAW[case.kinds[i]](luck)
    if case.kinds[i] == "good" then
      local key = key_of(case.inputs[i])
      case.asked[key] = (case.asked[key] or 0) + 1
    end
  end
  case.batch_size = luck:integer(1, 60)
  case.concurrency = luck:integer(1, 6)
  case.chances = draw_chances(luck)
  case.account = {
    numeric_ids = luck:one_in(4),
    names_refused = luck:one_in(2),
    refused = function(_, id) return #id == 2 and id:sub(1, 1) == "9" end,
    status = luck:one_in(4) and 200 or nil,
    max_inputs = luck:one_in(4) and luck:integer(1, 60) or nil,
    rate = luck:one_in(3) and { limit = luck:integer(5, 50), interval = luck:pick { 1, 10 },
      retry_after = luck:one_in(2) } or nil,
  }
  if luck:one_in(2) then
    for i = 1, luck:integer(1, 3) do case.crashes[i] = luck:integer(1, 400) / 20 end
  end
  case.iterates = luck:one_in(2)
  case.takes_results = luck:one_in(3)
  return case
end

-- ---- the promises ----

local function check(condition, ...)
  if not condition then error(string.format(...), 0) end
end

local function held(world, input)
  local from = type(input.from) == "table" and input.from.id or input.from
  local to = type(input.to) == "table" and input.to.id or input.to
  local type_id = type(input.types) == "table" and input.types[1] or input.types
  return world.account:has("contacts", from, "companies", string.format("%.0f", to), type_id)
end

local function check_report(case, report, err)
  check(report.inputs == report.created + report.failed + report.unconfirmed + report.not_sent,
    "the counts do not add up")
  check(err or report.inputs == #case.inputs, "%d of %d inputs are accounted for",
    report.inputs, #case.inputs)
  check(err or report.not_sent == 0, "a job that did not stop left inputs out")
  local told = 0
  for index in pairs(case.failed) do
    check(index >= 1 and index <= report.inputs, "no such input: %d", index)
    told = told + 1
  end
  local unread = case.iterates and 0 or report.inputs - case.read
  check(told + unread == report.inputs - report.created, "%d inputs were not created, %d were told of",
    report.inputs - report.created, told + unread)
end

local function check_input(case, world, index)
  local input, kind, failure = case.inputs[index], case.kinds[index], case.failed[index]
  local outcome = failure and failure.outcome or "created"
  if outcome == "created" then
    check(kind == "good", "input %d (%s) is reported as created", index, kind)
    check(held(world, input), "input %d is reported as created, and the account does not hold it", index)
  elseif outcome == "failed" then
    check(failure.error and failure.error.message, "input %d failed without an error", index)
    local together = failure.error.message:find("refused together", 1, true)
    local refused_often = failure.error.retryable
    check(kind ~= "good" or together or refused_often, "input %d failed without a reason: %s",
      index, tostring(failure.error))
    check(kind == "invalid" or together or not held(world, input),
      "input %d is reported as failed, and the account holds it", index)
  elseif outcome == "unconfirmed" then
    check(kind ~= "invalid", "input %d was never sent, and is unconfirmed", index)
    check(next(case.chances), "input %d is unconfirmed on a calm day", index)
  elseif outcome == "not_sent" then
    -- A run before a crash may have sent it; another input may have asked for the same; and where a request
    -- arrives twice, the one that is done may not be the one whose answer (429) comes.
    local elsewhere = #case.crashes > 0 or case.chances.duplicate ~= nil
    check(elsewhere or kind ~= "good" or case.asked[key_of(input)] > 1 or not held(world, input),
      "input %d is reported as not sent, and the account holds it", index)
  end
end

local function check_account(case, world)
  for _, association in ipairs(world.account:associations()) do
    local key = association.fromObjectId .. ">" .. association.toObjectId
    check(case.asked[key] and association.associationTypeId == TYPE,
      "the account holds %s, which nobody asked for", key)
  end
end

-- ---- running ----

local function source_of(case)
  if not case.iterates then return case.inputs end
  local index = 0
  return function()
    index = index + 1
    return case.inputs[index]
  end
end

-- What is recorded is not sent again.
local function watch_sends(case, recorded)
  return function(piece)
    for _, place in ipairs(piece.places) do
      local index = piece.group.indices[place]
      check(not recorded[index], "input %d was sent again after it was recorded", index)
    end
    case.sent = (case.sent or 0) + 1
  end
end

local function recorded_inputs(store)
  local recorded = {}
  for line in store.text:gmatch "([^\n]*)\n" do
    local first, count = line:match '"first":(%d+)', line:match '"inputs":(%d+)'
    for index = tonumber(first) or 1, (tonumber(first) or 1) + (tonumber(count) or 0) - 1 do
      recorded[index] = true
    end
  end
  return recorded
end

local function run_once(case, world, store, crash_at)
  case.failed = {}
  return simulation.run(world, {
    source = source_of(case),
    batch_size = case.batch_size,
    concurrency = case.concurrency,
    store = store,
    crash_at = crash_at,
    requests = 200 + #case.inputs * 30,
    on_send = watch_sends(case, store and recorded_inputs(store) or {}),
    on_failure = function(failure)
      check(not case.failed[failure.index], "input %d has two outcomes", failure.index)
      case.failed[failure.index] = failure
    end,
    on_batch = case.takes_results and function(batch)
      check(batch.created + #batch.failures == batch.last - batch.first + 1, "a batch does not add up")
    end or nil,
  })
end

-- A crash may tear the line that was being written.
local function tear(case, store)
  if case.luck:one_in(2) and #store.text > 0 then
    local line = store.text:match "[^\n]*\n$" or ""
    store.text = store.text:sub(1, #store.text - case.luck:integer(1, math.max(1, #line)))
  end
end

---Runs the case of a seed. Raises, naming what was broken, when a promise is.
---@param seed integer
---@return table statistics
function job_case.run(seed)
  local case = draw(seed)
  local world = simulation.world {
    random = case.luck,
    account = case.account,
    chances = case.chances,
    latency = case.luck:integer(1, 200) / 100,
  }
  local store = #case.crashes > 0 and simulation.memory() or nil
  for _, delay in ipairs(case.crashes) do
    local report = run_once(case, world, store, world.now + delay)
    if report then break end
    tear(case, store)
  end
  local report, err, read = run_once(case, world, store)
  case.read = read
  check_report(case, report, err)
  for index = 1, report.inputs do
    local failure = case.failed[index]
    local unread = not case.iterates and index > case.read and not failure
    if not unread then check_input(case, world, index) end
  end
  check_account(case, world)
  check(world.now < 24 * 3600, "the job took %d virtual seconds", world.now)
  return {
    inputs = report.inputs, requests = case.sent or 0, stopped = err and err.kind, elapsed = world.now,
    created = report.created, unconfirmed = report.unconfirmed, failed = report.failed,
  }
end

return job_case
