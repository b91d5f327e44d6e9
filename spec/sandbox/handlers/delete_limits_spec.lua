-- The response to POST …/definitions/configurations/…/batch/purge.

local fixture = require "support.sandbox_account"

local new, call = fixture.new, fixture.call

local FOLDER = "associations/definitions/configurations/contacts/companies/batch/"

describe("batch purge of limits", function()
  local account

  before_each(function()
    account = new()
    local limit = { category = "HUBSPOT_DEFINED", typeId = 1, maxToObjectIds = 5 }
    call(account, "POST", "v4/" .. FOLDER .. "create", { inputs = { limit } })
  end)

  local function count()
    return #select(2, call(account, "GET", "v4/associations/definitions/configurations/all")).results
  end

  local function inputs(id)
    return { inputs = { { category = "HUBSPOT_DEFINED", typeId = id } } }
  end

  it("removes limits: a 204 in v4, a batch in a dated version", function()
    assert.equal(1, count())
    local status, body = call(account, "POST", "v4/" .. FOLDER .. "purge", inputs(1))
    assert.same({ 204, "", 0 }, { status, body, count() })
    local dated = FOLDER:gsub("associations/", "associations/2026-03/", 1) .. "purge"
    status, body = call(account, "POST", dated, inputs(1))
    assert.same({ 200, "COMPLETE", {} }, { status, body.status, body.results })
  end)

  it("leaves other limits, and names a type that does not exist", function()
    call(account, "POST", "v4/" .. FOLDER .. "purge", inputs(279))
    assert.equal(1, count())
    local status, body = call(account, "POST", "v4/" .. FOLDER .. "purge", inputs(5))
    assert.same({ 207, "CANCELED" }, { status, body.status })
  end)
end)
