local digits = require "hubspot.associations.text.digits"

describe("digits", function()
  it("are those of a whole number", function()
    assert.equal("0", digits(0))
    assert.equal("0", digits(-0.0))
    assert.equal("-7", digits(-7))
    assert.equal("279", digits(279.0))
    assert.equal("9007199254740991", digits(2 ^ 53 - 1))
  end)

  it("are those of an integer, exact beyond 2^53", function()
    if not rawget(math, "type") then return end
    assert.equal("9223372036854775807", digits(math.maxinteger))
  end)

  it("are none of a fraction, of a float that may stand for its neighbour, of nothing finite", function()
    for _, number in ipairs { 0.5, 2 ^ 53, -2 ^ 53, 1e300, math.huge, -math.huge, 0 / 0 } do
      assert.is_nil(digits(number), tostring(number))
    end
  end)
end)
