-- Matches HubSpot's response with the inputs of the request: which input got which result or error. Pure.
-- A response names inputs by both ids, by the id of one side, or by their types:
--   * a result confirms the inputs with its two ids, which were sent as one (see src/body_select.c);
--   * an error fails the inputs that it names, among those without a result. An id without a side, which
--     inputs have on different sides, names none for certain;
--   * errors that name no input are assigned to the remaining inputs if the counts match.
-- The inputs that are left are missing in the response: the job sends them once more. But if the endpoint's
-- responses have no results, they have succeeded, unless an error may be about them.

local input_errors = require "hubspot.associations.api.input_errors"
local rejection = require "hubspot.associations.api.rejection"
local core = require "hubspot.associations.core"

local matching = {}

local SIDES = { "from", "to", "either" }

-- ---- results ----

-- The id that a JSON string stands for.
local function unescape(text)
  return text:find("\\", 1, true) and core.decode('["' .. text .. '"]')[1] or text
end

-- The ids of an input. The second is empty if its shape has one.
local function ids_of(body, position)
  local from, to = body:ids(position)
  return unescape(from), unescape(to or "")
end

-- One key for two ids. The length makes it unique: the ids "1", "23" and "12", "3" have different keys.
local function pair_key(from, to)
  return #from .. ":" .. from .. to
end

-- The id in a result, by the list of keys that leads to it; an empty one where the inputs have none.
local function id_at(result, path)
  local value = path and result or ""
  for _, key in ipairs(path or {}) do
    value = type(value) == "table" and value[key] or nil
  end
  return type(value) == "string" and value or nil
end

-- Results by their ids, as `matching.key` writes them; and the keys of which there is more than one.
local function index_results(results, paths)
  local index, is_repeated = {}, {}
  for _, result in ipairs(results or {}) do
    local from, to = id_at(result, paths.from), id_at(result, paths.to)
    local key = from and to and pair_key(from, to)
    if key then
      is_repeated[key] = index[key] ~= nil or nil
      index[key] = result
    end
  end
  return index, is_repeated
end

---The ids of an input; the second is empty if its shape has one.
---@param body userdata
---@param position integer
---@return string from
---@return string to
function matching.ids(body, position)
  return ids_of(body, position)
end

---The first id of an input.
---@param body userdata
---@param position integer
---@return string
function matching.id(body, position)
  return (ids_of(body, position))
end

---The key of the input's result.
---@param body userdata
---@param position integer
---@return string
function matching.key(body, position)
  return pair_key(ids_of(body, position))
end

-- Splits the positions into those with a result and those without one; with the ids of the latter.
local function split_by_results(body, positions, confirmed)
  local succeeded, unresolved, ids = {}, {}, {}
  for _, position in ipairs(positions) do
    local from, to = ids_of(body, position)
    if confirmed[pair_key(from, to)] then
      succeeded[#succeeded + 1] = position
    else
      unresolved[#unresolved + 1] = position
      ids[position] = { from = from, to = to }
    end
  end
  return succeeded, unresolved, ids
end

-- ---- what an error names, among inputs ----

local function is_empty(set)
  return next(set) == nil
end

local function names_an_id(named)
  return not (is_empty(named.from) and is_empty(named.to) and is_empty(named.either))
end

-- The positions whose ids are among the named ones.
local function filter_by_ids(positions, ids, named)
  local list = {}
  local from, to = not is_empty(named.from), not is_empty(named.to)
  for _, position in ipairs(positions) do
    local own = ids[position]
    local is_named
    if from or to then
      is_named = (not from or named.from[own.from]) and (not to or named.to[own.to])
    else
      is_named = named.either[own.from] or named.either[own.to]
    end
    if is_named then list[#list + 1] = position end
  end
  return list
end

local TYPE = '"associationCategory":"([^"]+)","associationTypeId":(%d+)'

local function has_type(body, position, wanted)
  for category, id in body:types(position):gmatch(TYPE) do
    if id == wanted.id and (not wanted.category or wanted.category == category) then return true end
  end
  return false
end

-- The positions that have one of the types.
local function filter_by_types(body, positions, wanted)
  local list = {}
  for _, position in ipairs(positions) do
    for _, one in ipairs(wanted) do
      if has_type(body, position, one) then
        list[#list + 1] = position
        break
      end
    end
  end
  return list
end

-- For each side, id -> positions: an error then looks only at the inputs with its ids.
local function index_by_id(positions, ids)
  local index = { from = {}, to = {} }
  for _, position in ipairs(positions) do
    for side, by_id in pairs(index) do
      local id = ids[position][side]
      by_id[id] = by_id[id] or {}
      table.insert(by_id[id], position)
    end
  end
  return index
end

local function append_positions(list, by_id, named)
  for id in pairs(named) do
    for _, position in ipairs(by_id[id] or {}) do list[#list + 1] = position end
  end
end

local function count_positions(by_id, named)
  local count = 0
  for id in pairs(named) do count = count + #(by_id[id] or {}) end
  return count
end

-- The positions that have a named id. If both sides are named, those of the side with fewer: filter_by_ids
-- checks the other side.
local function candidates(index, named)
  local list = {}
  local from, to = not is_empty(named.from), not is_empty(named.to)
  if from and to then
    from = count_positions(index.from, named.from) <= count_positions(index.to, named.to)
    to = not from
  end
  if from then append_positions(list, index.from, named.from) end
  if to then append_positions(list, index.to, named.to) end
  if not from and not to then
    append_positions(list, index.from, named.either)
    append_positions(list, index.to, named.either)
  end
  return list
end

-- A key of what an error names, if that is no type and at most one id a side; else nil.
local function key_of(named)
  if named.types[1] then return nil end
  local parts = {}
  for number, side in ipairs(SIDES) do
    local id = next(named[side])
    if id and next(named[side], id) then return nil end
    parts[number] = id and #id .. ":" .. id or ""
  end
  return table.concat(parts, ",")
end

-- Bounds on the work that a hostile response can cause: how many of its errors are read, and how many times
-- inputs are compared, for each input. HubSpot's own responses stay far below both.
local MOST_ERRORS, MOST_COMPARISONS = 8000, 128

-- Finds the inputs that the errors of one response name.
local Finder = {}
Finder.__index = Finder

local function new_finder(body, positions, ids)
  return setmetatable({
    body = body,
    positions = positions,
    ids = ids,
    index = index_by_id(positions, ids),
    comparisons_left = MOST_COMPARISONS * #positions,
    is_found = {}, -- key of what an earlier error named -> whether it named an input
    has_skipped = false, -- whether an error was not read: any input may be at fault
  }, Finder)
end

-- The positions with the named ids and types; those with the ids, if none of them has such a type. The second
-- value tells whether they were found by type.
function Finder:find(named)
  local list = self.positions
  if names_an_id(named) then
    local possible = candidates(self.index, named)
    self.comparisons_left = self.comparisons_left - #possible
    list = filter_by_ids(possible, self.ids, named)
  end
  if not named.types[1] then return list, false end
  self.comparisons_left = self.comparisons_left - #list * #named.types
  local typed = filter_by_types(self.body, list, named.types)
  if typed[1] or not names_an_id(named) then return typed, true end
  return list, false
end

-- Whether an id without a side is on the from side of one input and on the to side of another: either may be
-- innocent.
function Finder:is_ambiguous(named)
  if not is_empty(named.from) or not is_empty(named.to) then return false end
  for id in pairs(named.either) do
    local from, to = self.index.from[id], self.index.to[id]
    if from and to and (#from > 1 or #to > 1 or from[1] ~= to[1]) then return true end
  end
  return false
end

-- What one error says of the inputs: { entry, named (nil: it names nothing), positions, is_found, is_typed }.
-- The positions are empty if an earlier error named the same. Nil when no comparisons are left.
function Finder:read(entry, direction)
  local named = rejection.named(entry, direction)
  if not named then return { entry = entry, positions = {}, is_found = false } end
  local key = key_of(named)
  if key and self.is_found[key] ~= nil then
    return { entry = entry, named = named, positions = {}, is_found = self.is_found[key] }
  end
  if self.comparisons_left <= 0 then return nil end
  local positions, is_typed = self:find(named)
  local is_found = #positions > 0
  if key then self.is_found[key] = is_found end
  return { entry = entry, named = named, positions = positions, is_found = is_found, is_typed = is_typed }
end

-- Calls visit(finding) for each error of a list.
function Finder:each(entries, direction, visit)
  for number, entry in ipairs(entries) do
    local finding = number <= MOST_ERRORS and type(entry) == "table" and self:read(entry, direction)
    if finding then visit(finding) else self.has_skipped = true end
    if number > MOST_ERRORS then return end
  end
end

-- ---- the response of a batch ----

-- Assigns the errors of a response to inputs. Returns position -> error; position -> whether the error is
-- certain to be about this very input; and the errors that name none.
local function assign_errors(finder, entries, direction)
  local failed, is_final, anonymous = {}, {}, {}
  finder:each(entries or {}, direction, function(finding)
    local err = input_errors.of_entry(finding.entry)
    if not finding.is_found or finder:is_ambiguous(finding.named) then
      anonymous[#anonymous + 1] = err
      return
    end
    local is_certain = finding.is_typed or rejection.is_of_record(finding.entry)
    for _, position in ipairs(finding.positions) do
      failed[position] = failed[position] or err
      is_final[position] = is_final[position] or is_certain
    end
  end)
  return failed, is_final, anonymous
end

-- The status of a batch that was accepted. (A response may have none.)
local IS_ACCEPTED = { COMPLETE = true, PENDING = true, PROCESSING = true }

-- Whether a response without results means that what it does not name has succeeded: not if its status is
-- another, nor if it counts more errors than it lists.
local function is_accepted(response)
  if response.status ~= nil and not IS_ACCEPTED[response.status] then return false end
  local count = response.numErrors
  return type(count) ~= "number" or count <= #(response.errors or {})
end

---@class hubspot.associations.Matched
---@field succeeded integer[] positions
---@field failed table<integer, table> position -> HubSpot's error
---@field is_final table<integer, boolean> whether that error is about the position's own record or types. If
---  not, it may be about another input of the same pair, with which the position was sent as one
---@field missing integer[] positions that the response does not mention
---@field index table<string, table>|nil HubSpot's results, by `matching.key`
---@field is_repeated table<string, boolean>|nil the keys of which there is more than one
---@field anonymous table[]|nil errors of the response that name no input
---@field batch_error table|nil the first of them: it may be about the missing ones

---Matches the response of a batch with its inputs.
---@param body userdata has the inputs that were sent, and maybe more
---@param positions integer[] those that were sent
---@param response hubspot.associations.BatchResponse
---@param paths table<"from"|"to", string[]>|nil where a result has its ids: the endpoint's field `result`
---  (without it, responses have no results)
---@param direction hubspot.associations.Direction|nil
---@return hubspot.associations.Matched
function matching.match(body, positions, response, paths, direction)
  if not paths and not (response.errors and response.errors[1]) and is_accepted(response) then
    return { succeeded = positions, failed = {}, missing = {} }
  end
  local index, is_repeated = index_results(paths and response.results, paths)
  local succeeded, unresolved, ids = split_by_results(body, positions, index)
  if #unresolved == 0 then
    return { succeeded = succeeded, failed = {}, missing = {}, index = index, is_repeated = is_repeated }
  end
  local finder = new_finder(body, unresolved, ids)
  local failed, is_final, anonymous = assign_errors(finder, response.errors, direction)
  local missing = {}
  for _, position in ipairs(unresolved) do
    if not failed[position] then missing[#missing + 1] = position end
  end
  if #anonymous > 0 and #anonymous == #missing and not rejection.may_share_an_input(anonymous) then
    for i, position in ipairs(missing) do failed[position] = anonymous[i] end
    missing = {}
  elseif not (paths or anonymous[1] or finder.has_skipped) and is_accepted(response) then
    succeeded, missing = missing, {}
  end
  return {
    succeeded = succeeded,
    failed = failed,
    is_final = is_final,
    missing = missing,
    index = index,
    is_repeated = is_repeated,
    anonymous = anonymous,
    batch_error = anonymous[1],
  }
end

-- ---- the rejection of a whole batch ----

-- Adds the positions that a rejection names by their number in the request ("inputs[0]"). The inputs of one
-- pair have one number.
local function add_numbered(set, entry, positions, units)
  for _, number in ipairs(rejection.numbers(entry)) do
    local unit = units and (units[number] or {}) or { positions[number] }
    for _, position in ipairs(unit) do set[position] = true end
  end
end

-- Whether an input has the same id on both sides: the record at fault may be either.
local function has_same_ids(positions, ids)
  for _, position in ipairs(positions) do
    if ids[position].from == ids[position].to then return true end
  end
  return false
end

-- Those of the positions that are in the set, in their order.
local function in_order(positions, set)
  local list = {}
  for _, position in ipairs(positions) do
    if set[position] then list[#list + 1] = position end
  end
  return list
end

-- What an error names, by its ids alone and on either side.
local function without_sides(named)
  local ids = {}
  for _, side in ipairs(SIDES) do
    for id in pairs(named[side]) do ids[id] = true end
  end
  return { from = {}, to = {}, either = ids, types = {} }
end

-- How sure an error is of the inputs that it names: the name of a list of Suspects; and these inputs. If none
-- has an id on the side that was named, those count that have it on the other side.
function Finder:suspect(finding)
  local named, positions = finding.named, finding.positions
  if not finding.is_found and names_an_id(named) and self.comparisons_left > 0 then
    return "loose", (self:find(without_sides(named)))
  end
  if finding.is_typed then return "typed", positions end
  local is_sided = is_empty(named.either) and rejection.is_of_record(finding.entry)
    and not has_same_ids(positions, self.ids)
  return is_sided and "sided" or "loose", positions
end

---@class hubspot.associations.Suspects
---@field typed integer[] positions that have a type which the rejection names
---@field sided integer[] positions that have a record which it says does not exist, or is not valid
---@field loose integer[] positions that it names in another way

---The inputs that the rejection of a whole batch names. HubSpot derives the side of an id from the
---association type, so that it may mean an id of the other side: except for types, this is only a suspicion.
---@param body userdata
---@param positions integer[] those that were sent, in order
---@param err hubspot.associations.Error
---@param direction hubspot.associations.Direction|nil
---@param units integer[][]|nil the positions by their pair of ids, as they were sent; nil if all pairs differ
---@return hubspot.associations.Suspects
function matching.suspects(body, positions, err, direction, units)
  local sets, ids = { typed = {}, sided = {}, loose = {} }, {}
  for _, position in ipairs(positions) do
    local from, to = ids_of(body, position)
    ids[position] = { from = from, to = to }
  end
  local finder = new_finder(body, positions, ids)
  finder:each(rejection.details(err), direction, function(finding)
    add_numbered(sets.loose, finding.entry, positions, units)
    if not finding.named then return end
    local name, suspected = finder:suspect(finding)
    for _, position in ipairs(suspected) do sets[name][position] = true end
  end)
  for name, set in pairs(sets) do sets[name] = in_order(positions, set) end
  return sets
end

return matching
