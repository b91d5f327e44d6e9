-- Checks csv.lua, and lines.lua below it: bytes in, records and line numbers out.
-- Never checks what columns mean: rows_spec does.

local csv = require "hubspot.associations.cli.csv"
local lines = require "hubspot.associations.cli.lines"

-- A handle that gives its bytes in pieces of `size`, whatever it is asked for.
local function handle_of(text, size)
  return {
    read = function(_, count)
      if text == "" then return nil end
      local piece = text:sub(1, math.min(size or count, count))
      text = text:sub(#piece + 1)
      return piece
    end,
  }
end

local function reader_of(text, size)
  return csv.reader(assert(lines.open(handle_of(text, size))))
end

-- All records, each with its line in `line`; and the problems among them.
local function read(text, size)
  local next_record, records, problems = reader_of(text, size), {}, {}
  while true do
    local fields, line = next_record()
    if fields then
      fields.line = line
      records[#records + 1] = fields
    elseif line then
      problems[#problems + 1] = line
      if line.fatal then break end
    else
      break
    end
  end
  return records, problems
end

describe("CSV", function()
  local EXAMPLES = {
    { "plain fields", "a,b\nc,d\n", { { "a", "b", line = 1 }, { "c", "d", line = 2 } } },
    { "a last line without its newline", "a,b\nc,d", { { "a", "b", line = 1 }, { "c", "d", line = 2 } } },
    { "CRLF", "a,b\r\nc,d\r\n", { { "a", "b", line = 1 }, { "c", "d", line = 2 } } },
    { "a byte order mark", "\239\187\191a,b\n", { { "a", "b", line = 1 } } },
    { "empty fields", ",a,\n", { { "", "a", "", line = 1 } } },
    { "spaces, which belong to a field", " a , b\n", { { " a ", " b", line = 1 } } },
    { "quoted fields", '"a","b"\r\n"c",d\n', { { "a", "b", line = 1 }, { "c", "d", line = 2 } } },
    { "quoted empty fields", '"",""\n', { { "", "", line = 1 } } },
    { "commas and doubled quotes in quotes", '"a,b","c""d"""\n', { { "a,b", 'c"d"', line = 1 } } },
    { "newlines in quotes",
      '"a\r\nb\n",c\nd,e\n', { { "a\r\nb\n", "c", line = 1 }, { "d", "e", line = 4 } } },
    { "blank lines, which it passes over", "\n\r\na,b\n\n\nc,d\n\n",
      { { "a", "b", line = 3 }, { "c", "d", line = 6 } } },
    { "fields with semicolons between", 'a;"b;c";d,e\r\nf;g\r\n',
      { { "a", "b;c", "d,e", line = 1 }, { "f", "g", line = 2 } } },
    { "fields with tabs between", '"a"\tb,c\n"d"\te;f\n',
      { { "a", "b,c", line = 1 }, { "d", "e;f", line = 2 } } },
    { "separators that are none, behind the first", '"x,;\t",a;b\nc,d\n',
      { { "x,;\t", "a;b", line = 1 }, { "c", "d", line = 2 } } },
    { "a first record of one field, behind which commas separate", "a\nb;c,d\n",
      { { "a", line = 1 }, { "b;c", "d", line = 2 } } },
    { "NUL bytes", "a\0b,c\n", { { "a\0b", "c", line = 1 } } },
    { "nothing", "", {} },
    { "nothing but blank lines", "\n\r\n", {} },
  }

  for _, example in ipairs(EXAMPLES) do
    it("reads " .. example[1], function()
      local records, problems = read(example[2])
      assert.are.same(example[3], records)
      assert.are.same({}, problems)
    end)

    it("reads " .. example[1] .. ", byte by byte", function()
      if #example[2] < 3 then return end
      local text = example[2]:gsub("^\239\187\191", "") -- the mark is looked for in the first piece
      assert.are.same(example[3], (read(text, 1)))
    end)
  end

  local REFUSALS = {
    { "a quote inside a plain field", 'a,b"c\nd,e\n', 1, 2, "has a quote inside" },
    { "text behind a closing quote", 'x,y\n"a"b,c\nd,e\n', 2, 1, "behind its closing quote" },
    { "lines that end with a carriage return alone", "a,b\rc,d\nd,e\n", 1, 2, "carriage return" },
  }

  for _, refusal in ipairs(REFUSALS) do
    it("refuses " .. refusal[1] .. ", and reads on behind it", function()
      local records, problems = read(refusal[2])
      assert.are.equal(1, #problems)
      assert.are.equal(refusal[3], problems[1].line)
      assert.are.equal(refusal[4], problems[1].column)
      assert.truthy(problems[1].message:find(refusal[5], 1, true))
      assert.are.same({ "d", "e" }, { records[#records][1], records[#records][2] })
    end)
  end

  it("names the line where a quote was opened that is never closed, and ends", function()
    local records, problems = read('a,b\nc,"d\ne,f\n')
    assert.are.equal(1, #records)
    assert.are.equal(2, problems[1].line)
    assert.is_true(problems[1].fatal)
    assert.truthy(problems[1].message:find("never closed", 1, true))
  end)

  it("keeps a quote that is never closed from filling the memory", function()
    local _, problems = read('"' .. ("a\n"):rep(2 * 1024 * 1024))
    assert.is_true(problems[1].fatal)
    assert.truthy(problems[1].message:find("longer than", 1, true))
  end)

  it("keeps a file without line ends from filling the memory", function()
    local _, problems = read(("a"):rep(2 * 1024 * 1024))
    assert.is_true(problems[1].fatal)
    assert.truthy(problems[1].message:find("line 1 is longer than", 1, true))
  end)

  it("reads no more than it has to", function()
    local asked = 0
    local handle = { read = function() asked = asked + 1 return "a,b\n" end }
    local next_record = csv.reader(assert(lines.open(handle)))
    for _ = 1, 100 do next_record() end
    assert.is_true(asked <= 101)
  end)

  it("refuses UTF-16, as spreadsheets may write it", function()
    local opened, why = lines.open(handle_of "\255\254a\0,\0b\0")
    assert.is_nil(opened)
    assert.truthy(why:find("UTF-16", 1, true))
  end)

  it("says why a handle cannot be read, at the beginning and later", function()
    local opened, why = lines.open { read = function() return nil, "Is a directory" end }
    assert.is_nil(opened)
    assert.are.equal("Is a directory", why)

    local pieces = { "a,b\nc" }
    local handle = { read = function() return table.remove(pieces), "Input/output error" end }
    local next_record = csv.reader(assert(lines.open(handle)))
    assert.are.same({ "a", "b" }, (next_record()))
    local fields, problem = next_record()
    assert.is_nil(fields)
    assert.are.same({ message = "Input/output error", fatal = true }, problem)
  end)

  it("reads back what it is given, for random fields", function()
    local PIECES = { "a", ",", '"', "\n", "\r\n", " ", "\0", "é", "" }
    local expected, text = {}, {}
    for line = 1, 500 do
      local fields, written = {}, {}
      for column = 1, math.random(1, 4) do
        local parts = {}
        for part = 1, math.random(0, 5) do parts[part] = PIECES[math.random(#PIECES)] end
        fields[column] = table.concat(parts)
        written[column] = '"' .. fields[column]:gsub('"', '""') .. '"'
      end
      expected[line], text[line] = fields, table.concat(written, ",") .. "\n"
    end
    local records, problems = read(table.concat(text), math.random(1, 7))
    assert.are.same({}, problems)
    for _, record in ipairs(records) do record.line = nil end
    assert.are.same(expected, records)
  end)
end)
