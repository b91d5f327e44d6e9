-- Which input got which result or error: matches HubSpot's answer to a batch with what was asked.
-- Pure. An answer names inputs by their ids only, so the ids are all there is to go by:
--   * a result confirms the inputs with its two ids: no request holds two that differ (see separate), so
--     they ask for the same association;
--   * an error fails the inputs that its context names, among those without a result;
--   * errors that name nobody fail the inputs that are left when there are just as many of them.
-- What is left after that is not mentioned: the job asks for it once more.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local refusal = require "hubspot.associations.refusal"
local whole = require "hubspot.associations.whole"

local outcome = {}

-- An id as it stands in JSON -> as it is.
local function plain(text)
  return text:find("\\", 1, true) and core.decode('["' .. text .. '"]')[1] or text
end

local function ids_of(body, place)
  local from, to = body:ids(place)
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

-- Splits the places into those with a result and the rest, with the ids of the rest.
local function confirm(body, places, results)
  local confirmed = pairs_of(results)
  local created, rest, ids = {}, {}, {}
  for _, place in ipairs(places) do
    local from, to = ids_of(body, place)
    if confirmed[pair_of(from, to)] then
      created[#created + 1] = place
    else
      rest[#rest + 1] = place
      ids[place] = { from = from, to = to }
    end
  end
  return created, rest, ids
end

local SIDE_OF_KEY = {
  fromObjectId = "from", fromObjectIds = "from", from = "from",
  toObjectId = "to", toObjectIds = "to", to = "to",
}

-- An id that an error names, as text; nil when it is none.
local function id_text(value)
  if type(value) == "string" then return value end
  return type(value) == "number" and whole(value) or nil
end

-- The ids that an error's context names: sets by side, and those of which no side is told.
local function named_ids(err)
  local named = { from = {}, to = {}, either = {} }
  local any = false
  local function name(side, value)
    local id = id_text(value)
    if not id then return end
    named[side][id] = true
    any = true
  end
  if type(err.context) == "table" then
    for key, values in pairs(err.context) do
      local side = SIDE_OF_KEY[key] or "either"
      for _, value in ipairs(type(values) == "table" and values or { values }) do name(side, value) end
    end
  end
  name("either", err.id)
  return any and named or nil
end

local function names(named, ids)
  local from, to = next(named.from) ~= nil, next(named.to) ~= nil
  if from or to then return (not from or named.from[ids.from]) and (not to or named.to[ids.to]) end
  return named.either[ids.from] or named.either[ids.to]
end

-- For each id, the places that have it on a side, so that many errors need not each look at all places.
local function index_by_id(places, ids)
  local index = { from = {}, to = {} }
  for _, place in ipairs(places) do
    for side, by_id in pairs(index) do
      local id = ids[place][side]
      by_id[id] = by_id[id] or {}
      table.insert(by_id[id], place)
    end
  end
  return index
end

local function append_places(list, by_id, named)
  for id in pairs(named) do
    for _, place in ipairs(by_id[id] or {}) do list[#list + 1] = place end
  end
end

local function count_places(by_id, named)
  local count = 0
  for id in pairs(named) do count = count + #(by_id[id] or {}) end
  return count
end

-- The places that an error may be about: of the two sides it names, those of the side with fewer.
local function candidates(index, named)
  local list = {}
  local from, to = next(named.from) ~= nil, next(named.to) ~= nil
  if from and to then
    from = count_places(index.from, named.from) <= count_places(index.to, named.to)
    to = not from
  end
  if from then append_places(list, index.from, named.from) end
  if to then append_places(list, index.to, named.to) end
  if not from and not to then
    append_places(list, index.from, named.either)
    append_places(list, index.to, named.either)
  end
  return list
end

-- How many of an answer's errors are read: some for each input of a full batch. And how many looks at the
-- inputs they may take, for each: an honest answer takes fewer, as what is found is not looked for again.
local MOST_ERRORS, MOST_LOOKS = 8000, 128

-- What an entry names, in one word, when it names one id on a side at most; else nil.
local function word_of(named)
  local words = {}
  for number, side in ipairs { "from", "to", "either" } do
    local id = next(named[side])
    if id and next(named[side], id) then return nil end
    words[number] = id and #id .. ":" .. id or ""
  end
  return table.concat(words, ",")
end

-- Finds which places each entry of a list of errors names: calls visit(entry, places, is_found) with those
-- of them that no entry before has named in the same words.
local function each_named(places, ids, entries, visit)
  local index, looks = index_by_id(places, ids), MOST_LOOKS * #places
  local known = {} -- word -> whether it names any
  local function find(named)
    local list, possible = {}, candidates(index, named)
    looks = looks - #possible
    for _, place in ipairs(possible) do
      if names(named, ids[place]) then list[#list + 1] = place end
    end
    return list
  end
  for number, entry in ipairs(entries) do
    if number > MOST_ERRORS then return end
    local named = type(entry) == "table" and named_ids(entry)
    local word = named and word_of(named)
    if named and (not word or known[word] == nil) then
      if looks > 0 then
        local found = find(named)
        visit(entry, found, #found > 0)
        if word then known[word] = #found > 0 end
      end
    elseif type(entry) == "table" then
      visit(entry, {}, word ~= nil and known[word])
    end
  end
end

-- Gives each error to the places it names: place -> error, and the errors that name none.
local function blame(places, ids, batch_errors)
  local failed, anonymous = {}, {}
  each_named(places, ids, batch_errors or {}, function(entry, named, is_found)
    local err = errors.of_hubspot(entry)
    for _, place in ipairs(named) do failed[place] = failed[place] or err end
    if not is_found then anonymous[#anonymous + 1] = err end
  end)
  return failed, anonymous
end

---@class hubspot.associations.Outcome
---@field created integer[] places
---@field failed table<integer, table> place -> HubSpot's error
---@field rest integer[] places that the answer does not mention
---@field hint table|nil an error of the answer that names no input, which may be about the rest

---@param body userdata what was sent (or a superset)
---@param places integer[] which inputs of it were
---@param batch hubspot.associations.Batch
---@return hubspot.associations.Outcome
function outcome.match(body, places, batch)
  local created, unresolved, ids = confirm(body, places, batch.results)
  if #unresolved == 0 then return { created = created, failed = {}, rest = {} } end
  local failed, anonymous = blame(unresolved, ids, batch.errors)
  local rest = {}
  for _, place in ipairs(unresolved) do
    if not failed[place] then rest[#rest + 1] = place end
  end
  if #anonymous > 0 and #anonymous == #rest then
    for i, place in ipairs(rest) do failed[place] = anonymous[i] end
    rest = {}
  end
  return { created = created, failed = failed, rest = rest, hint = anonymous[1] }
end

---Deals places into lists, in none of which two inputs have the same pair of ids and differ in their types:
---so that an answer to one list is unambiguous.
---@param body userdata
---@param places integer[]
---@return integer[][]
function outcome.separate(body, places)
  local lists, seen = {}, {} -- pair -> its different inputs -> which list has them
  for _, place in ipairs(places) do
    local pair, input = pair_of(body:ids(place)), body:input(place)
    seen[pair] = seen[pair] or { count = 0, list = {} }
    local same = seen[pair]
    if not same.list[input] then
      same.count = same.count + 1
      same.list[input] = same.count
    end
    local nth = same.list[input]
    lists[nth] = lists[nth] or {}
    table.insert(lists[nth], place)
  end
  return lists
end

---The inputs that a refusal of the whole batch names: by their position, or by their ids.
---@param body userdata
---@param places integer[] what was sent, in order
---@param err hubspot.associations.Error
---@return integer[] places
function outcome.suspects(body, places, err)
  local suspected, suspects = {}, {}
  local function suspect_position(text)
    if type(text) ~= "string" then return end
    for position in text:gmatch "inputs%[(%d+)%]" do -- HubSpot counts from 0
      local place = places[tonumber(position) + 1]
      if place then suspected[place] = true end
    end
  end
  local ids = {}
  for _, place in ipairs(places) do
    local from, to = ids_of(body, place)
    ids[place] = { from = from, to = to }
  end
  each_named(places, ids, refusal.details(err), function(detail, named)
    suspect_position(detail.message)
    suspect_position(detail["in"])
    for _, place in ipairs(named) do suspected[place] = true end
  end)
  for _, place in ipairs(places) do
    if suspected[place] then suspects[#suspects + 1] = place end
  end
  return suspects
end

return outcome
