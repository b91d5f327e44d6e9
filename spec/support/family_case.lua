-- One simulated job of an endpoint other than create, all of it drawn from a seed: inputs, the account and
-- its links, faults, crashes. run(seed) raises if the job broke a promise.

local cjson = require "cjson"
local job_inputs = require "support.job_inputs"
local jobs = require "support.jobs"
local random = require "support.random"
local simulation = require "support.simulation"
local endpoints = require "hubspot.associations.api.endpoints"
local faults = require "hubspot.associations.sandbox.faults"

local family_case = {}

local UNLABELED, PRIMARY = job_inputs.UNLABELED, 1
local FAULTS = faults.kinds()
local ENDPOINTS = { "archive", "archive_labels", "create_default", "read" }
local VERSIONS = { "v4", "2025-09", "2026-09" }

local function check(condition, ...)
  if not condition then error(string.format(...), 0) end
end

-- ---- drawing ----

local KINDS = { "good", "good", "good", "good", "good", "good", "missing", "invalid", "rejected", "poison" }

local FROM = {
  good = function(luck) return tostring(1000 + luck:integer(0, 120)) end,
  missing = function(luck) return "404" .. luck:integer(0, 9) end,
  rejected = function(luck) return "9" .. luck:integer(0, 9) end,
  poison = function(luck) return "8" .. luck:integer(0, 9) end,
  invalid = function(luck) return luck:pick { "1.0E+11", "x", "" } end,
}

-- A pair: both ids from one small range, so that (a, b) and (b, a) come, and many pairs of one record.
local function draw_pair(luck, kind)
  local input = { from = FROM[kind](luck), to = tostring(1000 + luck:integer(0, 120)) }
  if luck:one_in(3) and kind == "good" then input.from = tostring(1000 + luck:integer(0, 3)) end
  return input
end

local DRAW = {
  archive = draw_pair,
  create_default = draw_pair,
  archive_labels = function(luck, kind)
    local input = draw_pair(luck, kind)
    input.types = luck:one_in(2) and PRIMARY or UNLABELED
    return input
  end,
  read = function(luck, kind)
    local id = FROM[kind](luck)
    return luck:one_in(2) and { id = id } or id
  end,
}

local function draw_chances(luck)
  local chances = {}
  if luck:one_in(4) then return chances end
  for _ = 1, luck:integer(1, 5) do
    local kind = luck:pick(FAULTS)
    local most = luck:one_in(6) and 50 or 12
    if kind ~= "daily" or luck:one_in(5) then chances[kind] = luck:integer(1, most) / 100 end
  end
  return chances
end

local function draw(seed)
  local luck = random.new(seed)
  local case = { luck = luck, inputs = {}, kinds = {}, crashes = {}, failed = {}, parts = {}, complete = {} }
  case.endpoint, case.version = luck:pick(ENDPOINTS), luck:pick(VERSIONS)
  local most_kind = luck:one_in(3) and 6 or luck:one_in(3) and #KINDS or #KINDS - 1
  for i = 1, luck:integer(0, luck:one_in(10) and 900 or 250) do
    local kind = KINDS[luck:integer(1, most_kind)]
    case.inputs[i], case.kinds[i] = DRAW[case.endpoint](luck, kind), kind
    case.has_poison = case.has_poison or kind == "poison"
  end
  case.batch_size, case.concurrency = luck:integer(1, 80), luck:integer(1, 6)
  case.chances = draw_chances(luck)
  -- Foreign bytes within a string of a response change an id or a cursor, and nobody can tell.
  if case.endpoint == "read" then case.chances.garbled = nil end
  case.account = job_inputs.account()
  case.account.page_size = luck:integer(1, 20)
  case.account.numeric_ids = not luck:one_in(4)
  if luck:one_in(4) then case.account.max_inputs = { [case.endpoint] = luck:integer(1, 30) } end
  if luck:one_in(4) then
    case.account.rate = { limit = luck:integer(5, 50), interval = 1, retry_after = true }
  end
  if luck:one_in(2) then
    for i = 1, luck:integer(1, 3) do case.crashes[i] = luck:integer(1, 400) / 20 end
  end
  case.iterates = luck:one_in(2)
  if case.endpoint ~= "read" then job_inputs.draw_verify(case, seed) end
  return case
end

-- Links records, before there are faults. Companies and contacts share ids, which a job must not mix up.
local function link(case, world)
  local inputs, luck = {}, case.luck
  for i = 1, 1500 do
    local from = luck:one_in(3) and 1000 + luck:integer(0, 3) or 1000 + luck:integer(0, 100)
    inputs[i] = {
      from = { id = tostring(from) }, to = { id = tostring(1000 + luck:integer(0, 120)) },
      types = { { associationCategory = "HUBSPOT_DEFINED", associationTypeId = UNLABELED } },
    }
  end
  local response = world.account:handle {
    method = "POST", path = "/crm/associations/2025-09/contacts/companies/batch/create",
    headers = { authorization = "Bearer simulated", ["content-type"] = "application/json" },
    body = cjson.encode { inputs = inputs },
  }
  assert(response.status < 300, response.body)
end

-- ---- the promises ----

local function holds(world, input, type_id)
  local from, to = input.from, input.to
  return world.account:has("contacts", from, "companies", to, type_id or UNLABELED, "HUBSPOT_DEFINED")
end

-- The ids that a record is linked to, as a set.
local function links_of(world, id)
  local ids = {}
  for _, one in ipairs(world.account:associations()) do
    if one.fromObjectId == id and one.fromObjectTypeId == "0-1" then ids[one.toObjectId] = true end
  end
  return ids
end

local function id_of(input) return type(input) == "table" and input.id or input end

-- The pages of a run come in order; the last one ends the record.
local function note_page(case, page)
  local parts = case.parts[page.index] or {}
  case.parts[page.index] = parts
  check(page.part == #parts + 1, "part %d of input %d comes after %d", page.part, page.index, #parts)
  check(not parts.is_last, "input %d has a page after its last", page.index)
  check(page.id == id_of(case.inputs[page.index]), "input %d is %s, not %s", page.index,
    tostring(id_of(case.inputs[page.index])), tostring(page.id))
  parts[page.part], parts.is_last = page.links, page.last
  if page.last then case.complete[page.index] = parts end
end

local function check_links(case, world, index)
  local parts, expected, count = case.complete[index], links_of(world, id_of(case.inputs[index])), 0
  check(parts, "input %d is reported as read, and its last page was not delivered", index)
  for _, links in ipairs(parts) do
    for _, one in ipairs(links) do
      check(expected[one.toObjectId], "input %d was given %s", index, one.toObjectId)
      expected[one.toObjectId], count = nil, count + 1
    end
  end
  local lacking = next(expected)
  check(lacking == nil, "input %d was given %d links, and not %s", index, count, tostring(lacking))
end

-- What an input's success means of the account.
local CHECK = {
  archive = function(_, world, index, input)
    check(not holds(world, input), "input %d is archived, and the account holds it", index)
  end,
  archive_labels = function(_, world, index, input)
    check(not holds(world, input, input.types), "input %d is archived, and the account holds it", index)
  end,
  create_default = function(_, world, index, input)
    check(holds(world, input), "input %d is created, and the account lacks it", index)
  end,
  read = check_links,
}

-- Which kinds may succeed. A read of a missing record finds no links; v4 says nothing of what it removes, and
-- a fault may hide that a record is missing.
local function may_succeed(case, kind)
  if kind == "good" then return true end
  return kind == "missing" and case.endpoint ~= "create_default"
end

local function check_input(case, world, index)
  local kind, failure = case.kinds[index], case.failed[index]
  if not failure then
    check(may_succeed(case, kind), "input %d (%s) succeeded", index, kind)
    CHECK[case.endpoint](case, world, index, case.inputs[index])
    return
  end
  local err = failure.error
  if failure.outcome == "failed" then
    check(kind ~= "good" or err.together or err.retryable, "input %d failed without a reason: %s", index,
      tostring(err))
  elseif failure.outcome == "unconfirmed" then
    check(kind ~= "invalid", "input %d was never sent", index)
    local may_not_show = case.verify and (case.is_unseen or case.crashes[1])
    check(next(case.chances) or case.has_poison or may_not_show,
      "input %d is unconfirmed on a calm day", index)
  end
end

-- On a calm day, good inputs succeed, and the job does not stop.
local function check_calm(case, err)
  if next(case.chances) or case.crashes[1] or case.has_poison then return end
  check(not err, "the job stopped on a calm day: %s", tostring(err))
  for index, kind in ipairs(case.kinds) do
    local failure = case.failed[index]
    local is_unseen = case.is_unseen and failure and failure.outcome == "unconfirmed"
    check(kind ~= "good" or not failure or is_unseen, "input %d failed on a calm day: %s", index,
      tostring(failure and failure.error))
  end
end

-- ---- running ----

-- (a, b) and (b, a), and two pages of one record, are never in one request.
local function check_request(case, chunk)
  local row, seen = endpoints[case.endpoint], {}
  if not row.both_directions or chunk.reader then return end
  for _, input in ipairs(cjson.decode(chunk:json()).inputs) do
    local from, to = input.from.id, input.to.id
    local is_mirrored = from ~= to and seen[to .. ">" .. from]
    check(not is_mirrored, "both directions of %s and %s are in one request", from, to)
    seen[from .. ">" .. to] = true
  end
end

local function run_once(case, world, store, crash_at)
  case.failed, case.parts = {}, {}
  return simulation.run(world, {
    endpoint = case.endpoint, version = case.version,
    source = case.iterates and jobs.iterator(case.inputs) or case.inputs,
    batch_size = case.batch_size, concurrency = case.concurrency, store = store, crash_at = crash_at,
    verify = case.verify,
    requests = 400 + #case.inputs * (case.verify and 200 or 60),
    on_send = function(chunk)
      case.sent = (case.sent or 0) + 1
      check_request(case, chunk)
    end,
    on_record = case.endpoint == "read" and function(page) note_page(case, page) end or nil,
    on_failure = function(failure)
      check(not case.failed[failure.index], "input %d has two outcomes", failure.index)
      case.failed[failure.index] = failure
    end,
  })
end

---Runs the case of a seed. Raises if a promise is broken, and says which.
---@param seed integer
---@return table statistics
function family_case.run(seed)
  local case = draw(seed)
  local world = simulation.world {
    random = case.luck, account = case.account, chances = case.chances,
    latency = case.luck:integer(1, 200) / 100,
  }
  link(case, world)
  local store = #case.crashes > 0 and simulation.memory() or nil
  for _, delay in ipairs(case.crashes) do
    if run_once(case, world, store, world.now + delay) then break end
    if case.luck:one_in(2) then store.text = store.text:sub(1, #store.text - case.luck:integer(0, 20)) end
  end
  local report, err, read = run_once(case, world, store)
  world:settle()
  jobs.assert_adds_up(report)
  check(err or report.inputs == #case.inputs, "%d of %d inputs", report.inputs, #case.inputs)
  for index = 1, math.min(report.inputs, read) do check_input(case, world, index) end
  check_calm(case, err)
  local outcome = endpoints[case.endpoint].outcome
  return {
    endpoint = case.endpoint, inputs = report.inputs, requests = case.sent or 0, stopped = err and err.kind,
    succeeded = report[outcome], unconfirmed = report.unconfirmed, failed = report.failed,
    resumed = report.resumed, verify = case.verify,
  }
end

return family_case
