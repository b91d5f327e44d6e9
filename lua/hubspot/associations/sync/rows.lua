-- The first part of a sync: reads the source to its end, by a dry run of `create`, and spools its rows. A bad
-- row fails here; its record is doubtful, so that nothing of it is removed. Sends only what the dry run asks
-- for: the account's labels, and look-ups.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local sources = require "hubspot.associations.job.source"
local lines = require "hubspot.associations.sync.lines"
local type_keys = require "hubspot.associations.sync.type_keys"

local rows = {}

local MOST_KEYS = 1000 -- lists of types whose text is kept
local MOST_UNCLEAR = 10000 -- bad rows whose record is looked up, until nothing is removed at all

-- With the option empty = "none", a row whose `to` is empty stands for "no links". The job is given one that
-- is complete, so that its `from` and its types are checked as any other's.
local PLACEHOLDER = { { associationCategory = "USER_DEFINED", associationTypeId = 1 } } -- of any direction

local function is_empty(value)
  return type(value) == "string" and not value:find "[^ \t-\r]"
end

local function field(input, name)
  local read, value = pcall(function() return input[name] end)
  return read and value or nil
end

-- A row's `from`, as it was given. The command keeps what is known of a bad row in `problem`.
local function given_from(input)
  local from = type(input) == "table" and field(input, "from") or nil
  if from == nil then from = field(field(field(input, "problem"), "row"), "from") end
  return from
end

-- The id that it is; nil where it is none.
local function named_from(input)
  local from = given_from(input)
  if from == nil then return nil end
  local body = core.body { shape = "record" }
  local called, added = pcall(body.add, body, from)
  return called and added and (body:ids(1)) or nil
end

-- ---- the source ----

---The reader of the source. A long list is counted first, a part at a time.
---@param sync hubspot.associations.Sync
---@return (fun(): boolean, any)|nil read
---@return integer|hubspot.associations.Error|nil total, if it is known; or the error
function rows.reader(sync)
  local read, total, count = sources.reader(sync.source)
  if not read or not count then return read, total end
  while true do
    local counted, err = count()
    if err then return nil, err end
    if counted then return read, counted end
    sync:pause()
  end
end

-- The iterator that the job is given. The types of the option `types` come first, as a row with index 0: so
-- names among them are asked for as others are.
local function iterator(sync, state, read)
  local types = sync.given.types
  local needs_types = types ~= nil
  return function()
    if needs_types then
      needs_types = false
      return { from = "1", to = "1", types = types }
    end
    local more, input = read()
    if not more then return nil end
    state.index = state.index + 1
    if sync.digest then sync.digest:add(input) end
    if sync.given.empty ~= "none" or type(input) ~= "table" or not is_empty(field(input, "to")) then
      return input
    end
    local own = field(input, "types")
    state.empty[state.index] = input
    state.is_untyped[state.index] = own == nil or is_empty(own) or nil
    local nobody = sync.given.to_property and { known_id = "1" } or "1" -- is not looked up
    local stands_for = setmetatable({ to = nobody }, { __index = input })
    if state.is_untyped[state.index] then stands_for.types = PLACEHOLDER end
    return stands_for
  end
end

-- ---- what the job says of the rows ----

local function add_to_scope(sync, state, types)
  if sync.given.types or state.in_scope[types] then return end
  state.in_scope[types] = true
  for _, key in ipairs(type_keys.split(types)) do sync.rules.scope[key] = true end
end

local function keys_of(state, json)
  local keys = state.keys[json]
  if keys then return keys end
  if state.key_count >= MOST_KEYS then state.keys, state.key_count, state.in_scope = {}, 0, {} end
  keys = type_keys.of_json(json)
  state.keys[json], state.key_count = keys, state.key_count + 1
  return keys
end

local function write(sync, spool, line)
  local written, err = spool:write(line)
  if not written then sync.tally:stop(err) end
end

-- A row that has not failed as an input, but cannot be used.
local function refuse(sync, index, input, message)
  sync:fail_row(index, input, errors.new {
    kind = "invalid_input", index = index, message = message, retryable = false,
  })
end

-- Nothing is removed in this run, because of a row.
local function keep_all(sync, index, why)
  if sync.removals_off then return end
  local place_of = sync.given.row_place
  local place = place_of and place_of(index) or ("row %.0f"):format(index)
  sync.removals_off = place .. " " .. why
end

local function take_row(sync, state, batch, position, index)
  local from, to = batch.body:ids(position)
  local types = keys_of(state, batch.body:types(position))
  if index == 0 then
    for _, key in ipairs(type_keys.split(types)) do sync.rules.scope[key] = true end
    return
  end
  sync.tally:count("inputs", 1)
  local given = state.empty[index]
  if not (core.is_record_id(from) and core.is_record_id(to)) then
    keep_all(sync, index, "has an id that is no number: correct it, or leave it out")
    return refuse(sync, index, batch:input(position), "the ids of a sync have to be digits")
  end
  if given then
    if not state.is_untyped[index] then add_to_scope(sync, state, types) end
    state.empty[index], state.is_untyped[index] = nil, nil
    return write(sync, state.spool, lines.empty(from, index, lines.token(index)))
  end
  add_to_scope(sync, state, types)
  local token = lines.token(index)
  if sync.keeps_values then
    local input = batch:input(position)
    token = lines.token(index, field(input, "from"), field(input, "to"))
  end
  write(sync, state.spool, lines.good(from, to, index, token, types))
  if sync.rules.is_mutual then write(sync, state.spool, lines.held(from, to)) end
  if state.primaries and ("," .. types .. ","):find("," .. sync.rules.primary_of_to .. ",", 1, true) then
    write(sync, state.primaries, lines.primary(from, to, token))
  end
end

-- The hook of the dry run: a batch of which all inputs were checked.
local function on_checked(sync, state)
  return function(batch)
    for position = 1, batch.body:count() do
      take_row(sync, state, batch, position, batch:index(position) - state.offset)
    end
    return sync.tally.error == nil
  end
end

-- Nothing is removed, as the record of a bad row is not known; or, where both records are of one object type,
-- the one on the other side.
local function cannot_tell(sync, index)
  keep_all(sync, index, "failed, and which records it is about cannot be told: correct it, or leave it out")
end

local function on_failure(sync, state)
  return function(failure)
    local index = failure.index - state.offset
    if failure.outcome ~= "failed" then -- the job stopped first
      if index > 0 then sync.tally:count("inputs", 1) end
      return true
    end
    if failure.error then failure.error.index = index > 0 and index or nil end
    if index == 0 then
      failure.error.message = "option types: " .. failure.error.message
      sync.tally:stop(failure.error)
      return false
    end
    sync.tally:count("inputs", 1)
    local input = state.empty[index] or failure.input
    state.empty[index], state.is_untyped[index] = nil, nil
    local is_by_value = sync.given.from_property ~= nil
    local from = failure.from_id or not is_by_value and named_from(input) or nil
    local value = is_by_value and given_from(input) or nil
    if sync.rules.is_mutual then
      cannot_tell(sync, index)
    elseif from then
      write(sync, state.spool, lines.doubtful(from, index))
    elseif value and failure.error.field ~= "from" and #state.unclear < MOST_UNCLEAR then
      table.insert(state.unclear, { from = value, to = "1", types = PLACEHOLDER, index = index })
    else
      cannot_tell(sync, index)
    end
    return sync:fail_row(index, input, failure.error)
  end
end

-- Looks up the records of bad rows that name them by a property.
local function look_up_unclear(sync, state)
  if not state.unclear[1] or sync.removals_off or not sync.rules.removes then return end
  local is_known = {}
  local _, err = sync:run("create", state.unclear, {
    dry_run = true, from_property = sync.given.from_property,
    on_failure = function() return true end,
  }, { is_dry = true, on_checked = function(batch)
    for position = 1, batch.body:count() do
      local number = batch:index(position)
      is_known[number] = true
      write(sync, state.spool, lines.doubtful((batch.body:ids(position)), state.unclear[number].index))
    end
  end })
  if err then cannot_tell(sync, state.unclear[1].index) end
  for number, row in ipairs(state.unclear) do
    if not is_known[number] then cannot_tell(sync, row.index) end
  end
end

-- ---- the spool ----

-- Finds records of the `to` side with two primary types: their rows fail, and are spooled for that.
local function find_conflicts(sync, state)
  local sorted, err = state.primaries:sort()
  if not sorted then return nil, err end
  err = lines.conflicts(state.primaries:lines(), function(from, token)
    write(sync, state.spool, lines.conflict(from, token))
  end)
  state.primaries:remove()
  return not err and not sync.tally.error, err or sync.tally.error
end

-- Where both records are of one object type, a record with a row that it has no links, beside rows that say
-- which, might lose them when the other record is compared, where that is not known: nothing is removed.
local function find_contradiction(sync, spool)
  local next_record = lines.records(spool:lines())
  while not sync.removals_off do
    local record, err = next_record()
    if not record then return err end
    if record.has_empty and record.has_rows then
      cannot_tell(sync, lines.read_token(lines.parse(record).empty[1]))
    end
  end
end

---Reads the source. Afterwards the tally has its rows, and those that failed.
---@param sync hubspot.associations.Sync
---@return hubspot.associations.sync.Spool|nil sorted
---@return hubspot.associations.Error|nil
function rows.read(sync)
  local read, total = rows.reader(sync)
  if not read then
    sync.unusable = total
    return nil, total
  end
  local spool, err = sync:new_spool()
  if not spool then return nil, err end
  local state = {
    index = 0, offset = sync.given.types and 1 or 0, empty = {}, is_untyped = {}, spool = spool,
    keys = {}, key_count = 0, in_scope = {},
    unclear = {}, -- bad rows whose record has to be looked up
  }
  if sync.rules.primary_of_to then state.primaries, err = sync:new_spool() end
  if err then return nil, err end
  local report, failure = sync:run("create", iterator(sync, state, read), {
    dry_run = true, on_failure = on_failure(sync, state),
    from_property = sync.given.from_property, to_property = sync.given.to_property,
  }, { on_checked = on_checked(sync, state), is_dry = true })
  local report_so_far = sync.tally.report
  report_so_far.inputs = math.max(total or 0, report_so_far.inputs)
  if not report then
    sync.unusable = failure
    return nil, failure
  end
  if sync.tally.error then return nil, sync.tally.error end
  if failure and failure.kind ~= "source" then return nil, failure end
  if failure then
    sync.source_error = failure
    sync.removals_off = "the source ended with an error: " .. failure.message
  end
  look_up_unclear(sync, state)
  if state.primaries then
    local found
    found, err = find_conflicts(sync, state)
    if not found then return nil, err end
  end
  local sorted
  sorted, err = spool:sort()
  if sorted and sync.rules.is_mutual and sync.rules.removes then err = find_contradiction(sync, spool) end
  return sorted and not err and spool, err
end

return rows
