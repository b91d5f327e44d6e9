-- The second part of a sync: reads what the records of the source are linked to, compares each, and spools
-- the plan. Changes nothing.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local compare = require "hubspot.associations.sync.compare"
local lines = require "hubspot.associations.sync.lines"
local type_keys = require "hubspot.associations.sync.type_keys"
local digits_of = require "hubspot.associations.text.digits"

local comparing = {}

local TURN = 1000 -- lines of a plan between the host's turns

local REASONS = {
  empty = "another row of this record says that it has no links, or has some: which is meant is not clear",
  primary = "a record has one primary company only, and the list has another for it",
}

-- ---- what HubSpot says ----

-- The id and the types of a link; nil where they make no sense. Labels are kept for the plan.
local function read_link(labels, link)
  local to, entries = link.toObjectId, link.associationTypes
  if type(to) == "number" then to = digits_of(to) end
  if not core.is_record_id(to) or type(entries) ~= "table" then return nil end
  local keys = {}
  for index, entry in ipairs(entries) do
    local key = type(entry) == "table" and type_keys.of(entry.category, entry.typeId)
    if not key then return nil end
    keys[index] = key
    if labels[key] == nil then labels[key] = type(entry.label) == "string" and entry.label or false end
  end
  return to, keys
end

---Adds a page of a record's links to those that are known of it.
---@param have table<string, string[]>
---@param page table as on_record gets it
---@param labels table<string, string|false> by key; gets those of the page
---@param is_wanted (fun(to: string): any)|nil which links are of interest; nil: all
---@return boolean is_clear false when a link makes no sense
function comparing.add_page(have, page, labels, is_wanted)
  for _, link in ipairs(page.links) do
    if type(link) ~= "table" then return false end
    local to, keys = read_link(labels, link)
    if not to then return false end
    if not is_wanted or is_wanted(to) then
      local known = have[to]
      if known then -- a link that stands on two pages
        for _, key in ipairs(keys) do known[#known + 1] = key end
        keys = type_keys.split(type_keys.join(known))
      end
      have[to] = keys
    end
  end
  return true
end

---The error of a record whose links make no sense.
---@return hubspot.associations.Error
function comparing.unclear()
  return errors.new {
    kind = "decode", retryable = false,
    message = "HubSpot gave a link without an id, or with a type that is none",
  }
end

-- ---- the plan ----

local function fail_row(sync, record, row_to, token, types, outcome, err)
  sync:fail_token(token, record.id, row_to, types, outcome, err)
end

-- The links of a record are not known. Those between records of one object type may show from the other side,
-- where nobody can tell whether this record's rows have them.
local function fail_all(sync, record, err)
  lines.parse(record)
  local outcome = "failed"
  if sync.rules.is_mutual then sync:spoil(record.id) end
  if sync.rules.removes then sync.tally:count("protected", 1) end
  for _, token in ipairs(record.empty) do fail_row(sync, record, nil, token, nil, outcome, err) end
  for _, row in ipairs(record.rows) do
    if sync.rules.is_mutual then sync:spoil(record.id, row.to) end
    fail_row(sync, record, row.to, row.index, type_keys.split(row.types), outcome, err)
  end
end

local function write_plan(sync, section, record, change, tokens)
  local had = type_keys.join(change.had)
  for _, key in ipairs(change.types) do
    local written, err = sync.plan:write(lines.plan(section, record.id, change.to, key, had, tokens, "-"))
    if not written then return sync.tally:stop(err) end
  end
end

local function report_failed(sync, record, failed)
  for _, row in ipairs(record.rows) do
    if failed[row.index] then
      fail_row(sync, record, row.to, row.index, row.types, "failed", sync:refusal(REASONS[failed[row.index]]))
    end
  end
  for _, token in ipairs(record.empty) do
    if failed[token] then
      fail_row(sync, record, nil, token, nil, "failed", sync:refusal(REASONS[failed[token]]))
    end
  end
end

local function count_links(sync, have)
  local scope, count = sync.rules.scope, 0
  for _, keys in pairs(have) do
    for _, key in ipairs(keys) do
      if scope[key] then count = count + 1 end
    end
  end
  sync.planned.in_scope = sync.planned.in_scope + count
end

-- A record whose links are all known.
local function settle(sync, record)
  for _, row in ipairs(record.rows) do row.types = type_keys.split(row.types) end
  local planned, have = sync.planned, record.have or {}
  local difference = compare.record(record, have, sync.rules)
  sync.tally:count("compared", 1)
  count_links(sync, have)
  report_failed(sync, record, difference.failed)
  sync.tally:count("kept", #difference.kept)
  for _, change in ipairs(difference.creations) do
    local section = change.had[1] and lines.LINKED or lines.NEW
    write_plan(sync, section, record, change, table.concat(change.rows, ","))
    planned.creations = planned.creations + #change.rows
  end
  for _, change in ipairs(difference.removals) do
    write_plan(sync, lines.REMOVAL, record, change, "")
    planned.removals = planned.removals + #change.types
  end
  planned.spared = planned.spared + difference.spared
  if difference.is_doubtful and sync.rules.removes then sync.tally:count("protected", 1) end
end

-- ---- reading ----

-- The next record to read. One of which nothing can follow is settled at once.
local function next_record(sync, records)
  while true do
    local record, err = records()
    if err then
      sync.tally:stop(err)
      error(err, 0)
    end
    if not record then return nil end
    if sync.tally.error then return nil end
    local is_idle = not record.has_rows and (record.is_doubtful or not sync.rules.removes)
    if record.is_named and not is_idle then return record end
    if record.is_named then
      for _ in ipairs(lines.parse(record).empty) do sync.tally:count("kept", 1) end
      if record.is_doubtful and sync.rules.removes then sync.tally:count("protected", 1) end
    end
  end
end

local function wants(sync, record)
  if sync.rules.removes and not record.is_doubtful then return nil end
  local set = {}
  for _, row in ipairs(record.rows) do set[row.to] = true end
  return function(to) return set[to] end
end

local function on_record(sync)
  return function(page)
    local record = page.input
    if page.part == 1 then
      lines.parse(record)
      record.have, record.wants = {}, wants(sync, record)
    end
    record.is_unclear = record.is_unclear
      or not comparing.add_page(record.have, page, sync.labels, record.wants)
    if page.last then
      if record.is_unclear then
        fail_all(sync, record, comparing.unclear())
      else
        settle(sync, record)
      end
      record.have = nil
    end
    return sync.tally.error == nil
  end
end

-- Copies the plan, without the removals of links of records that could not be read: the record on the other
-- side may have been compared before that was known.
local function copy_unspoiled(sync, all)
  local next_line, count = all:lines(), 0
  while true do
    local line, err = next_line()
    if not line then return not err, err end
    count = count + 1
    if count % TURN == 0 then sync.pause() end
    local row = lines.read_plan(line)
    local written = true
    if row.section == lines.REMOVAL and sync:is_spoiled(row.from, row.to) then
      sync.planned.removals = sync.planned.removals - 1
    else
      written, err = sync.plan:write(line)
    end
    if not written then return nil, err end
  end
end

-- Sorts the plan.
local function close_plan(sync)
  local sorted, err = sync.plan:sort()
  if not sorted or sync.spoiled_count == 0 then return sorted, err end
  local all = sync.plan
  sync.plan, err = sync:new_spool()
  if not sync.plan then return nil, err end
  local copied
  copied, err = copy_unspoiled(sync, all)
  all:remove()
  if not copied then return nil, err end
  return sync.plan:sort()
end

---Reads and compares. Afterwards the plan is spooled and sorted.
---@param sync hubspot.associations.Sync
---@param spool hubspot.associations.sync.Spool the rows
---@return boolean|nil
---@return hubspot.associations.Error|nil
function comparing.run(sync, spool)
  sync.tally.report.phase = "comparing"
  local records = lines.records(spool:lines())
  local report, err = sync:run("read", function() return next_record(sync, records) end, {
    on_record = on_record(sync),
    on_failure = function(failure)
      if failure.outcome ~= "not_sent" then fail_all(sync, failure.input, failure.error) end
      return sync.tally.error == nil
    end,
  })
  spool:remove()
  if sync.tally.error then return nil, sync.tally.error end
  if err or not report then return nil, err end
  return close_plan(sync)
end

return comparing
