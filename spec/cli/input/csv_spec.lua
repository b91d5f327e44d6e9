-- Checks csv.lua, and lines.lua below it: bytes in, records and line numbers out.
-- Never checks what columns mean: rows_spec does.

local csv = require "hubspot.associations.cli.input.csv"
local lines = require "hubspot.associations.cli.input.lines"

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

-- Of a first record, nothing makes sense: then fields are separated by what makes the most of them.
local function never_fits()
  return false
end

local function reader_of(text, size, fits)
  return csv.reader(assert(lines.open(handle_of(text, size))), fits or never_fits)
end

-- All records, each with its line in `line`; and the problems among them.
local function read(text, size, fits)
  local next_record, records, problems = reader_of(text, size, fits), {}, {}
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
    { "quoted empty fields", '"",a,""\n', { { "", "a", "", line = 1 } } },
    { "commas and doubled quotes in quotes", '"a,b","c""d"""\n', { { "a,b", 'c"d"', line = 1 } } },
    { "newlines in quotes",
      '"a\r\nb\n",c\nd,e\n', { { "a\r\nb\n", "c", line = 1 }, { "d", "e", line = 4 } } },
    { "blank lines, which it skips", "\n\r\na,b\n\n\nc,d\n\n",
      { { "a", "b", line = 3 }, { "c", "d", line = 6 } } },
    { "fields with semicolons between", 'a;"b;c";d,e\r\nf;g\r\n',
      { { "a", "b;c", "d,e", line = 1 }, { "f", "g", line = 2 } } },
    { "fields with tabs between", '"a"\tb,c\n"d"\te;f\n',
      { { "a", "b,c", line = 1 }, { "d", "e;f", line = 2 } } },
    { "separators that are none, behind the first", '"x,;\t",a;b\nc,d\n',
      { { "x,;\t", "a;b", line = 1 }, { "c", "d", line = 2 } } },
    { "a first record of one field, behind which commas separate", "a\nb;c,d\n",
      { { "a", line = 1 }, { "b;c", "d", line = 2 } } },
    { "NUL bytes", "a\0b,cd\n", { { "a\0b", "cd", line = 1 } } },
    { "carriage returns at a line's end, however many", "a,b\r\r\nc,\"d\"\r\r\n",
      { { "a", "b", line = 1 }, { "c", "d", line = 2 } } },
    { "records of empty fields, which it skips", ';;\n"";" ";\na;b\n;;\n \n\t;\r\nc;d\n',
      { { "a", "b", line = 3 }, { "c", "d", line = 7 } } },
    { "a record of empty fields with newlines in quotes, which it skips", 'a,b\n"\n\n", \nc,d\n',
      { { "a", "b", line = 1 }, { "c", "d", line = 5 } } },
    { "a field that is one quote", '""""\na\n', { { '"', line = 1 }, { "a", line = 2 } } },
    { "nothing", "", {} },
    { "nothing but blank lines", "\n\r\n,,\n", {} },
    { "a first line that declares the separator", "sep=;\r\na,b;c\n", { { "a,b", "c", line = 2 } } },
    { "a declared separator in quotes, a tab", '"SEP=\t"\na,b\tc\n', { { "a,b", "c", line = 2 } } },
    { "a declared separator that is never detected", "sep=|\na,b|c\n", { { "a,b", "c", line = 2 } } },
    { "a declaration elsewhere as a record", "a;b\nsep=,\n",
      { { "a", "b", line = 1 }, { "sep=,", line = 2 } } },
    { "a separator inside quotes as none", '"a,b,c";d\n', { { "a,b,c", "d", line = 1 } } },
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

  local FLAWED = {
    { "a quote inside a plain field", 'a,b"c\nd,e\n', 1, 2, "has a quote inside" },
    { "text behind a closing quote", 'x,y\n"a"b,c\nd,e\n', 2, 1, "behind its closing quote" },
    { "lines that end with a carriage return alone", "a,b\rc,d\nd,e\n", 1, 2, "carriage return" },
  }

  for _, case in ipairs(FLAWED) do
    it("finds a problem in " .. case[1] .. ", and reads on after it", function()
      local records, problems = read(case[2])
      assert.are.equal(1, #problems)
      assert.are.equal(case[3], problems[1].line)
      assert.are.equal(case[4], problems[1].column)
      assert.truthy(problems[1].message:find(case[5], 1, true))
      assert.are.same({ "d", "e" }, { records[#records][1], records[#records][2] })
    end)
  end

  -- What it reads of a text: "line" of each record, "line!" of each that is broken.
  local function outline(text, size)
    local next_record, list = reader_of(text, size), {}
    while true do
      local fields, line = next_record()
      if not line then return table.concat(list, " ") end
      list[#list + 1] = fields and tostring(line) or line.line .. "!"
    end
  end

  local BROKEN = {
    { "that is never closed", 'a,b\nc,"d\ne,f\n\ng,h', "1 2! 3 5" },
    { "that is closed in the midst of a later line", 'a,b\nc,"d\ne,"f"\ng,h\n', "1 2! 3 4" },
    { "that is closed in the midst of the next line", 'a,b\n"c\nd,e"x\nf,g\n', "1 2! 3! 4" },
    { "that every line opens", '"a\n"b\n"c\n', "1! 2! 3!" },
    { "after one that spans lines", 'a,b\n"c\nd","e\nf,"g"\nh,i\n', "1 2! 3! 4 5" },
    { "in a record that spans lines", 'a,b\n"c\nd",e"f\ng,h\n', "1 2! 3! 4" },
    { "after an empty field in quotes", 'a,b\nc,"",\"d\n""\ne,f\n', "1 2! 4" },
    { "in the last line, without a newline", 'a,b\nc,"', "1 2!" },
  }
  for _, case in ipairs(BROKEN) do
    it("goes on at the second line of a record with a quote " .. case[1], function()
      assert.are.equal(case[3], outline(case[2]))
      assert.are.equal(case[3], outline(case[2], 1))
    end)
  end

  it("names the line and the field where a quote was opened that is never closed", function()
    local _, problems = read('a,b\nc,"d\ne,f\n')
    assert.are.same({ line = 2, column = 2, message = "its quote is never closed", fields = { "c" } },
      problems[1])
  end)

  it("keeps a quote that is never closed from filling the memory, and reads the lines after it", function()
    local line = ("a"):rep(1023) .. "\n"
    local records, problems = read('x\n"' .. line:rep(2 * 1024))
    assert.are.equal(1, #problems)
    assert.truthy(problems[1].message:find("not closed within", 1, true))
    assert.are.equal(2 * 1024, #records)
    assert.are.equal(2 * 1024 + 1, records[#records].line)
  end)

  it("keeps a record that goes on in ever new fields from filling the memory", function()
    local line = '",' .. ("b"):rep(1019) .. ',"\n'
    local records, problems = read('x\n"a\n' .. line:rep(2 * 1024))
    assert.are.equal(1, #problems)
    assert.are.equal(2 * 1024 + 1, #records)
  end)

  it("skips a line that is too long, whatever its length, and reads on after it", function()
    for _, size in ipairs { 1024 * 1024 + 1, 3 * 1024 * 1024 } do
      local records, problems = read("a,b\n" .. ("x"):rep(size) .. '"\nc,d\n')
      assert.are.same({ { "a", "b", line = 1 }, { "c", "d", line = 3 } }, records)
      assert.are.same({ { line = 2, message = "is longer than 1048576 bytes" } }, problems)
    end
  end)

  it("reads a line that is as long as it may be", function()
    local records, problems = read("a\n" .. ("x"):rep(1024 * 1024) .. "\nb\n")
    assert.are.same({ 3, 0 }, { #records, #problems })
  end)

  it("skips a line that is too long inside a quote, once", function()
    assert.are.equal("1 2! 3! 4", outline('a,b\n"c\n' .. ("x"):rep(1024 * 1024 + 1) .. "\nd,e\n"))
    assert.are.equal("1 2! 3!", outline('a,b\n"c\n' .. ("x"):rep(1024 * 1024 + 1)))
  end)

  it("ends at a file without line ends", function()
    local records, problems = read(("a"):rep(2 * 1024 * 1024))
    assert.are.same({ 0, 1, 1 }, { #records, #problems, problems[1].line })
  end)

  it("reads a hostile file in a time that grows as its length", function()
    -- Work is counted as bytes that are asked for again would be: by the calls for a next line.
    for _, line in ipairs { '"a\n', 'a,"b\n', '",b,"\n', 'a,"\n', '"a"",\n' } do
      local taken, text = 0, '"a\n' .. line:rep(20000)
      local source = assert(lines.open(handle_of(text)))
      local counting = setmetatable({
        next = function() taken = taken + 1 return source:next() end,
        more = function(_, most) taken = taken + 1 return source:more(most) end,
      }, { __index = function(_, name) return function() return source[name](source) end end })
      local next_record, rows = csv.reader(counting, never_fits), 0
      repeat
        local fields, ended = next_record()
        rows = rows + 1
      until not fields and not ended
      assert.is_true(taken <= 6 * 20000, ("%q: %d lines taken"):format(line, taken))
      assert.is_true(rows > 9000)
    end
  end)

  it("separates a first record by what makes sense of it", function()
    local function is_pair(fields)
      return fields[1] == "from" and fields[2] == "to"
    end
    assert.are.same({ { "from", "to", "a,b,c,d", line = 2 } }, (read("\nfrom;to;a,b,c,d\n", nil, is_pair)))
    assert.are.same({ { "from", "to", "a;b;c;d", line = 1 } }, (read("from,to,a;b;c;d\n", nil, is_pair)))
    assert.are.same({ { "from", "to", "a\n;b", line = 1 } }, (read('from\tto\t"a\n;b"\n', nil, is_pair)))
  end)

  it("refuses a first record that makes sense in two ways, and asks which is meant", function()
    local records, problems = read("from,x;from,y\n1,2;3\n", nil, function(fields)
      return fields[1]:find "^from" and #fields > 1
    end)
    assert.are.same({}, records)
    assert.is_true(problems[1].fatal)
    local advice = "by commas or by semicolons; say which by a first line such as sep=;"
    assert.truthy(problems[1].message:find(advice, 1, true), problems[1].message)
  end)

  it("reads no more than it has to", function()
    local asked = 0
    local handle = { read = function() asked = asked + 1 return "a,b\n" end }
    local next_record = csv.reader(assert(lines.open(handle)), never_fits)
    for _ = 1, 100 do next_record() end
    assert.is_true(asked <= 101)
  end)

  it("says why a handle cannot be read, at the beginning and later", function()
    local opened, why = lines.open { read = function() return nil, "Is a directory" end }
    assert.is_nil(opened)
    assert.are.equal("Is a directory", why)

    local pieces = { "a,b\nc" }
    local handle = { read = function() return table.remove(pieces), "Input/output error" end }
    local next_record = csv.reader(assert(lines.open(handle)), never_fits)
    assert.are.same({ "a", "b" }, (next_record()))
    local fields, problem = next_record()
    assert.is_nil(fields)
    assert.are.same({ message = "Input/output error", fatal = true }, problem)
  end)

  it("reads back what it is given, for random fields", function()
    local PIECES = { "a", ",", '"', "\n", "\r\n", " ", "\0", "é", "" }
    local expected, text = { { "first" } }, { "first\n" } -- without a NUL: more of them would be no text
    for line = 2, 500 do
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
    local kept = {} -- those that are not skipped
    for _, fields in ipairs(expected) do
      if table.concat(fields):find "[^ \r\n]" then kept[#kept + 1] = fields end
    end
    assert.are.same(kept, records)
  end)
end)
