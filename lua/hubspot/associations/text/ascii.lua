-- string.lower and `<` for ASCII only. Lua's own depend on the host's locale: in tr_TR, the lower case of I
-- is not i. The classes of patterns (%a, %c, %l, %p, %s, %u, %w) depend on it, too: an ISO-8859 locale takes
-- bytes of UTF-8 for letters or spaces. So patterns name the characters: [A-Za-z0-9], [ \t-\r].

local ascii = {}

local LOWER = {}
for code = ("A"):byte(), ("Z"):byte() do LOWER[string.char(code)] = string.char(code + 32) end

---@param text string
---@return string
function ascii.lower(text)
  return (text:gsub("[A-Z]", LOWER))
end

---Whether `one` sorts before `other`, by their bytes.
---@param one string
---@param other string
---@return boolean
function ascii.before(one, other)
  for position = 1, math.min(#one, #other) do
    local byte, other_byte = one:byte(position), other:byte(position)
    if byte ~= other_byte then return byte < other_byte end
  end
  return #one < #other
end

return ascii
