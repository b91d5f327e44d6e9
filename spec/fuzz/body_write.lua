-- A body of any ids: it takes those that are UTF-8, and no others; readers of JSON, ours and another, get
-- back what was put in, also where it is grouped by the first id; and it is confirmed by a response with a
-- result for each, by none that lacks one. Of those ids, digits alone are record ids.
-- The bytes: ids, each ended by a byte 255, which UTF-8 does not have; two make an input. A byte 254 before
-- an id makes it a long one, of which json_write.c counts beforehand what it will write.

local cjson = require "cjson"
local core = require "hubspot.associations.core"

local TYPES = { 279, { 1, 279 } }
local LONG = 5000

local is_utf8 = utf8 and utf8.codepoint and function(id)
  return utf8.len(id) ~= nil
end

local function id_of(text)
  return text:byte() == 254 and text:sub(2):rep(math.ceil(LONG / #text)) or text
end

-- An id as it stands in JSON -> as it is.
local function plain(text)
  return core.decode('["' .. text .. '"]')[1]
end

-- The body, and what it took: a list of { from, to, types }.
local function fill(bytes)
  local body, taken = core.body { check_ids = false }, {}
  for left, right in bytes:gmatch "([^\255]*)\255([^\255]*)\255" do
    local from, to = id_of(left), id_of(right)
    local input = { from = from, to = to, types = TYPES[#taken % #TYPES + 1] }
    local added, refusal = body:add(input)
    local is_record_id = #from <= 19 and from:find "^[1-9][0-9]*$" ~= nil
    assert(core.is_record_id(from) == is_record_id)
    assert((core.body():add { from = from, to = 1, types = 1 } ~= nil) == is_record_id)
    if is_utf8 then assert((added ~= nil) == (#from > 0 and #to > 0 and is_utf8(from) and is_utf8(to))) end
    assert(added or refusal.kind == "invalid_input")
    taken[#taken + 1] = added and input
  end
  return body, taken
end

local function check_written(body, taken)
  assert(body:count() == #taken)
  local text, repeats, first = body:json(), false, {}
  local run = core.body { check_ids = false }
  assert(run:add_run(taken, 1, #taken) == #taken and run:json() == text)
  for _, inputs in ipairs { cjson.decode(text).inputs, core.decode(text).inputs } do
    assert(#inputs == #taken)
    for i, input in ipairs(inputs) do
      assert(input.from.id == taken[i].from and input.to.id == taken[i].to, i)
    end
  end
  for i, input in ipairs(taken) do
    local from, to = body:ids(i)
    assert(plain(from) == input.from and plain(to) == input.to, i)
    local pair = from .. "\255" .. to
    first[pair] = first[pair] or i
    repeats = repeats or first[pair] ~= i
  end
  assert(core.pairs():enter(body, 1) == repeats)
  for i = 1, #taken do
    local from, to = body:ids(i)
    assert(body:first(i) == first[from .. "\255" .. to], i)
  end
end

-- A result for each pair of ids, the last first; and whether the pairs can be compared as they stand, and no
-- two inputs have the same: a response to such a body must be confirmed.
local function results_of(body)
  local results, seen, is_plain = {}, {}, true
  for i = body:count(), 1, -1 do
    local result = ('{"fromObjectId":"%s","toObjectId":"%s"}'):format(body:ids(i))
    is_plain = is_plain and not seen[result] and not result:find("\\", 1, true)
    if not seen[result] then results[#results + 1] = result end
    seen[result] = true
  end
  return results, is_plain
end

local function confirmed(body, results, first)
  return body:confirmed_by('{"status":"COMPLETE","results":[' .. table.concat(results, ",", first) .. "]}")
end

-- The same pairs, grouped by their first id: each is in the group of it, once.
local function check_grouped(taken)
  local body = core.body { shape = "fan", check_ids = false, most_groups = 100000, most_inputs = 100000 }
  local expected, found = {}, {}
  for i, input in ipairs(taken) do
    assert(body:add { from = input.from, to = input.to }, i)
    expected[input.from .. "\255" .. input.to] = 1
  end
  local groups, seen = core.decode(body:json()).inputs, {}
  for _, group in ipairs(groups) do
    assert(not seen[group.from.id], "two groups of one id")
    seen[group.from.id] = true
    for _, to in ipairs(group.to) do
      local pair = group.from.id .. "\255" .. to.id
      found[pair] = (found[pair] or 0) + 1
      assert(found[pair] == expected[pair], "a pair that is not there, or there twice")
    end
  end
  for pair in pairs(expected) do assert(found[pair], "a pair is missing") end
  for i, input in ipairs(taken) do assert(taken[body:group(i)].from == input.from, i) end
end

return function(bytes)
  local body, taken = fill(bytes)
  check_written(body, taken)
  check_grouped(taken)
  local results, is_plain = results_of(body)
  assert(confirmed(body, results, 1) or not is_plain)
  assert(#results == 0 or not confirmed(body, results, 2))
end
