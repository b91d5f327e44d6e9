-- Checks that what core.decode remembers of one object never shows in the next: objects in a row, which have
-- keys and values in common, are what each is by itself. Does no I/O.

local core = require "hubspot.associations.core"
local random = require "support.random"

local KEYS = { '"id"', '"idx"', '"i"', '""', '"\\u0069d"', '"a\\"b"', '"fromObjectId"', '"labels"' }
local VALUES = {
  '"0-1"', '"0-12"', '"0-"', '""', '"0-1\\""', '"0-1\\\\"', '"\\u0030-1"', '"a value of more than one block"',
  "1", "12", "1.5", "null", "true", "false", "[]", "{}", '["0-1"]', '{"id":"0-1"}', '{"id":1,"x":"0-1"}',
}
local SPACE = { "", "", "", "", " ", "\n  " }

local function field(source, key, value)
  return key .. source:pick(SPACE) .. ":" .. source:pick(SPACE) .. value
end

-- The text of an object that has some fields of the one before, at the same place.
local function object(source, before)
  local fields = {}
  for i = 1, source:integer(0, 8) do
    local is_same = before[i] and not source:one_in(4)
    local key = is_same and before[i].key or source:pick(KEYS)
    local value = is_same and not source:one_in(3) and before[i].value or source:pick(VALUES)
    before[i] = { key = key, value = value }
    fields[i] = source:pick(SPACE) .. field(source, key, value) .. source:pick(SPACE)
  end
  return "{" .. table.concat(fields, ",") .. "}"
end

local function objects(source)
  local before, texts = {}, {}
  for i = 1, source:integer(1, 12) do texts[i] = object(source, before) end
  return texts
end

-- As a list that begins so deep in a response, each entry of which is an object.
local function response_of(texts, depth)
  return ('{"results":'):rep(depth) .. "[" .. table.concat(texts, ",") .. "]" .. ("}"):rep(depth)
end

local function results_of(response, depth)
  for _ = 1, depth do response = response.results end
  return response
end

local function property(check)
  local first = tonumber(os.getenv "SEED") or os.time() % 1000000
  for seed = first, first + (os.getenv "SEED" and 0 or 999) do
    local held, why = pcall(check, random.new(seed))
    assert(held, ("SEED=%d replays it: %s"):format(seed, tostring(why)))
  end
end

describe("an object behind others", function()
  it("is what it is by itself", function()
    property(function(source)
      local texts, depth = objects(source), source:integer(1, 9)
      local list = results_of(assert(core.decode(response_of(texts, depth))), depth)
      for i, text in ipairs(texts) do assert.same(core.decode(text), list[i], text) end
    end)
  end)

  it("is what it is by itself, if secrets are taken out", function()
    property(function(source)
      local texts = objects(source)
      local list = core.decode(response_of(texts, 1), "0-1", "abels").results
      for i, text in ipairs(texts) do assert.same(core.decode(text, "0-1", "abels"), list[i], text) end
    end)
  end)

  it("is refused where it is cut off", function()
    property(function(source)
      local text = response_of(objects(source), 1)
      text = text:sub(1, source:integer(1, #text - 1))
      local response, why = core.decode(text)
      assert.is_nil(response, text)
      assert(tonumber(why:match " at byte (%d+)$") <= #text + 1, why)
    end)
  end)

  it("is refused where the one before it had something right", function()
    local before = '{"results":[{"from":"0-1","to":"0-2"},'
    for object_text, why in pairs {
      ['{"from":"0-1","to":"0-2"]'] = "an object without an end at byte 63",
      ['{"from":"0-1","to":"0-2}'] = "a string without an end at byte 59",
      ['{"from":"0-1"'] = "an object without an end at byte 52",
      ['{"from":"0-1",'] = "a key is missing at byte 53",
      ['{"from":"0-1",}'] = "a key is missing at byte 53",
      ['{"from":"0-1""to":"0-2"}'] = "an object without an end at byte 53",
      ['{,"to":"0-2"}'] = "a key is missing at byte 40",
      ['{"from"'] = "a colon is missing at byte 46",
      ['{"from":}'] = "a value is missing at byte 47",
      ['{"from":"0-1'] = "a string without an end at byte 48",
    } do
      local response, found = core.decode(before .. object_text)
      assert.is_nil(response)
      assert.equal(why, found, object_text)
    end
  end)

  it("counts as two more values, itself and its string", function()
    local most, object_text = 1024 * 1024, '{"a":"b"}'
    local texts = { '{"results":[', (object_text .. ","):rep((most - 4) / 2), object_text }
    local text = table.concat(texts)
    assert.equal((most - 4) / 2 + 1, #assert(core.decode(text .. "]}")).results)
    local response, why = core.decode(text .. "," .. object_text .. "]}")
    assert.is_nil(response)
    assert.equal(("more values than a response has at byte %d"):format(#text + 2), why)
    texts[1] = '{"x":1,"results":['
    text = table.concat(texts)
    response, why = core.decode(text .. "]}")
    assert.is_nil(response)
    assert.equal(("more values than a response has at byte %d"):format(#text - 2), why)
  end)

  it("is believed in neither of two values, also where they were known", function()
    local twice = '{"fromObjectId":"1","fromObjectId":"1","x":"2","x":"3"}'
    local list = core.decode(response_of({ twice, twice, twice }, 1)).results
    for i = 1, 3 do assert.same({ fromObjectId = false, x = "3" }, list[i]) end
  end)
end)
