-- The response to GET …/labels.

local cjson = require "cjson"
local fixture = require "support.sandbox_account"

local new, call = fixture.new, fixture.call

local function labels(account, from, to)
  local status, body = call(account, "GET", ("v4/associations/%s/%s/labels"):format(from, to))
  assert.equal(200, status)
  local list = {}
  for i, one in ipairs(body.results) do
    list[i] = ("%s %d %s"):format(one.category, one.typeId, one.label == cjson.null and "-" or one.label)
  end
  return list
end

describe("the labels of a direction", function()
  it("are HubSpot's own types, of which the unlabeled one has no label", function()
    assert.same({ "HUBSPOT_DEFINED 1 Primary", "HUBSPOT_DEFINED 279 -", "HUBSPOT_DEFINED 931 Billing" },
      labels(new(), "contacts", "companies"))
    assert.same({
      "HUBSPOT_DEFINED 13 Child Company", "HUBSPOT_DEFINED 14 Parent Company", "HUBSPOT_DEFINED 450 -",
    }, labels(new(), "companies", "companies"))
  end)

  it("and the account's, each in its direction", function()
    local account = new { labels = {
      ["36"] = {
        label = "Manager", from = "contacts", to = "deals", inverse = 37, inverse_label = "Managed",
      },
      ["5"] = "Anywhere",
    } }
    assert.same({ "HUBSPOT_DEFINED 4 -", "USER_DEFINED 5 Anywhere", "USER_DEFINED 36 Manager" },
      labels(account, "contacts", "deals"))
    assert.same({ "HUBSPOT_DEFINED 3 -", "USER_DEFINED 5 Anywhere", "USER_DEFINED 37 Managed" },
      labels(account, "deals", "contacts"))
  end)

  it("of custom objects are the unlabeled type and the account's", function()
    assert.equal(1, #labels(new(), "2-12", "contacts"))
  end)

  it("are forbidden without a scope to read", function()
    local status, body = call(new { forbidden = true }, "GET", "v4/associations/contacts/deals/labels")
    assert.equal(403, status)
    assert.same({ "crm.objects.contacts.read", "crm.objects.deals.read" },
      body.errors[1].context.requiredGranularScopes)
  end)
end)
