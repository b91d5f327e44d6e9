-- Takes tokens out of text that a server sent and that is not JSON. (core.decode does so for what is.)
-- Always before text is cut: what is left of a token behind a cut may be too short to be recognized.

local core = require "hubspot.associations.core"

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

---The text without the secrets, however it spells them, whole or cut short.
---@param text string
---@param secrets string[]|nil
---@return string
function redact.text(text, secrets)
  if not secrets or not secrets[1] then return text end
  return core.redact(text, secrets[1], secrets[2])
end

return redact
