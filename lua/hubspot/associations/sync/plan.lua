-- The plan of a sync: what it says in numbers, whether it may be done, and its file, which the option `plan`
-- writes, the option `apply` reads, and a sync with a journal goes on from.

local errors = require "hubspot.associations.errors"
local journals = require "hubspot.associations.sync.journal"
local lines = require "hubspot.associations.sync.lines"
local plan_file = require "hubspot.associations.sync.plan_file"
local rows = require "hubspot.associations.sync.rows"
local type_keys = require "hubspot.associations.sync.type_keys"
local one_line = require "hubspot.associations.text.one_line"
local types = require "hubspot.associations.types"

local plans = {}

local TURN = 1000 -- lines of a plan between the host's turns

-- ---- whether it may be done ----

---The plan in numbers, as on_plan gets them.
---@param self hubspot.associations.Sync
---@return table
function plans.counts(self)
  local planned, report = self.planned, self.tally.report
  return {
    creations = planned.creations, removals = planned.removals, kept = report.kept, failed = report.failed,
    protected = report.protected, in_scope = planned.in_scope, removals_off = self.removals_off,
    inputs = report.inputs, resumed = report.resumed,
  }
end

local DEFAULT_PERCENTAGE, DEFAULT_COUNT = 10, 100

-- The most removals that may be made; nil: any number.
local function most_removals(self)
  local given, in_scope = self.given.max_removals, self.planned.in_scope
  local percentage = type(given) == "string" and tonumber(given:match "^(.*)%%$")
  if percentage then return math.floor(in_scope * percentage / 100) end
  if given then return given end
  if self.given.apply then return nil end
  return math.max(math.floor(in_scope * DEFAULT_PERCENTAGE / 100), DEFAULT_COUNT)
end

---Asks the caller, and checks how many links would be removed. True when the plan may be done.
---@param self hubspot.associations.Sync
function plans.may_apply(self)
  local most, removals = most_removals(self), self.planned.removals
  if most and removals > most then
    local compared = self.given.apply and "" or (" of %.0f"):format(self.planned.in_scope)
    self.tally:stop(errors.new {
      kind = "too_many_removals", retryable = false, count = removals,
      message = ("%.0f%s links would be removed, more than %.0f; nothing was changed"):format(
        removals, compared, most),
    })
  elseif self.given.on_plan then
    self.tally:call(self.given.on_plan, self.tally.report.planned)
  end
  return self.tally.error == nil
end

---The rows of the plan in the spool, for the file.
---@param self hubspot.associations.Sync
function plans.rows(self)
  local next_line, count = self.plan:lines(), 0
  return function()
    local line, err = next_line()
    count = count + 1
    if count % TURN == 0 then self.pause() end
    if not line then return nil, err end
    local row = lines.read_plan(line)
    row.action = row.section == lines.REMOVAL and "remove" or "create"
    row.label = self.labels[row.key] or types.label(self.from, self.to, select(2, type_keys.parts(row.key)))
    row.rows = row.tokens:gsub("=[^,]*", "")
    return row
  end
end

-- The section of a row of a plan that was read from a file. Since a caller's plan was written, the pair may
-- have been labelled, and a write of any type replaces labels: nothing is created without another look.
local function section_of(self, row)
  if row.action == "remove" then return lines.REMOVAL end
  return row.had == "" and not self.given.apply and lines.NEW or lines.LINKED
end

local function settle_recorded(self, row, outcome, err)
  local unit = {
    section = section_of(self, row), from = row.from, to = row.to, types = row.keys, tokens = row.tokens,
  }
  self.tally:count("resumed", lines.weight(unit))
  if outcome == "failed" then
    if unit.section ~= lines.REMOVAL then self:spoil(unit.from, unit.to) end
    self:fail_unit(unit, outcome, err)
  else
    self.tally:count(outcome, lines.weight(unit))
  end
end

-- Gives each row of a plan's file, and the number of its line, to `take`.
local function load_plan(self, path, take)
  local next_row, err, close = plan_file.open(path, self)
  if not next_row then return nil, err end
  local count = 0
  while true do
    local row, line = next_row()
    count = count + 1
    if count % TURN == 0 then self.pause() end
    if not row then
      close()
      if line then return nil, line end
      return true
    end
    local taken
    taken, err = take(row, line)
    if not taken then
      close()
      return nil, err
    end
  end
end

---The plan of the option `apply`: its lines are the inputs.
---@param self hubspot.associations.Sync
function plans.load_given(self)
  local planned = self.planned
  local loaded, err = load_plan(self, self.given.apply, function(row, number)
    local is_removal = row.action == "remove"
    self.tally:count(is_removal and "removals" or "inputs", 1)
    local name = is_removal and "removals" or "creations"
    planned[name] = planned[name] + 1
    if self.digest then self.digest:add { row.action, row.from, row.to, row.key, row.had } end
    return self.plan:write(lines.plan(section_of(self, row), row.from, row.to, row.key, row.had,
      lines.token(number), "-"))
  end)
  if loaded then loaded, err = self.plan:sort() end
  return loaded, err
end

---Spools what is left of the journal's plan, with the number of each pair.
---@param self hubspot.associations.Sync
function plans.load_recorded(self)
  local number, unit = 0, nil
  local plan, err = self:new_spool()
  if not plan then return nil, err end
  local function close_unit()
    if not unit then return end
    local outcome, error_of_it = self.journal:outcome_of(number)
    if outcome then settle_recorded(self, unit, outcome, error_of_it) end
  end
  local loaded
  loaded, err = load_plan(self, self.given.journal .. ".plan", function(row)
    local section = section_of(self, row)
    local is_same = unit and unit.section == section and unit.from == row.from and unit.to == row.to
    if not is_same then
      close_unit()
      number = number + 1
      unit = {
        section = section, action = row.action, from = row.from, to = row.to, had = row.had, key = row.key,
        keys = {}, tokens = {}, is_seen = {},
      }
    end
    table.insert(unit.keys, row.key)
    for token in row.rows:gmatch "[^,]+" do
      if not unit.is_seen[token] then table.insert(unit.tokens, token) end
      unit.is_seen[token] = true
    end
    if self.journal.done[number] then return true end
    if self.is_resumed and section == lines.NEW then section = lines.LINKED end
    return plan:write(lines.plan(section, row.from, row.to, row.key, row.had, row.rows,
      ("%.0f"):format(number)))
  end)
  if not loaded then return nil, err end
  close_unit()
  if self.journal.planned.pairs and number ~= self.journal.planned.pairs then
    local message = "its plan, %s.plan, is not complete"
    return nil, self.journal:unusable(message:format(self.given.journal), "damaged")
  end
  self.plan:remove()
  self.plan = plan
  return plan:sort()
end

---Writes the plan beside the journal, and that it is complete.
---@param self hubspot.associations.Sync
function plans.write_recorded(self)
  local next_row, pairs_in_plan, last = plans.rows(self), 0, nil
  local written, err = plan_file.write(self.given.journal .. ".plan", function()
    local row, why = next_row()
    local name = row and section_of(self, row) .. row.from .. ">" .. row.to
    if name and name ~= last then pairs_in_plan = pairs_in_plan + 1 end
    last = name
    return row, why
  end, self)
  if not written then return nil, err end
  local report = self.tally.report
  self.journal.planned = {
    pairs = pairs_in_plan, digest = self.digest.hash, inputs = report.inputs, kept = report.kept,
    removals = report.removals, removals_off = self.removals_off, protected = report.protected,
    planned = self.planned,
  }
  return self.journal:record_plan(self.journal.planned)
end

-- ---- going on ----

-- Whether what was read is what the journal's plan is of.
local function check_digest(self, what)
  if self.digest.hash == self.journal.planned.digest then return true end
  return nil, self.journal:unusable(("is of another sync: the %s has other rows"):format(what), "other_job")
end

-- Reads the source for its digest only, as its plan is in the journal.
local function check_source(self)
  local bad = {}
  for _, entry in ipairs(self.journal.bad) do bad[entry.index] = entry.error end
  local read, err = rows.reader(self)
  if not read then return nil, err end
  local index, found = 0, {}
  while true do
    local called, more, input = pcall(read)
    if not called then
      local is_ours = errors.is(more) and more.kind == "source"
      self.source_error = is_ours and more or errors.new { kind = "source", message = one_line(more) }
    end
    if not called or not more then break end
    index = index + 1
    self.digest:add(input)
    if bad[index] then found[index] = input end
    if index % 1000 == 0 then self.pause() end
  end
  local is_same, wrong = check_digest(self, "source")
  if not is_same then return nil, wrong end
  for _, entry in ipairs(self.journal.bad) do
    self.tally:fail {
      index = entry.index, input = found[entry.index], outcome = "failed",
      error = journals.error(entry.error),
    }
    self.tally:count("resumed", 1)
  end
  return true
end

---Takes the counts of the plan that the journal has.
---@param self hubspot.associations.Sync
function plans.take_recorded(self)
  local recorded, report = self.journal.planned, self.tally.report
  report.inputs, report.removals, report.kept = recorded.inputs, recorded.removals, recorded.kept
  report.protected, self.removals_off = recorded.protected, recorded.removals_off
  report.resumed = recorded.kept
  self.planned, self.is_resumed = recorded.planned, true
  if self.given.apply then
    local loaded, err = load_plan(self, self.given.apply, function(row)
      self.digest:add { row.action, row.from, row.to, row.key, row.had }
      return true
    end)
    if loaded then loaded, err = check_digest(self, "plan") end
    return loaded, err
  end
  return check_source(self)
end

return plans
