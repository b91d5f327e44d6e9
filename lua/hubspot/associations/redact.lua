-- Takes tokens out of text that a server sent and that is not JSON. (core.decode does so for what is.)

local redact = {}

-- Shorter ones are no real tokens, and may well be words of the text.
local SHORTEST = 16

---Those of the tokens that are to be taken out of an answer: at most two, as core.decode takes them.
---@param sent string|nil
---@param refused string|nil the one before
---@return string[]
function redact.secrets(sent, refused)
  local secrets = {}
  for _, token in ipairs { sent, refused } do
    if #token >= SHORTEST then secrets[#secrets + 1] = token end
  end
  return secrets
end

---@param text string
---@param secrets string[]|nil
---@return string
function redact.text(text, secrets)
  for _, secret in ipairs(secrets or {}) do
    if text:find(secret, 1, true) then text = text:gsub(secret:gsub("%W", "%%%0"), "[token]") end
  end
  return text
end

return redact
