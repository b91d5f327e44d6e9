-- Checks path.lua, and the paths of endpoints.lua, spelled out: how values are encoded, and which values are
-- invalid.

local endpoints = require "hubspot.associations.api.endpoints"
local paths = require "hubspot.associations.api.path"
local errors = require "hubspot.associations.errors"

local function create(version, from, to)
  return paths.of(endpoints.create, version, { fromObjectType = from, toObjectType = to })
end

describe("the path", function()
  it("is the documented one", function()
    assert.equal(
      "/crm/associations/2025-09/contacts/companies/batch/create", create("2025-09", "contacts", "companies")
    )
    assert.equal("/crm/associations/2026-03/0-1/2-12345/batch/create", create("2026-03", "0-1", "2-12345"))
    assert.equal("/crm/associations/2026-09/p_pets/deals/batch/create", create("2026-09", "p_pets", "deals"))
  end)

  it("of v4 has the version before the family", function()
    assert.equal("/crm/v4/associations/contacts/companies/batch/create", create("v4", "contacts",
      "companies"))
  end)

  it("keeps characters that need no encoding", function()
    local plain = "AZaz09-._~"
    assert.equal("/crm/associations/x/" .. plain .. "/b/batch/create", create("x", plain, "b"))
  end)

  it("encodes every other byte", function()
    for byte = 32, 255 do
      local char = string.char(byte)
      if byte ~= 127 and not char:find "[%w%-%._~]" then
        local path = create("x", "a" .. char, char .. "b")
        assert.equal(("/crm/associations/x/a%%%02X/%%%02Xb/batch/create"):format(byte, byte), path)
      end
    end
  end)

  it("cannot be changed by a value into another one", function()
    for _, name in ipairs { "a/../b", "../..", "a?b", "a#b", "a\\b", "%2e%2e", "%2F", "a;b",
      "http://evil.com" } do
      local path = create("2025-09", name, "companies")
      local segment = path:match "^/crm/associations/2025%-09/([^/]*)/companies/batch/create$"
      assert.truthy(segment, name)
      assert.is_nil(segment:find "[?#\\;:]", name)
      assert.is_nil(segment:find "^%.%.?$", name)
    end
    assert.equal("/crm/associations/x/%252e%252e/.../batch/create", create("x", "%2e%2e", "..."))
  end)

  it('has no segment that is empty, is "." or "..", or has control characters', function()
    local wrong = { [""] = "empty", ["."] = "must not be", [".."] = "must not be" }
    for _, byte in ipairs { 0, 1, 9, 10, 13, 27, 31, 127 } do
      wrong["a" .. string.char(byte) .. "b"] = "control"
    end
    for name, why in pairs(wrong) do
      local pairs_of_types = { fromObjectType = { name, "companies" }, toObjectType = { "contacts", name } }
      for field, pair in pairs(pairs_of_types) do
        local path, err = create("2025-09", pair[1], pair[2])
        assert.is_nil(path)
        assert.is_true(errors.is(err))
        assert.equal("invalid_input", err.kind)
        assert.equal(field, err.field)
        assert.is_false(err.retryable)
        assert.truthy(err.message:find(why, 1, true), err.message)
        assert.is_nil(tostring(err):find "%c")
      end
    end
  end)
end)
