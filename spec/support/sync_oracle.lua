-- What a sync has to do, by the words of its documentation, for one list and one account. It knows nothing
-- of how a sync does it: it is given the rows and the links, and says which links there shall be in the end,
-- what becomes of each row, and which links may be removed at all.

local sync_oracle = {}

---@class support.sync.Row as the case drew it
---@field kind "good"|"empty"|"bad"|"nobody" nobody: a bad row whose `from` cannot be read
---@field from string|nil the record, unless nobody
---@field to string|nil of a good one
---@field keys string[]|nil of a good one, and of an empty one that has a type: "CATEGORY:ID"
---@field is_missing boolean|nil whether HubSpot has no such record: the row is good, and fails

---@class support.sync.Rules
---@field mode "add"|"mirror"
---@field empty "none"|nil
---@field types string[]|nil
---@field ends_with_error boolean|nil whether the source does
---@field unreadable table<string, boolean>|nil the records of which HubSpot never says what they have
---@field direction table one of sync_account.DIRECTIONS

---@class support.sync.Expected
---@field outcomes table<integer, table<string, boolean>> of the rows: which they may have on a calm day
---@field refused table<integer, boolean> the rows that fail before anything is sent for them
---@field wanted table from -> to -> set of keys, of the rows that are good
---@field removals table from -> to -> set of keys that are to be removed
---@field whole table from -> to -> true where nothing is left of the pair
---@field scope table<string, boolean> the types that are compared
---@field exposed table<string, boolean> the records that may lose links
---@field spared integer unlabeled types that stay, as the pair keeps another
---@field protected table<string, boolean> records that lose nothing, because a row of theirs is doubtful
---@field blocked table<string, boolean> records that lose nothing, because a row of theirs was not created
---@field doubted table<string, boolean> records that lose nothing on either side: one cannot be read
---@field named table<string, boolean> the records that the list names
---@field held table from -> to -> true: pairs that the list has in the other direction
---@field contested table from -> to -> true: pairs that get other labels by their rows of each direction
---@field removals_off boolean
---@field final table state

local function set_of(list)
  local set = {}
  for _, key in ipairs(list or {}) do set[key] = true end
  return set
end

local function at(tree, from, to)
  tree[from] = tree[from] or {}
  tree[from][to] = tree[from][to] or {}
  return tree[from][to]
end

local function have(state, from, to) return state[from] and state[from][to] or {} end

function sync_oracle.copy(state)
  local copy = {}
  for from, pairs_of in pairs(state) do
    for to, keys in pairs(pairs_of) do
      local into = at(copy, from, to)
      for key in pairs(keys) do into[key] = true end
    end
  end
  return copy
end

-- ---- the rows ----

-- "An empty `to` is a bad row unless empty = "none" says that it means: this record shall have no links;
-- beside other rows of that `from` it is refused", and those as well, since which is meant is not known.
local function judge_empty(rows, rules, expected, failed)
  local empties, others = {}, {}
  for _, row in ipairs(rows) do
    if row.kind == "empty" then empties[row.from] = true end
    if row.kind == "good" then others[row.from] = true end
  end
  for index, row in ipairs(rows) do
    local is_refused = row.from and empties[row.from] and (rules.empty ~= "none" or others[row.from])
    if row.kind == "empty" and is_refused or row.kind == "good" and is_refused and rules.empty == "none" then
      failed[index], expected.protected[row.from] = true, true
    end
  end
end

-- "Two primary companies of one record in the source: both fail."
local function judge_primaries(rows, rules, expected, failed)
  local one, primary = rules.direction.one_primary, rules.direction.primary
  local other, companies = one == "from" and "to" or "from", {}
  local function is_primary(index)
    return rows[index].kind == "good" and not failed[index] and set_of(rows[index].keys)[primary]
  end
  for index, row in ipairs(rows) do
    if is_primary(index) then
      companies[row[one]] = companies[row[one]] or {}
      companies[row[one]][row[other]] = true
    end
  end
  local both = {}
  for index, row in ipairs(rows) do
    local set = is_primary(index) and companies[row[one]]
    if set and next(set, (next(set))) then both[#both + 1] = index end
  end
  for _, index in ipairs(both) do failed[index], expected.protected[rows[index].from] = true, true end
end

-- "What is doubtful protects": the rows of a record that cannot be read fail. Of one object type, they are
-- rows of the other record as well.
local function judge_unreadable(rows, rules, expected, failed)
  for index, row in ipairs(rows) do
    if row.from and (rules.unreadable or {})[row.from] then
      expected.protected[row.from] = true
      if row.kind == "good" then failed[index] = true end
      if rules.direction.inverses then
        expected.doubted[row.from] = true
        if row.kind == "good" then
          expected.doubted[row.to], at(expected.held, row.to, row.from).is_held = true, true
        end
      end
    end
  end
end

local function judge_rows(rows, rules, expected)
  local failed = {}
  for index, row in ipairs(rows) do
    if row.kind == "bad" then failed[index], expected.protected[row.from] = true, true end
    if row.kind == "nobody" then failed[index], expected.removals_off = true, true end
  end
  judge_empty(rows, rules, expected, failed)
  -- A link between records of one object type is of both: which one a row may be about, nobody knows.
  if rules.direction.inverses and next(failed) then expected.removals_off = true end
  judge_primaries(rows, rules, expected, failed)
  judge_unreadable(rows, rules, expected, failed)
  return failed
end

-- ---- the links ----

local function want(rows, failed, state, rules, expected)
  for index, row in ipairs(rows) do
    local allowed = {}
    expected.outcomes[index] = allowed
    if failed[index] then
      allowed.failed = true
    elseif row.kind == "empty" then
      allowed.kept = true
      -- Beside a bad row of its record, it may be refused as well.
      allowed.failed = expected.protected[row.from]
    else
      local wanted, is_there = at(expected.wanted, row.from, row.to), true
      for _, key in ipairs(row.keys) do
        wanted[key] = true
        is_there = is_there and have(state, row.from, row.to)[key] ~= nil
      end
      local outcome = is_there and "kept" or row.is_missing and "failed" or "created"
      allowed[outcome] = true
      if outcome == "failed" then
        expected.blocked[row.from] = true
        if rules.direction.inverses then expected.blocked[row.to] = true end
      end
      if rules.direction.inverses then at(expected.held, row.to, row.from).is_held = true end
    end
  end
end

-- "Only the types that the source uses, or `types`." A bad row uses none: nobody knows what it means.
local function scope_of(rows, rules)
  if rules.types then return set_of(rules.types) end
  local scope = {}
  for _, row in ipairs(rows) do
    local is_used = row.kind == "good" or row.kind == "empty" and rules.empty == "none"
    for _, key in ipairs(is_used and row.keys or {}) do scope[key] = true end
  end
  return scope
end

-- "The unlabeled type is never removed from a pair that keeps a type, in or out of scope; it is then kept."
local function remove_from(pair, wanted, scope, rules)
  local extra, keeps, unlabeled = {}, wanted ~= nil, nil
  for key in pairs(pair) do
    if wanted and wanted[key] or not scope[key] then
      keeps = true
    elseif key == rules.direction.unlabeled then
      unlabeled = key
    else
      extra[key] = true
    end
  end
  if unlabeled and not keeps then extra[unlabeled] = true end
  return extra, unlabeled ~= nil and keeps
end

-- The records that may lose links.
local function exposed(rows, rules, expected)
  local named = {}
  if rules.mode ~= "mirror" or expected.removals_off then return named end
  for _, row in ipairs(rows) do
    if row.from and not expected.protected[row.from] then named[row.from] = true end
  end
  return named
end

local function plan_removals(rows, state, rules, expected)
  local scope = scope_of(rows, rules)
  expected.scope, expected.exposed = scope, exposed(rows, rules, expected)
  for from in pairs(expected.exposed) do
    for to, pair in pairs(state[from] or {}) do
      local wanted = expected.wanted[from] and expected.wanted[from][to]
      local is_held = have(expected.held, from, to).is_held
      local extra, is_spared = remove_from(is_held and {} or pair, wanted, scope, rules)
      if is_spared then expected.spared = expected.spared + 1 end
      if expected.doubted[from] or expected.doubted[to] then extra = {} end
      for key in pairs(extra) do
        at(expected.removals, from, to)[key] = true
        expected.lines = expected.lines + 1
      end
      if extra[rules.direction.unlabeled] then
        expected.whole[from] = expected.whole[from] or {}
        expected.whole[from][to] = true
      end
    end
  end
end

-- ---- what becomes of the account ----

-- "A record has one primary company": another one stays linked, without that label.
local function demote(state, from, to, direction)
  local primary, one = direction.primary, direction.one_primary
  for other_from, targets in pairs(state) do
    for other_to, keys in pairs(targets) do
      local is_of_record = one == "from" and other_from == from or one == "to" and other_to == to
      if is_of_record and not (other_from == from and other_to == to) and keys[primary] then
        keys[primary] = nil
      end
    end
  end
end

local function inverse_of(direction, key) return direction.inverses[key] or key end

-- Where a row of each direction gives labels to a pair, the later one replaces the other's, unless they are
-- the same label.
local function find_contested(expected, state, direction)
  for from, targets in pairs(direction.inverses and expected.wanted or {}) do
    for to, keys in pairs(targets) do
      for key in pairs(have(expected.wanted, to, from)) do
        local is_new = key:find "^USER" and not have(state, to, from)[key]
        if is_new and not keys[inverse_of(direction, key)] then
          at(expected.contested, from, to).is_contested = true
          at(expected.contested, to, from).is_contested = true
        end
      end
    end
  end
end

local function create(rows, state, now, rules, expected)
  local missing = {}
  for _, row in ipairs(rows) do
    if row.is_missing then missing[row.from .. ">" .. row.to] = true end
  end
  for from, targets in pairs(expected.wanted) do
    for to, keys in pairs(targets) do
      local is_new = false
      for key in pairs(keys) do is_new = is_new or not have(state, from, to)[key] end
      if is_new and not missing[from .. ">" .. to] then
        local pair = at(now, from, to)
        pair[rules.direction.unlabeled] = true
        for key in pairs(keys) do pair[key] = true end
        for key in pairs(rules.direction.inverses and pair or {}) do
          at(now, to, from)[inverse_of(rules.direction, key)] = true
        end
        if keys[rules.direction.primary] and not have(state, from, to)[rules.direction.primary] then
          demote(now, from, to, rules.direction)
        end
      end
    end
  end
end

local function gained(pair, before, wanted)
  for key in pairs(pair) do
    if not before[key] and not (wanted and wanted[key]) then return true end
  end
  return false
end

-- "A pair that has changed since" the plan loses nothing.
local function remove(state, meanwhile, now, rules, expected)
  for from, targets in pairs(expected.removals) do
    for to, keys in pairs(targets) do
      local wanted = expected.wanted[from] and expected.wanted[from][to]
      local was = have(meanwhile, from, to)
      local is_changed = gained(was, have(state, from, to), wanted)
      if is_changed then
        expected.changed[from .. ">" .. to] = true
      elseif not expected.blocked[from] and not (rules.direction.inverses and expected.blocked[to]) then
        local is_whole = expected.whole[from] and expected.whole[from][to]
        for key in pairs(keys) do have(now, from, to)[key] = nil end
        if now[from] and is_whole then now[from][to] = nil end
        if rules.direction.inverses then
          for key in pairs(keys) do have(now, to, from)[inverse_of(rules.direction, key)] = nil end
          if now[to] and is_whole then now[to][from] = nil end
        end
      end
    end
  end
end

---Whether a type may be removed from a pair, whatever the account has.
---@param expected support.sync.Expected
---@param rules support.sync.Rules
---@return boolean
function sync_oracle.may_remove(expected, rules, from, to, key)
  local wanted = expected.wanted[from] and expected.wanted[from][to]
  local is_wanted = wanted and (wanted[key] or key == rules.direction.unlabeled)
    or have(expected.held, from, to).is_held or expected.doubted[from] or expected.doubted[to]
  return expected.exposed[from] and expected.scope[key] and not is_wanted or false
end

---How many links are compared: of the records that may lose some, and of all records of the list.
---@return integer least
---@return integer most
function sync_oracle.in_scope(expected, state)
  local least, most = 0, 0
  for from in pairs(expected.named) do
    for _, keys in pairs(state[from] or {}) do
      for key in pairs(keys) do
        local one = expected.scope[key] and 1 or 0
        least, most = least + (expected.exposed[from] and one or 0), most + one
      end
    end
  end
  return least, most
end

---@param rows support.sync.Row[]
---@param state table what the account has when it is read
---@param rules support.sync.Rules
---@param meanwhile table|nil what it has once another program has changed it, after it was read
---@return support.sync.Expected
function sync_oracle.expect(rows, state, rules, meanwhile)
  local expected = {
    outcomes = {}, wanted = {}, removals = {}, whole = {}, protected = {}, blocked = {}, changed = {},
    named = {}, held = {}, contested = {}, doubted = {}, spared = 0, lines = 0,
    removals_off = rules.ends_with_error or false,
  }
  for _, row in ipairs(rows) do
    if row.from then expected.named[row.from] = true end
  end
  local failed = judge_rows(rows, rules, expected)
  expected.refused = failed
  want(rows, failed, state, rules, expected)
  plan_removals(rows, state, rules, expected)
  meanwhile = meanwhile or state
  expected.final = sync_oracle.copy(meanwhile)
  find_contested(expected, state, rules.direction)
  create(rows, state, expected.final, rules, expected)
  remove(state, meanwhile, expected.final, rules, expected)
  return expected
end

return sync_oracle
