-- Checks file_kind.lua, and lines.lua, which asks it: first bytes in, a word on what the file is out.

local file_kind = require "hubspot.associations.cli.input.file_kind"
local lines = require "hubspot.associations.cli.input.lines"

local BYTE_ORDER_MARK = "\239\187\191"

-- A text of ASCII in an encoding of `width` bytes a character.
local function wide(text, width, is_big_endian)
  local zeros = ("\0"):rep(width - 1)
  return (text:gsub(".", is_big_endian and zeros .. "%0" or "%0" .. zeros))
end

local function problem(text)
  local handle = { read = function() return text end }
  local opened, why = lines.open(handle)
  assert.are.same({ why = file_kind.problem(text) }, { why = why })
  assert.are.equal(why == nil, opened ~= nil)
  return why
end

describe("a file", function()
  local REFUSED = {
    { "in UTF-16", "\255\254" .. wide("from,to\n", 2), "is UTF-16" },
    { "in UTF-16, big endian", "\254\255" .. wide("from,to\n", 2, true), "is UTF-16" },
    { "in UTF-16 without a mark", wide("from,to\r\n1,2\r\n", 2), "is UTF-16 or UTF-32" },
    { "in UTF-16, big endian, without a mark", wide("1,2\n", 2, true), "is UTF-16 or UTF-32" },
    { "in UTF-16 with few letters of ASCII", "\38\4\53\4\59\0;\0" .. wide("1;2\n", 2), "is UTF-16 or" },
    { "in UTF-32", "\255\254\0\0" .. wide("from,to\n", 4), "is UTF-32" },
    { "in UTF-32, big endian", "\0\0\254\255" .. wide("from,to\n", 4, true), "is UTF-32" },
    { "in UTF-32 without a mark", wide("from,to\n", 4), "is UTF-16 or UTF-32" },
    { "of NUL bytes", ("\0"):rep(100), "no text at all" },
    { "with two byte order marks", BYTE_ORDER_MARK:rep(2) .. "from,to\n", "two byte order marks" },
    { "that gzip made", "\31\139\8\0\0\0\0\0", "compressed (gzip); unpack it first" },
    { "that xz made", "\253\55zXZ\0\0", "compressed (xz); unpack" },
    { "that zstd made", "\40\181\47\253\4", "compressed (zstd); unpack" },
    { "that bzip2 made", "BZh91AY&SY\1", "compressed (bzip2); unpack" },
    { "that 7-Zip made", "7z\188\175\39\28\0", "7z archive; unpack" },
    { "that is a workbook", "PK\3\4\20\0\6\0", "workbook (.xlsx, .ods) or another ZIP archive; save" },
    { "that is an old workbook", "\208\207\17\224\161\177\26\225\0", "old Excel workbook" },
    { "that is a PDF", "%PDF-1.7\n", "PDF" },
    { "that is RTF", "{\\rtf1\\ansi", "RTF" },
    { "that is Parquet", "PAR1\21\4", "Parquet" },
    { "that is a database", "SQLite format 3\0\16\0", "SQLite" },
    { "that is a page", "\r\n<!DOCTYPE html>\n<html>", "HTML" },
    { "that is a table of a page", '<table border="1">\n', "HTML" },
    { "that is XML", '<?xml version="1.0"?>\n', "XML" },
    { "with lines as on an old Mac", "from,to\r101,202\r102,203\r", "carriage returns alone" },
    { "with such lines of JSON", '{"from":1}\r{"from":2}', "carriage returns alone" },
  }
  for _, case in ipairs(REFUSED) do
    it("is refused with a word on what it is: one " .. case[1], function()
      assert.truthy((problem(case[2]) or "none"):find(case[3], 1, true), problem(case[2]))
    end)
  end

  local READ = {
    { "that is empty", "" },
    { "in ASCII", "from,to\n1,2\n" },
    { "in UTF-8 with a mark", BYTE_ORDER_MARK .. "from,to\n" },
    { "in another encoding of bytes", "n\228m\233,from,to\n" },
    { "with a NUL byte somewhere", "from,to,name\n101,202,A\0da\n" },
    { "with a few carriage returns too many", "from,to\r\r\n101,202\r\r\n" },
    { "of one line that ends with a carriage return", "101,202\r" },
    { "with a carriage return inside a line", "from,to,name\n101,202,\"a\rb\"\n" },
    { "that names a page", "from,to,page\n1,2,<html>\n" },
    { "that begins as a magic number does, and goes on otherwise", "PKW,from,to\n" },
  }
  for _, case in ipairs(READ) do
    it("is read: one " .. case[1], function()
      assert.are.same({}, { problem(case[2]) })
    end)
  end
end)
