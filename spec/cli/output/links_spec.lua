-- Checks links.lua: links as HubSpot lists them in, rows out. None is lost, and none is taken for another
-- when it is read again.

local command = require "support.command"
local links = require "hubspot.associations.cli.output.links"
local row_writer = require "hubspot.associations.cli.output.row_writer"

-- The rows of a link, without the header.
local function rows_of(link)
  local stream = command.stream()
  local writer = row_writer.open({ output_format = "csv" }, { stdout = stream }, links.COLUMNS)
  assert.is_true(links.write(writer, "101", link))
  writer:finish()
  return (stream.text:gsub("^[^\n]*\n", ""))
end

describe("the rows of a link", function()
  it("are one for each of its types", function()
    assert.are.equal("101,202,HUBSPOT_DEFINED,279,\n101,202,USER_DEFINED,36,Decision maker\n", rows_of {
      toObjectId = "202", associationTypes = {
        { category = "HUBSPOT_DEFINED", typeId = 279 },
        { category = "USER_DEFINED", typeId = 36, label = "Decision maker" },
      },
    })
  end)

  it("are one row that cannot be read again, where HubSpot gave no types that make sense", function()
    for _, types in ipairs { {}, { {} }, "36", { 36 } } do
      assert.are.equal("101,202,?,,\n", rows_of { toObjectId = "202", associationTypes = types })
    end
    assert.are.equal("101,202,?,,\n", rows_of { toObjectId = "202" })
  end)

  it("have no type of an unknown category, which would be read as HubSpot's own", function()
    for _, category in ipairs { "", " ", "user defined", 7, false } do
      local entry = { category = category or nil, typeId = 36 }
      assert.are.equal("101,202,?,36,\n", rows_of { toObjectId = "202", associationTypes = { entry } })
    end
  end)
end)
