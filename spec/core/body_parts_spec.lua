-- Checks the parts of core.body: its inputs one by one, selections, ids, the digest, repeated pairs, and
-- which answers confirm it.
-- What is written at all is checked in body_write_spec.lua.

local cjson = require "cjson"
local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local matching = require "hubspot.associations.job.matching"
local random = require "support.random"

local function input(from, to, types)
  return { from = from, to = to, types = types or 1 }
end

-- Any string is an id: what stands in JSON otherwise than it is.
local ANY_ID = { check_ids = false }

local function body_of(...)
  local body = core.body(ANY_ID)
  for i = 1, select("#", ...) do assert(body:add((select(i, ...)))) end
  return body
end

local function json_of(...)
  return body_of(...):json()
end

local A, B, C = input("1", "2"), input("3", 4, { 1, 279 }), input({ id = "5" }, "6")

-- An id as it stands in JSON -> as it is.
local function plain(text)
  return cjson.decode('["' .. text .. '"]')[1]
end

describe("a selection of a body", function()
  it("is a body of those inputs, in the order that was asked for", function()
    local body = body_of(A, B, C)
    assert.equal(json_of(A, B, C), body:select { 1, 2, 3 })
    assert.equal(json_of(B), body:select { 2 })
    assert.equal(json_of(A, C), body:select { 1, 3 })
    assert.equal(json_of(C, A), body:select { 3, 1 })
    assert.equal('{"inputs":[]}', body:select {})
  end)

  it("leaves the body as it was", function()
    local body = body_of(A, B)
    body:select { 2 }
    assert.equal(json_of(A, B), body:json())
    assert.is_true(body:add(C))
    assert.equal(json_of(A, B, C), body:json())
    assert.equal(json_of(C), body:select { 3 })
  end)

  it("is not disturbed by inputs that were refused, or that raised, in between", function()
    local body = core.body()
    local raising = setmetatable({ from = "9" }, { __index = function() error "no" end })
    assert(body:add(A))
    assert.is_nil((body:add { from = "7", to = "8", types = {} }))
    assert.is_false((pcall(body.add, body, raising)))
    assert(body:add(B))
    assert.is_nil((body:add { from = "7" }))
    assert.equal(2, body:count())
    assert.equal(json_of(A, B), body:select { 1, 2 })
    assert.equal(json_of(B), body:select { 2 })
    assert.same({ "3", "4" }, { body:ids(2) })
  end)

  it("takes large bodies", function()
    local body, odd = core.body(ANY_ID), {}
    for i = 1, 2000 do
      assert(body:add(input(("%d"):format(1000 + i) .. ("x"):rep(i % 50), "1")))
      if i % 2 == 1 then odd[#odd + 1] = i end
    end
    local inputs = cjson.decode(body:select(odd)).inputs
    assert.equal(1000, #inputs)
    for i, entry in ipairs(inputs) do assert.equal(("%d"):format(1000 + odd[i]), entry.from.id:sub(1, 4)) end
  end)

  it("raises for places that it has not, and for what is no list", function()
    local body = body_of(A)
    for _, place in ipairs { 0, -1, 2, 1e9, -1e9 } do
      assert.has_error(function() body:select { place } end)
      assert.has_error(function() body:input(place) end)
      assert.has_error(function() body:ids(place) end)
    end
    assert.has_error(function() body:select() end)
    assert.has_error(function() body:select(1) end)
    assert.has_error(function() body:select { "x" } end)
    assert.has_error(function() core.body():ids(1) end)
    assert.equal(json_of(A), body:json())
  end)
end)

describe("an input of a body", function()
  it("is its JSON", function()
    local body = body_of(A, B)
    local inner = json_of(B):match "^{\"inputs\":%[(.*)%]}$"
    assert.equal(inner, body:input(2))
  end)

  it("has its ids as they stand in JSON", function()
    local body = body_of(input("1", 22), input({ id = 'a"b' }, "c\\d"), input("\195\169", "x\0y"),
      input("\n", "/"))
    assert.same({ "1", "22" }, { body:ids(1) })
    assert.same({ 'a\\"b', "c\\\\d" }, { body:ids(2) })
    for place, ids in ipairs { { "1", "22" }, { 'a"b', "c\\d" }, { "\195\169", "x\0y" }, { "\n", "/" } } do
      local from, to = body:ids(place)
      assert.same(ids, { plain(from), plain(to) })
    end
  end)

  it("has its ids whatever they are", function()
    random.check(500, function(luck)
      local body, ids = core.body(ANY_ID), {}
      for i = 1, luck:integer(1, 8) do
        ids[i] = { luck:text(1, 12), luck:one_in(2) and luck:text(1, 12) or luck:digits(12) }
        assert(body:add(input(luck:one_in(2) and ids[i][1] or { id = ids[i][1] }, ids[i][2])))
      end
      for place, pair in ipairs(ids) do
        local from, to = body:ids(place)
        assert.equal(pair[1], plain(from))
        assert.equal(pair[2], plain(to))
      end
    end)
  end)
end)

describe("the digest of a body", function()
  it("is sixteen hexadecimal digits, the same for the same inputs", function()
    assert.truthy(body_of(A, B):digest():find "^%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x$")
    assert.equal(body_of(A, B):digest(), body_of(A, B):digest())
    assert.equal(body_of(A):digest(), body_of(input(1, "2")):digest())
    assert.equal(core.body():digest(), core.body():digest())
  end)

  it("is 64-bit FNV-1a of the bytes so far, the same on every machine", function()
    assert.equal("1fc457124329348a", core.body():digest()) -- of {"inputs":[
  end)

  it("tells other inputs, fewer, more, and another order", function()
    local seen = {}
    for _, body in ipairs {
      core.body(), body_of(A), body_of(B), body_of(A, B), body_of(B, A), body_of(A, B, C), body_of(A, A),
      body_of(input("1", "3")), body_of(input("1", "2", 2)), body_of(input("2", "1")),
    } do
      if body:count() > 0 then
        assert.is_nil(seen[body:digest()])
        seen[body:digest()] = true
      end
    end
  end)

  it("does not change by json, select, or a refused input", function()
    local body = body_of(A, B)
    local before = body:digest()
    body:json()
    assert.equal(before, body:digest())
    body:select { 1 }
    assert.is_nil((body:add { from = "1" }))
    assert.equal(before, body:digest())
    assert(body:add(C))
    assert.is_true(before ~= body:digest())
  end)
end)

describe("the pairs of a job", function()
  local function enter(body)
    local pairs_of_job = core.pairs()
    return pairs_of_job:enter(body, 1), pairs_of_job
  end

  it("tell whether inputs of a body have the same one", function()
    assert.is_false((enter(core.body())))
    assert.is_false((enter(body_of(A, B, C))))
    assert.is_true((enter(body_of(input("1", "2", 1), input("1", "2", 2)))))
    assert.is_true((enter(body_of(input("1", "2", 1), B, C, input(1, 2, 1)))))
  end)

  it("are not those that share one id, are crossed, or run together", function()
    assert.is_false((enter(body_of(input("1", "2", 1), input("1", "3", 2), input("2", "2", 3),
      input("2", "1", 4), input("12", "3", 5), input("1", "23", 6)))))
  end)

  it("tell the first input of each, and count each once", function()
    local body = body_of(A, B, A, C, B, A)
    local _, pairs_of_job = enter(body)
    local firsts = {}
    for place = 1, 6 do firsts[place] = body:first(place) end
    assert.same({ 1, 2, 1, 4, 2, 1 }, firsts)
    assert.equal(3, pairs_of_job:count())
  end)

  it("hold back a later batch until the one that has them leaves", function()
    local pairs_of_job, first, second, third = core.pairs(), body_of(A, B), body_of(C, B, A, B), body_of(B)
    assert.same({ false }, { pairs_of_job:enter(first, 1) })
    local repeats, held = pairs_of_job:enter(second, 2)
    assert.is_true(repeats)
    assert.same({ [2] = 1, [3] = 1, [4] = 1 }, held)
    assert.same({ [1] = 2 }, select(2, pairs_of_job:enter(third, 3)))
    pairs_of_job:leave(first, 1)
    assert.equal(3, pairs_of_job:count())
    pairs_of_job:leave(third, 3)
    assert.is_nil(select(2, pairs_of_job:enter(body_of(B), 4)))
    pairs_of_job:leave(second, 2)
    assert.equal(1, pairs_of_job:count())
  end)

  it("are found whatever the ids and however batches come and go, and only where they are", function()
    random.check(200, function(luck)
      local pairs_of_job, holder, open = core.pairs(), {}, {}
      for number = 1, 20 do
        local body, firsts, expected, keys = core.body(), {}, {}, {}
        for place = 1, luck:integer(1, 30) do
          local from, to = luck:integer(1, 12), luck:integer(1, 6)
          local key = from .. ">" .. to
          assert(body:add(input(from, to)))
          keys[place] = key
          if not firsts[key] then
            firsts[key] = place
            expected[place] = holder[key]
            holder[key] = number
          else
            expected[place] = expected[firsts[key]]
          end
        end
        local _, held = pairs_of_job:enter(body, number)
        assert.same(expected, held or {})
        for place, key in ipairs(keys) do assert.equal(firsts[key], body:first(place)) end
        open[#open + 1] = { body = body, number = number }
        if #open > 0 and luck:one_in(2) then
          local gone = table.remove(open, luck:integer(1, #open))
          pairs_of_job:leave(gone.body, gone.number)
          for key, other in pairs(holder) do
            if other == gone.number then holder[key] = nil end
          end
        end
      end
      local count = 0
      for _ in pairs(holder) do count = count + 1 end
      assert.equal(count, pairs_of_job:count())
    end)
  end)
end)

describe("inputs of one pair", function()
  local function types_of(body, places)
    core.pairs():enter(body, 1)
    local list = {}
    for i, entry in ipairs(cjson.decode(body:select(places)).inputs) do
      local words = { entry.from.id .. ">" .. entry.to.id }
      for _, one in ipairs(entry.types) do
        words[#words + 1] = one.associationCategory:sub(1, 1) .. ("%d"):format(one.associationTypeId)
      end
      list[i] = table.concat(words, " ")
    end
    return list
  end

  local function custom(id) return { associationCategory = "USER_DEFINED", associationTypeId = id } end

  it("are sent as one, with the types of all, each once", function()
    local body = body_of(input("1", "2", 5), input("3", "4", 5), input("1", "2", { 6, 5 }),
      input("1", "2", custom(5)))
    assert.same({ "1>2 H5 H6 U5", "3>4 H5" }, types_of(body, { 1, 2, 3, 4 }))
    assert.same({ "1>2 U5 H5" }, types_of(body, { 4, 1 }))
    assert.same({ "1>2 H6 H5" }, types_of(body, { 3 }))
  end)

  it("are merged whatever their number", function()
    local body, places = core.body(), {}
    for i = 1, 2000 do
      assert(body:add(input("1", "2", { i, i + 1, 7 })))
      places[i] = i
    end
    local types = types_of(body, places)
    assert.equal(1, #types)
    assert.equal(2001, select(2, types[1]:gsub(" H", "")))
  end)

  it("leave the digest of a body as it was", function()
    local body = body_of(A, A, B)
    local before = body:digest()
    types_of(body, { 1, 2, 3 })
    assert.equal(before, body:digest())
  end)
end)

describe("an answer", function()
  local function result(from, to)
    local template = '{"fromObjectTypeId":"0-1","fromObjectId":%s,"toObjectId":%s,"labels":[null]}'
    return template:format(from, to)
  end

  local function answer(results, more)
    local list = table.concat(results, ",")
    return '{"status":"COMPLETE","results":[' .. list .. '],"startedAt":"x"' .. (more or "") .. "}"
  end

  local AB = { result('"1"', '"2"'), result('"3"', '"4"') }

  it("confirms a body when it has a result for each input", function()
    local body = body_of(A, B)
    assert.is_true(body:confirmed_by(answer(AB)))
    assert.is_true(body:confirmed_by(answer { AB[2], AB[1] }))
    assert.is_true(body:confirmed_by(answer { result(1, 2), result('"3"', 4) }))
    assert.is_true(body:confirmed_by(answer { AB[1], AB[1], AB[2] }))
    for _, more in ipairs { ',"errors":[]', ',"errors":null', ',"numErrors":0', ',"x":{"errors":[1]}' } do
      assert.is_true(body:confirmed_by(answer(AB, more)))
    end
  end)

  it("does not confirm a body when it says less, more, or something else", function()
    local body = body_of(A, B)
    for _, results in ipairs {
      {}, { AB[1] }, { AB[2] }, { AB[1], AB[1] }, { AB[1], result('"3"', '"5"') },
      { AB[1], AB[2], result('"9"', '"9"') }, { AB[1], "5" }, { AB[1], "null" }, { AB[1], AB[2], "{}" },
      { result('"2"', '"1"'), AB[2] }, { result("1.0", "2"), AB[2] }, { result("[1]", "2"), AB[2] },
    } do
      assert.is_false(body:confirmed_by(answer(results)))
    end
    for _, more in ipairs { ',"errors":[{}]', ',"errors":{}', ',"numErrors":1', ',"status":"PENDING"' } do
      assert.is_false(body:confirmed_by(answer(AB, more)))
    end
    local whole = answer(AB)
    for _, status in ipairs { "PENDING", "PROCESSING", "CANCELED", "complete", "" } do
      assert.is_false(body:confirmed_by((whole:gsub("COMPLETE", status))))
    end
    for length = 0, #whole - 1 do assert.is_false(body:confirmed_by(whole:sub(1, length))) end
    for _, text in ipairs { whole .. "x", "[" .. whole .. "]", "null", '{"status":"COMPLETE"}', "\0" } do
      assert.is_false(body:confirmed_by(text))
    end
  end)

  -- What core.decode refuses, or of which it believes nothing, wherever it stands in an answer.
  it("confirms a body by nothing that decoding refuses", function()
    local body = body_of(A, B)
    local refused = {
      ("1"):rep(400), "-" .. ("9"):rep(399) .. ".5", "1e" .. ("0"):rep(400),
      ("["):rep(64) .. ("]"):rep(64), ('{"a":'):rep(64) .. "1" .. ("}"):rep(64),
    }
    local whole = answer(AB, ',"x":1')
    for _, value in ipairs(refused) do
      for _, place in ipairs { '"x":1', '"labels":[null]', '"startedAt":"x"', '"fromObjectTypeId":"0-1"' } do
        local text = whole:gsub(place:gsub("%p", "%%%0"), function(found)
          return found:match "^[^:]*:" .. value
        end)
        assert.is_nil(core.decode(text), text)
        assert.is_false(body:confirmed_by(text), text)
      end
    end
    assert.is_true(body:confirmed_by((whole:gsub('"x":1', '"x":' .. ("1"):rep(399)))))
  end)

  it("confirms a body, and is decoded, up to the same depth and the same count of values", function()
    local body = body_of(A, B)
    local whole = answer(AB, ',"x":1')
    for _, place in ipairs { '"x":1', '"labels":[null]' } do
      for depth = 55, 66 do
        local text = whole:gsub(place:gsub("%p", "%%%0"), function(found)
          return found:match "^[^:]*:" .. ("["):rep(depth) .. ("]"):rep(depth)
        end)
        assert.equal(core.decode(text) ~= nil, body:confirmed_by(text), place .. depth)
      end
    end
    local most = 1024 * 1024
    local other = 15 -- values: the object, its fields, two results of four fields, a null in a list of each
    local taken = 0
    for count = most - other - 3, most - other + 3 do
      local text = answer(AB, ',"x":[' .. ("1,"):rep(count - 1) .. "1]")
      local decoded = core.decode(text) ~= nil
      assert.equal(decoded, body:confirmed_by(text), count)
      if decoded then taken = taken + 1 end
    end
    assert.is_true(taken > 0 and taken < 7, taken)
  end)

  it("confirms nobody by one of two values of a field", function()
    local body = body_of(A)
    local one, other = '"fromObjectId":"1"', '"toObjectId":"2"'
    local function confirmed(text)
      local batch = responses.read({ status = 201, headers = {}, body = text, date = 0 }, "batch")
      local matched = batch and #matching.match(body, { 1 }, batch).created or 0
      return { body:confirmed_by(text), matched }
    end
    assert.same({ true, 1 }, confirmed(answer { "{" .. one .. "," .. other .. "}" }))
    for _, fields in ipairs {
      { one, one, other }, { '"fromObjectId":"9"', one, other }, { one, '"fromObjectId":9', other },
      { one, other, '"toObjectId":"9"' }, { '"toObjectId":9', one, other }, { one, one, one, other },
    } do
      assert.same({ false, 0 }, confirmed(answer { "{" .. table.concat(fields, ",") .. "}" }), fields[1])
    end
    for _, more in ipairs {
      ',"results":[]', ',"results":[{"fromObjectId":"1","toObjectId":"2"}]', ',"errors":[],"errors":[]',
      ',"errors":[{"message":"x"}],"errors":[]',
    } do
      assert.same({ false, 0 }, confirmed(answer({ "{" .. one .. "," .. other .. "}" }, more)), more)
    end
    for _, more in ipairs {
      ',"status":"COMPLETE"', ',"numErrors":0,"numErrors":0', ',"numErrors":1,"numErrors":0',
    } do
      assert.is_false(confirmed(answer({ "{" .. one .. "," .. other .. "}" }, more))[1], more)
    end
  end)

  it("confirms a body only when matching says that all of it was created", function()
    local confirmed = 0
    random.check(3000, function(luck)
      local body, places, results = core.body(ANY_ID), {}, {}
      for i = 1, luck:integer(1, 5) do
        local from, to = luck:digits(1), luck:pick { "1", "2", 'q"', "\195\169", "b\\" }
        assert(body:add(input(from, to)))
        places[i] = i
        local of, other = body:ids(i)
        if not luck:one_in(12) then
          local numeric = luck:one_in(3)
          results[#results + 1] = result(numeric and of or '"' .. of .. '"', '"' .. other .. '"')
        end
      end
      if luck:one_in(3) and #results > 1 then table.insert(results, 1, table.remove(results)) end
      if luck:one_in(6) and #results > 0 then
        local at, field = luck:integer(1, #results), luck:pick {
          '"fromObjectId":1,', '"toObjectId":"2",', '"fromObjectId":null,', '"toObjectId":1.5,',
          '"x":1,"x":2,',
          '"x":' .. ("1"):rep(luck:integer(395, 405)) .. ",", '"fromObjectId":-1,', '"labels":"\255",',
          '"x":' .. ("["):rep(luck:integer(58, 64)) .. "1,",
        }
        results[at] = "{" .. field .. results[at]:sub(2)
      end
      local text = answer(results, luck:one_in(8) and ',"errors":[{"message":"x"}]' or nil)
      if luck:one_in(8) then
        local at, skipped = luck:integer(1, #text), luck:integer(0, 1)
        text = text:sub(1, at - 1) .. luck:pick { "", "x", '"', "}", "0", "," } .. text:sub(at + skipped)
      end
      if body:confirmed_by(text) then
        confirmed = confirmed + 1
        local raw = { status = 201, headers = {}, body = text, date = 0 }
        local batch = assert(responses.read(raw, "batch"))
        assert.equal("COMPLETE", batch.status)
        assert.is_true(batch.errors == nil or #batch.errors == 0)
        assert.equal(#places, #matching.match(body, places, batch).created)
      end
    end)
    assert.is_true(confirmed > 300, tostring(confirmed))
  end)
end)
