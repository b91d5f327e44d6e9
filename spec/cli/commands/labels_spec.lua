-- Checks the command labels as its users run it: a process of its own, against the sandbox, over real HTTP.

local command = require "support.command"

local fixture = command.fixture()
local run_on = fixture.run_on
local assert_found = command.assert_found

describe("the command labels", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  it("shows the account's types, each with its inverse", function()
    fixture.server:configure { labels = {
      ["36"] = {
        label = "Manager", from = "contacts", to = "companies", inverse = 37, inverse_label = "Managed by",
      },
    } }
    local result = run_on("labels", {})
    assert.are.same({ 0, "" }, { result.code, result.stderr })
    assert_found(result.stdout, "category,type,label,inverse,inverse_label\n")
    assert_found(result.stdout, "\nHUBSPOT_DEFINED,279,,280,\n")
    assert_found(result.stdout, "\nUSER_DEFINED,36,Manager,37,Managed by\n")
  end)

  it("says why it could not run", function()
    local result = run_on("labels", {}, { env = { HUBSPOT_TOKEN = "expired" } })
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "unauthorized: ")
  end)
end)
