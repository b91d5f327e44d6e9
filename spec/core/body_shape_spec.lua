-- Checks the shapes of inputs: what each writes, byte by byte, what it takes, what it says of the rest, and
-- by which keys of a result an input is found. Does no I/O.

local bodies = require "support.bodies"
local core = require "hubspot.associations.core"
local random = require "support.random"

-- A response to a batch, with these results.
local function response(...)
  return '{"status":"COMPLETE","results":[' .. table.concat({ ... }, ",") .. "]}"
end

local body_of = bodies.of

describe("a shape", function()
  it("is that of create, when none is named", function()
    local input = { from = 1, to = 2, types = 3 }
    local json = '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":'
      .. '[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":3}]}]}'
    for _, options in ipairs { {}, { shape = "association" } } do
      assert.equal(json, body_of(options, input):json())
    end
    assert.equal(json, body_of(nil, input):json())
  end)

  it("is one that there is", function()
    for _, shape in ipairs { "", "Association", "associations", "association\0", 1, true, {} } do
      assert.has_error(function() core.body { shape = shape } end)
    end
  end)
end)

-- The JSON of a body, or of what is selected of it, without the frame.
local function inputs_of(json) return json:match '^{"inputs":%[(.*)%]}$' end

-- Raises unless each case { input, field, what the message says } is invalid, and leaves the body as it was.
local function check_invalid(options, cases)
  for number, case in ipairs(cases) do
    local body = core.body(options)
    local added, err = body:add(case[1])
    assert.is_nil(added, number)
    assert.equal("invalid_input", err.kind, number)
    assert.equal(case[2], err.field, number)
    assert.truthy(err.message:find(case[3], 1, true), err.message)
    assert.equal('{"inputs":[]}', body:json(), number)
  end
end

describe("the shape of pairs", function()
  local PAIR = { shape = "pair", result = { from = { "from", "id" }, to = { "to", "id" } } }
  local FIRST, SECOND = '{"from":{"id":"1"},"to":{"id":"2"}}', '{"from":{"id":"3"},"to":{"id":"4"}}'

  it("is written with two ids, and nothing else", function()
    local body = body_of(PAIR, { from = 1, to = { id = "2" }, label = "x" }, { from = { id = 3 }, to = "4" })
    assert.equal(FIRST .. "," .. SECOND, inputs_of(body:json()))
    assert.same({ FIRST, SECOND }, { body:input(1), body:input(2) })
    assert.same({ "1", "2", "3", "4", "" }, { body:ids(1), select(2, body:ids(1)), body:ids(2),
      select(2, body:ids(2)), body:types(1) })
    assert.equal(SECOND, inputs_of(body:select { 2 }))
  end)

  it("takes no types, which would be ignored", function()
    local NO_TYPES = "expected no types (the default type is made, whatever an input has), found "
    check_invalid(PAIR, {
      { { from = 1, to = 2, types = 279 }, "types", NO_TYPES .. "279" },
      { { from = 1, to = 2, types = {} }, "types", NO_TYPES .. "a table" },
      { { from = 1, to = 2, types = false }, "types", NO_TYPES .. "false" },
      { { from = 1, to = 2, type = 1, category = "X" }, "type", NO_TYPES .. "1" },
      { { from = 1, to = 2, associationTypeId = 1 }, "associationTypeId", NO_TYPES .. "1" },
      { 5, "input", "expected a table { from, to }, found 5" },
      { { from = 1 }, "to", "found nothing" },
      { { to = 1 }, "from", "found nothing" },
      { { from = 1, to = { id = "x" } }, "to.id", "it is no number" },
    })
  end)

  it("sends a pair that is there twice once", function()
    local pair, other = { from = 1, to = 2 }, { from = 3, to = 4 }
    local body = body_of(PAIR, pair, other, pair)
    assert.is_true((core.pairs():enter(body, 1)))
    assert.same({ 1, 2, 1 }, { body:first(1), body:first(2), body:first(3) })
    assert.equal(FIRST .. "," .. SECOND, inputs_of(body:select { 1, 2, 3 }))
    assert.equal(FIRST, inputs_of(body:select { 3, 1 }))
  end)

  it("is confirmed by both ids", function()
    local body = body_of(PAIR, { from = 1, to = 2 }, { from = 3, to = 4 })
    local result = '{"from":{"id":"%d"},"to":{"id":"%d"},"associationSpec":{"associationTypeId":1}}'
    local first, second = result:format(1, 2), result:format(3, 4)
    assert.is_true(body:confirmed_by(response(first, second)))
    assert.is_true(body:confirmed_by(response(second, first)))
    assert.is_false(body:confirmed_by(response(first)))
    assert.is_false(body:confirmed_by(response(first, result:format(4, 3))))
    -- The other direction of a pair is a result of its own, for those who know the types.
    assert.is_false(body:confirmed_by(response(first, second, result:format(2, 1))))
  end)
end)

describe("the shape of records", function()
  local RECORD = { shape = "record", result = { from = { "from", "id" } } }

  it("is written with an id and, where there is one, a cursor", function()
    for _, case in ipairs {
      { 1, '{"id":"1"}' }, { "2", '{"id":"2"}' }, { { id = 3 }, '{"id":"3"}' },
      { { id = "4", after = "a" }, '{"id":"4","after":"a"}' },
      { { after = "b", id = 5 }, '{"id":"5","after":"b"}' },
    } do
      assert.equal(case[2], inputs_of(body_of(RECORD, case[1]):json()))
    end
    local body = core.body(RECORD)
    assert.is_true(body:add_list { "12", { id = 34, after = "MC0yLTc1MDI%3D" } })
    assert.equal('{"id":"12"},{"id":"34","after":"MC0yLTc1MDI%3D"}', inputs_of(body:json()))
    assert.equal('{"id":"34","after":"MC0yLTc1MDI%3D"}', inputs_of(body:select { 2 }))
    assert.equal('{"id":"12"}', body:input(1))
  end)

  it("has one id", function()
    local body = body_of(RECORD, { id = 34, after = "x" }, 56)
    assert.same({ 1, "34" }, { select("#", body:ids(1)), body:ids(1) })
    assert.same({ 1, "56" }, { select("#", body:ids(2)), body:ids(2) })
  end)

  it("takes an id that is one, and a cursor that is text", function()
    check_invalid(RECORD, {
      { "x", "id", "it is no number" }, { 0, "id", "found 0" }, { true, "id", "found true" },
      { {}, "id", "found nothing" }, { { after = "x" }, "id", "found nothing" },
      { { id = "1.0" }, "id", "decimals" }, { { id = { id = 1 } }, "id", "found a table" },
      { { id = 1, after = "" }, "after", "expected a cursor (a string, such as paging.next.after), found" },
      { { id = 1, after = 5 }, "after", "found 5" }, { { id = 1, after = {} }, "after", "found a table" },
      { { id = 1, after = false }, "after", "found false" },
      { { id = 1, after = "\255" }, "after", "valid UTF-8" }, { nil, "id", "found nothing" },
    })
  end)

  it("writes a cursor as text of JSON, whatever is in it", function()
    local body = body_of(RECORD, { id = 1, after = 'a"}],\\\n\0' })
    assert.equal('a"}],\\\n\0', core.decode(body:json()).inputs[1].after)
    assert.equal("1", core.decode(body:select { 1 }).inputs[1].id)
  end)

  it("is the same input only with the same cursor", function()
    local body = body_of(RECORD, 1, { id = 1, after = "x" }, { id = 1 }, { id = 1, after = "x" }, 2)
    assert.is_true((core.pairs():enter(body, 1)))
    assert.same({ 1, 2, 1, 2, 5 },
      { body:first(1), body:first(2), body:first(3), body:first(4), body:first(5) })
    assert.equal('{"id":"1"},{"id":"1","after":"x"},{"id":"2"}', inputs_of(body:select { 1, 2, 3, 4, 5 }))
  end)

  it("is confirmed by the id, but not by one result for two pages", function()
    local one, two = '{"from":{"id":"1"},"to":[{"toObjectId":5}]}', '{"from":{"id":2},"to":[]}'
    for _, inputs in ipairs { { 1, 2 }, { 1, { id = 2, after = "x" } } } do
      local body = body_of(RECORD, inputs[1], inputs[2])
      assert.is_true(body:confirmed_by(response(one, two)))
      assert.is_true(body:confirmed_by(response(two, one)))
      assert.is_false(body:confirmed_by(response(one)))
      assert.is_false(body:confirmed_by(response(one, one)))
    end
    local body = body_of(RECORD, 1, { id = 1, after = "x" })
    assert.is_false(body:confirmed_by(response(one, one)))
  end)

  it("can be used with any text as an id, too", function()
    local body = body_of({ shape = "record", check_ids = false }, 'a"b', { id = "c", after = "d" })
    assert.equal('{"id":"a\\"b"},{"id":"c","after":"d"}', inputs_of(body:json()))
  end)
end)

describe("the shapes of limits", function()
  local RESULT = { from = { "category" }, to = { "typeId" } }
  local LIMIT = { shape = "limit", result = RESULT }
  local TYPE = { shape = "limit_type", result = RESULT }

  it("are written with a type, and the first with its limit", function()
    local input = { category = "USER_DEFINED", typeId = 36, maxToObjectIds = 5, label = "x" }
    local other = { category = "HUBSPOT_DEFINED", typeId = 279.0, maxToObjectIds = 1.0 }
    assert.equal('{"category":"USER_DEFINED","typeId":36,"maxToObjectIds":5},'
      .. '{"category":"HUBSPOT_DEFINED","typeId":279,"maxToObjectIds":1}',
      inputs_of(body_of(LIMIT, input, other):json()))
    assert.equal('{"category":"USER_DEFINED","typeId":36},{"category":"HUBSPOT_DEFINED","typeId":279}',
      inputs_of(body_of(TYPE, input, other):json()))
    assert.same({ "USER_DEFINED", "36" }, { body_of(LIMIT, input):ids(1) })
    assert.same({ "HUBSPOT_DEFINED", "279" }, { body_of(TYPE, other):ids(1) })
  end)

  it("take what they say", function()
    local CATEGORY = "expected a category in upper case, such as"
    local ID = "expected an association type id (an integer from 1"
    local cases = {
      { 5, "input", "a table { category, typeId" }, { "x", "input", "a table { category, typeId" },
      { {}, "category", CATEGORY }, { { category = "user", typeId = 1 }, "category", CATEGORY },
      { { category = 5, typeId = 1 }, "category", "found 5" },
      { { category = "A" }, "typeId", "found nothing" },
      { { category = "A", typeId = 0 }, "typeId", ID }, { { category = "A", typeId = "1" }, "typeId", ID },
      { { category = "A", typeId = 2 ^ 31 }, "typeId", ID },
      { { category = "A", typeId = 1.5 }, "typeId", ID },
    }
    check_invalid(TYPE, cases)
    for _, limit in ipairs { 0, -1, 1.5, "5", true, {}, 2 ^ 53, 0 / 0 } do
      cases[#cases + 1] = { { category = "A", typeId = 1, maxToObjectIds = limit }, "maxToObjectIds",
        "expected a limit (a whole number from 1), found" }
    end
    cases[#cases + 1] = { { category = "A", typeId = 1 }, "maxToObjectIds", "found nothing" }
    check_invalid(LIMIT, cases)
  end)

  it("ask about ids of HubSpot's own types", function()
    local options = {
      shape = "limit_type",
      check_type = function(id) return id == 280 and "of another direction" or nil end,
    }
    local hubspots = { category = "HUBSPOT_DEFINED", typeId = 280 }
    check_invalid(options, { { hubspots, "typeId", "of another direction" } })
    hubspots.typeId = 1
    assert(body_of(options, { category = "USER_DEFINED", typeId = 280 }, hubspots))
  end)

  it("are confirmed by the type", function()
    local body = body_of(TYPE, { category = "A", typeId = 1 }, { category = "B", typeId = 1 })
    local one, two = '{"category":"A","typeId":1,"label":null}', '{"typeId":1,"category":"B"}'
    assert.is_true(body:confirmed_by(response(one, two)))
    assert.is_true(body:confirmed_by(response(two, one)))
    assert.is_false(body:confirmed_by(response(two, two)))
    assert.is_false(body:confirmed_by(response(one, '{"typeId":2,"category":"B"}')))
  end)
end)

describe("the keys of a result", function()
  local function body_with(result)
    return body_of({ result = result }, { from = 1, to = 2, types = 3 }, { from = 4, to = 5, types = 3 })
  end

  it("are those of create, when none are named", function()
    local body = body_with(nil)
    assert.is_true(body:confirmed_by(response('{"fromObjectId":1,"toObjectId":2}',
      '{"fromObjectId":4,"toObjectId":5}')))
    assert.is_false(body:confirmed_by(response('{"a":1,"b":2}', '{"a":4,"b":5}')))
  end)

  it("may be others, of the result or of an object in it", function()
    local body = body_with { from = { "from", "id" }, to = { "b" } }
    local first, second = '{"from":{"id":"1"},"b":"2"}', '{"b":5,"from":{"x":[{}],"id":4,"y":{"id":7}}}'
    assert.is_true(body:confirmed_by(response(first, second)))
    assert.is_true(body:confirmed_by(response(second, first)))
    for _, other in ipairs {
      '{"from":{"id":"4"}}', '{"b":"5"}', '{"from":"4","b":"5"}', '{"from":["4"],"b":"5"}',
      '{"from":{"x":"4"},"b":"5"}', '{"from":{"x":{"id":"4"}},"b":"5"}', '{"id":"4","b":"5"}',
      '{"from":{"id":"4"},"b":{"id":"5"}}', '{"from":{"id":"5"},"b":"4"}', '{"from":{"id":null},"b":"5"}',
      '{"fromObjectId":4,"toObjectId":5}', '{"from":{"id":"4","id":"4"},"b":"5"}',
      '{"from":{"id":"4"},"from":{"id":"4"},"b":"5"}', '{"from":{},"from":{"id":"4"},"b":"5"}',
      '{"from":{"id":"4"},"b":"5","b":"5"}', '{"from":{"id":"4"},"from":{},"b":"5"}',
      '{"from":{"\\u0069d":"4"},"b":"5"}',
    } do
      assert.is_false(body:confirmed_by(response(first, other)), other)
    end
    local whole = response(first, second)
    for length = 0, #whole - 1 do assert.is_false(body:confirmed_by(whole:sub(1, length))) end
  end)

  it("may differ in length only, and have any length up to 31", function()
    local body = body_with { from = { ("x"):rep(31) }, to = { ("x"):rep(30), "x" } }
    local result = '{"%s":%d,"%s":{"x":%d}}'
    local function of(from, to) return result:format(("x"):rep(31), from, ("x"):rep(30), to) end
    assert.is_true(body:confirmed_by(response(of(1, 2), of(4, 5))))
    assert.is_false(body:confirmed_by(response(of(2, 1), of(5, 4))))
    assert.is_false(body:confirmed_by(response(of(1, 2), (of(4, 5):gsub('"x', '"xxxxxx')))))
  end)

  it("are depth, too: what is nested too deeply is no JSON that is read", function()
    local result = { from = { "from", "id" }, to = { "b" } }
    local body = body_of({ result = result }, { from = 1, to = 2, types = 3 })
    for depth = 55, 66 do
      local text = response('{"from":{"x":' .. ("["):rep(depth) .. ("]"):rep(depth) .. ',"id":1},"b":2}')
      assert.equal(core.decode(text) ~= nil, body:confirmed_by(text), depth)
    end
  end)

  it("are lists of one key or two, each with a name", function()
    for _, result in ipairs {
      1, "x", {}, { from = { "a" } }, { to = { "a" } }, { from = "a", to = "b" }, { from = {}, to = { "b" } },
      { from = { 1 }, to = { "b" } }, { from = { "a", 2 }, to = { "b" } }, { from = { "" }, to = { "b" } },
      { from = { ("x"):rep(32) }, to = { "b" } }, { from = { "a", "" }, to = { "b" } },
    } do
      assert.has_error(function() core.body { result = result } end)
    end
  end)
end)

describe("the shape of fans", function()
  local FAN = { shape = "fan" }

  local function pair(from, to) return { from = from, to = to } end

  -- What is sent of pairs { from, to }: one input for each `from`, with what goes with it, each once.
  local function sent(pairs_of_ids)
    local inputs, input_of, seen = {}, {}, {}
    for _, ids in ipairs(pairs_of_ids) do
      local from, to = ids[1], ids[2]
      if not input_of[from] then
        input_of[from], seen[from] = { from = { id = from }, to = {} }, {}
        inputs[#inputs + 1] = input_of[from]
      end
      if not seen[from][to] then table.insert(input_of[from].to, { id = to }) end
      seen[from][to] = true
    end
    return inputs
  end

  it("is written with one list for each from, in the order of the first of each", function()
    local body = body_of(FAN, pair(1, 2), pair({ id = 3 }, "4"), pair("1", { id = "5" }), pair(6, 2))
    local ONE = '{"from":{"id":"1"},"to":[{"id":"2"},{"id":"5"}]}'
    local THREE = '{"from":{"id":"3"},"to":[{"id":"4"}]}'
    local SIX = '{"from":{"id":"6"},"to":[{"id":"2"}]}'
    assert.equal(table.concat({ ONE, THREE, SIX }, ","), inputs_of(body:json()))
    assert.equal(body:json(), body:select { 1, 2, 3, 4 })
    assert.equal(THREE .. "," .. SIX, inputs_of(body:select { 2, 4 }))
    assert.equal('{"from":{"id":"1"},"to":[{"id":"5"}]}', inputs_of(body:select { 3 }))
    assert.equal('{"from":{"id":"1"},"to":[{"id":"5"},{"id":"2"}]}', inputs_of(body:select { 3, 1 }))
    assert.equal('{"inputs":[]}', body:select {})
    assert.equal('{"inputs":[]}', core.body(FAN):json())
    assert.equal(THREE, inputs_of(body_of(FAN, pair(3, 4)):json()))
  end)

  it("has each pair by itself", function()
    local body = body_of(FAN, pair(1, 2), pair(3, 4), pair(1, 5))
    assert.equal(3, body:count())
    assert.equal('{"from":{"id":"1"},"to":{"id":"2"}}', body:input(1))
    assert.equal('{"from":{"id":"1"},"to":{"id":"5"}}', body:input(3))
    assert.same({ "1", "5" }, { body:ids(3) })
    assert.same({ 1, 2, 1 }, { body:group(1), body:group(2), body:group(3) })
    assert.same({ 1, 2, 3 }, { body:first(1), body:first(2), body:first(3) })
    assert.has_error(function() body:group(4) end)
  end)

  it("sends a pair that is there twice once", function()
    local body = body_of(FAN, pair(1, 2), pair(1, 2), pair(1, 3))
    assert.is_true((core.pairs():enter(body, 1)))
    assert.same({ 1, 1, 3 }, { body:first(1), body:first(2), body:first(3) })
    for _ = 1, 2 do
      assert.equal('{"from":{"id":"1"},"to":[{"id":"2"},{"id":"3"}]}', inputs_of(body:json()))
      assert.equal('{"from":{"id":"1"},"to":[{"id":"2"}]}', inputs_of(body:select { 1, 2 }))
    end
  end)

  it("takes no types, of which all would be removed", function()
    local NO_TYPES = "expected no types (all types of the pair are removed; archive_labels removes some)"
      .. ", found "
    check_invalid(FAN, {
      { { from = 1, to = 2, types = 279 }, "types", NO_TYPES .. "279" },
      { { from = 1, to = 2, types = { 1 } }, "types", NO_TYPES .. "a table" },
      { { from = 1, to = 2, type = "450", category = "HUBSPOT_DEFINED", label = "Boss" }, "type",
        NO_TYPES .. 'the string "450"' },
      { { from = 1, to = 2, associationTypeId = 5 }, "associationTypeId", NO_TYPES .. "5" },
      { 5, "input", "expected a table { from, to }, found 5" },
      { { from = 1, to = { 2, 3 } }, "to.id", "found nothing" },
      { { from = 1 }, "to", "found nothing" }, { { to = 1 }, "from", "found nothing" },
    })
  end)

  it("has room for 100 records and 2,000 pairs, and tells when it is full", function()
    local body = core.body(FAN)
    for i = 1, 100 do assert(body:add(pair(i, 1))) end
    local added, err = body:add(pair(101, 1))
    assert.is_nil(added)
    assert.same({ "too_large", "from", "the request body would have over 100 different ids" },
      { err.kind, err.field, err.message })
    for i = 101, 2000 do assert(body:add(pair(i % 100 + 1, i))) end
    added, err = body:add(pair(1, 1))
    assert.is_nil(added)
    assert.same({ "too_large", "input", "the request body would have over 2000 inputs" },
      { err.kind, err.field, err.message })
    local inputs = core.decode(body:json()).inputs
    assert.equal(100, #inputs)
    for _, input in ipairs(inputs) do assert.equal(20, #input.to) end
  end)

  it("has the room that the options say", function()
    local body = core.body { shape = "fan", most_inputs = 3, most_groups = 2 }
    for _ = 1, 2 do
      assert(body:add(pair(1, 1)))
      assert(body:add(pair(2, 1)))
      assert.is_nil(body:add(pair(3, 1)))
      assert(body:add(pair(2, 2)))
      assert.is_nil(body:add(pair(2, 3)))
      assert.equal('{"from":{"id":"1"},"to":[{"id":"1"}]},{"from":{"id":"2"},"to":[{"id":"1"},{"id":"2"}]}',
        inputs_of(body:json()))
      body:clear()
      assert.equal('{"inputs":[]}', body:json())
    end
    local association = { from = 1, to = 2, types = 3 }
    assert.is_nil(body_of({ most_inputs = 1 }, association):add(association))
    body = core.body { shape = "fan", most_groups = 100000, most_inputs = 100000 }
    for i = 1, 5000 do assert(body:add(pair(i, 1))) end
    assert.equal(5000, #core.decode(body:json()).inputs)
    for _, most in ipairs { 0, -1, 100001, "5", true, 0 / 0 } do
      assert.has_error(function() core.body { most_inputs = most } end)
      assert.has_error(function() core.body { shape = "fan", most_groups = most } end)
    end
  end)

  it("is as it was when a list is invalid, or an input raises", function()
    local body = core.body { shape = "fan", most_groups = 2 }
    assert(body:add(pair(1, 1)))
    local raising = setmetatable({ from = 9 }, { __index = function() error "no" end })
    for _ = 1, 3 do
      assert.is_nil(body:add_list { pair(2, 2), pair(3, 3), pair(1, 4) })
      assert.is_nil(body:add_list { pair(2, 2), "x" })
      assert.is_false((pcall(body.add, body, raising)))
      assert.is_false((pcall(body.add_list, body, { pair(2, 2), pair(1, 4), raising })))
      assert.equal('{"from":{"id":"1"},"to":[{"id":"1"}]}', inputs_of(body:json()))
    end
    assert(body:add_list { pair(5, 5), pair(1, 2), pair(5, 6) })
    assert.equal('{"from":{"id":"1"},"to":[{"id":"1"},{"id":"2"}]},'
      .. '{"from":{"id":"5"},"to":[{"id":"5"},{"id":"6"}]}', inputs_of(body:json()))
  end)

  it("is grouped whatever the ids are, in a body and in a selection of it", function()
    random.check(400, function(luck)
      local body = core.body { shape = "fan", check_ids = false }
      local ids = {}
      for i = 1, luck:integer(1, 40) do
        local from = luck:one_in(3) and luck:pick { "}", '"', '\\', '{"id":"', "}]}" } or luck:digits(1)
        local to = luck:one_in(3) and luck:pick { "}", '"', '\\', '"},{"id":"', "\\\"}" } or luck:digits(1)
        ids[i] = { from, to }
        assert(body:add(pair(from, to)))
      end
      if luck:one_in(2) then core.pairs():enter(body, 1) end
      assert.same(sent(ids), core.decode(body:json()).inputs)
      local positions, chosen = {}, {}
      for position = 1, #ids do
        if luck:one_in(2) then
          table.insert(positions, luck:integer(1, #positions + 1), position)
        end
      end
      for i, position in ipairs(positions) do chosen[i] = ids[position] end
      assert.same(sent(chosen), core.decode(body:select(positions)).inputs)
      for position, one in ipairs(ids) do
        local input = core.decode(body:input(position))
        assert.same({ one[1], one[2] }, { input.from.id, input.to.id })
        assert.equal(ids[body:group(position)][1], one[1])
      end
    end)
  end)
end)
