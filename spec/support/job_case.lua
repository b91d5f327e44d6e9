-- One simulated job, all of it drawn from a seed: inputs, behaviour of the account, faults, crashes.
-- run(seed) raises if the job broke a promise.

local inputs = require "support.job_inputs"
local jobs = require "support.jobs"
local random = require "support.random"
local simulation = require "support.simulation"
local faults = require "hubspot.associations.sandbox.faults"

local job_case = {}

local IS_GOOD = inputs.IS_GOOD
local id_of, pair_of, types_of, key_of = inputs.id_of, inputs.pair_of, inputs.types_of, inputs.key_of

-- ---- drawing ----

local FAULTS = faults.kinds()
local STORMS = { "lost_response", "lost_request", "bad_gateway", "unavailable", "partial", "secondly" }

local function draw_chances(luck)
  local chances = {}
  if luck:one_in(5) then return chances end -- a calm day: no faults
  if luck:one_in(8) then -- a storm: many faults
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

local function draw_account(luck)
  local options = inputs.account()
  options.numeric_ids = not luck:one_in(4)
  if luck:one_in(4) then options.status = 200 end
  if luck:one_in(4) then options.max_inputs = luck:integer(1, 60) end
  if luck:one_in(3) then
    options.rate = {
      limit = luck:integer(5, 50), interval = luck:pick { 1, 10 }, retry_after = luck:one_in(2),
    }
  end
  return options
end

-- Notes an input, and who asks for which types.
local function add_input(case, index, input, kind)
  case.inputs[index], case.kinds[index] = input, kind
  case.has_poison = case.has_poison or kind == "poison"
  if kind == "invalid" then return end
  local pair = pair_of(input)
  case.rows[pair] = case.rows[pair] or {}
  table.insert(case.rows[pair], index)
  if not IS_GOOD[kind] then return end
  for _, entry in ipairs(types_of(input)) do
    local key = key_of(pair, entry)
    case.asked[key] = (case.asked[key] or 0) + 1
  end
end

local function draw(seed)
  local luck = random.new(seed)
  local case = {
    luck = luck, inputs = {}, kinds = {}, failed = {}, crashes = {},
    asked = {}, -- pair and type -> by how many inputs
    rows = {}, -- pair -> indices
    batch_of = {}, -- index -> first index of the batch it was sent in last
    labels_kept = 0, -- custom labels that had to be there in the end
  }
  local kinds = inputs.draw_kinds(luck)
  for i = 1, luck:integer(0, luck:one_in(10) and 1500 or 300) do
    add_input(case, i, inputs.draw(luck, kinds))
  end
  case.batch_size = luck:integer(1, 60)
  case.concurrency = luck:integer(1, 6)
  case.chances = draw_chances(luck)
  case.account = draw_account(luck)
  if luck:one_in(2) then
    for i = 1, luck:integer(1, 3) do case.crashes[i] = luck:integer(1, 400) / 20 end
  end
  inputs.draw_verify(case, seed)
  case.settles = luck:one_in(2) -- whether what a crashed job sent arrives before the next begins
  case.iterates = luck:one_in(2)
  case.takes_results = luck:one_in(3)
  return case
end

-- ---- the promises ----

local function check(condition, ...)
  if not condition then error(string.format(...), 0) end
end

local function holds(world, input, entry)
  return world.account:has("contacts", id_of(input.from), "companies", id_of(input.to),
    entry.associationTypeId, entry.associationCategory)
end

-- Whether the account has all types of an input.
local function held(world, input)
  for _, entry in ipairs(types_of(input)) do
    if not holds(world, input, entry) then return false end
  end
  return true
end

-- Whether other inputs ask for all types of this one. Each input of a pair brings the unlabeled type with it.
local function is_asked_elsewhere(case, index)
  local pair = pair_of(case.inputs[index])
  local others = 0
  for _, other in ipairs(case.rows[pair]) do
    if other ~= index and IS_GOOD[case.kinds[other]] then others = others + 1 end
  end
  for _, entry in ipairs(types_of(case.inputs[index])) do
    local is_unlabeled = entry.associationTypeId == inputs.UNLABELED
    if (is_unlabeled and others or (case.asked[key_of(pair, entry)] or 0) - 1) < 1 then return false end
  end
  return true
end

-- Whether an input of a later batch wrote the pair, which replaces the custom labels.
local function is_replaced(case, index)
  for _, other in ipairs(case.rows[pair_of(case.inputs[index])]) do
    local batch = case.batch_of[other]
    if batch and batch > case.batch_of[index] then return true end
  end
  return false
end

-- Every type of a created input is there, except for custom labels that a later batch replaced, or a late
-- request of a crashed job.
local function check_created(case, world, index)
  local input = case.inputs[index]
  local may_be_replaced = is_replaced(case, index) or #case.crashes > 0 and not case.settles
  for _, entry in ipairs(types_of(input)) do
    local is_label = entry.associationCategory == "USER_DEFINED"
    local may_miss = may_be_replaced and is_label
    if is_label and not may_miss then case.labels_kept = case.labels_kept + 1 end
    check(may_miss or holds(world, input, entry), "input %d is reported as created, and the account lacks %s",
      index, key_of(pair_of(input), entry))
  end
end

local function check_report(case, report, err)
  jobs.assert_adds_up(report)
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

local function check_failed(case, world, index, err)
  local input, kind = case.inputs[index], case.kinds[index]
  check(err and err.message, "input %d failed without an error", index)
  local is_together = err.together and err.message:find("rejected together", 1, true)
  check(not IS_GOOD[kind] or is_together or err.retryable, "input %d failed without a reason: %s",
    index, tostring(err))
  local may_be_held = kind == "invalid" or is_together or is_asked_elsewhere(case, index)
    or #case.crashes > 0 and err.retryable -- a run before a crash may have created it
  check(may_be_held or not held(world, input),
    "input %d is reported as failed, and the account holds it", index)
end

-- A run before a crash may have sent it; another input may have asked for the same; and if a request arrives
-- twice, one may be done while the other gets the response (429).
local function check_not_sent(case, world, index)
  local input = case.inputs[index]
  local may_be_held = #case.crashes > 0 or case.chances.duplicate ~= nil
    or not IS_GOOD[case.kinds[index]] or is_asked_elsewhere(case, index)
  check(may_be_held or not held(world, input),
    "input %d is reported as not sent, and the account holds it", index)
end

local function check_input(case, world, index)
  local kind, failure = case.kinds[index], case.failed[index]
  local outcome = failure and failure.outcome or "created"
  if outcome == "created" then
    check(IS_GOOD[kind], "input %d (%s) is reported as created", index, kind)
    check_created(case, world, index)
  elseif outcome == "failed" then
    check_failed(case, world, index, failure.error)
  elseif outcome == "unconfirmed" then
    check(kind ~= "invalid", "input %d was never sent, and is unconfirmed", index)
    local may_not_show = case.verify and (case.is_unseen or case.crashes[1])
    check(next(case.chances) or case.has_poison or may_not_show,
      "input %d is unconfirmed on a calm day", index)
  elseif outcome == "not_sent" then
    check_not_sent(case, world, index)
  end
end

local function check_account(case, world)
  for _, held_one in ipairs(world.account:associations()) do
    local key = key_of(held_one.fromObjectId .. ">" .. held_one.toObjectId, held_one)
    check(case.asked[key], "the account holds %s, which nobody asked for", key)
  end
end

-- On a calm day, when nothing but inputs is bad, no good input suffers from a bad one, and the job does not
-- stop. But inputs on which the service itself fails may look like an outage, and nobody knows whether they
-- are done.
local function check_calm(case, err)
  if next(case.chances) or case.crashes[1] then return end
  check(case.has_poison or not err, "the job stopped on a calm day: %s", tostring(err))
  if err then return end
  for index, kind in ipairs(case.kinds) do
    local failure = case.failed[index]
    local outcome = failure and failure.outcome or "created"
    local is_right = outcome == (IS_GOOD[kind] and "created" or "failed")
      or (kind == "poison" or IS_GOOD[kind] and case.is_unseen) and outcome == "unconfirmed"
    check(is_right, "input %d (%s) is %s on a calm day: %s", index, kind, outcome,
      tostring(failure and failure.error))
  end
end

-- And each bad input costs one search by halving at most. (Inputs of a pair that is in flight wait for it,
-- and go in a request of their own.)
local function check_requests(case)
  if next(case.chances) or case.crashes[1] or case.has_poison or case.account.rate then return end
  local bad, repeats = 0, 0
  for index, kind in ipairs(case.kinds) do
    if not IS_GOOD[kind] and kind ~= "invalid" then bad = bad + 1 end
    if kind ~= "invalid" and case.rows[pair_of(case.inputs[index])][1] ~= index then repeats = repeats + 1 end
  end
  local size = math.min(case.batch_size, case.account.max_inputs or math.huge)
  local batches = #case.inputs / size
  local most = batches + math.min(repeats, batches * case.concurrency) + 10
    + 2 * bad * (math.log(size + 1) / math.log(2) + 1)
  check((case.sent or 0) <= most, "%d requests on a calm day, for %d inputs of which %d are bad",
    case.sent or 0, #case.inputs, bad)
end

-- ---- running ----

-- What is recorded is not sent again; a pair is in a request once, and in one request at a time.
local function watch(case, recorded)
  local in_flight = {} -- pair -> chunk
  local function on_send(chunk)
    if chunk.reader then return end
    local count = 0
    for _, position in ipairs(chunk.positions) do
      local index = chunk.batch:index(position)
      check(not recorded[index], "input %d was sent again after it was recorded", index)
      local pair = pair_of(case.inputs[index])
      check(in_flight[pair] == nil or in_flight[pair] == chunk, "%s is in two requests at a time", pair)
      if not in_flight[pair] then count = count + 1 end
      in_flight[pair] = chunk
      case.batch_of[index] = chunk.batch.first
    end
    local _, sent = chunk:json():gsub('"from":', "")
    check(sent == count, "%d pairs are sent as %d inputs", count, sent)
    case.sent = (case.sent or 0) + 1
  end
  local function on_response(chunk)
    if chunk.reader then return end
    for _, position in ipairs(chunk.positions) do
      in_flight[pair_of(case.inputs[chunk.batch:index(position)])] = nil
    end
  end
  return on_send, on_response
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
  local on_send, on_response = watch(case, store and recorded_inputs(store) or {})
  return simulation.run(world, {
    source = case.iterates and jobs.iterator(case.inputs) or case.inputs,
    batch_size = case.batch_size,
    concurrency = case.concurrency,
    store = store,
    crash_at = crash_at,
    verify = case.verify,
    requests = 200 + #case.inputs * (case.verify and 120 or 30),
    on_send = on_send,
    on_response = on_response,
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

---Runs the case of a seed. Raises if a promise is broken, and says which.
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
    if case.settles then world:settle() end
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
  check_calm(case, err)
  check_requests(case)
  check(world.now < 24 * 3600, "the job took %d virtual seconds", world.now)
  return {
    inputs = report.inputs, requests = case.sent or 0, stopped = err and err.kind, elapsed = world.now,
    created = report.created, unconfirmed = report.unconfirmed, failed = report.failed,
    labels_kept = case.labels_kept, verify = case.verify,
  }
end

return job_case
