-- Text as a cell of a CSV file that a spreadsheet may open, and back.
--
-- A spreadsheet runs a cell that begins with = + - @ as a formula. It may run a part of a cell as well: if it
-- expects another separator than the file has, it splits cells there, and at newlines inside quotes. So
-- `write` puts an apostrophe, by which spreadsheets mark text, before these characters: at the beginning of a
-- cell and after each possible separator. It marks white space around a cell in the same way, since `read`
-- trims the rest.
--
-- `read` takes one apostrophe away wherever `write` may have put one: before any number of apostrophes that
-- end at such a character. So it returns exactly what `write` was given, apostrophes included. As no record
-- id and no type has any of these characters, `read` never makes a valid cell of an invalid one.

local cells = {}

-- The full-width forms of = + - @ (U+FF1D, U+FF0B, U+FF0D, U+FF20) are formulas to some spreadsheets.
local FORMULAS = { "[=+%-@]", "\239\188[\157\139\141\160]" }

local SPACE = "[ \t-\r]"
local INNER = "([;\t\r\n]'*)" -- separators; no comma, since a field with one is quoted

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

---The same as a field of a CSV file, with the quotes that it needs.
---@param value string|number
---@return string
function cells.field(value)
  local text = tostring(value)
  if not text:find "[^0-9A-Za-z_]" then return text end -- most fields are ids and categories
  text = cells.write(text)
  local has_margin = text:find("^" .. SPACE) or text:find(SPACE .. "$")
  if not has_margin and not text:find '[,;"\t\r\n]' then return text end
  return '"' .. text:gsub('"', '""') .. '"'
end

---@param cell string as it stands in the file, without the quotes around it
---@return string text without white space around it, but for what is marked as part of it
function cells.read(cell)
  if not cell:find "[^0-9A-Za-z]" then return cell end -- most cells are ids
  for _, formula in ipairs(FORMULAS) do cell = cell:gsub(INNER .. "'(" .. formula .. ")", "%1%2") end
  if cell:find "^'" and is_marked(cell) then return cell:sub(2) end
  return cell:match("^" .. SPACE .. "*(.-)" .. SPACE .. "*$")
end

return cells
