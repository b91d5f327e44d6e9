-- Checks selections of a core.body, and its inputs one by one: their JSON, their ids, and the digest of all.
-- Does no I/O.

local bodies = require "support.bodies"
local cjson = require "cjson"
local core = require "hubspot.associations.core"
local random = require "support.random"

local input, ANY_ID = bodies.input, bodies.ANY_ID

local function body_of(...) return bodies.of(ANY_ID, ...) end

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
