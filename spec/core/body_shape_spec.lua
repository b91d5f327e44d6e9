-- Checks the shapes of inputs: what each writes, byte by byte, what it takes, what it says of the rest, and
-- by which keys of a result an input is found. Does no I/O.

local core = require "hubspot.associations.core"

-- A response to a batch, with these results.
local function response(...)
  return '{"status":"COMPLETE","results":[' .. table.concat({ ... }, ",") .. "]}"
end

local function body_of(options, ...)
  local body = core.body(options)
  for i = 1, select("#", ...) do assert(body:add((select(i, ...)))) end
  return body
end

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
