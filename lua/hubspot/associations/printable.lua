-- Text from elsewhere (a server, a file, a caller's error), as one line that is safe to print.

-- What moves a cursor, ends a line or turns the direction of writing: the controls of ASCII, those of
-- U+0080 to U+009F, the separators U+2028 and U+2029, and the marks of U+202A to U+202E, U+2066 to U+2069.
local UNPRINTABLE = { "\194[\128-\159]", "\226\128[\168-\174]", "\226\129[\166-\169]", "[%c%z\127]+" }

---@param value any what `tostring` takes; a `__tostring` that raises is survived
---@return string
local function printable(value)
  local shown, text = pcall(tostring, value)
  if not shown or type(text) ~= "string" then return "a " .. type(value) .. " that cannot be shown" end
  for _, pattern in ipairs(UNPRINTABLE) do text = text:gsub(pattern, " ") end
  return text
end

return printable
