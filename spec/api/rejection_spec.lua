-- Checks rejection.lua: what HubSpot's errors say about the path, inputs, and the size of a batch. That a
-- rejection which names inputs is not taken for one of the size is checked in job/search_spec.lua; the
-- observed bodies are in job/observed_spec.lua.

local rejection = require "hubspot.associations.api.rejection"

local function http(status, fields)
  local err = { kind = "http", status = status, message = "Invalid input" }
  for name, value in pairs(fields or {}) do err[name] = value end
  return err
end

describe("a rejected batch", function()
  it("may be split after 400, 413 and 422", function()
    for _, status in ipairs { 400, 413, 422 } do assert.is_true(rejection.is_splittable(http(status))) end
  end)

  it("is not split after anything else", function()
    for _, status in ipairs { 402, 405, 406, 409, 410, 411, 414, 415, 418, 423, 431, 451, 477, 500, 503 } do
      assert.is_false(rejection.is_splittable(http(status)), tostring(status))
    end
    for kind, status in pairs { unauthorized = 401, forbidden = 403, not_found = 404, rate_limited = 429,
      daily_limit = 429, redirect = 302, decode = 200 } do
      assert.is_false(rejection.is_splittable { kind = kind, status = status, message = "" })
    end
    for _, kind in ipairs { "network", "timeout", "tls", "too_large", "closed", "canceled", "token" } do
      assert.is_false(rejection.is_splittable { kind = kind, message = "" })
    end
  end)

  it("is not split when HubSpot does not know an object type of the path", function()
    local direction = rejection.direction("Vendors", "contacts")
    for _, name in ipairs { "vendors", "Vendors", "contacts", "contact", "0-1" } do
      local message = "Unable to infer object type from: " .. name
      assert.is_false(rejection.is_splittable(http(400, { message = message }), direction), name)
      assert.is_false(rejection.is_splittable(http(400, { errors = { { message = message } } }), direction), name)
    end
  end)

  it("may be split for any other message about object types", function()
    local direction = rejection.direction("contacts", "companies")
    for _, fields in ipairs {
      { message = "Unable to infer object type from: 0-190" },
      { message = "invalid from object type 0-1 for associations to be created. expected: 0-46. For definition 0-190" },
      { message = "UNKNOWN OBJECT TYPE" }, { ["in"] = "fromObjectType" },
      { context = { fromObjectType = { "contacts" }, toObjectType = { "companies" } } },
      { errors = { { message = "bad", ["in"] = "toObjectType" } } },
    } do
      assert.is_true(rejection.is_splittable(http(400, fields), direction))
    end
  end)

  it("with status 404 may be split if HubSpot names a record; otherwise the path is at fault", function()
    local err = { kind = "not_found", status = 404, category = "OBJECT_NOT_FOUND", message = "No contact with ID 5 exists" }
    assert.is_false(rejection.is_splittable(err))
    err.context = { id = { "5" } }
    assert.is_true(rejection.is_splittable(err))
  end)

  it("may be split if ids or types of inputs are at fault", function()
    for _, fields in ipairs {
      { message = "Not a valid id: inputs[3].from.id" },
      { context = { fromObjectId = { "1" }, toObjectId = { "2" } } },
      { errors = { { message = "Bad id", ["in"] = "inputs[3].from.id", context = { id = { "x" } } } } },
      { errors = {} }, { errors = "text" }, { errors = { "text", 5, true } }, { context = "{a=b}" },
      { message = "" }, { errors = { { message = {}, ["in"] = {}, context = { 1, 2 } } } },
    } do
      assert.is_true(rejection.is_splittable(http(400, fields)))
    end
  end)
end)

describe("a batch with too many inputs", function()
  local function size(message, count, status)
    return rejection.size(http(status or 400, { message = message }), count or 2000)
  end

  it("is halved after 413", function()
    assert.equal(1000, size("", 2000, 413))
    assert.equal(3, size("", 5, 413))
  end)

  it("gets the size that HubSpot names, if that is smaller", function()
    assert.equal(100, size "The maximum number of inputs supported in a batch is 100. Please reduce the number of items")
    assert.equal(500, size "A batch may have at most 500 inputs. Received 2000.")
    assert.equal(100, size "The maximum batch size is 100")
    assert.equal(1000, size "The number of inputs exceeds the limit of 1000")
    assert.equal(1000, size "A batch may have at most 5000 inputs")
    assert.equal(1000, size "A batch may have at most 99999999999 inputs")
    assert.equal(1000, size "Too many inputs")
  end)

  it("is not recognized by other messages", function()
    for _, message in ipairs {
      "Not a valid id: inputs[3].from.id", "Some of the inputs have an id that is not valid.",
      "Invalid input JSON: expected a list", "", "Unable to infer object type from: x",
      "association limit exceeded", "at most one label",
    } do
      assert.is_nil(size(message), message)
    end
  end)

  it("is never one with a single input, nor one with junk", function()
    assert.is_nil(size("Too many inputs", 1))
    for _, message in ipairs { {}, true, 5 } do assert.is_nil(size(message)) end
    assert.is_nil(rejection.size({ kind = "http", status = 400 }, 10))
  end)
end)

describe("an error names", function()
  local direction = rejection.direction("contact", "0-2")

  local function named(fields)
    local found = rejection.named(fields, direction)
    if not found then return nil end
    local sides = {}
    for _, side in ipairs { "from", "to", "either" } do
      for id in pairs(found[side]) do sides[#sides + 1] = side .. " " .. id end
    end
    table.sort(sides)
    for _, one in ipairs(found.types) do sides[#sides + 1] = (one.category or "any") .. " " .. one.id end
    return sides
  end

  it("the side of an id by the key", function()
    assert.same({ "from 1", "to 2" }, named { context = { fromObjectId = { "1" }, toObjectIds = { "2" } } })
    assert.same({ "from 7" }, named { context = { contactId = { 7 } } })
  end)

  it("the side of an id by the subcategory, also where that is an object", function()
    local context = { id = { "5" } }
    assert.same({ "from 5" }, named { context = context, subCategory = "crm.associations.FROM_OBJECT_NOT_FOUND" })
    assert.same({ "to 5" }, named { context = context, subCategory = { name = "crm.associations.TO_OBJECT_NOT_FOUND" } })
    assert.same({ "either 5" }, named { context = context, subCategory = {} })
  end)

  it("the side of an id by the object type, in any spelling", function()
    for _, name in ipairs { "COMPANY", "companies", "0-2" } do
      assert.same({ "to 5" }, named { context = { objectId = { "5" }, objectType = { name } } })
    end
    assert.same({ "either 5" }, named { context = { ids = { "5" }, objectType = { "DEAL" } } })
  end)

  it("ids in the texts of INVALID_OBJECT_IDS", function()
    assert.same({ "either 7", "from 5", "to 6" }, named { context = { INVALID_OBJECT_IDS = {
      "CONTACT=5 is not valid", "COMPANY=6 is not valid", "DEAL=7 is not valid", "no id", "=", 5,
    } } })
  end)

  it("types, with their category if it is named", function()
    assert.same({ "USER_DEFINED 3" }, named { context = { associationSpec = { "USER_DEFINED=3" } } })
    assert.same({ "USER_DEFINED 3" }, named { context = {
      INVALID_ASSOCIATION_TYPE_ID = { "USER_DEFINED=3 is not a valid association definition id" },
    } })
    assert.same({ "HUBSPOT_DEFINED 5" }, named { context = { type = { "0-5" } } })
    assert.same({ "any 5" }, named { context = { type = { "1-5" } } })
    assert.same({ "HUBSPOT_DEFINED 190" }, named { message =
      "invalid from object type 0-1 for associations to be created. expected: 0-46. For definition 0-190" })
  end)

  it("nothing by other words and numbers", function()
    for _, context in ipairs {
      { objectType = { "contact" }, fromObjectType = { "0-5" }, toObjectType = { "company" } }, { type = { "test" } },
      { limit = { "500" } }, { portalId = { "62515" } }, { requiredScopes = { "5" } }, { max = 100 }, {}, "{id=5}",
    } do
      assert.is_nil(named { context = context, message = "No contact with ID 5 exists" })
    end
  end)
end)

describe("a rejection", function()
  it("names inputs by their number, which HubSpot counts from 0", function()
    assert.same({ 1 }, rejection.numbers { message = "Some required fields were not set: inputs[0].to" })
    assert.same({ 13, 3, 4 }, rejection.numbers { message = "no", ["in"] = "inputs[12].from, inputs[2], inputs[3]" })
    for _, text in ipairs { "inputs", "inputs[]", "inputs[-1]", "inputs[x]", "1", {}, 5 } do
      assert.same({}, rejection.numbers { message = text, ["in"] = text })
    end
    assert.same({}, rejection.numbers {})
  end)

  it("of a whole batch may be a response that is canceled and has no result", function()
    assert.is_true(rejection.is_canceled { status = "CANCELED" })
    assert.is_true(rejection.is_canceled { status = "CANCELLED", results = {} })
    assert.is_false(rejection.is_canceled { status = "CANCELED", results = { {} } })
    for _, status in ipairs { "COMPLETE", "PENDING", 5, {}, true } do
      assert.is_false(rejection.is_canceled { status = status, results = {} })
    end
    assert.is_false(rejection.is_canceled {})
  end)
end)
