-- Checks failure.lua and failures_file.lua with rows.lua, which reads the file again: whatever a row was, its
-- line in the file is the same input, or is invalid. Never runs a job: failures_spec does.

local core = require "hubspot.associations.core"
local failure = require "hubspot.associations.cli.output.failure"
local failures_file = require "hubspot.associations.cli.output.failures_file"
local other_columns = require "hubspot.associations.cli.input.other_columns"
local process = require "support.process"
local rows = require "hubspot.associations.cli.input.rows"

-- What may stand in JSON Lines, as an id or as types.
local VALUES = {
  "1", "279", "0", "-0", "-0.0", "1.0", "1.5", "1e3", "1e400", "9007199254740993", "9007199254740993.0",
  "12345678901234567890", "123456789012345678", "12345678901234.5", "279.00000000000006", "2147483648",
  "true", "null", "[]", "{}", "[1]", "[1,2]", '["279"]', '[1,"x"]', '{"id":7}', '{"id":"8"}',
  '{"id":1.5}', '""', '"2"', '"4\\u0001"', '"4\\u00015"', '"9\\u0000"', '"1;2"', '"a,b"', '"\\"q\\""',
  '"é"', '"1.01E+11"', '"36 WORK:4"', '"WORK:5"', '{"associationTypeId":3}',
  '{"associationCategory":"WORK","associationTypeId":3}',
  '[{"associationCategory":"1 WORK","associationTypeId":3}]',
  '"=1+1"', '"+5"', '"-7"', '"@x"', '"\\t5"', '"\\r5"', '" 5"', '"5 "', '"\'5"', '"\'=5"', '"5;=6"',
  '"5\\n=6"',
  '[{"associationCategory":"WORK","associationTypeId":3.0},4]',
}

local function first_row(text, options)
  local function read()
    local piece = text
    text = ""
    return piece ~= "" and piece or nil
  end
  local input, problem = assert(rows.open({ read = read }, options))()
  return input or { line = problem.line, problem = problem }
end

-- What would be sent for an input; nil when it is invalid.
local function sent(input)
  local body = core.body()
  return body:add(input) and body:json() or nil
end

describe("the file of failures", function()
  local folder

  setup(function()
    folder = process.make_folder()
  end)

  teardown(function()
    process.remove_folder(folder)
  end)

  local function written(row)
    local path = folder .. "/failed.csv"
    local file = assert(failures_file.open(path, {}, other_columns.new()))
    assert(file:add(row))
    assert(file:close(true))
    local handle = assert(io.open(path, "rb"))
    local text = handle:read "*a"
    handle:close()
    return text
  end

  -- The options of a first run, and those of runs that read its file.
  local RUNS = {
    { { type = "7" }, { type = "7" }, { type = "9" }, {} },
    { { type = "7", category = "WORK" }, { type = "9" }, { type = "9", category = "OTHER" }, {} },
    { { category = "WORK" }, { category = "OTHER" }, {} },
  }

  -- A row that failed, with these ids.
  local function failed_row(from, to)
    return failure.describe({
      input = { line = 1, problem = { message = "m", row = { from = from, to = to, type = "1" } } },
      outcome = "failed", error = {},
    }, false)
  end

  it("keeps what a spreadsheet would run from it, and is read as the same bad row", function()
    local ids = { "=1+1", "+101", "-101", "@SUM(1)", "\t101", "\r101", "'101", "101 ", "1;=2", "1\n-2" }
    for _, id in ipairs(ids) do
      local text = written(failed_row(id, "202"))
      for cell in (text:match "\n(.*)" .. ","):gmatch '"?([^,"]*)"?,' do
        assert.is_nil(cell:find "^[=+%-@\t\r]", text)
        assert.is_nil(cell:find "[;\t\r\n][=+%-@]", text)
      end
      local row = first_row(text, { type = "1" })
      assert.are.equal(id, row.from or row.problem.row.from)
    end
  end)

  it("says that it is complete only when all of it was written, whenever that failed", function()
    local row = failed_row("1", "2")
    local function opened(path) return assert(failures_file.open(path, {}, other_columns.new())) end
    local function assert_incomplete(file, closed, why)
      assert.are.same({ nil, false }, { closed, file.is_complete })
      assert.are.equal(file.failed, why)
      assert.truthy(why:find("does not list all rows", 1, true), why)
    end

    local file = opened(folder .. "/complete.csv")
    assert.is_false(file.is_complete)
    assert.is_true(file:add(row))
    assert.is_true(file:close(true))
    assert.is_true(file.is_complete)

    file = opened "/dev/full" -- noticed by close: what was written is still in a buffer
    file:add(row)
    assert_incomplete(file, file:close(true))

    file = opened "/dev/full" -- noticed by a write among the rows; by LuaJIT, at close
    for _ = 1, 10000 do file:add(row) end
    assert.is_true(rawget(_G, "jit") ~= nil or file.failed ~= nil)
    assert_incomplete(file, file:close(true))

    local path = folder .. "/gone/failed.csv" -- noticed as it begins
    process.run { "mkdir", folder .. "/gone" }
    file = opened(path)
    process.run { "rm", "-r", folder .. "/gone" }
    assert.is_nil(file:add(row))
    assert_incomplete(file, file:close(true))
  end)

  it("never has another input than the row was: it is the same, or invalid", function()
    for _, from in ipairs(VALUES) do
      for _, types in ipairs(VALUES) do
        local line = ('{"from":%s,"to":5,"types":%s}\n'):format(from, types)
        for _, run in ipairs(RUNS) do
          local input = first_row(line, run[1])
          local failed = { input = input, outcome = "failed", error = {} }
          local text = written(failure.describe(failed, run[1].category ~= nil))
          for again = 2, #run do
            local result = sent(first_row(text, run[again]))
            if result then assert.are.equal(sent(input), result, line) end
          end
        end
      end
    end
  end)
end)
