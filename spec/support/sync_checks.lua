-- What is checked of a simulated sync: each request that arrives, each failure that is told, the report, the
-- plan, and in the end the account.

local cjson = require "cjson"

local oracle = require "support.sync_oracle"

local sync_checks = {}

local function check(condition, ...)
  if not condition then error(string.format(...), 0) end
end
sync_checks.check = check

---A broken promise says enough; any other error comes from somewhere.
---@param problem any what was raised
---@return string
function sync_checks.trace(problem)
  problem = tostring(problem)
  local is_fault = problem:find("attempt to", 1, true) and not problem:find("\nstack traceback:", 1, true)
  return is_fault and debug.traceback(problem, 2) or problem
end

local function have(state, from, to) return state[from] and state[from][to] or {} end

local function is_custom(key) return key:find "^USER_DEFINED:" ~= nil end

local function key_of(one) return ("%s:%d"):format(one.associationCategory, one.associationTypeId) end

-- ---- requests ----

-- Another program changes a pair. What a sync leaves alone has to be as `alone` says in the end.
function sync_checks.change(case, one)
  case.alone = case.alone or oracle.copy(case.before)
  local function note(from, to, inverses)
    local targets = case.alone[from] or {}
    case.alone[from] = targets
    targets[to] = not one.is_removal and (targets[to] or {}) or nil
    for key in pairs(targets[to] and one.keys or {}) do targets[to][inverses[key] or key] = true end
  end
  note(one.from, one.to, {})
  if case.direction.inverses then note(one.to, one.from, case.direction.inverses) end
  if one.is_removal then return case.model:unlink(one.from, one.to) end
  case.model:link(one.from, one.to, one.keys)
end

local WRITES = {}

function WRITES.create(case, input)
  local from, to = input.from.id, input.to.id
  local wanted, there = have(case.expected.wanted, from, to), have(case.before, from, to)
  local since = have(case.meanwhile or case.before, from, to)
  local back = have(case.expected.wanted, to, from) -- of the other direction, which the pair may have by now
  check(next(wanted), "a creation of %s>%s, which the list does not have", from, to)
  for _, one in ipairs(input.types) do
    local key = key_of(one)
    local is_right = wanted[key] or is_custom(key) and (there[key] or since[key] or case.is_anytime
      or back[(case.direction.inverses or {})[key] or key])
    check(is_right, "%s>%s is created with %s", from, to, key)
  end
end

-- Whether a row of the record was not created: of either record, if they are of one object type.
local function is_blocked(case, from, to)
  return case.expected.blocked[from] or case.direction.inverses and case.expected.blocked[to]
end

-- The row of a failure: of the list, or of the plan that was applied.
local function row_of(case, process, index)
  return process.way == "apply" and process.failures[index].input or case.rows[index]
end

-- The first row that was reported as failed, and is of one of these records: "doubt protects", whatever the
-- reason. Of one object type, a link is of both of its records, and so is its row.
local function failed_row(case, from, to)
  for _, process in ipairs { case.planner or {}, case.process } do
    for index in pairs(process.failures or {}) do
      local row = row_of(case, process, index)
      local is_of = row.from == from
      if case.direction.inverses then
        is_of = is_of or row.from == to or row.to == from or row.to == to
      end
      if is_of then return index end
    end
  end
end

local function check_removable(case, from, to)
  local index = failed_row(case, from, to)
  check(not index, "%s>%s is removed, and row %s was reported as failed", from, to, tostring(index))
  check(not case.expected.protected[from], "%s, which is doubtful, loses %s", from, to)
  check(not is_blocked(case, from, to), "%s loses %s, and another link of it was not created", from, to)
  check(not case.expected.changed[from .. ">" .. to], "%s>%s was changed, and is removed", from, to)
end

function WRITES.archive(case, input)
  for _, target in ipairs(input.to) do
    local whole = case.expected.whole[input.from.id]
    local may = case.is_anytime
      and oracle.may_remove(case.expected, case.rules, input.from.id, target.id, case.direction.unlabeled)
    check(may or whole and whole[target.id], "%s>%s is removed", input.from.id, target.id)
    check_removable(case, input.from.id, target.id)
  end
end

function WRITES.labels_archive(case, input)
  local from, to = input.from.id, input.to.id
  for _, one in ipairs(input.types) do
    local key = key_of(one)
    local may = case.is_anytime and oracle.may_remove(case.expected, case.rules, from, to, key)
    check(may or have(case.expected.removals, from, to)[key], "%s is removed from %s>%s", key, from, to)
    check_removable(case, from, to)
  end
end

local CHANGES_NOTHING = { plan = true, dry_run = true, declined = true }

-- The most removals that there may be: of a percentage, the least and the most that it may come to, since of
-- a doubtful record some links are compared only.
local function limits_of(case)
  local share = case.percentage and tonumber((case.percentage:match "^%d+")) / 100
  if share and case.process.way == "apply" then return math.huge, math.huge end -- it is given none
  if not share then return case.limit or math.huge, case.limit or math.huge end
  local least, most = oracle.in_scope(case.expected, case.before)
  return math.floor(least * share), math.floor(most * share)
end

-- Whether there are more removals than may be: where a record cannot be read, there are fewer.
local function is_too_many(case)
  return case.is_calm and case.expected.lines > select(2, limits_of(case))
end

-- Whether there may be: of a percentage, that may be open.
local function may_be_too_many(case)
  return case.expected.lines > limits_of(case)
end

---Checks a request that arrives at the account.
function sync_checks.request(case, request)
  local endpoint = request.path:match "/batch/(.*)$"
  local write = endpoint and WRITES[(endpoint:gsub("/", "_"))]
  if not write then return end
  local way = case.process.way
  check(case.has_ended, "something is written before the list is read to its end")
  check(not case.is_over, "a journal that has been gone through changes something: %s", endpoint)
  check(not CHANGES_NOTHING[way], "a %s changes something: %s", way, endpoint)
  check(way == "apply" or case.was_told, "something is written before on_plan is told of it")
  local most = case.percentage and way ~= "apply"
    and math.floor((case.told_scope or 0) * tonumber((case.percentage:match "^%d+")) / 100)
    or case.limit or math.huge
  check(not is_too_many(case) and (case.told or 0) <= most, "something is written, and %d of %s removals",
    math.max(case.expected.lines, case.told or 0), most)
  for _, input in ipairs(cjson.decode(request.body).inputs) do write(case, input) end
end

-- ---- outcomes ----

---Notes a failure that on_failure is told of.
function sync_checks.failure(case, process, failure)
  check(failure.error and failure.error.message, "a failure without an error")
  if failure.action == "remove" then
    process.removals[#process.removals + 1] = failure
    return
  end
  check(process.way == "apply" or case.rows[failure.index], "no such row: %s", tostring(failure.index))
  check(not process.failures[failure.index], "row %d has two outcomes", failure.index)
  process.failures[failure.index] = failure
end

local function outcome_of(process, index)
  local failure = process.failures[index]
  return failure and failure.outcome or "done"
end

-- Whether every row came out as on a day on which nothing goes wrong. A plan's rows are those that create.
local function are_rows_clean(case, process)
  if process.way ~= "apply" then
    for index, allowed in ipairs(case.expected.outcomes) do
      local outcome = outcome_of(process, index)
      local is_right = outcome == "done" and (allowed.kept or allowed.created) or allowed[outcome]
      if not is_right then return false end
      -- A row of a record that does not exist may also fail because the other one could not be read.
      local row, failure = case.rows[index], process.failures[index]
      local is_missing = failure and row.is_missing and not case.expected.refused[index]
      if is_missing and not tostring(failure.error):find "OBJECT_NOT_FOUND" then return false end
    end
    return true
  end
  for _, failure in pairs(process.failures) do
    local is_missing, input = false, failure.input
    for _, row in ipairs(case.rows) do
      is_missing = is_missing or row.is_missing and row.from == input.from and row.to == input.to
    end
    if not is_missing or failure.outcome ~= "failed" then return false end
  end
  return true
end

-- The same of every row and every removal.
local function is_clean(case, process, err)
  local has_stopped = err and not (case.rules.ends_with_error and err.kind == "source")
  if has_stopped or case.is_planned == false then return false end
  if not are_rows_clean(case, process) then return false end
  for _, failure in ipairs(process.removals) do
    local input = failure.input
    local is_right = is_blocked(case, input.from, input.to)
      or case.expected.changed[input.from .. ">" .. input.to]
    if not is_right then return false end
  end
  return true
end

local COUNTS = { "kept", "created", "removed", "failed", "unconfirmed", "not_sent" }

---Checks the report of the last process.
function sync_checks.report(case, process, report, err)
  if not report then return check(err, "neither a report nor an error") end
  local sum = 0
  for _, name in ipairs(COUNTS) do sum = sum + report[name] end
  check(sum == report.inputs + report.removals, "%d outcomes of %d inputs and %d removals", sum,
    report.inputs, report.removals)
  if process.way == "apply" or err then return end
  check(report.inputs == #case.rows, "%d of %d rows", report.inputs, #case.rows)
  local told = #process.removals
  for _ in pairs(process.failures) do told = told + 1 end
  local untold = report.failed + report.unconfirmed + report.not_sent - told
  check(CHANGES_NOTHING[process.way] or untold == 0, "%d failures were not told of", untold)
end

-- On a clean run, the counts are known.
local function check_counts(case, process, report)
  if process.way ~= "sync" or case.meanwhile then return end
  local expected, counts = case.expected, { kept = 0, created = 0, failed = 0 }
  for index, allowed in ipairs(expected.outcomes) do
    local outcome = outcome_of(process, index)
    if outcome == "done" then outcome = allowed.kept and "kept" or "created" end
    counts[outcome] = counts[outcome] + 1
  end
  check(report.removals == expected.lines + expected.spared, "%d removals, not %d and %d spared",
    report.removals, expected.lines, expected.spared)
  check(report.removed == expected.lines - #process.removals, "%d removed, not %d - %d", report.removed,
    expected.lines, #process.removals)
  -- After a crash, a row that was created is found there.
  if case.has_crashed then return end
  -- A row may also be there by the row of the other direction.
  if case.direction.inverses then
    check(report.created + report.kept == counts.created + counts.kept + expected.spared,
      "%d created and %d kept, not %d and %d and %d spared", report.created, report.kept, counts.created,
      counts.kept, expected.spared)
    return
  end
  check(report.created == counts.created, "%d created, not %d", report.created, counts.created)
  check(report.kept == counts.kept + expected.spared, "%d kept, not %d and %d spared", report.kept,
    counts.kept, expected.spared)
end

-- ---- the plan ----

-- Whether all records could be read.
local function is_planned(case, process)
  for index, failure in pairs(process.failures) do
    local is_right = case.expected.refused[index] or case.rows[index].kind == "empty"
    if not is_right or not case.expected.outcomes[index][failure.outcome] then return false end
  end
  return true
end

---Checks the lines of a plan file.
---@return boolean is_complete whether all records could be read
function sync_checks.plan(case, process, text)
  check(text, "there is no plan")
  if not is_planned(case, process) then return false end
  local lines = {}
  for from, targets in pairs(case.expected.wanted) do
    for to, keys in pairs(targets) do
      local there = have(case.before, from, to)
      for key in pairs(keys) do
        if not there[key] then lines["create," .. from .. "," .. to .. "," .. key] = true end
      end
    end
  end
  for from, targets in pairs(case.expected.removals) do
    for to, keys in pairs(targets) do
      for key in pairs(keys) do lines["remove," .. from .. "," .. to .. "," .. key] = true end
    end
  end
  local is_header = true
  for line in text:gmatch "[^\r\n]+" do
    local action, from, to, category, id = line:match "^([^,]*),([^,]*),([^,]*),([^,]*),([^,]*)"
    if is_header then
      check(line:find "^action,from %l+,to %l+,category,type", "the header is %s", line)
    elseif action ~= "keep" then
      local name = ("%s,%s,%s,%s:%s"):format(action, from, to, category, id)
      check(lines[name], "the plan has %s", line)
      lines[name] = nil
    end
    is_header = false
  end
  check(next(lines) == nil, "the plan lacks %s", tostring((next(lines))))
  return true
end

-- ---- the account ----

local function each_key(states, visit)
  local seen = {}
  for _, state in ipairs(states) do
    for from, targets in pairs(state) do
      for to, keys in pairs(targets) do
        for key in pairs(keys) do
          local name = from .. ">" .. to .. " " .. key
          if not seen[name] then visit(from, to, key, name) end
          seen[name] = true
        end
      end
    end
  end
end

---Checks that nothing was changed.
function sync_checks.untouched(case, what)
  local after, before = case.model:state(), case.meanwhile or case.before
  each_key({ before, after }, function(from, to, key, name)
    local was, is_there = have(before, from, to)[key] ~= nil, have(after, from, to)[key] ~= nil
    check(was == is_there, "%s changed %s", what, name)
  end)
end

-- What a change by another program leaves open: the labels that a pair without any link gained, and what was
-- taken from a pair of the list.
local function is_open(case, from, to, key)
  local before, since = have(case.before, from, to), have(case.meanwhile or {}, from, to)
  if have(case.expected.contested, from, to).is_contested and is_custom(key) and not before[key] then
    return true
  end
  local is_listed = next(have(case.expected.wanted, from, to)) or next(have(case.expected.held, from, to))
  if not case.meanwhile or not is_listed then return false end
  if not next(before) and is_custom(key) and since[key] then return true end
  return before[key] and not since[key]
end

local function check_exact(case, after)
  each_key({ case.expected.final, after }, function(from, to, key, name)
    if is_open(case, from, to, key) then return end
    local is_there = have(after, from, to)[key] ~= nil
    if have(case.expected.final, from, to)[key] then
      check(is_there, "the account lacks %s", name)
    else
      check(not is_there, "the account has %s", name)
    end
  end)
end

local function check_careful(case, after)
  local before, final = case.meanwhile or case.before, case.expected.final
  each_key({ before, final, after }, function(from, to, key, name)
    local was, shall = have(before, from, to)[key] ~= nil, have(final, from, to)[key] ~= nil
    local is_there = have(after, from, to)[key] ~= nil
    if was ~= shall or is_open(case, from, to, key) then return end
    check(is_there == was, was and "the account lost %s" or "the account gained %s", name)
  end)
end

-- Records of which the list says nothing have what another program gave them; but for a primary company,
-- which a row of another record may have replaced.
local function check_alone(case, after)
  each_key({ case.alone, after }, function(from, to, key, name)
    local expected = case.expected
    if expected.exposed[from] or expected.wanted[from] or key == case.direction.primary then return end
    if case.direction.inverses and (expected.exposed[to] or expected.wanted[to]) then return end
    local was, is_there = have(case.alone, from, to)[key] ~= nil, have(after, from, to)[key] ~= nil
    check(was == is_there, "%s was changed", name)
  end)
end

-- What a row is reported as is so.
local function check_rows(case, process, after)
  if process.way ~= "sync" or case.meanwhile then return end
  for index, row in ipairs(case.rows) do
    local is_done = row.kind == "good" and outcome_of(process, index) == "done"
    for _, key in ipairs(is_done and row.keys or {}) do
      local is_there = have(after, row.from, row.to)[key] or is_open(case, row.from, row.to, key)
      check(is_there, "row %d is reported as there, and the account lacks %s", index, key)
    end
  end
end

---Checks the account in the end.
function sync_checks.final(case, process, report, err)
  local after = case.model:state()
  if CHANGES_NOTHING[process.way] then return sync_checks.untouched(case, process.way) end
  if is_too_many(case) then
    check(err, "%d removals are more than %s, and nothing is said", case.expected.lines,
      case.percentage or case.limit)
    return sync_checks.untouched(case, "a sync with too many removals")
  end
  if case.is_anytime then return check_alone(case, after) end
  if err and err.kind == "too_many_removals" and may_be_too_many(case) then
    return sync_checks.untouched(case, "a sync with too many removals")
  end
  local is_calm = not next(case.chances) and not case.has_crashed and not case.is_canceled
  process.is_exact = is_clean(case, process, err)
  check(process.is_exact or not is_calm or err and err.kind == "source", "not all is well on a calm day: %s",
    tostring(err or sync_checks.describe(process)))
  if process.is_exact then
    check_counts(case, process, report)
    check_exact(case, after)
  else
    check_careful(case, after)
  end
  if not err then check_rows(case, process, after) end
end

---The failures of a process, in one line.
function sync_checks.describe(process)
  local lines = {}
  for index, failure in pairs(process.failures) do
    lines[#lines + 1] = ("row %d %s: %s"):format(index, failure.outcome, tostring(failure.error))
  end
  for _, failure in ipairs(process.removals) do
    lines[#lines + 1] = ("removal %s: %s"):format(failure.outcome, tostring(failure.error))
  end
  return table.concat(lines, "; ")
end

return sync_checks
