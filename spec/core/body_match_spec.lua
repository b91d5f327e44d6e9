-- Checks which responses confirm a core.body, beside what decoding and matching make of them. Does no I/O.

local bodies = require "support.bodies"
local core = require "hubspot.associations.core"
local matching = require "hubspot.associations.job.matching"
local random = require "support.random"
local responses = require "hubspot.associations.api.response"

-- Where a result has the ids of its input.
local PATHS = { from = { "fromObjectId" }, to = { "toObjectId" } }

local input, ANY_ID = bodies.input, bodies.ANY_ID

local function body_of(...) return bodies.of(ANY_ID, ...) end

local A, B = input("1", "2"), input("3", 4, { 1, 279 })

describe("a response", function()
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

  it("confirms a body by nothing else when a result differs by one byte from the one before", function()
    local body = body_of(A, B)
    local whole = answer(AB)
    local first, last = whole:find(AB[2], 1, true)
    for position = first, last do
      for _, byte in ipairs { "x", '"', "\\", "{", "}", "[", "]", ",", ":", "1", " " } do
        local text = whole:sub(1, position - 1) .. byte .. whole:sub(position + 1)
        local decoded = core.decode(text)
        local found = decoded and decoded.results[2]
        local is_same = found and found.fromObjectId == "3" and found.toObjectId == "4"
        assert.is_true(is_same or not body:confirmed_by(text), text)
      end
    end
  end)

  it("confirms no body by more values than decoding takes, however alike its results are", function()
    local bulky = result('"%s"', '"%s"'):gsub("null", ("1,"):rep(700000) .. "1")
    local text = answer({ bulky:format("1", "2"), bulky:format("3", "4") }):gsub(',"startedAt":"x"', "")
    assert.is_nil(core.decode(text))
    assert.is_false(body_of(A, B):confirmed_by(text))
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
      local matched = batch and #matching.match(body, { 1 }, batch, PATHS).succeeded or 0
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
        assert.equal(#places, #matching.match(body, places, batch, PATHS).succeeded)
      end
    end)
    assert.is_true(confirmed > 300, tostring(confirmed))
  end)
end)

describe("confirmed_by", function()
  local function answer(results, rest)
    return '{"status":"COMPLETE","results":[' .. results .. "]" .. (rest or "") .. "}"
  end

  local function result(from, to, rest)
    return ('{"fromObjectId":%s,"toObjectId":%s%s}'):format(from, to, rest or "")
  end

  it("is true of an answer with a result for each input and no error", function()
    local body = body_of(input("1", "2"), input("3", "2"))
    local first, second = result('"1"', '"2"'), result("3", "2", ',"labels":[null,"a",{}],"x":{"y":[[]]}')
    assert.is_true(body:confirmed_by(answer(first .. "," .. second)))
    assert.is_true(body:confirmed_by(answer(second .. " , " .. first, ',"errors":[],"numErrors":0')))
    assert.is_true(body:confirmed_by(answer(second .. "," .. first, ',"errors":null,"links":null')))
  end)

  it("is false of any other", function()
    local body = body_of(input("1", "2"), input("3", "2"))
    local first, second = result('"1"', '"2"'), result('"3"', '"2"')
    local both = first .. "," .. second
    for _, text in ipairs {
      "", "null", "[]", "{}", answer "", answer(first), answer(first .. "," .. first),
      answer(both .. ",{}"),
      answer(both .. "," .. result('"9"', '"9"')), answer(both, ',"errors":[{}]'),
      answer(both, ',"numErrors":1'), answer(both):gsub("COMPLETE", "PENDING"),
      answer(both):gsub('"status":"COMPLETE",', ""), answer(both) .. "x", answer(both) .. answer(both),
      answer(both, ',"results":[' .. both .. "]"), answer(both .. ","),
    } do
      assert.is_false(body:confirmed_by(text), text)
    end
    local whole = answer(both)
    for length = 0, #whole - 1 do assert.is_false(body:confirmed_by(whole:sub(1, length))) end
  end)

  it("is true of nothing that is not JSON", function()
    local body = body_of(input("1", "2"))
    for _, labels in ipairs {
      '["a",]', "[1,]", "[[1,]]", '["\\x"]', '["\\u12"]', "[,]", '{"a":1,}', '{"a"}', "[1 2]", "tru", "01",
      '{"\\x":1}',
    } do
      local text = answer(result('"1"', '"2"', ',"labels":' .. labels))
      assert.is_nil(core.decode(text), text)
      assert.is_false(body:confirmed_by(text), text)
    end
  end)

  it("is true only of what decode reads, whatever is changed in an answer", function()
    local body = body_of(input("1", "2"), input("3", "2"))
    local first, second = result('"1"', '"2"', ',"labels":["a",null]'), result("3", "2")
    local whole = answer(first .. "," .. second, ',"errors":[]')
    local pieces = { "[", "]", "{", "}", ",", ":", '"', "\\", "null", "1", "-", " ", "" }
    random.check(3000, function(source)
      local at = source:integer(1, #whole + 1)
      local text = whole:sub(1, at - 1) .. source:pick(pieces) .. whole:sub(at + source:integer(0, 2))
      if body:confirmed_by(text) then assert(core.decode(text), text) end
    end)
  end)
end)
