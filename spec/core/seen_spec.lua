-- Checks core.seen: texts in, whether they were there before out.

local core = require "hubspot.associations.core"

local unpack = rawget(_G, "unpack") or table.unpack

describe("the set of texts that were seen", function()
  it("knows a text again, and tells others from it", function()
    local seen = core.seen(1000)
    assert.is_false(seen:add("1", "2", ""))
    assert.is_true(seen:add("1", "2", ""))
    for _, texts in ipairs {
      { "2", "1", "" }, { "12", "", "" }, { "", "12", "" }, { "1", "2", "3" }, { "1", "2" }, { "1" }, {},
      { "1", "2\0", "" }, { ("1"):rep(40), "2", "" }, { ("1"):rep(41), "2", "" },
    } do
      assert.is_false(seen:add(unpack(texts)))
      assert.is_true(seen:add(unpack(texts)))
    end
  end)

  it("mistakes no text for another among hundreds of thousands of ids", function()
    local seen = core.seen(1000000)
    local function add(number, types)
      return seen:add(tostring(number), tostring(1000000 + number % 1000), types)
    end
    for number = 1, 300000 do assert(not add(number, "279")) end
    for number = 1, 300000, 7 do assert(add(number, "279")) end
    for number = 1, 300000, 7 do assert(not add(number, "280")) end
  end)

  it("keeps as many as it is told, and at most twice as many", function()
    local seen = core.seen(100)
    for number = 1, 199 do assert.is_false(seen:add(tostring(number))) end
    for number = 1, 199 do assert.is_true(seen:add(tostring(number))) end
    assert.is_false(seen:add "200") -- the first generation is dropped
    assert.is_false(seen:add "1")
    assert.is_true(seen:add "101")
  end)

  it("takes a number of texts that makes sense, and texts", function()
    for _, most in ipairs { 0, -1, 2 ^ 24 + 1, 0 / 0 } do
      assert.is_false(pcall(core.seen, most))
    end
    assert.is_false(pcall(core.seen(10).add, core.seen(10), {}))
    assert.is_false(pcall(core.seen(10).add, {}, "1"))
  end)
end)
