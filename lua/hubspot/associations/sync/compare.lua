-- The comparison of one record: what the source says of it, and what HubSpot has. Says which rows are kept,
-- which links are to be created, and which removed. Pure; what is doubtful removes nothing.

local type_keys = require "hubspot.associations.sync.type_keys"

local compare = {}

---@class hubspot.associations.sync.Row
---@field to string
---@field index integer of the source
---@field types string[] keys (type_keys.lua)

---@class hubspot.associations.sync.Record what the source says of a record
---@field id string
---@field rows hubspot.associations.sync.Row[]
---@field empty integer[] indices of the rows which say that it shall have no links
---@field is_doubtful boolean whether it has a bad row: nothing of it is removed
---@field conflicts table<integer, boolean> indices of rows with a primary type that another record has, too
---@field held table<string, boolean>|nil records whose own rows have the pair, in the other direction

---@class hubspot.associations.sync.Rules
---@field removes boolean whether links that the source does not have are removed
---@field scope table<string, boolean> the types that are compared
---@field is_unlabeled fun(key: string): boolean
---@field primary string|nil the type that a record may have with one other only

---@class hubspot.associations.sync.Creation of a pair
---@field to string
---@field types string[] those that are missing
---@field had string[] those that are there
---@field rows integer[] indices

---@class hubspot.associations.sync.Removal of a pair
---@field to string
---@field types string[]
---@field had string[] those that the pair has by the time of the removal: what is there, and what is created

---@class hubspot.associations.sync.Difference
---@field kept integer[] indices of rows that are there already
---@field failed table<integer, "empty"|"primary"> index -> why
---@field creations hubspot.associations.sync.Creation[]
---@field removals hubspot.associations.sync.Removal[]
---@field spared integer unlabeled types that are kept, as the pair keeps another
---@field is_doubtful boolean

-- Two primary companies of one record: which is meant would be a guess.
local function find_primaries(record, primary, failed)
  for index in pairs(record.conflicts) do failed[index] = "primary" end
  if not primary then return end
  local primaries, is_several = {}, false
  for _, row in ipairs(record.rows) do
    if type_keys.set(row.types)[primary] then
      primaries[#primaries + 1] = row
      is_several = is_several or row.to ~= primaries[1].to
    end
  end
  if not is_several then return end
  for _, row in ipairs(primaries) do failed[row.index] = "primary" end
end

-- The rows that failed: those that say that the record has no links beside those that say which, and those
-- with a primary type where it can be only one.
local function find_failed(record, rules)
  local failed = {}
  if #record.empty > 0 and #record.rows > 0 then
    for _, index in ipairs(record.empty) do failed[index] = "empty" end
    for _, row in ipairs(record.rows) do failed[row.index] = "empty" end
  else
    find_primaries(record, rules.primary, failed)
  end
  return failed
end

-- The pairs of the rows that did not fail, in order: { to, rows, wanted = list, is_wanted = set }.
local function wanted_pairs(record, failed)
  local list, by_to = {}, {}
  for _, row in ipairs(record.rows) do
    if not failed[row.index] then
      local pair = by_to[row.to]
      if not pair then
        pair = { to = row.to, rows = {}, wanted = {}, is_wanted = {} }
        by_to[row.to], list[#list + 1] = pair, pair
      end
      pair.rows[#pair.rows + 1] = row
      for _, key in ipairs(row.types) do
        if not pair.is_wanted[key] then pair.wanted[#pair.wanted + 1] = key end
        pair.is_wanted[key] = true
      end
    end
  end
  return list, by_to
end

-- Adds the creation of a pair, unless all of its types are there.
local function add_creation(difference, pair, had)
  local is_there, missing, indices = type_keys.set(had), {}, {}
  for _, key in ipairs(pair.wanted) do
    if not is_there[key] then missing[#missing + 1] = key end
  end
  for _, row in ipairs(pair.rows) do
    local is_kept = true
    for _, key in ipairs(row.types) do is_kept = is_kept and is_there[key] ~= nil end
    table.insert(is_kept and difference.kept or indices, row.index)
  end
  pair.missing = missing
  if not missing[1] then return end
  table.insert(difference.creations, { to = pair.to, types = missing, had = had or {}, rows = indices })
end

-- Adds the removal of what a pair has in the scope, and the source does not have. The unlabeled type is
-- removed only together with everything else: HubSpot would remove all types of the pair.
local function add_removal(difference, to, had, pair, rules)
  local extra, unlabeled, keeps = {}, {}, pair ~= nil
  for _, key in ipairs(had) do
    if not rules.scope[key] or pair and pair.is_wanted[key] then
      keeps = true
    else
      table.insert(rules.is_unlabeled(key) and unlabeled or extra, key)
    end
  end
  if keeps then
    difference.spared = difference.spared + #unlabeled
  else
    for _, key in ipairs(unlabeled) do extra[#extra + 1] = key end
  end
  if not extra[1] then return end
  local expected = {}
  for _, list in ipairs { had, pair and pair.missing or {} } do
    for _, key in ipairs(list) do expected[#expected + 1] = key end
  end
  table.insert(difference.removals, { to = to, types = extra, had = expected })
end

---@param record hubspot.associations.sync.Record
---@param have table<string, string[]> the record's links: id -> keys
---@param rules hubspot.associations.sync.Rules
---@return hubspot.associations.sync.Difference
function compare.record(record, have, rules)
  local failed = find_failed(record, rules)
  local difference = {
    kept = {}, failed = failed, creations = {}, removals = {}, spared = 0,
    is_doubtful = record.is_doubtful or next(failed) ~= nil,
  }
  for _, index in ipairs(record.empty) do
    if not failed[index] then table.insert(difference.kept, index) end
  end
  local list, by_to = wanted_pairs(record, failed)
  for _, pair in ipairs(list) do add_creation(difference, pair, have[pair.to]) end
  if rules.removes and not difference.is_doubtful then
    local held = record.held or {}
    for to, had in pairs(have) do
      if not held[to] then add_removal(difference, to, had, by_to[to], rules) end
    end
  end
  return difference
end

return compare
