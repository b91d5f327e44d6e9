-- Text from elsewhere (a server, a file, a caller's error) as one line that is safe to print.

-- Ranges of code points that are invisible, or change how others are shown, so that a reader sees another
-- text than there is. In ascending order. They have Unicode's properties Default_Ignorable_Code_Point or
-- Bidi_Control, or are line separators; reserved code points between them are included.
local HIDDEN = {
  { 0x80, 0x9F }, -- C1 controls: U+009B begins an escape sequence as ESC [ does
  { 0xAD, 0xAD }, -- soft hyphen
  { 0x34F, 0x34F }, -- combining grapheme joiner
  { 0x61C, 0x61C }, -- Arabic letter mark: direction
  { 0x115F, 0x1160 }, -- Hangul fillers: letters without a shape
  { 0x17B4, 0x17B5 }, -- Khmer vowels without a shape
  { 0x180B, 0x180F }, -- Mongolian variation selectors and vowel separator
  { 0x200B, 0x200F }, -- zero-width space, joiners, marks of direction
  { 0x2028, 0x202E }, -- line and paragraph separator; embeddings and overrides of direction
  { 0x2060, 0x206F }, -- word joiner, invisible operators, isolates of direction, deprecated controls
  { 0x3164, 0x3164 }, -- Hangul filler
  { 0xFE00, 0xFE0F }, -- variation selectors
  { 0xFEFF, 0xFEFF }, -- byte order mark
  { 0xFFA0, 0xFFA0 }, -- half-width Hangul filler
  { 0xFFF0, 0xFFFB }, -- reserved; interlinear annotation
  { 0x1BCA0, 0x1BCA3 }, -- shorthand format controls
  { 0x1D173, 0x1D17A }, -- musical format controls
  { 0xE0000, 0xE0FFF }, -- tags, which spell invisible ASCII; more variation selectors
}

local function is_hidden(code)
  for _, range in ipairs(HIDDEN) do
    if code < range[1] then return false end
    if code <= range[2] then return true end
  end
  return false
end

-- The code point that a sequence of bytes begins with in UTF-8, and its length in bytes; nil when it is none.
local function decode(sequence)
  local one, two, three, four = sequence:byte(1, 4)
  if one < 0xC2 or not two then return nil end
  if one < 0xE0 then return (one - 0xC0) * 64 + two - 0x80, 2 end
  if not three then return nil end
  if one < 0xF0 then
    local code = ((one - 0xE0) * 64 + two - 0x80) * 64 + three - 0x80
    local is_valid = code >= 0x800 and (code < 0xD800 or code > 0xDFFF)
    return is_valid and code or nil, 3
  end
  if not four then return nil end
  local code = (((one - 0xF0) * 64 + two - 0x80) * 64 + three - 0x80) * 64 + four - 0x80
  return code >= 0x10000 and code <= 0x10FFFF and code or nil, 4
end

-- What to show for a byte above 127 and the continuation bytes after it. Bytes that are not UTF-8 must not
-- pass: a terminal that expects another encoding takes those from 128 to 159 for controls.
local function clean(sequence)
  local code, length = decode(sequence)
  if not code then return ("?"):rep(#sequence) end
  return (is_hidden(code) and " " or sequence:sub(1, length)) .. ("?"):rep(#sequence - length)
end

---@param value any its __tostring may raise
---@return string
local function one_line(value)
  local shown, text = pcall(tostring, value)
  if not shown or type(text) ~= "string" then return "a " .. type(value) .. " that cannot be shown" end
  text = text:gsub("[%z\1-\31\127]+", " ")
  if text:find "[\128-\255]" then text = text:gsub("[\128-\255][\128-\191]*", clean) end
  return text
end

return one_line
