-- Where a client's token comes from, and whether it can be sent.
-- The token lives in this file's closures only: no table that can be printed holds it.

local errors = require "hubspot.associations.errors"

local token = {}

local function refuse(message)
  return nil, errors.new { kind = "token", message = message, retryable = false }
end

-- RFC 6750's characters, and nothing that could end a header line. The token itself is never repeated.
local function check(value)
  if type(value) ~= "string" then return refuse("expected a string, found a " .. type(value)) end
  if value == "" then return refuse "the token is empty" end
  if value:find "^%s" or value:find "%s$" then
    return refuse "the token begins or ends with white space (a newline from a file?)"
  end
  if value:find "[^%w%-%._~%+/=]" then return refuse "the token has characters that no access token has" end
  return value
end

---A function that gives the token to send, or nil and an error.
---@param source string|function|nil the option `token`
---@return (fun(reason: "first"|"unauthorized"): string|nil, hubspot.associations.Error|nil)|nil
---@return hubspot.associations.Error|nil error
function token.from(source)
  if source == nil then
    return refuse "no token: set the option `token` (was the environment variable it comes from set?)"
  end
  if type(source) == "string" then
    local value, err = check(source)
    if not value then return nil, err end
    return function()
      return value
    end
  end
  local current
  return function(reason)
    if current and reason == "first" then return current end
    local called, value, message = pcall(source, reason)
    if not called then return refuse("the token function raised: " .. tostring(value)) end
    if value == nil then
      return refuse("the token function gave none: " .. tostring(message or "it gave no reason"))
    end
    local err
    current, err = check(value)
    return current, err
  end, nil, true
end

return token
