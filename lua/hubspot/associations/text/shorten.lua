-- Bounds for what others send: text is cut, and a table is measured without walking all of it.

local shorten = {}

---The beginning of a text, cut before a character of UTF-8 rather than within one.
---@param text string
---@param most integer bytes
---@param mark string|nil what a text ends with that was cut, such as "..."; nothing by default
---@return string
function shorten.text(text, most, mark)
  if #text <= most then return text end
  return (text:sub(1, most):gsub("[\192-\255][\128-\191]*$", "")) .. (mark or "")
end

local NUMBER, TABLE = 8, 64 -- bytes that these are counted as

-- What is left of so many bytes after a value; below 0 where the value is larger.
local function left_after(value, left)
  if type(value) == "string" then return left - #value end
  if type(value) ~= "table" then return left - NUMBER end
  left = left - TABLE
  for key, entry in pairs(value) do
    left = left_after(entry, left_after(key, left))
    if left < 0 then break end
  end
  return left
end

---Whether a value takes more than so many bytes, about. Looks at no more of it than it has to.
---@param value any without circles
---@param most integer bytes
---@return boolean
function shorten.is_longer(value, most)
  return left_after(value, most) < 0
end

return shorten
