-- Checks that each row of endpoints.lua is complete: its parts are known to the code that reads them, and the
-- method is declared and documented. Paths are spelled out here, so that the table does not test itself.

local checkout = require "support.checkout"
local core = require "hubspot.associations.core"
local endpoints = require "hubspot.associations.api.endpoints"
local names_of = require("support.names").of
local paths = require "hubspot.associations.api.path"
local responses = require "hubspot.associations.api.response"

local VALUES = { fromObjectType = "contacts", toObjectType = "0-2" }

-- Endpoint -> its path in the version 2025-09, and in v4.
local PATHS = {
  create = {
    "/crm/associations/2025-09/contacts/0-2/batch/create",
    "/crm/v4/associations/contacts/0-2/batch/create",
  },
}

-- The methods that are bound to a row.
local function methods_of(name, row)
  return row.most and { name, name .. "_all" } or { name }
end

describe("the table of endpoints", function()
  it("has the documented paths", function()
    assert.same(names_of(PATHS), names_of(endpoints))
    for name, row in pairs(endpoints) do
      local dated, v4 = paths.of(row, "2025-09", VALUES), paths.of(row, "v4", VALUES)
      assert.same(PATHS[name], { dated, v4 })
    end
  end)

  it("names shapes that the C core has, and readers that there are", function()
    for name, row in pairs(endpoints) do
      assert.has_no.errors(function() core.body { shape = row.shape, result = row.result } end)
      local raw = { status = 200, headers = {}, date = 0, body = '{"results":[]}' }
      assert.is_table(responses.read(raw, row.response), name)
    end
  end)

  it("gives jobs what they need", function()
    for name, row in pairs(endpoints) do
      if row.most then assert.is_string(row.outcome, name) end
    end
  end)

  it("has methods that client.lua declares, and the README describes", function()
    local client, readme = checkout.read "lua/hubspot/associations/client.lua", checkout.read "README.md"
    for name, row in pairs(endpoints) do
      for _, method in ipairs(methods_of(name, row)) do
        assert.truthy(client:find("---@field " .. method .. " fun(", 1, true), "a ---@field " .. method)
        assert.truthy(readme:find("client:" .. method .. "(", 1, true), "client:" .. method)
      end
    end
  end)
end)
