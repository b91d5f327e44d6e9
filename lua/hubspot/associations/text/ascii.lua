-- What string.lower and `<` do, for ASCII. Those depend on the host's locale: tr_TR has another lower case
-- for I than i. So do the classes of patterns (%a, %c, %l, %p, %s, %u, %w): an ISO-8859 locale takes bytes of
-- UTF-8 for letters or spaces. Patterns name the characters instead, such as [A-Za-z0-9] and [ \t-\r].

local ascii = {}

local LOWER = {}
for code = ("A"):byte(), ("Z"):byte() do LOWER[string.char(code)] = string.char(code + 32) end

---@param text string
---@return string
function ascii.lower(text)
  return (text:gsub("[A-Z]", LOWER))
end

---Whether `one` stands before `other`, by their bytes: `<` goes by the locale's order of words.
---@param one string
---@param other string
---@return boolean
function ascii.before(one, other)
  for place = 1, math.min(#one, #other) do
    local byte, other_byte = one:byte(place), other:byte(place)
    if byte ~= other_byte then return byte < other_byte end
  end
  return #one < #other
end

return ascii
