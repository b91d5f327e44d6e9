-- The bodies of a batch request that get it rejected before its inputs are looked at.

local cjson = require "cjson"
local fixture = require "support.sandbox_account"

local input, batch, reject = fixture.input, fixture.batch, fixture.reject

describe("the body of a batch", function()
  it("has to be a JSON object: the rejection names the column", function()
    local sound = cjson.encode(batch(input("1", "2")))
    for _, text in ipairs {
      "", "{", "nope", "3", '"text"', sound:sub(1, -2), sound .. "x", sound:sub(1, -2) .. ',"more":NaN}',
    } do
      local response, body = reject(text)
      assert.equal(400, response.status, text)
      assert.equal("VALIDATION_ERROR", body.category, text)
      assert.truthy(body.message:find "^Invalid", text)
    end
    local _, body = reject '{"inputs":[}'
    assert.truthy(body.message:find("on line 1, column 12", 1, true), body.message)
  end)

  it("has to have inputs, and no more than the largest number", function()
    local _, body = reject '{"inputs":[]}'
    assert.equal("Batch input provided should have at least one object.", body.message)
    _, body = reject ""
    assert.equal("Invalid JSON input: a request body was expected, but none found", body.message)
    local inputs = {}
    for i = 1, 2001 do inputs[i] = input("1", "2") end
    local words = "The maximum number of inputs supported in a batch is %d. "
      .. "Please reduce the number of items and try again"
    for most, given in pairs { [2000] = {}, [1] = { max_inputs = 1 } } do
      local response
      response, body = reject({ inputs = inputs }, nil, given)
      assert.equal(400, response.status)
      assert.equal(words:format(most), body.message)
    end
  end)
end)
