-- A sync: makes HubSpot look like the source. The source is read to its end and compared, which gives a plan
-- of the whole (rows.lua, comparing.lua); only then is anything changed (applying.lua). The parts run jobs of
-- the client one after the other, and wait for each by a yield (runner.lua).

local errors = require "hubspot.associations.errors"
local applying = require "hubspot.associations.sync.applying"
local comparing = require "hubspot.associations.sync.comparing"
local digests = require "hubspot.associations.sync.digest"
local journals = require "hubspot.associations.sync.journal"
local lines = require "hubspot.associations.sync.lines"
local plans = require "hubspot.associations.sync.plan"
local plan_file = require "hubspot.associations.sync.plan_file"
local rows = require "hubspot.associations.sync.rows"
local runners = require "hubspot.associations.sync.runner"
local spools = require "hubspot.associations.sync.spool"
local tallies = require "hubspot.associations.sync.tally"
local type_keys = require "hubspot.associations.sync.type_keys"
local types = require "hubspot.associations.types"

local sync = {}

---@class hubspot.associations.Sync
---@field host table { start = function(endpoint, source, options, on_checked), wakeups, base_url }
---@field given hubspot.associations.SyncOptions
---@field tally hubspot.associations.sync.Tally
---@field rules hubspot.associations.sync.Rules
---@field labels table<string, string|false> the labels of types, as HubSpot shows them
---@field planned table what the plan says, in numbers
---@field plan hubspot.associations.sync.Spool
---@field removals_off string|nil
local Sync = {}
Sync.__index = Sync

-- ---- what the parts use ----

---Runs a job to its end.
---@param endpoint string
---@param source table|function
---@param given table options
---@param more table|nil { on_checked, is_dry, is_again }
---@return table|nil report
---@return hubspot.associations.Error|nil
function Sync:run(endpoint, source, given, more)
  local runner, err = self.host.start(endpoint, source, given, more and more.on_checked)
  if not runner then return nil, err end
  if self.tally.error then runner:cancel() end
  return coroutine.yield {
    runner = runner, is_dry = more and more.is_dry, is_again = more and more.is_again,
  }
end

---Lets the host have its turn.
function Sync.pause()
  coroutine.yield(nil)
end

---@return hubspot.associations.sync.Spool|nil
---@return hubspot.associations.Error|nil
function Sync:new_spool()
  local spool, err = spools.new()
  if spool then table.insert(self.spools, spool) end
  return spool, err
end

-- An input as it is reported: the caller's own, or what is known of it.
local function input_of(self, token, from, to, keys)
  local index, from_value, to_value = lines.read_token(token)
  if type(self.source) == "table" then return self.source[index], index end
  return {
    from = from_value or from, to = to_value or to, types = keys and type_keys.input(keys) or nil,
  }, index
end

---Reports that a row has failed.
function Sync:fail_token(token, from, to, keys, outcome, err)
  local input, index = input_of(self, token, from, to, keys)
  if outcome == "failed" and self.journal and not self.journal.planned then
    self:check_journal(self.journal:record_bad(index, err))
  end
  return self.tally:fail { index = index, input = input, outcome = outcome, error = err }
end

---The error of a row that contradicts others.
function Sync.refusal(_, message)
  return errors.new { kind = "invalid_input", message = message, retryable = false }
end

---Reports that a unit of the plan has failed: each of its rows, or each of its links.
function Sync:fail_unit(unit, outcome, err)
  if unit.section ~= lines.REMOVAL then
    for _, token in ipairs(unit.tokens) do
      self:fail_token(token, unit.from, unit.to, unit.types, outcome, err)
    end
    return
  end
  for number, key in ipairs(unit.types) do
    self.tally:fail {
      index = unit.tokens[number] and lines.read_token(unit.tokens[number]) or nil,
      input = { from = unit.from, to = unit.to, types = type_keys.input { key } },
      outcome = outcome, error = err, action = "remove",
    }
  end
end

local MOST_SPOILED = 100000 -- records of which a row did not succeed, until nothing is removed at all

local function spoil(self, id)
  if self.spoiled[id] or self.spoiled_count > MOST_SPOILED then return end
  self.spoiled[id], self.spoiled_count = true, self.spoiled_count + 1
end

---Takes note of a row that did not succeed: nothing is removed of its record. Of one object type, it is a row
---of both of its records.
---@param from string
---@param to string|nil
function Sync:spoil(from, to)
  spoil(self, from)
  if self.rules.is_mutual and to then spoil(self, to) end
end

---Whether nothing is removed of a pair, for that reason.
---@param from string
---@param to string
---@return boolean
function Sync:is_spoiled(from, to)
  return self.spoiled_count > MOST_SPOILED or self.spoiled[from] == true
    or self.rules.is_mutual and self.spoiled[to] == true
end

---Reports a row that cannot be used, while the source is read.
function Sync:fail_row(index, input, err)
  if self.journal then self:check_journal(self.journal:record_bad(index, err)) end
  return self.tally:fail { index = index, input = input, outcome = "failed", error = err }
end

-- ---- the journal ----

function Sync:check_journal(done, err)
  if not done then self.tally:stop(err) end
  return done
end

-- Outcomes that another run would come to again.
local FINAL = { created = true, removed = true, kept = true, failed = true }

function Sync:record(unit, outcome, err)
  if not self.journal or not FINAL[outcome] then return end
  for _, number in ipairs(unit.numbers) do
    self:check_journal(self.journal:record(number, outcome, err))
  end
end

function Sync:flush()
  if self.journal then self:check_journal(self.journal:flush()) end
end

-- ---- the script ----

-- Makes the plan: of the source, or of a file.
local function make_plan(self)
  local report = self.tally.report
  local made, err = self:new_spool()
  if not made then return nil, err end
  self.plan = made
  if self.given.apply then
    made, err = plans.load_given(self)
  else
    local spool
    spool, err = rows.read(self)
    if not spool then return nil, err end
    self.rules.removes = self.rules.removes and not self.removals_off
    made, err = comparing.run(self, spool)
    if made then
      report.removals = self.planned.removals + self.planned.spared
      report.kept = report.kept + self.planned.spared
    end
  end
  return made, err
end

-- Opens the journal, and tries where the plan is to be written: before anything is read, and before the
-- caller opens files of its own, which may be those of another process with the same journal.
local function open_files(self)
  local given = self.given
  if given.plan then return plan_file.check(given.plan) end
  if not given.journal or given.dry_run then return true end
  local err
  self.journal, err = journals.open(given.journal, self.identity)
  if not self.journal then return nil, err end
  self.digest = digests.new()
  return true
end

local function begin(self)
  if not self.journal or not self.journal.planned then return make_plan(self) end
  local taken, err = plans.take_recorded(self)
  if not taken then
    self.unusable = err
    return nil, err
  end
  self.plan, err = self:new_spool()
  if not self.plan then return nil, err end
  return plans.load_recorded(self)
end

-- A plan that was not begun is of no use to another run.
local function discard(self)
  if not self.journal or self.is_resumed then return end
  self.journal:discard()
  os.remove(self.given.journal .. ".plan")
end

-- Makes the plan, and what is to become of it. Returns whether to apply it.
local function prepare(self)
  local report = self.tally.report
  local made, err = begin(self)
  report.removals_off = self.given.mode == "mirror" and self.removals_off or nil
  if not made or self.tally.error then
    self.tally:stop(err or errors.new { kind = "canceled", message = "the job was canceled" })
    if not self.is_resumed and not self.unusable then discard(self) end
    return false
  end
  report.planned = plans.counts(self)
  if self.given.dry_run or self.given.plan then
    if self.given.plan then
      local written
      written, err = plan_file.write(self.given.plan, plans.rows(self), self, self.given.row_place)
      if not written then self.tally:stop(err) end
    end
    return false
  end
  if not plans.may_apply(self) then
    discard(self)
    return false
  end
  if self.journal and not self.is_resumed then
    made, err = plans.write_recorded(self)
    if made then made, err = plans.load_recorded(self) end
    if not made then self.tally:stop(err) end
    return made
  end
  return true
end

function Sync:script()
  if prepare(self) then applying.run(self) end
  if self.source_error then self.tally:stop(self.source_error) end
  self.tally:close()
  self.tally.report.phase = "done"
end

---Removes the temporary files, and gives the journal up. Also after an error.
function Sync:close()
  for _, spool in ipairs(self.spools) do spool:remove() end
  if self.journal then self.journal:close() end
  self.spools, self.journal = {}, nil
end

-- ---- new ----

-- Whether both sides may be of one object type, so that a link shows from both of its records. A custom
-- object may be given by its id or by a name.
local function is_mutual(from, to)
  local one, other = types.object_name(from), types.object_name(to)
  if one or other then return one == other end
  local function is_id(name) return name:find "^%d+%-%d+$" ~= nil end
  return from == to or not (is_id(from) and is_id(to))
end

local function rules_of(self)
  local from, to, labels = self.from, self.to, self.labels
  local unlabeled, primary = type_keys.own(types.id(from, to)), type_keys.own(types.id(from, to, "primary"))
  local is_company = types.object_name(to) == "companies"
  return {
    removes = self.given.mode == "mirror",
    is_mutual = is_mutual(from, to),
    scope = {},
    is_unlabeled = function(key)
      if unlabeled then return key == unlabeled end
      return labels[key] == false
    end,
    primary = is_company and primary or nil,
    primary_of_to = not is_company and primary or nil,
  }
end

---@param host table
---@param from string object type
---@param to string object type
---@param source table|function|nil nil with the option `apply`
---@param given hubspot.associations.SyncOptions
---@return hubspot.associations.SyncRunner|nil
---@return hubspot.associations.Error|nil
function sync.new(host, from, to, source, given)
  local self = setmetatable({
    host = host, from = from, to = to, account = given.account, source = source, given = given,
    tally = tallies.new(given), labels = {}, spools = {},
    planned = { creations = 0, removals = 0, spared = 0, in_scope = 0 },
    spoiled = {}, spoiled_count = 0,
    keeps_values = type(source) == "function" and (given.from_property or given.to_property) ~= nil,
  }, Sync)
  self.identity = {
    base_url = host.base_url, from = from, to = to, mode = given.mode, empty = given.empty,
    source = given.apply and "plan" or "rows", from_property = given.from_property,
    to_property = given.to_property, types = given.types and digests.of(given.types),
  }
  self.rules = rules_of(self)
  local opened, err = open_files(self)
  if not opened then return nil, err end
  return runners.new(host.wakeups, self)
end

return sync
