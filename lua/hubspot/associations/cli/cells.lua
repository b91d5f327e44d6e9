-- Text as a cell of a CSV file that may be opened in a spreadsheet, and back.
--
-- A spreadsheet runs a cell that begins with = + - @ as a formula. It may do the same with a part of a cell,
-- where it takes another separator than the file has; then it splits at the newline of a quoted field, too.
-- So one apostrophe, which spreadsheets take for "this is text", is put before such a character: at the
-- beginning and behind each possible separator. White space around a cell is kept in the same way: reading
-- trims it otherwise.
--
-- Reading takes one apostrophe away wherever writing may have put one: before any number of apostrophes that
-- end at such a character. So `read` gives exactly what `write` was given, apostrophes of its own included.
-- No record id and no type has any of these characters: reading makes no valid cell of an invalid one.

local cells = {}

-- The full-width forms of = + - @ (U+FF1D, U+FF0B, U+FF0D, U+FF20) are formulas to some spreadsheets.
local FORMULAS = { "[=+%-@]", "\239\188[\157\139\141\160]" }

local SPACE = "[ \t-\r]"
local INNER = "([;\t\r\n]'*)" -- separators; a comma is one only where the field is not quoted, which it is

local function is_marked(text)
  local behind = text:match "^'*(.*)$"
  if behind:find("^" .. SPACE) or behind:find(SPACE .. "$") then return true end
  for _, formula in ipairs(FORMULAS) do
    if behind:find("^" .. formula) then return true end
  end
  return false
end

---@param text string
---@return string
function cells.write(text)
  if is_marked(text) then text = "'" .. text end
  for _, formula in ipairs(FORMULAS) do text = text:gsub(INNER .. "(" .. formula .. ")", "%1'%2") end
  return text
end

---@param cell string as it stands in the file, without the quotes around it
---@return string text without white space around it, where the cell does not say that it is part of it
function cells.read(cell)
  if not cell:find "[^0-9A-Za-z]" then return cell end -- most cells are ids
  for _, formula in ipairs(FORMULAS) do cell = cell:gsub(INNER .. "'(" .. formula .. ")", "%1%2") end
  if cell:find "^'" and is_marked(cell) then return cell:sub(2) end
  return cell:match("^" .. SPACE .. "*(.-)" .. SPACE .. "*$")
end

return cells
