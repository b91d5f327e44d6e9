-- Checks shorten.lua. Does no I/O.

local one_line = require "hubspot.associations.text.one_line"
local shorten = require "hubspot.associations.text.shorten"
local slowdown = require "support.slowdown"

describe("a text", function()
  it("stays as it is when it is short enough", function()
    for _, text in ipairs { "", "a", "abcd", "ab\195\169" } do
      assert.equal(text, shorten.text(text, 4))
      assert.equal(text, shorten.text(text, 4, "..."))
    end
  end)

  it("is cut, with a mark where one is asked for", function()
    assert.equal("abcd", shorten.text("abcde", 4))
    assert.equal("abcd...", shorten.text("abcde", 4, "..."))
    assert.same({ "abcd", n = 1 }, { n = select("#", shorten.text("abcde", 4)), (shorten.text("abcde", 4)) })
  end)

  it("is never cut within a character", function()
    local text = "a\195\169\226\130\172\240\159\152\128z" -- of 1, 2, 3, 4 and 1 bytes
    for most = 0, #text do
      local cut = shorten.text(text, most)
      assert.equal(one_line(cut), cut, most) -- which puts question marks for halves of characters
      assert.is_true(#cut <= most)
    end
  end)
end)

describe("a value", function()
  it("is measured by its strings, keys and tables", function()
    assert.is_false(shorten.is_longer("abcd", 4))
    assert.is_true(shorten.is_longer("abcde", 4))
    assert.is_false(shorten.is_longer({ abc = "d" }, 68))
    assert.is_true(shorten.is_longer({ abc = "de" }, 68))
    assert.is_true(shorten.is_longer({ { {} } }, 100))
    assert.is_false(shorten.is_longer(true, 8))
  end)

  it("is looked at no further than it has to be", function()
    local long = {}
    for i = 1, 100000 do long[i] = "x" end
    local began = os.clock()
    for _ = 1, 1000 do assert.is_true(shorten.is_longer(long, 1000)) end
    assert.is_true(os.clock() - began < slowdown) -- all of it, a thousand times, takes seconds
  end)
end)
