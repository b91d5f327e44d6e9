-- Checks refusal.lua: whether the refusal of a batch may be cured by splitting it. That one which names
-- inputs is not taken for one of too many is the job's doing, and checked in import_search_spec.lua.

local refusal = require "hubspot.associations.refusal"

local function http(status, fields)
  local err = { kind = "http", status = status, message = "Invalid input" }
  for name, value in pairs(fields or {}) do err[name] = value end
  return err
end

describe("a refused batch", function()
  it("may be split after 400, 413 and 422", function()
    for _, status in ipairs { 400, 413, 422 } do assert.is_true(refusal.is_splittable(http(status))) end
  end)

  it("is not split after anything else", function()
    for _, status in ipairs { 402, 405, 406, 409, 410, 411, 414, 415, 418, 423, 431, 451, 477, 500, 503 } do
      assert.is_false(refusal.is_splittable(http(status)), tostring(status))
    end
    for kind, status in pairs { unauthorized = 401, forbidden = 403, not_found = 404, rate_limited = 429,
      daily_limit = 429, redirect = 302, decode = 200 } do
      assert.is_false(refusal.is_splittable { kind = kind, status = status, message = "" })
    end
    for _, kind in ipairs { "network", "timeout", "tls", "too_large", "closed", "canceled", "token" } do
      assert.is_false(refusal.is_splittable { kind = kind, message = "" })
    end
  end)

  it("is not split when the object type in the path is at fault", function()
    for _, fields in ipairs {
      { message = "Unable to infer object type from: nonsense" },
      { message = "UNKNOWN OBJECT TYPE" },
      { context = { fromObjectType = { "nonsense" } } },
      { context = { toObjectType = { "nonsense" } } },
      { ["in"] = "fromObjectType" },
      { errors = { { message = "bad", ["in"] = "toObjectType" } } },
      { errors = { { message = "fine" }, { message = "Unknown object type" } } },
      { errors = { { context = { fromObjectType = "x" } } } },
    } do
      assert.is_false(refusal.is_splittable(http(400, fields)))
    end
  end)

  it("may be split when ids and types of inputs are at fault", function()
    for _, fields in ipairs {
      { message = "Not a valid id: inputs[3].from.id" },
      { context = { fromObjectId = { "1" }, toObjectId = { "2" } } },
      { errors = { { message = "Bad id", ["in"] = "inputs[3].from.id", context = { id = { "x" } } } } },
      { errors = {} }, { errors = "text" }, { errors = { "text", 5, true } }, { context = "{a=b}" },
      { message = "" }, { errors = { { message = {}, ["in"] = {}, context = { 1, 2 } } } },
    } do
      assert.is_true(refusal.is_splittable(http(400, fields)))
    end
  end)
end)

describe("a batch with too many inputs", function()
  it("is told by its status", function()
    assert.is_true(refusal.is_too_many(http(413, { message = "" })))
  end)

  it("is told by the words of the refusal", function()
    for _, message in ipairs {
      "A batch may have at most 2000 inputs. Received 3000.",
      "Too many inputs", "The number of inputs exceeds the limit of 1000",
      "The maximum batch size is 100", "Batch size must be at most 100",
    } do
      assert.is_true(refusal.is_too_many(http(400, { message = message })), message)
    end
  end)

  it("is not told by other refusals", function()
    for _, message in ipairs {
      "Not a valid id: inputs[3].from.id", "Some of the inputs have an id that is not valid.",
      "Invalid input JSON: expected a list", "", "Unable to infer object type from: x",
      "association limit exceeded", "at most one label",
    } do
      assert.is_false(refusal.is_too_many(http(400, { message = message })), message)
    end
  end)

  it("is not told by junk", function()
    for _, message in ipairs { {}, true, 5 } do
      assert.is_false(refusal.is_too_many(http(400, { message = message })))
    end
    assert.is_false(refusal.is_too_many { kind = "http", status = 400 })
  end)
end)
