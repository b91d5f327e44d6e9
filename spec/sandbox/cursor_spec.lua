-- The cursors of pages: base64, percent-encoded.

local cursor = require "hubspot.associations.sandbox.cursor"
local mime = require "mime"

local function decode(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

describe("a cursor", function()
  it("is base64 that ends in an encoded equals sign", function()
    for _, from_id in ipairs { "1", "12", "123", "?>~", "101935997007" } do
      local text = cursor.write("0-2", from_id, 501)
      assert.truthy(text:find "%%3D$", text)
      local plain = mime.unb64(decode(text))
      assert.truthy(plain:find(("0-2-%s-"):format(from_id), 1, true), plain)
      assert.equal(501, tonumber(plain:match "%-(%d+)$"))
    end
  end)

  it("is read as it was given, or decoded once", function()
    for position = 1, 2000, 37 do
      local text = cursor.write("0-2", "101", position)
      assert.equal(position, cursor.read(text, false, "0-2", "101"))
      assert.equal(position, cursor.read(decode(text), true, "0-2", "101"))
      assert.is_nil(cursor.read(text, true, "0-2", "101"))
      assert.is_nil(cursor.read(decode(text), false, "0-2", "101"))
    end
  end)

  it("is not read for another record or object type, nor is what was never given", function()
    local text = cursor.write("0-2", "101", 5)
    assert.is_nil(cursor.read(text, false, "0-2", "102"))
    assert.is_nil(cursor.read(text, false, "0-3", "101"))
    for _, made_up in ipairs { "", "5", "MC0yLTc1MDI%3D", "====", "%3D%3D%3D%3D", "MC0y\0" } do
      assert.is_nil(cursor.read(made_up, false, "0-2", "101"), made_up)
    end
  end)
end)
