-- The inputs of a simulated job, and how the account treats them: the kind of an input says which outcomes it
-- may have. They are drawn from a random source, without knowledge of the job or the account.

local random = require "support.random"

local job_inputs = {}

local UNLABELED = 279 -- of contacts to companies
job_inputs.UNLABELED = UNLABELED
local LABELS = { 36, 37, 38, 39 } -- those of the account
local OPPOSITE, NOTES_TO_COMPANIES, CONTACTS_TO_DEALS = 280, 190, 4
local UNKNOWN, UNKNOWN_LABEL = 9999, 99

local function hubspot(id)
  return { associationCategory = "HUBSPOT_DEFINED", associationTypeId = id }
end

local function label(id)
  return { associationCategory = "USER_DEFINED", associationTypeId = id }
end

-- The kinds, each with its weight.
local KINDS = {
  { "good", 66 }, { "labelled", 14 }, { "missing", 6 }, { "misplaced", 3 }, { "unknown", 3 },
  { "invalid", 4 }, { "rejected", 2 }, { "poison", 1 },
}
-- Those that HubSpot accepts.
job_inputs.IS_GOOD = { good = true, labelled = true }

-- The pair of an input: from a small range, so that pairs repeat in a batch and in later ones. Some contacts
-- have ids of companies, because HubSpot calls those contacts when a type is of another direction; some
-- companies have ids of contacts that do not exist.
local function draw_pair(luck, types)
  if luck:one_in(4) then
    return { from = tostring(2000 + luck:integer(0, 15)), to = 6000 + luck:integer(0, 1), types = types }
  end
  local from = luck:one_in(20) and 5000 + luck:integer(0, 2) or 1000 + luck:integer(0, 300)
  local to = luck:one_in(12) and 50 + luck:integer(0, 2) or 5000 + luck:integer(0, 2)
  return { from = tostring(from), to = to, types = types }
end

local DRAW = {
  good = function(luck) return draw_pair(luck, UNLABELED) end,
  labelled = function(luck)
    local types = { label(luck:pick(LABELS)) }
    if luck:one_in(3) then types[2] = luck:one_in(2) and hubspot(UNLABELED) or label(luck:pick(LABELS)) end
    local input = draw_pair(luck, types)
    if luck:one_in(2) then input.from, input.to = tostring(2000 + luck:integer(0, 15)), 6000 end
    return input
  end,
  missing = function(luck)
    local from, to = "404" .. luck:integer(0, 9), "404" .. luck:integer(10, 19)
    return luck:pick {
      { from = { id = from }, to = { id = "7" }, types = UNLABELED },
      { from = tostring(50 + luck:integer(0, 2)), to = 5000 + luck:integer(0, 2), types = UNLABELED },
      { from = "1001", to = to, types = { label(36) } },
      { from = from, to = to, types = UNLABELED },
    }
  end,
  misplaced = function(luck)
    local bad = luck:pick { OPPOSITE, OPPOSITE, NOTES_TO_COMPANIES, CONTACTS_TO_DEALS }
    return draw_pair(luck, luck:one_in(3) and { UNLABELED, bad } or { bad })
  end,
  unknown = function(luck)
    local bad = luck:one_in(2) and hubspot(UNKNOWN) or label(UNKNOWN_LABEL)
    return draw_pair(luck, luck:one_in(3) and { UNLABELED, bad } or { bad })
  end,
  invalid = function(luck)
    return luck:pick {
      { from = "1", types = UNLABELED }, { from = "1", to = "2", types = {} }, { from = 1.5, to = "2" }, true,
    }
  end,
  rejected = function(luck)
    local id = "9" .. luck:integer(0, 9)
    if luck:one_in(2) then return { from = "1002", to = id, types = UNLABELED } end
    return { from = id, to = "13", types = UNLABELED }
  end,
  poison = function(luck)
    return { from = "8" .. luck:integer(0, 9), to = "13", types = UNLABELED }
  end,
}

---The kinds of a job. Any of them may be missing, except the first.
---@param luck table
---@return table[] list of { name, weight }
function job_inputs.draw_kinds(luck)
  local kinds = { KINDS[1] }
  for i = 2, #KINDS do kinds[i] = { KINDS[i][1], luck:one_in(3) and 0 or KINDS[i][2] } end
  if not luck:one_in(4) then kinds[#kinds][2] = 0 end -- mostly without poison
  return kinds
end

---@param luck table
---@param kinds table[] of draw_kinds
---@return any input
---@return string kind
function job_inputs.draw(luck, kinds)
  local total = 0
  for _, kind in ipairs(kinds) do total = total + kind[2] end
  local at = luck:integer(1, total)
  for _, kind in ipairs(kinds) do
    at = at - kind[2]
    if at <= 0 then return DRAW[kind[1]](luck), kind[1] end
  end
end

-- ---- the account ----

local function is_missing(object_type, id)
  return id:find "^404" ~= nil or object_type == "0-1" and id:find "^5%d$" ~= nil
end

-- How the account rejects a batch because of one of its records.
local function way_of(_, id)
  local digit = id:match "^9(%d)$"
  return digit and ({ "named", "column", "anonymous" })[tonumber(digit) % 3 + 1]
end

local function poison_of(_, id)
  local digit = id:match "^8(%d)$"
  return digit and (tonumber(digit) % 2 == 0 and 500 or 409)
end

---The account's options on which the kinds depend.
---@return table
function job_inputs.account()
  local labels = {}
  for _, id in ipairs(LABELS) do labels[id] = "Label " .. id end
  return { labels = labels, missing = is_missing, rejected = way_of, poison = poison_of }
end

local SEEN_AFTER, UNSEEN_AFTER = { 0, 0.5, 1.5, 2.5, 6.5 }, 40

---Some jobs verify, on an account that shows a write later; sometimes so late that no read may show it. From
---a random source of its own: cases of jobs that do not verify stay as they were.
---@param case table gets `verify` and `is_unseen`, and the account's option
---@param seed integer
function job_inputs.draw_verify(case, seed)
  local luck = random.new(seed + 1e6)
  if not luck:one_in(4) then return end
  case.verify, case.is_unseen = true, luck:one_in(6)
  case.account.visible_after = case.is_unseen and UNSEEN_AFTER or luck:pick(SEEN_AFTER)
end

-- ---- what an input asks for ----

---@param reference any
---@return string
function job_inputs.id_of(reference)
  local id = type(reference) == "table" and reference.id or reference
  return type(id) == "number" and ("%.0f"):format(id) or id
end

---@return string pair the same for all inputs with these two ids
function job_inputs.pair_of(input)
  return job_inputs.id_of(input.from) .. ">" .. job_inputs.id_of(input.to)
end

---The types of an input, in full.
---@return table[]
function job_inputs.types_of(input)
  local list = {}
  for i, one in ipairs(type(input.types) == "table" and input.types or { input.types }) do
    list[i] = type(one) == "table" and one or hubspot(one)
  end
  return list
end

---@param pair string
---@param entry table a type in full
---@return string
function job_inputs.key_of(pair, entry)
  return ("%s %s=%d"):format(pair, entry.associationCategory, entry.associationTypeId)
end

return job_inputs
