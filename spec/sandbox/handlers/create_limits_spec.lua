-- The responses to POST …/definitions/configurations/…/batch/create and batch/update, which mean the same.

local cjson = require "cjson"
local fixture = require "support.sandbox_account"

local new, call = fixture.new, fixture.call

local PATH = "v4/associations/definitions/configurations/contacts/companies/batch/"

local function limit(id, most)
  return { category = "HUBSPOT_DEFINED", typeId = id, maxToObjectIds = most }
end

for name, success in pairs { create = 201, update = 200 } do
  describe(("batch %s of limits"):format(name), function()
    local path = PATH .. name

    it("sets each limit, and replaces the one before", function()
      local account = new()
      local status, body = call(account, "POST", path, { inputs = { limit(1, 5), limit(279, 10) } })
      assert.equal(success, status)
      assert.same({
        { category = "HUBSPOT_DEFINED", typeId = 1, userEnforcedMaxToObjectIds = 5, label = "Primary" },
        { category = "HUBSPOT_DEFINED", typeId = 279, userEnforcedMaxToObjectIds = 10, label = cjson.null },
      }, body.results)
      call(account, "POST", path, { inputs = { limit(1, 6) } })
      local _, all = call(account, "GET", "v4/associations/definitions/configurations/all")
      assert.same({ 6, 10 }, {
        all.results[1].userEnforcedMaxToObjectIds, all.results[2].userEnforcedMaxToObjectIds,
      })
    end)

    it("names a type that does not exist in the direction, and is CANCELED when none does", function()
      local status, body = call(new(), "POST", path, { inputs = { limit(5, 1), limit(1, 1) } })
      assert.same({ 207, "COMPLETE", 1, 1 }, { status, body.status, body.numErrors, #body.results })
      assert.same({
        status = "error", category = "VALIDATION_ERROR",
        subCategory = "crm.associations.INVALID_ASSOCIATION_TYPE",
        message = "0-5 is not a valid association type between CONTACT and COMPANY",
        context = { type = { "0-5" }, fromObjectType = { "CONTACT" }, toObjectType = { "COMPANY" } },
      }, body.errors[1])
      status, body = call(new(), "POST", path, { inputs = { limit(5, 1) } })
      assert.same({ 207, "CANCELED", {} }, { status, body.status, body.results })
    end)

    it("rejects inputs that are not well-formed", function()
      for body, words in pairs {
        ['{"inputs":[]}'] = "at least one object",
        ['{"inputs":[{"category":"HUBSPOT_DEFINED","typeId":1}]}'] = "[maxToObjectIds]",
        ['{"inputs":[{"category":"HUBSPOT_DEFINED","typeId":"1","maxToObjectIds":2}]}'] = 'from String "1"',
      } do
        local status, decoded = call(new(), "POST", path, body)
        assert.equal(400, status)
        assert.truthy(decoded.message:find(words, 1, true), decoded.message)
      end
    end)
  end)
end
