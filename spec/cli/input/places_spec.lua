-- Checks places.lua: file and line as one number, and back.

local places = require "hubspot.associations.cli.input.places"

describe("a place", function()
  it("is a file and a line, and in the first file the line", function()
    assert.are.equal(7, places.of(1, 7))
    for _, case in ipairs { { 1, 1 }, { 2, 1 }, { 2, 1000000000 }, { 1000, 5 }, { 100000, 2 ^ 36 - 1 } } do
      assert.are.same(case, { places.read(places.of(case[1], case[2])) })
    end
  end)

  it("comes after all of the files before, and next to that of the next line", function()
    assert.is_true(places.of(2, 1) > places.of(1, 1000000000))
    assert.are.equal(places.of(3, 8), places.of(3, 7) + 1)
  end)

  it("is a line in words, with the file where there are several", function()
    local names = places.names { "a.csv", "-" }
    assert.are.equal("3", places.text(3, 3, { "a.csv" }))
    assert.are.equal("3 to 5", places.text(3, 5, {}))
    assert.are.equal("a.csv:3", places.text(3, 3, names))
    assert.are.equal("standard input:3 to 5", places.text(places.of(2, 3), places.of(2, 5), names))
  end)
end)
