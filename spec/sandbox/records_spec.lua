-- The option `records`.

local fixture = require "support.sandbox_account"

describe("the records of an account", function()
  it("have a text as the value of each property, and an id of digits", function()
    for _, wrong in ipairs {
      5, { contacts = 5 }, { contacts = { a = {} } }, { contacts = { ["1"] = { email = 5 } } },
      { widgets = {} }, { contacts = { ["1"] = "a@b.c" } },
    } do
      local made, message = pcall(fixture.new, { records = wrong })
      assert.is_false(made)
      assert.truthy(message:find("object type -> record id -> properties", 1, true), message)
    end
  end)

  it("can be changed at run time", function()
    local account = fixture.new { records = { contacts = {} } }
    local body = { idProperty = "email", inputs = { { id = "ada@example.com" } } }
    assert.equal(207, (fixture.call(account, "POST", "v3/objects/contacts/batch/read", body)))
    account:configure { records = { ["0-1"] = { ["7"] = { email = "Ada@example.com" } } } }
    assert.equal(200, (fixture.call(account, "POST", "v3/objects/contacts/batch/read", body)))
  end)
end)
