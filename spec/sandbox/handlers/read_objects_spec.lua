-- The response to POST …/objects/{fromObjectType}/batch/read.

local cjson = require "cjson"
local fixture = require "support.sandbox_account"

local call = fixture.call

local PATH = "v3/objects/contacts/batch/read"
local RECORDS = { contacts = {
  ["101"] = { email = "ada@example.com", hs_additional_emails = "ada@old.example;ada@home.example" },
  ["102"] = { email = "bob@example.com", code = "aB1" },
} }

-- The ids that are found for values, and the values that are not.
local function found(account, property, ...)
  local inputs = {}
  for number, value in ipairs { ... } do inputs[number] = { id = value } end
  local status, body = call(account, "POST", PATH, { idProperty = property, properties = { property },
    inputs = inputs })
  local ids = {}
  for number, result in ipairs(body.results) do ids[number] = result.id end
  return ids, body.errors and body.errors[1].context.ids, status
end

describe("batch read of objects", function()
  it("finds records by an email in any case, also a further one, and shows what was asked for", function()
    local account = fixture.new { records = RECORDS }
    local ids, missing, status = found(account, "email",
      " ADA@example.com", "ada@home.example", "bob@example.com")
    assert.same({ { "101", "101", "102" }, 200 }, { ids, status })
    assert.is_nil(missing)
    local _, body = call(account, "POST", PATH, {
      idProperty = "email", properties = { "email", "code" }, inputs = { { id = "ada@old.example" } },
    })
    assert.same({ { id = "101", archived = false, properties = {
      hs_object_id = "101", email = "ada@example.com", code = cjson.null,
    } } }, body.results)
  end)

  it("names all values that it does not find in one error, as HubSpot was observed to", function()
    local ids, missing, status = found(fixture.new { records = RECORDS }, "code", "aB1", "AB1", "")
    assert.same({ { "102" }, { "AB1", "" }, 207 }, { ids, missing, status })
  end)

  it("takes the digits of a value for the id where no records are listed", function()
    local account = fixture.new { missing = { "303" } }
    local ids, missing = found(account, "email",
      "ada101@example.com", "x303@example.com", "nobody@example.org")
    assert.same({ { "101" }, { "x303@example.com", "nobody@example.org" } }, { ids, missing })
  end)

  it("reads records by their ids without a property", function()
    local status, body = call(fixture.new(), "POST", "objects/2026-09/contacts/batch/read",
      { inputs = { { id = "101" }, { id = "4041" } } })
    assert.same({ 207, "101", { "4041" } }, { status, body.results[1].id, body.errors[1].context.ids })
  end)

  it("rejects a property that is not unique, an object type, too many values, an app without the scope",
    function()
      local inputs = {}
      for number = 1, 101 do inputs[number] = { id = "a" .. number } end
      for expected, case in pairs {
        ["non-unique 0-1 property lastname"] = { { idProperty = "lastname", inputs = { { id = "a" } } } },
        ["Unable to infer object type from: widgets"] = { { inputs = { { id = "1" } } }, "widgets" },
        ["supported in a batch is 100"] = { { inputs = inputs } },
        ["required scopes"] = { { inputs = { { id = "1" } } }, "contacts", { "crm.objects.contacts.read" } },
        ["Cannot deserialize value of type `String`"] = { { idProperty = 5, inputs = { { id = "1" } } } },
      } do
        local account = fixture.new { forbidden = case[3] }
        local _, body = call(account, "POST", PATH:gsub("contacts", case[2] or "contacts"), case[1])
        assert.truthy(body.message:find(expected, 1, true), body.message)
      end
    end)
end)
