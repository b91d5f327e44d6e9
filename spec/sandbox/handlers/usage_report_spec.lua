-- The response to POST …/usage/high-usage-report/{userId}.

local fixture = require "support.sandbox_account"

local call, new = fixture.call, fixture.new

describe("the usage report", function()
  it("is said to be under way", function()
    local status, body = call(new(), "POST", "v4/associations/usage/high-usage-report/987")
    assert.equal(200, status)
    assert.same({
      userId = 987, userEmail = "user-987@sandbox.invalid", enqueueTime = "2001-09-09T01:46:40.250Z",
    }, body)
  end)

  it("is for users, who have numbers", function()
    assert.equal(400, (call(new(), "POST", "associations/2026-09/usage/high-usage-report/me")))
  end)
end)
