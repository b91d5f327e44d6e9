-- core.decode on any bytes: a table, or a reason. The table is what lua-cjson makes of the text, but for
-- the differences that core.decode documents; given secrets, it shows none. hsa_json_skip, which reads over
-- what is of no interest, accepts the same texts. core.decode_input accepts them, too, unless a key comes
-- twice; it returns no number as an id, however that is spelled.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local inside = require "inside"

local SECRETS = { "secret", "key" }

local integer_type = math.type or type

local compare

local function compare_lists(list, other)
  local count = 0
  for _, value in ipairs(other) do
    if value ~= cjson.null then
      count = count + 1
      compare(list[count], value, "")
    end
  end
  assert(#list == count)
end

local TELLS_OUTCOME = {
  fromObjectId = true, toObjectId = true, from = true, to = true, id = true,
  results = true, errors = true, numErrors = true, status = true,
}

-- Of two values under a key that tells outcomes, core.decode believes none.
local function may_be_double(key, value)
  return value == false and TELLS_OUTCOME[key]
end

local function compare_objects(object, other)
  for key, value in pairs(other) do
    if not may_be_double(key, object[key]) then compare(object[key], value, key) end
  end
  for key in pairs(object) do assert(other[key] ~= nil, key) end
end

-- Raises unless core.decode's value is as lua-cjson's: without null, and with ids as strings.
function compare(value, other, key)
  if other == cjson.null then
    assert(value == nil, key)
  elseif type(other) == "table" then
    assert(type(value) == "table", key);
    (#other > 0 and compare_lists or compare_objects)(value, other, key)
  elseif type(other) == "number" then
    local is_id = key:find "ObjectId$" or key == "id"
    local is_whole = type(value) == "string" and value:find "^%-?%d+$"
    assert(type(value) == "number" or is_id and is_whole, key)
    assert(not is_id or integer_type(value) ~= "integer", key)
    assert(tonumber(value) + 0.0 == other + 0.0, key)
  else
    assert(value == other, key)
  end
end

local function assert_shows_none(value)
  if type(value) == "table" then
    for key, inner in pairs(value) do
      assert_shows_none(key)
      assert_shows_none(inner)
    end
  elseif type(value) == "string" then
    for _, secret in ipairs(SECRETS) do assert(not value:find(secret, 1, true), value) end
  end
end

local function check(text, count, value, why)
  local _, reason = core.decode(inside.bytes(text))
  assert(reason == why, reason)
  assert(inside.skips(text) == (value ~= nil), why)
  if value == nil then
    assert(count == 2)
    local place = tonumber(why:match " at byte (%d+)$")
    assert(place >= 1 and place <= #text + 1, why)
    return
  end
  assert(count == 1)
  local taken, other = pcall(cjson.decode, text)
  if taken then compare(value, other, "") end
  local shown = core.decode(text, SECRETS[1], SECRETS[2])
  assert(shown)
  assert_shows_none(shown)
end

local function assert_spelled(value)
  if type(value) ~= "table" then return end
  for key, inner in pairs(value) do
    assert(type(inner) ~= "number" or key ~= "id" and key ~= "from" and key ~= "to", key)
    assert_spelled(inner)
  end
end

local function check_input(text)
  local input, why = core.decode_input(text)
  local value, other = core.decode(text)
  if input then assert(value or other:find "^a number too long") end
  if value then assert(input or why:find "^a key for the second time") end
  assert_spelled(input)
end

return function(bytes)
  check(bytes, select("#", core.decode(bytes)), core.decode(bytes))
  check_input(bytes)
end
