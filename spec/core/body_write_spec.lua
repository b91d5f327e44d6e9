-- Checks core.body: what inputs it takes, the JSON it writes of them, and what it refuses, in which words.
-- The JSON is read back by lua-cjson. Does no I/O.

local bodies = require "support.bodies"
local cjson = require "cjson"
local child = require "support.child"
local core = require "hubspot.associations.core"
local random = require "support.random"

local HAS_INTEGERS = math.type ~= nil
local MAX_BODY = 64 * 1024 * 1024

local GOOD = { from = "1", to = "2", types = 1 }
local GOOD_JSON = '{"from":{"id":"1"},"to":{"id":"2"},"types":'
  .. '[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1}]}'

local function body_of(...) return bodies.of(nil, ...) end

-- Any string is an id: what JSON makes of one.
local ANY_ID = { check_ids = false }

local function written(input)
  return cjson.decode(body_of(input):json()).inputs[1]
end

-- GOOD with some fields replaced; the string "nil" stands for no value.
local function but(changes)
  local input = { from = GOOD.from, to = GOOD.to, types = GOOD.types }
  for name, value in pairs(changes) do
    input[name] = value
    if value == "nil" then input[name] = nil end
  end
  return input
end

describe("body", function()
  describe("the JSON", function()
    it("of no inputs is an empty list", function()
      assert.equal('{"inputs":[]}', core.body():json())
      assert.equal(0, core.body():count())
    end)

    it("is the documented one", function()
      assert.equal('{"inputs":[' .. GOOD_JSON .. "]}", body_of(GOOD):json())
      assert.equal('{"inputs":[' .. GOOD_JSON .. "," .. GOOD_JSON .. "]}", body_of(GOOD, GOOD):json())
    end)

    it("may be asked for again, and after it more may be added", function()
      local body = body_of(GOOD)
      local first = body:json()
      assert.equal(first, body:json())
      assert.is_true(body:add(GOOD))
      assert.equal('{"inputs":[' .. GOOD_JSON .. "," .. GOOD_JSON .. "]}", body:json())
      assert.equal(2, body:count())
    end)

    it("that is full takes only inputs with the ids of the last one", function()
      local body = body_of(GOOD)
      local before = body:json()
      body:set_full()
      for _, changes in ipairs { { from = "2" }, { to = "3" }, { from = "2", to = "1" } } do
        assert.is_false(body:add(but(changes)))
        assert.same({ 1, before }, { body:count(), body:json() })
      end
      assert.is_nil((body:add(but { types = "nil" })))
      assert.is_true(body:add(but { types = 279 }))
      assert.is_true(body:add(but { to = 2 }))
      assert.equal(3, body:count())
      assert.is_false(body:add(but { to = 3 }))
      body:clear()
      assert.is_true(body:add(but { to = 3 }))
      assert.is_true(body:add(GOOD))
    end)

    it("that is full and empty takes nothing", function()
      local body = core.body()
      body:set_full()
      assert.is_false(body:add(GOOD))
      assert.same({ 0, '{"inputs":[]}' }, { body:count(), body:json() })
    end)

    it("that is full forgets the group of an input that it did not take", function()
      local body = core.body { shape = "fan", most_groups = 2 }
      assert.is_true(body:add { from = 1, to = 2 })
      body:set_full()
      assert.is_false(body:add { from = 2, to = 2 })
      assert.is_false(body:add { from = 1, to = 3 })
      assert.is_false(body:add { from = 3, to = 2 })
      assert.is_true(body:add { from = 1, to = 2 })
      assert.equal('{"inputs":[{"from":{"id":"1"},"to":[{"id":"2"}]}]}', body:json())
    end)

    it("begins anew after clear", function()
      local body = body_of(GOOD, GOOD)
      body:clear()
      assert.equal(0, body:count())
      assert.equal('{"inputs":[]}', body:json())
      assert.is_true(body:add(GOOD))
      assert.equal('{"inputs":[' .. GOOD_JSON .. "]}", body:json())
    end)
  end)

  describe("input forms", function()
    it("takes an id as { id }, as a string and as an integer", function()
      for _, id in ipairs { { id = "101" }, "101", 101, { id = 101 } } do
        local input = written { from = id, to = id, types = 1 }
        assert.equal("101", input.from.id)
        assert.equal("101", input.to.id)
      end
    end)

    it("takes types as a list, as one of them, and as an integer", function()
      local one = { associationCategory = "USER_DEFINED", associationTypeId = 36 }
      assert.same({ one }, written(but { types = { one } }).types)
      assert.same({ one }, written(but { types = one }).types)
      assert.same({ one, one }, written(but { types = { one, one } }).types)
      local short = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 279 }
      assert.same({ short }, written(but { types = 279 }).types)
      assert.same({ short, one }, written(but { types = { 279, one } }).types)
    end)

    it("takes the whole range of type ids", function()
      for _, id in ipairs { 1, 2147483647 } do
        assert.equal(id, written(but { types = id }).types[1].associationTypeId)
      end
    end)

    it("takes every category written in upper case with underscores", function()
      for _, category in ipairs { "HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED", "WORK", "A",
        "V2_X" } do
        local types = { associationCategory = category, associationTypeId = 1 }
        assert.equal(category, written(but { types = types }).types[1].associationCategory)
      end
    end)

    it("writes integral floats as integers", function()
      assert.equal("101", written(but { from = 101.0 }).from.id)
      assert.equal("9007199254740991", written(but { from = 2 ^ 53 - 1 }).from.id)
      assert.equal(1, written(but { types = 1.0 }).types[1].associationTypeId)
    end)

    if HAS_INTEGERS then
      it("writes integers beyond 2^53 exactly", function()
        local digits = {
          "9007199254740992", "9007199254740993", "9223372036854775807", "1000000000000000001",
        }
        for _, id in ipairs(digits) do
          local integer = math.tointeger(id) or load("return " .. id)()
          assert.equal("integer", math.type(integer))
          assert.equal(id, written(but { from = integer }).from.id)
          assert.equal(id, written(but { from = { id = integer } }).from.id)
        end
      end)
    end

    it("ignores fields that it does not know, whatever they hold", function()
      local cyclic = {}
      cyclic.self = cyclic
      local input = {
        from = { id = "1", name = cyclic, [1] = print },
        to = { id = "2", x = 0 / 0 },
        types = { { associationCategory = "WORK", associationTypeId = 5, label = cyclic } },
        properties = cyclic,
        [1] = "\255",
      }
      assert.same({
        from = { id = "1" },
        to = { id = "2" },
        types = { { associationCategory = "WORK", associationTypeId = 5 } },
      }, written(input))
    end)

    it("leaves the inputs as they were", function()
      local input = { from = 1, to = { id = 2 }, types = { 1 } }
      body_of(input)
      assert.same({ from = 1, to = { id = 2 }, types = { 1 } }, input)
      assert.is_number(input.from)
    end)
  end)

  describe("strings", function()
    local LINE_SEPARATOR = random.utf8(0x2028)
    local FACE = random.utf8(0x1F600)

    it("are escaped so that JSON holds them", function()
      local escapes = {
        ['a"b'] = 'a\\"b',
        ["a\\b"] = "a\\\\b",
        ["a\nb\rc\td"] = "a\\nb\\rc\\td",
        ["a\0b"] = "a\\u0000b",
        ["\1\31"] = "\\u0001\\u001f",
        ["\127"] = "\\u007f",
        ["a/b"] = "a/b",
        [LINE_SEPARATOR] = LINE_SEPARATOR,
        [FACE] = FACE,
      }
      for id, escaped in pairs(escapes) do
        local body = core.body(ANY_ID)
        assert(body:add(but { from = id }))
        assert.truthy(body:json():find('{"id":"' .. escaped .. '"}', 1, true), escaped)
        assert.equal(id, cjson.decode(body:json()).inputs[1].from.id)
      end
    end)

    it("keep every byte of ASCII", function()
      local all = {}
      for byte = 0, 127 do all[#all + 1] = string.char(byte) end
      local id = table.concat(all)
      local body = core.body(ANY_ID)
      assert(body:add { from = id, to = { id = id }, types = 1 })
      local input = cjson.decode(body:json()).inputs[1]
      assert.equal(id, input.from.id)
      assert.equal(id, input.to.id)
    end)
  end)

  describe("refusals", function()
    local cyclic_list = {}
    cyclic_list[1] = cyclic_list
    local cyclic_id = {}
    cyclic_id.id = cyclic_id
    local holes = { 1, 2, 3 }
    holes[2] = nil

    local function category(value)
      return but { types = { { associationCategory = value, associationTypeId = 1 } } }
    end
    local function type_id(value)
      return but { types = { { associationCategory = "WORK", associationTypeId = value } } }
    end

    -- What is wrong, the input, the field named, and what the message says was found.
    local REFUSED = {
      { "an input that is a string", "x", "input", 'the string "x"' },
      { "an input that is a number", 5, "input", "5" },
      { "an input that is a boolean", false, "input", "false" },
      { "an input that is a function", print, "input", "a function" },
      { "an input without anything", {}, "from", "nothing" },
      { "no from", but { from = "nil" }, "from", "nothing" },
      { "no to", but { to = "nil" }, "to", "nothing" },
      { "no types", but { types = "nil" }, "types", "nothing" },
      { "a from without an id", but { from = {} }, "from.id", "nothing" },
      { "a to without an id", but { to = { name = "x" } }, "to.id", "nothing" },
      { "an empty id", but { from = "" }, "from", 'the string ""' },
      { "an empty id in a table", but { to = { id = "" } }, "to.id", 'the string ""' },
      { "an id that is a boolean", but { from = true }, "from", "true" },
      { "an id that is a function", but { from = { id = print } }, "from.id", "a function" },
      { "an id that is a table", but { from = { id = { id = "1" } } }, "from.id", "a table" },
      { "an id that is a coroutine", but { to = coroutine.create(function() end) }, "to", "a thread" },
      { "an id that is a userdata", but { to = io.stdout }, "to", "a userdata" },
      { "an id that is cjson.null", but { to = cjson.null }, "to", "a userdata" },
      { "a fraction as an id", but { from = 1.5 }, "from", "1.5" },
      { "a float of 2^53", but { from = 2 ^ 53 }, "from", tostring(2 ^ 53) },
      { "a float of -2^53", but { from = { id = -2 ^ 53 } }, "from.id", tostring(-2 ^ 53) },
      { "an id of 0", but { from = 0 }, "from", "0" },
      { "an id of -0", but { from = -0.0 }, "from", "0" },
      { "a negative id", but { to = { id = -101 } }, "to.id", "-101" },
      { "an infinite id", but { to = math.huge }, "to", tostring(math.huge) },
      { "an id that is not a number", but { to = 0 / 0 }, "to", tostring(0 / 0) },
      { "empty types", but { types = {} }, "types", "an empty list" },
      { "types that are a string", but { types = "1" }, "types", 'the string "1"' },
      { "types that are a boolean", but { types = true }, "types", "true" },
      { "types with a hole", but { types = holes }, "types", "a hole at 2" },
      { "types without a first", but { types = { [2] = 1 } }, "types", "a hole at 1" },
      { "types with a key of 0", but { types = { [0] = 1 } }, "types", "a table with the key 0" },
      { "types with a fraction as a key", but { types = { 1, [1.5] = 1 } }, "types",
        "a table with the key 1.5" },
      { "types with a string key", but { types = { 1, x = 2 } }, "types",
        'a table with the key the string "x"' },
      { "types with another table's keys", but { types = { name = 1 } }, "types", "a table with the key" },
      { "a type that is a string", but { types = { 1, "279" } }, "types[2]", 'the string "279"' },
      { "a type that is a boolean", but { types = { true } }, "types[1]", "true" },
      { "a type in two lists", but { types = { { 1 } } }, "types[1].associationCategory", "nothing" },
      { "a type id of 0", but { types = 0 }, "types", "0" },
      { "a negative type id", but { types = -1 }, "types", "-1" },
      { "a type id of 2^31", but { types = 2147483648 }, "types", "2147483648" },
      { "a fraction as a type id", but { types = 1.5 }, "types", "1.5" },
      { "a type id of 0 in a list", but { types = { 1, 1, 0 } }, "types[3]", "0" },
      { "a type id that is a string", type_id "1", "types[1].associationTypeId", 'the string "1"' },
      { "no type id", type_id(nil), "types[1].associationTypeId", "nothing" },
      { "a type id of 2^31 in a table", type_id(2147483648), "types[1].associationTypeId", "2147483648" },
      { "a type id of 2^32 + 1", type_id(4294967297), "types[1].associationTypeId", "4294967297" },
      { "a type id that is not a number", type_id(0 / 0), "types[1].associationTypeId", tostring(0 / 0) },
      { "no category", category(nil), "types[1].associationCategory", "nothing" },
      { "an empty category", category "", "types[1].associationCategory", 'the string ""' },
      { "a category in lower case", category "work", "types[1].associationCategory", 'the string "work"' },
      { "a category with a hyphen", category "A-B", "types[1].associationCategory", 'the string "A-B"' },
      { "a category with a space", category "A B", "types[1].associationCategory", 'the string "A B"' },
      { "a category with a NUL", category "A\0", "types[1].associationCategory", 'the string "A?"' },
      { "a category with a quote", category 'A"', "types[1].associationCategory", 'the string "A""' },
      { "a category that begins with a digit", category "1A", "types[1].associationCategory", '"1A"' },
      { "a category that begins with an underscore", category "_A", "types[1].associationCategory", '"_A"' },
      { "a category that is a number", category(5), "types[1].associationCategory", "5" },
      {
        "one type with a bad category",
        but { types = { associationCategory = "x", associationTypeId = 1 } },
        "types.associationCategory", 'the string "x"',
      },
      {
        "one type without a category", but { types = { associationTypeId = 1 } },
        "types.associationCategory", "nothing",
      },
      {
        "one type without an id", but { types = { associationCategory = "WORK" } },
        "types.associationTypeId", "nothing",
      },
      { "a cyclic list of types", but { types = cyclic_list }, "types[1].associationCategory", "nothing" },
      { "a cyclic id", but { from = cyclic_id }, "from.id", "a table" },
      {
        "a proxy for a list of types", but { types = setmetatable({}, { __index = { 1 } }) },
        "types", "an empty list",
      },
    }

    -- Those of a body that lets any string be an id.
    local NOT_UTF8 = {}
    local INVALID_UTF8 = {
      ["a lone continuation byte"] = { "\128", "a\191b" },
      ["an overlong form of two bytes"] = { "\192\128", "\193\191" },
      ["an overlong form of three bytes"] = { "\224\128\128", "\224\159\191" },
      ["an overlong form of four bytes"] = { "\240\128\128\128", "\240\143\191\191" },
      ["a surrogate"] = { "\237\160\128", "\237\191\191", "\237\160\189\237\184\128" },
      ["a code point beyond U+10FFFF"] = { "\244\144\128\128", "\245\128\128\128" },
      ["a byte that UTF-8 never has"] = { "\254", "\255", "\248\136\128\128\128" },
      ["a sequence cut short by the end"] = { "\195", "\226\130", "\240\159\152", "a\226" },
      ["a sequence cut short by another byte"] = { "\195a", "\226\130a", "\240\159\152\"", "\226a\130" },
    }
    for class, examples in pairs(INVALID_UTF8) do
      for _, bytes in ipairs(examples) do
        table.insert(NOT_UTF8, { class, but { from = bytes }, "from", "valid UTF-8" })
        table.insert(NOT_UTF8, { class, but { to = { id = "x" .. bytes .. "y" } }, "to.id", "valid UTF-8" })
      end
    end

    local function check_refusals(cases, options)
      for _, case in ipairs(cases) do
        local what, input, field, found = case[1], case[2], case[3], case[4]
        local body = core.body(options)
        local added, refusal = body:add(input)
        assert.is_nil(added, what)
        assert.equal("invalid_input", refusal.kind, what)
        assert.equal(field, refusal.field, what)
        assert.truthy(refusal.message:find("expected ", 1, true), what)
        assert.truthy(refusal.message:find(found, 1, true), what .. ": " .. refusal.message)
        assert.is_nil(refusal.message:find "%c", what)
        assert.equal('{"inputs":[]}', body:json(), what)
      end
    end

    it("name the field, and say what was expected and found", function()
      check_refusals(REFUSED)
    end)

    it("are of bytes that are not UTF-8, too, where any string is an id", function()
      check_refusals(NOT_UTF8, ANY_ID)
    end)

    it("of a list name the index too, and nothing of the list is added", function()
      for _, case in ipairs(REFUSED) do
        local what, input, field, found = case[1], case[2], case[3], case[4]
        local body = body_of(GOOD)
        local added, refusals, count = body:add_list { GOOD, GOOD, input, GOOD }
        assert.is_nil(added, what)
        assert.equal(1, count, what)
        assert.equal(1, #refusals, what)
        assert.equal(3, refusals[1].index, what)
        assert.equal(field, refusals[1].field, what)
        assert.truthy(refusals[1].message:find(found, 1, true), what)
        assert.equal(1, body:count(), what)
        assert.equal('{"inputs":[' .. GOOD_JSON .. "]}", body:json(), what)
      end
    end)

    it("leave a body that can be added to", function()
      for _, case in ipairs(REFUSED) do
        local body = body_of(GOOD)
        body:add(case[2])
        assert.is_true(body:add(GOOD), case[1])
        assert.equal('{"inputs":[' .. GOOD_JSON .. "," .. GOOD_JSON .. "]}", body:json(), case[1])
      end
    end)

    it("are told of a nil and of no input", function()
      for _, refusal in ipairs { { select(2, core.body():add(nil)) }, { select(2, core.body():add()) } } do
        assert.equal("input", refusal[1].field)
        assert.truthy(refusal[1].message:find("found nothing", 1, true))
      end
    end)

    it("show no more than the beginning of a long string", function()
      local _, refusal = core.body():add(("x"):rep(41))
      assert.truthy(refusal.message:find('the string "' .. ("x"):rep(40) .. '..."', 1, true))
      _, refusal = core.body():add(("x"):rep(40))
      assert.truthy(refusal.message:find('the string "' .. ("x"):rep(40) .. '"', 1, true))
    end)

    it("of one list are reported together, in order", function()
      local _, refusals, count = core.body():add_list { "a", GOOD, but { to = "" }, GOOD, but { types = 0 } }
      assert.equal(3, count)
      local places = {}
      for i, refusal in ipairs(refusals) do places[i] = refusal.index .. " " .. refusal.field end
      assert.same({ "1 input", "3 to", "5 types" }, places)
    end)

    it("are the first 100, and the count of all", function()
      for _, bad in ipairs { 99, 100, 101, 250 } do
        local inputs = {}
        for i = 1, bad do
          inputs[2 * i - 1] = GOOD
          inputs[2 * i] = but { from = "" }
        end
        local body = core.body()
        local added, refusals, count = body:add_list(inputs)
        assert.is_nil(added)
        assert.equal(bad, count)
        assert.equal(math.min(bad, 100), #refusals)
        assert.equal(2 * #refusals, refusals[#refusals].index)
        assert.equal(0, body:count())
      end
    end)

    it("meet a list that is none, without an index", function()
      local hole = { GOOD, GOOD, GOOD }
      hole[2] = nil
      local lists = {
        { {}, "an empty list" },
        { { from = "1", to = "2", types = 1 }, "a table with the key" },
        { { from = "1", to = "2", types = 1 }, ": is it one input? Put it into a list, { { … } }" },
        { { GOOD, extra = 1 }, 'a table with the key the string "extra"' },
        { hole, "a hole at 2" },
        { { [2] = GOOD }, "a hole at 1" },
        { { GOOD, [-1] = GOOD }, "a table with the key -1" },
        { { GOOD, [true] = GOOD }, "a table with the key true" },
        { { GOOD, [2 ^ 60] = GOOD }, "a " },
        { setmetatable({}, { __index = { GOOD }, __len = function() return 1 end }), "an empty list" },
      }
      for _, list in ipairs(lists) do
        local body = core.body()
        local added, refusals, count = body:add_list(list[1])
        assert.is_nil(added)
        assert.equal(1, count)
        assert.equal("invalid_input", refusals[1].kind)
        assert.equal("inputs", refusals[1].field)
        assert.is_nil(refusals[1].index)
        assert.truthy(refusals[1].message:find(list[2], 1, true), refusals[1].message)
        assert.equal(0, body:count())
      end
    end)

    it("raise when there is no list at all", function()
      for _, value in ipairs { "x", 5, true, print } do
        assert.has_error(function()
          core.body():add_list(value)
        end)
      end
      assert.has_error(function()
        core.body():add_list()
      end)
    end)
  end)

  describe("proxies", function()
    local function proxy(value)
      return setmetatable({}, {
        __index = function(_, key)
          return value[key]
        end,
      })
    end

    it("are read through __index, at each level", function()
      local one = { associationCategory = "WORK", associationTypeId = 5 }
      local expected = written { from = "1", to = "2", types = { one } }
      assert.same(expected, written(proxy { from = proxy { id = "1" }, to = "2", types = proxy(one) }))
      assert.same(expected, written(proxy { from = "1", to = { id = 2 }, types = { proxy(one) } }))
      local record = setmetatable({ to = "2" }, { __index = { from = "1", types = one } })
      assert.same(expected, written(record))
    end)

    it("that raise leave the body as it was", function()
      for _, field in ipairs { "from", "to", "types" } do
        local broken = setmetatable(but { [field] = "nil" }, {
          __index = function()
            error { told = field }
          end,
        })
        local body = body_of(GOOD)
        local added, raised = pcall(body.add, body, broken)
        assert.is_false(added)
        assert.equal(field, raised.told)
        assert.equal(1, body:count())
        assert.equal('{"inputs":[' .. GOOD_JSON .. "]}", body:json())
      end
    end)

    it("that raise in a list leave the body as it was", function()
      local broken = setmetatable({}, {
        __index = function()
          error "broken"
        end,
      })
      local body = body_of(GOOD)
      assert.is_false(pcall(body.add_list, body, { GOOD, GOOD, broken }))
      assert.equal(1, body:count())
      assert.equal('{"inputs":[' .. GOOD_JSON .. "]}", body:json())
      assert.is_true(body:add_list { GOOD })
      assert.equal(2, body:count())
    end)

    it("that yield raise, and leave the body as it was", function()
      local yielding = setmetatable({ from = "1" }, { __index = coroutine.yield })
      local body = body_of(GOOD)
      local thread = coroutine.create(function()
        return body:add(yielding)
      end)
      local resumed, message = coroutine.resume(thread)
      assert.is_false(resumed)
      assert.truthy(message:find("yield", 1, true), message)
      assert.equal("dead", coroutine.status(thread))
      assert.equal(1, body:count())
      assert.equal('{"inputs":[' .. GOOD_JSON .. "]}", body:json())
    end)

    it("whose __index is a loop raise", function()
      local loop = {}
      setmetatable(loop, { __index = loop })
      local body = body_of(GOOD)
      assert.is_false(pcall(body.add, body, loop))
      assert.equal('{"inputs":[' .. GOOD_JSON .. "]}", body:json())
    end)

    it("that change the list while it is read are refused or written, never read astray", function()
      local inputs = {}
      for i = 1, 100 do inputs[i] = GOOD end
      inputs[50] = setmetatable({ from = "1", to = "2" }, {
        __index = function()
          for i = 1, 100 do inputs[i] = nil end
          collectgarbage()
          return 1
        end,
      })
      local body = core.body()
      local added, refusals, count = body:add_list(inputs)
      assert.is_nil(added)
      assert.equal(50, count)
      assert.equal(51, refusals[1].index)
      assert.equal(0, body:count())
    end)

    it("that use the body they are being written to do not garble it", function()
      for _, method in ipairs { "add", "json", "clear" } do
        local body = body_of(GOOD)
        local meddling = setmetatable({ from = "5", to = "6" }, {
          __index = function()
            body[method](body, GOOD)
            return 1
          end,
        })
        pcall(body.add, body, meddling)
        assert.is_true((pcall(cjson.decode, body:json())), method .. ": " .. body:json())
        assert.equal(body:count(), #cjson.decode(body:json()).inputs, method)
      end
    end)
  end)

  describe("its ceiling", function()
    -- An input whose JSON has exactly `size` bytes.
    local function input_of(size)
      local frame = #GOOD_JSON - #"HUBSPOT_DEFINED"
      local types = { associationCategory = ("A"):rep(size - frame), associationTypeId = 1 }
      return { from = "1", to = "2", types = types }
    end

    local function size_left(body)
      return MAX_BODY - #body:json()
    end

    it("is 64 MiB: what would be over is refused as too_large, and nothing of it stays", function()
      local body = body_of(GOOD)
      local before = body:json()
      local added, refusal = body:add(input_of(MAX_BODY))
      assert.is_nil(added)
      assert.equal("too_large", refusal.kind)
      assert.equal("types", refusal.field)
      assert.truthy(refusal.message:find(("%d bytes"):format(MAX_BODY), 1, true))
      assert.equal(before, body:json())
      assert.is_true(body:add(GOOD))
      assert.equal('{"inputs":[' .. GOOD_JSON .. "," .. GOOD_JSON .. "]}", body:json())
    end)

    it("meets ids as well, with their field", function()
      local huge = ("x"):rep(MAX_BODY)
      local _, refusal = core.body(ANY_ID):add(but { from = huge })
      assert.equal("too_large", refusal.kind)
      assert.equal("from", refusal.field)
      _, refusal = core.body(ANY_ID):add(but { to = { id = huge } })
      assert.equal("too_large", refusal.kind)
      assert.equal("to.id", refusal.field)
    end)

    it("reports the index in a list, and adds nothing", function()
      local body = core.body()
      local added, refusals, count = body:add_list { GOOD, input_of(MAX_BODY - 100), input_of(200) }
      assert.is_nil(added)
      assert.equal(1, count)
      assert.equal("too_large", refusals[1].kind)
      assert.equal(2, refusals[1].index)
      assert.equal(0, body:count())
    end)

    it("can be reached to the byte, and the body still be read", function()
      local body = core.body()
      assert.is_true(body:add(input_of(size_left(body))))
      assert.equal(MAX_BODY, #body:json())
      body:clear()
      assert.is_nil(body:add(input_of(size_left(body) + 1)))
      body:clear()
      assert.is_nil(body:add(input_of(size_left(body) + 2)))
      assert.equal('{"inputs":[]}', body:json())
    end)
  end)

  -- In a process of its own, whose end shows a crash.
  it("outlives its own finalizer being called", function()
    local result = child.run [[
      local bodies = require "support.bodies"
local core = require "hubspot.associations.core"
      local good = { from = 1, to = 2, types = 1 }
      local body = core.body()
      body:add(good)
      local collect = getmetatable(body).__gc
      collect(body)
      collect(body)
      for _, method in ipairs { "json", "count", "add", "json", "clear", "json" } do
        pcall(body[method], body, good)
        pcall(body.add_list, body, { good })
        collect(body)
      end
    ]]
    assert.equal(0, result.code, result.stderr)
  end)

  describe("what it holds", function()
    local SECOND = { from = { id = 7 }, to = "45", types = { 1, 279 } }
    local SECOND_JSON = '{"from":{"id":"7"},"to":{"id":"45"},"types":'
      .. '[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1},'
      .. '{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]}'

    local function mixed_body()
      local body = body_of(GOOD, SECOND)
      assert.is_nil(body:add { from = "only this" })
      assert.is_true(body:add(GOOD))
      return body
    end

    it("is told input by input, as JSON", function()
      local body = mixed_body()
      assert.equal(GOOD_JSON, body:input(1))
      assert.equal(SECOND_JSON, body:input(2))
      assert.equal(GOOD_JSON, body:input(3))
    end)

    it("is told by its ids, as they stand in JSON", function()
      local body = mixed_body()
      assert.same({ "1", "2" }, { body:ids(1) })
      assert.same({ "7", "45" }, { body:ids(2) })
      assert.same({ "1", "2" }, { body:ids(3) })
    end)

    it("makes a body of some of its inputs", function()
      local body = mixed_body()
      assert.equal(body:json(), body:select { 1, 2, 3 })
      assert.equal('{"inputs":[' .. SECOND_JSON .. "]}", body:select { 2 })
      assert.equal('{"inputs":[' .. GOOD_JSON .. "," .. SECOND_JSON .. "]}", body:select { 3, 2 })
      assert.equal('{"inputs":[]}', body:select {})
    end)

    it("has no input at any other place", function()
      local body = mixed_body()
      for _, place in ipairs { 0, 4, -1, 2 ^ 31, 2 ^ 40, -2 ^ 40 } do
        assert.is_false(pcall(body.input, body, place), place)
        assert.is_false(pcall(body.ids, body, place), place)
        assert.is_false(pcall(body.select, body, { 1, place }), place)
      end
      assert.is_false(pcall(body.select, body, { "x" }))
      assert.is_false(pcall(body.select, body))
      body:clear()
      assert.is_false(pcall(body.input, body, 1))
    end)

    it("has a digest, the same for the same inputs only", function()
      local digest = mixed_body():digest()
      assert.truthy(digest:find "^%x+$")
      assert.equal(16, #digest)
      assert.equal(digest, mixed_body():digest())
      local body = mixed_body()
      body:json()
      body:add { from = 1 }
      assert.equal(digest, body:digest())
      body:add(GOOD)
      assert.not_equal(digest, body:digest())
      assert.not_equal(body_of(GOOD):digest(), body_of(SECOND):digest())
      assert.not_equal(body_of(GOOD, SECOND):digest(), body_of(SECOND, GOOD):digest())
    end)
  end)

  it("refuses to be another object", function()
    local methods = getmetatable(core.body()).__index
    for _, method in ipairs {
      "add", "add_list", "json", "count", "clear", "select", "input", "ids", "first", "types", "digest",
      "confirmed_by", "add_run", "is_adding", "__gc",
    } do
      assert.is_function(methods[method], method)
      assert.is_false(pcall(methods[method]), method)
      assert.is_false(pcall(methods[method], {}), method)
      assert.is_false(pcall(methods[method], io.stdout), method)
    end
  end)

  describe("any input", function()
    local CATEGORIES = { "HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED", "WORK", "X9_" }

    local function maybe_proxy(source, value)
      local kind = source:integer(1, 4)
      if kind > 2 then return value end
      return setmetatable({}, {
        __index = kind == 1 and value or function(_, key)
          return value[key]
        end,
      })
    end

    local function with_extras(source, value)
      for _ = 1, source:integer(0, 2) do
        value["x" .. source:digits(3)] = source:pick { "\255", 1, true, {}, print }
      end
      return value
    end

    -- A form of an id, and the string that it stands for.
    local function id(source)
      local form, text
      if source:one_in(2) then
        form = source:text(1, source:pick { 1, 12, 12, 300 })
        text = form
      else
        text = source:digits(15)
        form = tonumber(text)
        if source:one_in(4) then form = form + 0.0 end
      end
      if source:one_in(2) then form = maybe_proxy(source, with_extras(source, { id = form })) end
      return form, text
    end

    local function type_id(source)
      return source:one_in(4) and source:pick { 1, 2147483647 } or source:integer(1, 2147483646)
    end

    local function one_type(source)
      if source:one_in(2) then
        local number = type_id(source)
        return number, { associationCategory = "HUBSPOT_DEFINED", associationTypeId = number }
      end
      local category, number = source:pick(CATEGORIES), type_id(source)
      local form = { associationCategory = category, associationTypeId = number }
      return maybe_proxy(source, with_extras(source, form)),
        { associationCategory = category, associationTypeId = number }
    end

    local function types(source)
      if source:one_in(2) then
        local form, expected = one_type(source)
        return form, { expected }
      end
      local forms, expected = {}, {}
      for i = 1, source:integer(1, 4) do forms[i], expected[i] = one_type(source) end
      return forms, expected
    end

    local function input(source)
      local from, from_id = id(source)
      local to, to_id = id(source)
      local forms, expected = types(source)
      local form = with_extras(source, { from = from, to = to, types = forms })
      return maybe_proxy(source, form), { from = { id = from_id }, to = { id = to_id }, types = expected }
    end

    local function assert_same_input(expected, actual, where)
      assert(actual.from.id == expected.from.id, where .. ": from.id")
      assert(actual.to.id == expected.to.id, where .. ": to.id")
      assert(#actual.types == #expected.types, where .. ": the number of types")
      for i, one in ipairs(expected.types) do
        assert(actual.types[i].associationCategory == one.associationCategory, where .. ": category")
        assert(actual.types[i].associationTypeId == one.associationTypeId, where .. ": type id")
      end
      for name in pairs(actual) do assert(name == "from" or name == "to" or name == "types", where) end
    end

    it("is written so that lua-cjson reads back what it stands for", function()
      random.check(1500, function(source)
        local inputs, expected = {}, {}
        for i = 1, source:integer(1, 10) do inputs[i], expected[i] = input(source) end
        local body = core.body(ANY_ID)
        local added, refusals = body:add_list(inputs)
        assert(added, added or refusals[1].field .. ": " .. refusals[1].message)
        assert(body:count() == #inputs, "the count")
        local decoded = cjson.decode(body:json())
        assert(#decoded.inputs == #expected, "the number of inputs")
        for i, one in ipairs(expected) do assert_same_input(one, decoded.inputs[i], "input " .. i) end
        assert(next(decoded) == "inputs" and next(decoded, "inputs") == nil, "the fields of the body")
      end)
    end)

    it("is refused for its bytes exactly when they are not UTF-8, and spares the others", function()
      random.check(1500, function(source)
        local body, expected = core.body(ANY_ID), {}
        for i = 1, source:integer(1, 10) do
          local form, meaning = input(source)
          if source:one_in(3) then
            form = { from = "1", to = source:text(0, 5) .. "\255" .. source:text(0, 5), types = 1 }
            meaning = nil
          end
          local added, refusal = body:add(form)
          assert((added == true) == (meaning ~= nil), "input " .. i)
          if meaning then
            expected[#expected + 1] = meaning
          else
            assert(refusal.field == "to", "input " .. i)
          end
        end
        local decoded = cjson.decode(body:json())
        assert(#decoded.inputs == #expected, "the number of inputs")
        for i, one in ipairs(expected) do assert_same_input(one, decoded.inputs[i], "input " .. i) end
      end)
    end)
  end)
end)
