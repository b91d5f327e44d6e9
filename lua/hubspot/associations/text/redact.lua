-- Takes tokens out of text that a server sent and that is no JSON; core.decode does so for JSON. This has to
-- come before text is cut: the rest of a token at a cut may be too short to be recognized.

local core = require "hubspot.associations.core"

local redact = {}

-- Shorter tokens are not real ones, and may be words of the text.
local SHORTEST = 16 -- bytes

---The tokens to take out of a response: at most two, which is what core.decode accepts.
---@param sent string|nil the token of the request
---@param previous string|nil the token before it, which HubSpot rejected
---@return string[]
function redact.secrets(sent, previous)
  local secrets = {}
  for _, token in ipairs { sent, previous } do
    if #token >= SHORTEST then secrets[#secrets + 1] = token end
  end
  return secrets
end

---The text without the secrets: in any spelling, and without the beginnings of them that are left at a cut.
---@param text string
---@param secrets string[]|nil
---@return string
function redact.text(text, secrets)
  if not secrets or not secrets[1] then return text end
  return core.redact(text, secrets[1], secrets[2])
end

return redact
