-- Checks which scopes writing needs, and which of them a token has.

local scopes = require "hubspot.associations.cli.doctor.scopes"

describe("the scopes for writing", function()
  local function assert_compared(held, object_types, expected)
    local found = scopes.compare(held, object_types)
    assert.same(expected, { found.held, found.missing, found.unclear })
  end

  it("are named by the object types, whatever these are called", function()
    for _, name in ipairs { "contacts", "CONTACT", "0-1" } do
      assert_compared({ "crm.objects.contacts.write" }, { name, "0-2" },
        { { "crm.objects.contacts.write" }, { "crm.objects.companies.write" }, {} })
    end
  end)

  it("of custom objects are one for all, and named once", function()
    for _, pair in ipairs { { "2-123", "2-456" }, { "p_pets", "p123_pets" } } do
      assert_compared({}, pair, { {}, { "crm.objects.custom.write" }, {} })
      assert_compared({ "crm.objects.custom.write" }, pair, { { "crm.objects.custom.write" }, {}, {} })
    end
  end)

  it("may be an older one that includes them", function()
    assert_compared({ "contacts" }, { "contacts", "deals" }, { { "contacts" }, {}, {} })
    assert_compared({ "tickets" }, { "tickets", "deals" },
      { { "tickets" }, { "crm.objects.deals.write" }, {} })
  end)

  it("are unclear for objects that may share those of another", function()
    assert_compared({ "crm.objects.contacts.write" }, { "contacts", "calls" },
      { { "crm.objects.contacts.write" }, {}, { "crm.objects.calls.write" } })
    assert_compared({ "crm.objects.calls.write" }, { "calls", "pets" },
      { { "crm.objects.calls.write" }, {}, { "pets" } })
  end)
end)
