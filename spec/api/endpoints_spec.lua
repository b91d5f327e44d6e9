-- Checks that each row of endpoints.lua is complete: its parts are known to the code that reads them, and the
-- methods are declared. Paths are spelled out in spec/client/endpoints_spec.lua.

local checkout = require "support.checkout"
local core = require "hubspot.associations.core"
local endpoints = require "hubspot.associations.api.endpoints"
local responses = require "hubspot.associations.api.response"

-- The methods that are bound to a row.
local function methods_of(name, row)
  return row.most and { name, name .. "_all" } or { name }
end

describe("the table of endpoints", function()
  it("names shapes that the C core has, and readers that there are", function()
    for name, row in pairs(endpoints) do
      if row.shape then core.body { shape = row.shape, result = row.result } end -- raises where it is unknown
      local raw = { status = 200, headers = {}, date = 0, body = '{"results":[]}' }
      assert.is_table(responses.read(raw, row.response), name)
    end
  end)

  it("gives jobs what they need", function()
    for name, row in pairs(endpoints) do
      if row.most then assert.is_string(row.outcome, name) end
    end
  end)

  it("has methods that client.lua declares", function()
    local client = checkout.read "lua/hubspot/associations/client.lua"
    for name, row in pairs(endpoints) do
      for _, method in ipairs(methods_of(name, row)) do
        assert.truthy(client:find("---@field " .. method .. " fun(", 1, true), "a ---@field " .. method)
      end
    end
  end)
end)
