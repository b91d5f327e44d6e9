-- The records that do not exist, and those for which an account rejects a batch.

local fixture = require "support.sandbox_account"

local new, input, batch = fixture.new, fixture.input, fixture.batch
local send, reject = fixture.send, fixture.reject

describe("the records of a batch", function()
  it("do not include one whose id is no number", function()
    local _, body = send(new(), batch(input("ann@example.com", "2")))
    assert.same({ "ann@example.com" }, body.errors[1].context.id)
  end)

  it("do not include those that the option missing names, by a function or a list", function()
    local by_function = function(object_type, id) return object_type == "0-2" and id == "5" end
    for _, option in ipairs { by_function, { "5" } } do
      local _, body = send(new { missing = option }, batch(input("404", "5"), input("404", "6")))
      assert.same({ objectType = { "company" }, id = { "5" } }, body.errors[1].context)
      assert.equal(6, body.results[1].toObjectId)
    end
  end)

  it("that the option rejected names get the batch rejected, in the way that it asks for", function()
    local records = { ["7"] = "named", ["8"] = "column", ["9"] = "anonymous" }
    local _, body = reject(batch(input("1", "2"), input("1", "7")), nil, { rejected = records })
    assert.same({ "COMPANY=7 is not valid" }, body.context.INVALID_OBJECT_IDS)
    _, body = reject(batch(input("8", "2")), nil, { rejected = records })
    assert.truthy(body.message:find("line 1, column ", 1, true), body.message)
    _, body = reject(batch(input("9", "2")), nil, { rejected = records })
    assert.same({ "internal error" }, { body.message, body.category })
    _, body = reject(batch(input("7", "2")), nil, { rejected = { "7" }, names_rejected = false })
    assert.same({ "internal error" }, { body.message, body.category })
  end)

  it("that the option poison names get every request rejected with its status", function()
    for _ = 1, 2 do
      assert.equal(500, reject(batch(input("1", "2"), input("1", "7")), nil, { poison = { "7" } }).status)
      local response, body = reject(batch(input("7", "2")), nil, { poison = { ["7"] = 409 } })
      assert.same({ 409, "CONFLICT" }, { response.status, body.category })
    end
    local by_function = function(object_type, id) return object_type == "0-1" and id == "7" and 500 end
    assert.equal(500, reject(batch(input("7", "2")), nil, { poison = by_function }).status)
    assert.equal(201, send(new { poison = by_function }, batch(input("1", "7"))).status)
  end)
end)
