-- Checks row_writer.lua: rows in, the text of standard output out.

local command = require "support.command"
local process = require "support.process"
local row_writer = require "hubspot.associations.cli.output.row_writer"

local COLUMNS = { "from", "type", "label" }

local function written(format, rows, journal)
  local stream = command.stream()
  local arguments = { output_format = format, journal = journal }
  local writer = row_writer.open(arguments, { stdout = stream }, COLUMNS)
  for _, row in ipairs(rows) do assert.is_true(writer:add(row)) end
  assert.are.equal(0, writer:finish())
  return stream.text
end

describe("rows", function()
  it("are CSV where nothing else is asked for and there is no terminal", function()
    assert.are.equal("from,type,label\n1,279,\n", written(nil, { { from = "1", type = 279 } }))
    assert.are.equal('from,type,label\n1,2,"a ""b"", c"\n1,2,\'=1\n',
      written("csv", {
        { from = "1", type = 2, label = 'a "b", c' }, { from = "1", type = 2, label = "=1" },
      }))
  end)

  it("that follow others have no header, and no part of a row that was cut short before them", function()
    local folder = process.make_folder()
    local journal = process.write_file(folder .. "/journal", "not empty")
    local more = { { from = "1", type = 279 }, { from = "2", type = 279 } }
    assert.are.equal("\n1,279,\n2,279,\n", written("csv", more, journal))
    assert.are.equal('\n{"from":"1","type":279}\n{"from":"2","type":279}\n', written("jsonl", more, journal))
    assert.are.equal("", written("csv", {}, journal))
    process.remove_folder(folder)
  end)

  it("are JSON Lines, without what they lack", function()
    assert.are.equal('{"from":"1","type":279}\n'
      .. '{"from":"2","type":3,"label":"a\\"\\\\\\u000a\195\188"}\n',
      written("jsonl", { { from = "1", type = 279 }, { from = "2", type = 3, label = 'a"\\\n\195\188' } }))
  end)

  it("are a table whose columns are aligned, and safe to show", function()
    assert.are.equal("from  type  label\n1     279   \195\188ber\n1234  1     a [2Jb\n", written("table", {
      { from = "1", type = 279, label = "\195\188ber" }, { from = "1234", type = 1, label = "a\27[2Jb" },
    }))
    assert.are.equal("from  type  label\n", written("table", {}))
  end)

  it("say so when they cannot be written, and are no more after that", function()
    local writer = row_writer.open({ output_format = "csv" }, { stdout = command.stream { "disk full", 28 } },
      COLUMNS)
    assert.is_false(writer:add { from = "1" })
    local code, why = writer:finish()
    assert.are.same({ 2, "standard output cannot be written: disk full" }, { code, why })
  end)
end)
