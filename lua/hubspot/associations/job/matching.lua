-- Which input got which result or error: matches HubSpot's response with the inputs of the request.
-- Pure. An answer names inputs by their ids, by a side's id, or by their types:
--   * a result confirms the inputs with its two ids, which were sent as one (see body_select.c);
--   * an error fails the inputs that it names, among those without a result. An id of which the side is not
--     told, and which stands on both, names nobody: one of the two may be innocent;
--   * errors that name nobody fail the inputs that are left when there are just as many of them, each for an
--     input of its own.
-- What is left after that is not mentioned: the job asks for it once more.

local input_errors = require "hubspot.associations.api.input_errors"
local rejection = require "hubspot.associations.api.rejection"
local core = require "hubspot.associations.core"

local matching = {}

-- An id as it stands in JSON -> as it is.
local function plain(text)
  return text:find("\\", 1, true) and core.decode('["' .. text .. '"]')[1] or text
end

local function ids_of(body, position)
  local from, to = body:ids(position)
  return plain(from), plain(to)
end

-- One key of both, that no other pair has.
local function pair_of(from, to)
  return #from .. ":" .. from .. to
end

-- Which pairs of ids the results name.
local function pairs_of(results)
  local confirmed = {}
  for _, result in ipairs(results or {}) do
    local is_result = type(result) == "table"
    local from, to = is_result and result.fromObjectId, is_result and result.toObjectId
    if type(from) == "string" and type(to) == "string" then confirmed[pair_of(from, to)] = true end
  end
  return confirmed
end

-- Splits the positions into those with a result and the missing, with the ids of the missing.
local function confirm(body, positions, results)
  local confirmed = pairs_of(results)
  local succeeded, missing, ids = {}, {}, {}
  for _, position in ipairs(positions) do
    local from, to = ids_of(body, position)
    if confirmed[pair_of(from, to)] then
      succeeded[#succeeded + 1] = position
    else
      missing[#missing + 1] = position
      ids[position] = { from = from, to = to }
    end
  end
  return succeeded, missing, ids
end

local function is_empty(set)
  return next(set) == nil
end

-- Of the positions, those whose ids are among the ones named.
local function with_ids(positions, ids, named)
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

local function with_types(body, positions, wanted)
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

-- For each id, the positions that have it on a side, so that many errors need not each look at all positions.
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

-- The positions that an error may be about: of the two sides it names, those of the side with fewer.
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

-- How many of an answer's errors are read: some for each input of a full batch. And how many looks at the
-- inputs they may take, for each: an honest answer takes fewer, as what is found is not looked for again.
local MOST_ERRORS, MOST_LOOKS = 8000, 128

-- What an entry names, in one word, when it names one id on a side at most, and no type; else nil.
local function word_of(named)
  if named.types[1] then return nil end
  local words = {}
  for number, side in ipairs { "from", "to", "either" } do
    local id = next(named[side])
    if id and next(named[side], id) then return nil end
    words[number] = id and #id .. ":" .. id or ""
  end
  return table.concat(words, ",")
end

local function names_an_id(named)
  return not (is_empty(named.from) and is_empty(named.to) and is_empty(named.either))
end

-- The search for what entries of a list of errors name, among inputs.
local Search = {}
Search.__index = Search

local function new_search(body, positions, ids)
  return setmetatable({
    body = body,
    positions = positions,
    ids = ids,
    index = index_by_id(positions, ids),
    looks = MOST_LOOKS * #positions,
  }, Search)
end

-- The positions with the ids and types named: those with both, where there are any, or else those with the
-- ids.
function Search:find(named)
  local list = self.positions
  if names_an_id(named) then
    local possible = candidates(self.index, named)
    self.looks = self.looks - #possible
    list = with_ids(possible, self.ids, named)
  end
  if not named.types[1] then return list end
  self.looks = self.looks - #list * #named.types
  local typed = with_types(self.body, list, named.types)
  if typed[1] or not names_an_id(named) then return typed, true end
  return list
end

-- Whether an id of which the side is not told stands on both sides: then it names nobody for sure.
function Search:is_ambiguous(named)
  if not is_empty(named.from) or not is_empty(named.to) then return false end
  for id in pairs(named.either) do
    local from, to = self.index.from[id], self.index.to[id]
    if from and to and (#from > 1 or #to > 1 or from[1] ~= to[1]) then return true end
  end
  return false
end

-- Calls visit(entry, positions, named, is_typed) for each entry, with the positions it names, but for those
-- that an entry before has named in the same words; is_found tells whether it names any.
local function each_named(search, entries, direction, visit)
  local known = {} -- word -> whether it names any
  for number, entry in ipairs(entries) do
    if number > MOST_ERRORS then return end
    local named = type(entry) == "table" and rejection.named(entry, direction)
    local word = named and word_of(named)
    if named and (not word or known[word] == nil) then
      if search.looks > 0 then
        local found, is_typed = search:find(named)
        visit(entry, found, #found > 0, named, is_typed)
        if word then known[word] = #found > 0 end
      end
    elseif type(entry) == "table" then
      visit(entry, {}, word ~= nil and known[word], named)
    end
  end
end

-- Gives each error to the positions it names: position -> error, the positions whose types are named, and the
-- errors that name none.
local function blame(search, batch_errors, direction)
  local failed, is_final, anonymous = {}, {}, {}
  each_named(search, batch_errors or {}, direction, function(entry, found, is_found, named, is_typed)
    local err = input_errors.of_entry(entry)
    if named and is_found and search:is_ambiguous(named) then found, is_found = {}, false end
    for _, position in ipairs(found) do
      failed[position] = failed[position] or err
      is_final[position] = is_final[position] or is_typed or rejection.is_of_record(entry)
    end
    if not is_found then anonymous[#anonymous + 1] = err end
  end)
  return failed, is_final, anonymous
end

---@class hubspot.associations.Matched
---@field succeeded integer[] positions
---@field failed table<integer, table> position -> HubSpot's error
---@field is_final table<integer, boolean> of those, the positions whose record or types are at fault: not
---  only the
---  input that several of one pair were merged into
---@field missing integer[] positions that the answer does not mention
---@field batch_error table|nil an error of the answer that names no input, which may be about the missing

---@param body userdata what was sent (or a superset)
---@param positions integer[] which inputs of it were
---@param response hubspot.associations.BatchResponse
---@param direction hubspot.associations.Direction|nil
---@return hubspot.associations.Matched
function matching.match(body, positions, response, direction)
  local succeeded, unresolved, ids = confirm(body, positions, response.results)
  if #unresolved == 0 then return { succeeded = succeeded, failed = {}, missing = {} } end
  local failed, is_final, anonymous = blame(new_search(body, unresolved, ids), response.errors, direction)
  local missing = {}
  for _, position in ipairs(unresolved) do
    if not failed[position] then missing[#missing + 1] = position end
  end
  if #anonymous > 0 and #anonymous == #missing and not rejection.may_share_an_input(anonymous) then
    for i, position in ipairs(missing) do failed[position] = anonymous[i] end
    missing = {}
  end
  return {
    succeeded = succeeded,
    failed = failed,
    is_final = is_final,
    missing = missing,
    batch_error = anonymous[1],
  }
end

-- The inputs that a rejection names by their number in the request, where inputs of one pair are one.
local function add_positions(detail, positions, units, suspected)
  for _, number in ipairs(rejection.numbers(detail)) do
    local unit = units and (units[number] or {}) or { positions[number] }
    for _, position in ipairs(unit) do suspected[position] = true end
  end
end

-- Whether an input of the positions has one id on both sides: the record at fault may be either.
local function has_same_ids(positions, ids)
  for _, position in ipairs(positions) do
    if ids[position].from == ids[position].to then return true end
  end
  return false
end

local function sorted(positions, is_in)
  local list = {}
  for _, position in ipairs(positions) do
    if is_in[position] then list[#list + 1] = position end
  end
  return list
end

---@class hubspot.associations.Suspects
---@field typed integer[] positions with a type that the rejection names
---@field sided integer[] positions of a record that it says is not there, or not valid
---@field loose integer[] positions that it names in another way

---The inputs that a rejection of the whole batch names. HubSpot takes the side of an id from the type, so
---that an id of another side may be meant: no more than a suspicion, but of types.
---@param body userdata
---@param positions integer[] what was sent, in order
---@param err hubspot.associations.Error
---@param direction hubspot.associations.Direction|nil
---@param units integer[][]|nil the positions by their pair of ids, as they were sent; nil: no two have the
---  same
---@return hubspot.associations.Suspects
function matching.suspects(body, positions, err, direction, units)
  local typed, sided, loose, ids = {}, {}, {}, {}
  for _, position in ipairs(positions) do
    local from, to = ids_of(body, position)
    ids[position] = { from = from, to = to }
  end
  local search = new_search(body, positions, ids)
  each_named(search, rejection.details(err), direction, function(detail, found, is_found, named, is_typed)
    add_positions(detail, positions, units, loose)
    if not named then return end
    local is_sided = is_empty(named.either) and rejection.is_of_record(detail)
      and not has_same_ids(found, ids)
    if not is_found and names_an_id(named) and search.looks > 0 then -- on the other side, then
      local ids_named = {}
      for _, side in ipairs { "from", "to", "either" } do
        for id in pairs(named[side]) do ids_named[id] = true end
      end
      found, is_sided = search:find { from = {}, to = {}, either = ids_named, types = {} }, false
    end
    local set = is_typed and typed or is_sided and sided or loose
    for _, position in ipairs(found) do set[position] = true end
  end)
  return {
    typed = sorted(positions, typed),
    sided = sorted(positions, sided),
    loose = sorted(positions, loose),
  }
end

return matching
