-- The third part of a sync: does what the plan says. First the pairs that had nothing; then, in windows,
-- those that had links, whose records are read again, since a write of labels replaces those that are there;
-- and the removals last, each of which is made only if its pair is as the plan says.

local errors = require "hubspot.associations.errors"
local comparing = require "hubspot.associations.sync.comparing"
local lines = require "hubspot.associations.sync.lines"
local type_keys = require "hubspot.associations.sync.type_keys"

-- window: lines of the plan, about, that are in memory at once; specs have smaller ones
local applying = { window = 20000 }

-- ---- outcomes ----

-- What is known of a unit goes into the journal only when it is final.
local function settle(sync, unit, outcome, err)
  local weight = lines.weight(unit)
  if err and unit.section ~= lines.REMOVAL then sync:spoil(unit.from, unit.to) end
  if err then
    sync:fail_unit(unit, outcome, err)
  else
    sync.tally:count(outcome, weight)
  end
  sync:record(unit, outcome, err)
end

local function protected()
  return errors.new {
    kind = "protected", retryable = true,
    message = "a creation for the same record did not succeed, so that nothing of the record is removed",
  }
end

local function changed(message)
  return errors.new { kind = "changed", message = message, retryable = false }
end

-- ---- jobs over units ----

-- Runs a job whose inputs are made of units. `inputs` returns the next input, with its unit in the field
-- `unit`. Returns false when the sync stops.
local function run_job(sync, endpoint, inputs, outcome)
  local sent, index, is_failed = {}, 0, {}
  local function source()
    local input, err = inputs()
    if err then
      sync.tally:stop(err)
      error(err, 0)
    end
    if not input or sync.tally.error then return nil end
    index = index + 1
    sent[index] = input.unit
    return input
  end
  local _, err = sync:run(endpoint, source, {
    on_failure = function(failure)
      is_failed[failure.index] = true
      settle(sync, sent[failure.index], failure.outcome, failure.error)
      return sync.tally.error == nil
    end,
    on_batch = function(batch)
      for number = batch.first, batch.last do
        if not is_failed[number] then settle(sync, sent[number], outcome) end
        sent[number], is_failed[number] = nil, nil
      end
      sync:flush()
      return sync.tally.error == nil
    end,
  })
  if err then sync.tally:stop(err) end
  sync:flush()
  return sync.tally.error == nil
end

local function input_of(unit, keys)
  return { from = unit.from, to = unit.to, types = type_keys.input(keys), unit = unit }
end

local function each(list)
  local index = 0
  return function()
    index = index + 1
    return list[index]
  end
end

-- ---- pairs that had nothing ----

local function create_new(sync, cursor)
  return run_job(sync, "create", function()
    local unit, err = cursor:next(lines.NEW)
    if not unit then return nil, err end
    return input_of(unit, unit.types)
  end, "created")
end

-- ---- windows ----

-- The next units of a section, about as many as `window` lines; and their records.
local function next_window(cursor, section)
  local units, by_from, order, size = {}, {}, {}, 0
  while size < applying.window do
    local unit, err = cursor:next(section)
    if err then return nil, err end
    if not unit then break end
    units[#units + 1] = unit
    size = size + #unit.types
    local record = by_from[unit.from]
    if not record then
      record = { id = unit.from, units = {}, wants = {} }
      by_from[unit.from], order[#order + 1] = record, record
    end
    table.insert(record.units, unit)
    record.wants[unit.to] = true
  end
  return units[1] and order
end

-- Reads the records of a window again: gives each `have`, or fails its units.
local function read_again(sync, records)
  local labels = sync.labels
  local _, err = sync:run("read", each(records), {
    on_record = function(page)
      local record = page.input
      record.have = record.have or {}
      if not comparing.add_page(record.have, page, labels, function(to) return record.wants[to] end) then
        record.error = comparing.unclear()
      end
      record.is_read = page.last
    end,
    on_failure = function(failure) failure.input.error = failure.error end,
  }, { is_again = true })
  if err then sync.tally:stop(err) end
  if sync.tally.error then return false end
  for _, record in ipairs(records) do
    if not record.is_read and not record.error then record.error = comparing.unclear() end
    if record.error then
      for _, unit in ipairs(record.units) do settle(sync, unit, "failed", record.error) end
    end
  end
  return sync.tally.error == nil
end

-- ---- pairs that had links ----

-- The input that creates what is missing of a pair: with its other custom labels, which a write would remove.
-- Nil when nothing is missing.
local function creation_of(unit, have)
  local is_there, keys = type_keys.set(have), {}
  for _, key in ipairs(unit.types) do
    if not is_there[key] then keys[#keys + 1] = key end
  end
  if not keys[1] then return nil end
  for _, key in ipairs(have) do
    if type_keys.is_custom(key) then keys[#keys + 1] = key end
  end
  return input_of(unit, keys)
end

local function create_linked(sync, cursor)
  while not sync.tally.error do
    local records, err = next_window(cursor, lines.LINKED)
    if err then return sync.tally:stop(err) end
    if not records or not read_again(sync, records) then return end
    local inputs = {}
    for _, record in ipairs(records) do
      for _, unit in ipairs(record.error and {} or record.units) do
        local input = creation_of(unit, record.have[unit.to] or {})
        if input then inputs[#inputs + 1] = input else settle(sync, unit, "kept") end
      end
      record.have = nil
    end
    sync:flush()
    if inputs[1] and not run_job(sync, "create", each(inputs), "created") then return end
  end
end

-- ---- removals ----

-- Why a pair is not as the plan says; nil when it is.
local function change_of(sync, unit, have)
  local is_expected, is_removed, added = type_keys.set(unit.had), type_keys.set(unit.types), {}
  for _, key in ipairs(have) do
    local is_new = not is_expected[key] and not sync.rules.is_unlabeled(key)
    if is_new then added[#added + 1] = key end
  end
  if added[1] then
    local message = "the pair has changed since the plan was made: it has %s as well"
    return message:format(table.concat(added, ", "))
  end
  local is_whole = false
  for _, key in ipairs(unit.types) do is_whole = is_whole or sync.rules.is_unlabeled(key) end
  for _, key in ipairs(is_whole and have or {}) do
    if not is_removed[key] then
      return ("removing the unlabeled type would remove %s, which the plan does not name"):format(key)
    end
  end
  return nil, is_whole
end

-- Sorts the removals of records: into whole pairs, and into single types.
local function sort_removals(sync, records)
  local whole, single = {}, {}
  for _, record in ipairs(records) do
    for _, unit in ipairs(record.error and {} or record.units) do
      local have = record.have[unit.to] or {}
      local is_there, left = type_keys.set(have), {}
      for _, key in ipairs(unit.types) do
        if is_there[key] then left[#left + 1] = key end
      end
      local why, is_whole = change_of(sync, unit, have)
      if why then
        settle(sync, unit, "failed", changed(why))
      elseif not left[1] then
        settle(sync, unit, "removed")
      elseif is_whole then
        whole[#whole + 1] = { from = unit.from, to = unit.to, unit = unit }
      else
        single[#single + 1] = input_of(unit, left)
      end
    end
    record.have = nil
  end
  return whole, single
end

-- The records whose creations succeeded; nothing is removed of the others.
local function unspoiled(sync, records)
  local left = {}
  for _, record in ipairs(records) do
    local units = {}
    for _, unit in ipairs(record.units) do
      if sync:is_spoiled(unit.from, unit.to) then
        settle(sync, unit, "not_sent", protected())
      else
        units[#units + 1] = unit
      end
    end
    record.units = units
    if units[1] then left[#left + 1] = record end
  end
  return left
end

local function remove(sync, cursor)
  while not sync.tally.error do
    local records, err = next_window(cursor, lines.REMOVAL)
    if err then return sync.tally:stop(err) end
    if not records then return end
    records = unspoiled(sync, records)
    if records[1] then
      if sync.tally.error or not read_again(sync, records) then return end
      local whole, single = sort_removals(sync, records)
      sync:flush()
      if whole[1] and not run_job(sync, "archive", each(whole), "removed") then return end
      if single[1] and not run_job(sync, "archive_labels", each(single), "removed") then return end
    end
  end
end

-- ---- the sections of the plan ----

local Cursor = {}
Cursor.__index = Cursor

-- The next unit, if it is of a section.
function Cursor:next(section)
  if not self.held then
    local unit, err = self.units()
    if err then return nil, err end
    self.held = unit
  end
  local unit = self.held
  if not unit or unit.section ~= section then return nil end
  self.held = nil
  return unit
end

---Does what the plan says; the tally tells how it went.
---@param sync hubspot.associations.Sync
function applying.run(sync)
  local cursor = setmetatable({ units = lines.units(sync.plan:lines()) }, Cursor)
  sync.tally.report.phase = "creating"
  if not create_new(sync, cursor) then return end
  create_linked(sync, cursor)
  if sync.tally.error then return end
  sync.tally.report.phase = "removing"
  remove(sync, cursor)
end

return applying
