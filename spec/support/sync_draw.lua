-- Draws one case of a sync from a seed: the account's links, the list, the options, and what goes wrong.

local random = require "support.random"
local accounts = require "support.sync_account"
local faults = require "hubspot.associations.sandbox.faults"

local sync_draw = {}

local LABELS = { 36, 37, 38 }
local WAYS = { "sync", "sync", "sync", "sync", "plan_apply", "plan_apply", "dry_run", "declined" }

-- Foreign bytes within a response may change an id, and nobody can tell.
local FAULTS = {}
for _, kind in ipairs(faults.kinds()) do
  if kind ~= "garbled" then FAULTS[#FAULTS + 1] = kind end
end

-- The types of the direction, as keys; the labels come twice, because most of what can go wrong is theirs.
local function keys_of(case)
  local keys = { case.direction.unlabeled, case.direction.primary or case.direction.unlabeled }
  for _, id in ipairs(LABELS) do
    keys[#keys + 1] = "USER_DEFINED:" .. id
    keys[#keys + 1] = "USER_DEFINED:" .. id
  end
  return keys
end

local function from_of(case) return tostring(1000 + case.luck:integer(0, case.froms)) end

-- A record for the other side. Of one object type, they are the same ones; none is linked to itself.
local function to_of(case, from)
  if not case.direction.inverses then return tostring(5000 + case.luck:integer(0, case.tos)) end
  local to
  repeat to = tostring(1000 + case.luck:integer(0, case.tos + 1)) until to ~= from
  return to
end

local function some_keys(case, most)
  local keys, is_there = {}, {}
  for _ = 1, case.luck:integer(1, most) do
    local key = case.luck:pick(case.keys)
    if not is_there[key] then keys[#keys + 1] = key end
    is_there[key] = true
  end
  return keys
end

-- ---- the links ----

local function draw_links(case)
  local luck = case.luck
  for _ = 1, luck:integer(0, 30) do
    local keys = { [case.direction.unlabeled] = true }
    if luck:one_in(2) then
      for _, key in ipairs(some_keys(case, 3)) do keys[key] = true end
    end
    local from = from_of(case)
    case.links[#case.links + 1] = { from = from, to = to_of(case, from), keys = keys }
  end
end

-- ---- the list ----

-- One of the ways in which a list may say a type.
local function spell_type(case, key)
  local category, id = key:match "^(.-):(%d+)$"
  id = tonumber(id)
  local way = case.luck:integer(1, 3)
  if way == 1 and category == "HUBSPOT_DEFINED" then return id end
  if way == 2 and key == case.direction.primary then return "primary" end
  if way == 2 and category == "USER_DEFINED" then return "Label " .. id end
  return { associationCategory = category, associationTypeId = id }
end

local function spell_types(case, keys)
  local list = {}
  for i, key in ipairs(keys) do list[i] = spell_type(case, key) end
  -- One type needs no list.
  return #list == 1 and type(list[1]) ~= "table" and case.luck:one_in(2) and list[1] or list
end

local function spell_id(case, id)
  return case.luck:pick { id, { id = id }, tonumber(id) }
end

-- The other direction of the pair.
local function turn(case, row)
  row.from, row.to = row.to, row.from
  for i, key in ipairs(row.keys) do row.keys[i] = case.direction.inverses[key] or key end
end

-- Often one of the pairs that are there, so that there is something to keep.
local function draw_good(case)
  local luck = case.luck
  local row = { kind = "good", from = from_of(case), keys = some_keys(case, 2) }
  row.to = to_of(case, row.from)
  local link = #case.links > 0 and luck:one_in(2) and luck:pick(case.links)
  if link then
    row.from, row.to = link.from, link.to
    if luck:one_in(2) then
      row.keys = {}
      for _, key in ipairs(case.keys) do
        if link.keys[key] and #row.keys == 0 then row.keys[1] = key end
      end
    end
    if case.direction.inverses and luck:one_in(3) then turn(case, row) end
  end
  if case.has_missing and luck:one_in(12) then row.to, row.is_missing = "404" .. luck:integer(0, 9), true end
  if row.is_missing and case.direction.inverses and luck:one_in(2) then turn(case, row) end
  row.input = {
    from = spell_id(case, row.from), to = spell_id(case, row.to), types = spell_types(case, row.keys),
  }
  return row
end

local function draw_bad(case)
  local row = draw_good(case)
  row.kind, row.is_missing = "bad", nil
  case.luck:pick {
    function() row.input.to = "five" end, function() row.input.to = 1.5 end,
    function() row.input.types = "No such label" end, function() row.input.types = {} end,
    function() row.input.types = { associationCategory = "USER_DEFINED", associationTypeId = -1 } end,
  }()
  return row
end

local function draw_nobody(case)
  local row = draw_good(case)
  return {
    kind = "nobody",
    input = case.luck:pick {
      { from = "x", to = row.input.to, types = row.input.types },
      { from = "1.0E+11", to = row.input.to, types = row.input.types },
      { to = row.input.to, types = row.input.types },
    },
  }
end

local function draw_empty(case)
  local row = { kind = "empty", from = from_of(case) }
  row.input = { from = spell_id(case, row.from), to = "" }
  if case.luck:one_in(2) then
    row.keys = some_keys(case, 1)
    row.input.types = spell_types(case, row.keys)
  end
  return row
end

local function draw_rows(case)
  local luck = case.luck
  local bad, empty = luck:one_in(3), luck:one_in(3) and case.direction.one_primary ~= "to"
  local nobody = luck:one_in(8)
  for _ = 1, luck:integer(0, luck:one_in(4) and 60 or 20) do
    local draw = draw_good
    if bad and luck:one_in(12) then draw = draw_bad end
    if empty and luck:one_in(6) then draw = draw_empty end
    if nobody and luck:one_in(20) then draw = draw_nobody end
    case.rows[#case.rows + 1] = draw(case)
    if luck:one_in(10) then case.rows[#case.rows + 1] = case.rows[#case.rows] end
  end
end

-- ---- what goes wrong ----

local function draw_chances(luck)
  local chances = {}
  if luck:one_in(2) then return chances end
  for _ = 1, luck:integer(1, 5) do
    local kind = luck:pick(FAULTS)
    local most = luck:one_in(6) and 50 or 12
    if kind ~= "daily" or luck:one_in(8) then chances[kind] = luck:integer(1, most) / 100 end
  end
  return chances
end

local function draw_crashes(luck)
  local crashes = {}
  if not luck:one_in(3) then return crashes end
  for i = 1, luck:integer(1, 3) do
    local by = luck:pick { "time", "request", "file", "file" }
    local most = ({ time = 12, request = 8, file = 12 })[by]
    local after = by == "time" and luck:integer(0, most * 20) / 20 or luck:integer(1, most)
    crashes[i] = { by = by, after = after }
  end
  return crashes
end

-- Changes by another program, between what a sync reads and what it writes.
local function draw_changes(case)
  local luck, changes = case.luck, {}
  if not luck:one_in(4) then return changes end
  for i = 1, luck:integer(1, 8) do
    local link = #case.links > 0 and not luck:one_in(3) and luck:pick(case.links)
    local from = link and link.from or from_of(case)
    changes[i] = {
      from = from, to = link and link.to or to_of(case, from),
      is_removal = luck:one_in(3),
      keys = { [case.direction.unlabeled] = true, ["USER_DEFINED:" .. luck:pick(LABELS)] = true },
    }
  end
  return changes
end

local function draw_account(case)
  local luck, labels = case.luck, {}
  for _, id in ipairs(LABELS) do
    local inverse = (case.direction.inverses or {})["USER_DEFINED:" .. id]
    labels[id] = not inverse and "Label " .. id or {
      label = "Label " .. id, from = case.direction.from_id, to = case.direction.to_id,
      inverse = tonumber(inverse:match "%d+$"),
    }
  end
  local options = {
    labels = labels, page_size = luck:integer(1, 12), numeric_ids = not luck:one_in(4),
    missing = function(_, id) return id:find "^404" ~= nil end,
  }
  if not case.lag and not case.changes[1] and luck:one_in(4) then
    case.rate = { limit = luck:integer(5, 50), interval = 1, retry_after = luck:one_in(2) }
  end
  return options
end

---@param seed integer
---@return table case
function sync_draw.draw(seed)
  local luck = random.new(seed)
  local case = {
    luck = luck, rows = {}, links = {}, direction = luck:pick(accounts.DIRECTIONS),
    froms = luck:integer(0, 6), tos = luck:integer(0, 6), has_missing = luck:one_in(4),
  }
  case.keys = keys_of(case)
  draw_links(case)
  draw_rows(case)
  case.way = luck:pick(WAYS)
  case.chances, case.crashes = draw_chances(luck), draw_crashes(luck)
  case.is_calm = not next(case.chances)
  case.changes = case.way ~= "dry_run" and case.way ~= "declined" and draw_changes(case) or {}
  if case.changes[1] then case.crashes = {} end
  -- At any time, too, when nobody can say what the sync has read by then.
  case.is_anytime = case.changes[1] and case.way == "sync" and luck:one_in(3) or false
  for _, change in ipairs(case.changes) do change.after = luck:integer(0, 60) / 10 end
  case.lag = luck:one_in(6) and not case.changes[1] and luck:integer(1, 40) / 10 or nil
  case.account = draw_account(case)
  case.rules = {
    mode = not luck:one_in(4) and "mirror" or luck:one_in(2) and "add" or nil,
    empty = luck:one_in(2) and "none" or nil, direction = case.direction,
  }
  if luck:one_in(4) then case.rules.types = some_keys(case, 4) end
  case.types = case.rules.types and spell_types(case, case.rules.types)
  case.rules.ends_with_error = luck:one_in(20)
  case.iterates = case.rules.ends_with_error or luck:one_in(2)
  case.limit = luck:one_in(6) and not case.is_anytime and luck:integer(0, 5) or nil
  case.client = {
    batch_size = luck:one_in(2) and luck:integer(1, 20) or nil, concurrency = luck:integer(1, 5),
    max_attempts = luck:pick { 2, 6, 6 }, retry_deadline = 300,
  }
  case.window = luck:one_in(2) and luck:integer(1, 10) or nil
  case.latency = luck:integer(1, 100) / 100
  if not case.limit and not case.is_anytime and luck:one_in(6) then
    case.percentage = luck:integer(0, 100) .. "%"
  end
  case.is_stepped = luck:one_in(3)
  case.cancels_at = case.is_stepped and luck:one_in(6) and luck:integer(1, 60) or nil
  case.rules.unreadable = {}
  if luck:one_in(6) then
    for _ = 1, luck:integer(1, 2) do case.rules.unreadable[from_of(case)] = true end
  end
  return case
end

return sync_draw
