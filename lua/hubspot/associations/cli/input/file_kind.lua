-- Recognizes, by its first bytes, a file that is not UTF-8 text with lines, and says what it is, so that its
-- user can export or convert it. Reads nothing itself.

local file_kind = {}

local EXPORT = "; save or export it as CSV in UTF-8"
local UNPACK = "; unpack it first"

local BYTE_ORDER_MARK = "\239\187\191"

-- Kinds of files by their first bytes. The first match counts: a longer beginning comes before a shorter one.
local BEGINNINGS = {
  { "\255\254\0\0", "is UTF-32; expected UTF-8" .. EXPORT },
  { "\0\0\254\255", "is UTF-32; expected UTF-8" .. EXPORT },
  { "\255\254", "is UTF-16; expected UTF-8" .. EXPORT },
  { "\254\255", "is UTF-16; expected UTF-8" .. EXPORT },
  { "\31\139", "is compressed (gzip)" .. UNPACK .. ", or give `zcat FILE | ... -`" },
  { "\253\55zXZ\0", "is compressed (xz)" .. UNPACK },
  { "\40\181\47\253", "is compressed (zstd)" .. UNPACK },
  { "BZh91AY&SY", "is compressed (bzip2)" .. UNPACK },
  { "7z\188\175\39\28", "is a 7z archive" .. UNPACK },
  { "PK\3\4", "is a workbook (.xlsx, .ods) or another ZIP archive" .. EXPORT .. ", or unpack it" },
  { "\208\207\17\224\161\177\26\225", "is an old Excel workbook (.xls)" .. EXPORT },
  { "%PDF-", "is a PDF" .. EXPORT },
  { "{\\rtf", "is RTF" .. EXPORT },
  { "PAR1", "is Parquet" .. EXPORT },
  { "SQLite format 3\0", "is an SQLite database" .. EXPORT },
}

-- Web pages, by patterns: some programs export one under the name of a workbook or of a CSV file.
local PAGE = "is HTML or XML" .. EXPORT
local PAGES = {
  "^[ \t-\r]*<![dD][oO][cC]", "^[ \t-\r]*<[hH][tT][mM][lL]", "^[ \t-\r]*<[tT][aA][bB][lL][eE]",
  "^[ \t-\r]*<[mM][eE][tT][aA]", "^[ \t-\r]*<%?xml",
}

local SAMPLE = 4096

-- Whether every digit, separator and line end has a NUL byte beside it, as in UTF-16 and UTF-32.
local function is_wide(text)
  local sample = text:sub(1, SAMPLE)
  local _, count = sample:gsub("%z", "")
  return count * 5 > #sample
end

local function is_page(text)
  for _, page in ipairs(PAGES) do
    if text:find(page) then return true end
  end
  return false
end

---Why a file cannot be read as lines of UTF-8; nil when it can.
---@param text string its first bytes, as many as are at hand
---@return string|nil message
function file_kind.problem(text)
  for _, kind in ipairs(BEGINNINGS) do
    if text:sub(1, #kind[1]) == kind[1] then return kind[2] end
  end
  if text:sub(1, 2 * #BYTE_ORDER_MARK) == BYTE_ORDER_MARK:rep(2) then
    return "begins with two byte order marks, as if it had been converted twice" .. EXPORT
  end
  if is_wide(text) then return "is UTF-16 or UTF-32, or no text at all; expected UTF-8" .. EXPORT end
  if is_page(text) then return PAGE end
  if not text:find("\n", 1, true) and text:find "\r[^\r]" then
    return "has lines that end with carriage returns alone (old Mac); convert it: tr '\\r' '\\n' <FILE"
  end
end

---Text without the byte order mark that it may begin with.
---@param text string
---@return string
function file_kind.without_mark(text)
  return text:sub(1, #BYTE_ORDER_MARK) == BYTE_ORDER_MARK and text:sub(#BYTE_ORDER_MARK + 1) or text
end

return file_kind
