-- Checks what request.lua makes of arguments that are no text. (Every path and body: client/endpoints_spec.)

local endpoints = require "hubspot.associations.api.endpoints"
local requests = require "hubspot.associations.api.request"

local OPTIONS = { version = "v4", check_ids = true, check_types = true }
local PAIR = { fromObjectType = "contacts", toObjectType = "companies" }

describe("a request", function()
  local function body_of(name, fields)
    local request, err = requests.of(endpoints[name], OPTIONS, { values = PAIR, last = fields })
    return request and request.body, err
  end

  it("has all digits of a number, or none is sent", function()
    local fields = { associationTypeId = 1234567890123456, label = "A" }
    assert.equal('{"associationTypeId":1234567890123456,"label":"A"}', body_of("update_label", fields))
    for _, wrong in ipairs { 1.5, -1, 0, 2 ^ 60, 0 / 0, math.huge, true } do
      local body, err = body_of("update_label", { associationTypeId = wrong, label = "A" })
      assert.is_nil(body)
      assert.equal("associationTypeId", err.field)
    end
  end)

  it("has the fields of a proxy", function()
    local proxy = setmetatable({}, { __index = { name = "a", label = "A", inverseLabel = "B" } })
    assert.equal('{"inverseLabel":"B","label":"A","name":"a"}', body_of("create_label", proxy))
    local _, err = body_of("create_label", setmetatable({}, { __index = { name = "a" } }))
    assert.equal("label", err.field)
  end)

  it("has whole numbers in its query", function()
    local values = { fromObjectType = "contacts", fromObjectId = 5, toObjectType = "companies" }
    local path = requests.path(endpoints.list, OPTIONS, { values = values, options = { limit = 1e2 * 5 } })
    assert.equal("/crm/v4/objects/contacts/5/associations/companies?limit=500", path)
  end)
end)
