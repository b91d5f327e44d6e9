-- Takes a token out of text that a server sent, before anything else sees the text.

-- Shorter ones are no real tokens, and may well be words of the text.
local SHORTEST = 16

---@param text string
---@param token string
---@return string
local function redact(text, token)
  if #token < SHORTEST or not text:find(token, 1, true) then return text end
  return (text:gsub(token:gsub("%W", "%%%0"), "[token]"))
end

return redact
