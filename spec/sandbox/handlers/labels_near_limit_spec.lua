-- The response to GET …/limits/associations/labels.

local fixture = require "support.sandbox_account"

local call = fixture.call

describe("the report on labels", function()
  it("counts the labels of each direction", function()
    local account = fixture.new { labels = { ["5"] = "Anywhere" } }
    for name, label in pairs { a = "A", b = "B" } do
      call(account, "POST", "v4/associations/contacts/2-12/labels", { name = name, label = label })
    end
    local status, body = call(account, "GET", "v3/limits/associations/labels")
    assert.equal(200, status)
    assert.equal(2, #body.results)
    local one = body.results[1]
    assert.same({ 50, 2, 4, "contacts", "2-12" }, {
      one.limit, one.usage, one.percentage, one.fromObjectType.labels.plural, one.toObjectType.id,
    })
    table.sort(one.allLabels)
    assert.same({ "A", "B" }, one.allLabels)
  end)
end)
