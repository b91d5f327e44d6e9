-- One simulated job with look-ups, all of it drawn from a seed: inputs that name contacts by emails and
-- companies by domains, the account's records, faults, crashes. run(seed) raises if the job broke a promise:
-- no pair is linked but one that an input names, and a value that is there is found.

local jobs = require "support.jobs"
local random = require "support.random"
local simulation = require "support.simulation"
local faults = require "hubspot.associations.sandbox.faults"

local look_up_case = {}

local UNLABELED = 279
local CONTACTS, COMPANIES = 150, 60

local function check(condition, ...)
  if not condition then error(string.format(...), 0) end
end

-- ---- drawing ----

local function email(number) return ("ada%d@example.com"):format(number) end
local function domain(number) return ("company%d.example"):format(number) end

-- The records: every seventh contact has a further email, and every tenth number is of nobody.
local function records()
  local contacts, companies = {}, {}
  for number = 1, CONTACTS do
    if number % 10 > 0 then
      contacts[tostring(1000 + number)] = {
        email = email(number), hs_additional_emails = number % 7 == 0 and "old" .. email(number) or nil,
      }
    end
  end
  for number = 1, COMPANIES do
    if number % 10 > 0 then companies[tostring(5000 + number)] = { domain = domain(number) } end
  end
  return { contacts = contacts, companies = companies }
end

-- A text in another spelling of the same value.
local function respelled(luck, text)
  if luck:one_in(3) then text = text:upper() end
  return luck:one_in(4) and " " .. text .. "\t" or text
end

-- A value of a side: its text, and the id of its record; nil where it is not found.
local function draw_value(luck, of, count, base)
  if luck:one_in(40) then return luck:pick { "", " ", "\t" } end
  local number = luck:integer(1, luck:one_in(3) and 8 or count)
  local id = number % 10 > 0 and tostring(base + number) or nil
  local text = of(number)
  if of == email and number % 7 == 0 and luck:one_in(2) then text = "old" .. text end
  return respelled(luck, text), id
end

local function draw_chances(luck)
  local chances, kinds = {}, faults.kinds()
  if luck:one_in(3) then return chances end
  for _ = 1, luck:integer(1, 4) do
    local kind = luck:pick(kinds)
    if kind ~= "daily" or luck:one_in(5) then chances[kind] = luck:integer(1, 12) / 100 end
  end
  return chances
end

local function draw(seed)
  local luck = random.new(seed)
  local case = { luck = luck, inputs = {}, pairs = {}, named = {}, failed = {}, crashes = {} }
  for index = 1, luck:integer(0, luck:one_in(8) and 6000 or 400) do
    local from, from_id = draw_value(luck, email, CONTACTS, 1000)
    local to, to_id = draw_value(luck, domain, COMPANIES, 5000)
    local is_bad = luck:one_in(50)
    case.inputs[index] = {
      from = luck:one_in(3) and { id = from } or from, to = to, types = not is_bad and UNLABELED or "?",
    }
    if from_id and to_id and not is_bad then
      case.pairs[index] = { from_id, to_id }
      case.named[from_id .. ">" .. to_id] = true
    end
    case.is_found = case.is_found or {}
    case.is_found[index] = from_id ~= nil and to_id ~= nil
  end
  case.batch_size, case.concurrency = luck:integer(1, 200), luck:integer(1, 6)
  case.chances = draw_chances(luck)
  case.account = { records = records() }
  if luck:one_in(2) then
    for number = 1, luck:integer(1, 3) do case.crashes[number] = luck:integer(1, 200) / 20 end
  end
  case.iterates = luck:one_in(2)
  return case
end

-- ---- the promises ----

local function check_input(case, world, index)
  local failure, pair = case.failed[index], case.pairs[index]
  if not failure then
    check(pair, "input %d succeeded, and names no pair", index)
    check(world.account:has("contacts", pair[1], "companies", pair[2], UNLABELED),
      "input %d is created, and the account lacks it", index)
    return
  end
  local kind = failure.error and failure.error.kind
  local may_leave_out = case.chances.partial or case.chances.anonymous
  if kind == "not_found" and not may_leave_out then
    check(not case.is_found[index], "input %d was not found: %s", index, tostring(failure.error))
  end
  if not next(case.chances) then
    check(not pair, "input %d failed on a calm day: %s", index, tostring(failure.error))
    check(kind == "not_found" or kind == "invalid_input", "input %d: %s", index, tostring(failure.error))
    check(case.is_found[index] == (kind == "invalid_input"), "input %d is %s", index, kind)
  end
end

-- ---- running ----

local function run_once(case, world, store, crash_at)
  case.failed = {}
  return simulation.run(world, {
    source = case.iterates and jobs.iterator(case.inputs) or case.inputs,
    batch_size = case.batch_size, concurrency = case.concurrency, store = store, crash_at = crash_at,
    from_property = "email", to_property = "domain",
    requests = 400 + #case.inputs * 60,
    on_failure = function(failure)
      check(not case.failed[failure.index], "input %d has two outcomes", failure.index)
      check(failure.input == case.inputs[failure.index], "input %d is reported with another", failure.index)
      case.failed[failure.index] = failure
    end,
  })
end

---Runs the case of a seed. Raises if a promise is broken, and says which.
---@param seed integer
---@return table statistics
function look_up_case.run(seed)
  local case = draw(seed)
  local world = simulation.world {
    random = case.luck, account = case.account, chances = case.chances,
    latency = case.luck:integer(1, 200) / 100,
  }
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
  for _, one in ipairs(world.account:associations()) do
    check(case.named[one.fromObjectId .. ">" .. one.toObjectId], "no input names %s and %s",
      one.fromObjectId, one.toObjectId)
  end
  check(err == nil or next(case.chances), "the job stopped on a calm day: %s", tostring(err))
  return {
    inputs = report.inputs, requests = report.requests + report.look_ups, stopped = err and err.kind,
    created = report.created, failed = report.failed, resumed = report.resumed, look_ups = report.look_ups,
  }
end

return look_up_case
