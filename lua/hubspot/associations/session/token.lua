-- The token of a client: where it comes from, whether it can be sent, and when a new one is requested.
-- The token is kept only in closures of this file, so that printing a table cannot show it.

local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"
local redact = require "hubspot.associations.text.redact"

local token = {}

local function fail(message)
  return nil, errors.new { kind = "token", message = message, retryable = false }
end

-- Allows the characters of RFC 6750, of which none can end a header line. No message contains the token.
local function check(value)
  if type(value) ~= "string" then return fail("expected a string, found a " .. type(value)) end
  if value == "" then return fail "the token is empty" end
  if value:find "^[ \t-\r]" or value:find "[ \t-\r]$" then
    return fail "the token begins or ends with white space (a newline from a file?)"
  end
  if value:find "[^A-Za-z0-9%-%._~%+/=]" then
    return fail "the token has characters that no access token has"
  end
  return value
end

-- Calls the caller's function. Its error message must show none of the tokens that it returned before.
local function call(source, reason, secrets)
  local called, value, message = pcall(source, reason)
  local function quote(text)
    return redact.text(one_line(text), secrets)
  end
  if not called then return fail("the token function raised: " .. quote(value)) end
  if value == nil then
    return fail("the token function returned none: " .. quote(message or "it gave no reason"))
  end
  return check(value)
end

---@class hubspot.associations.Tokens
---@field get fun(): string|nil, hubspot.associations.Error|nil the token to send
---@field accepted fun(sent: string) takes note that HubSpot accepted this token
---@field secrets fun(sent: string): string[] what must not be shown of the response to a request with it
---@field renew fun(rejected: string): boolean, hubspot.associations.Error|nil after a 401: true when `get`
---  returns another token from now on; an error when the token function failed

local function of_string(value)
  return {
    get = function() return value end,
    accepted = function() end,
    secrets = function() return redact.secrets(value) end,
    renew = function() return false end,
  }
end

-- If HubSpot rejects a renewed token as well, the call fails, so that a function which returns bad tokens is
-- not called for ever. The next call asks it again.
local function of_function(source)
  local current, previous, proven = nil, nil, true
  return {
    get = function()
      if current then return current end
      local err
      current, err = call(source, "first", redact.secrets(previous))
      return current, err
    end,
    accepted = function(sent)
      if sent == current then proven = true end
    end,
    secrets = function(sent) return redact.secrets(sent, previous) end,
    renew = function(rejected)
      if rejected ~= current then return current ~= nil end -- another call has renewed it in the meantime
      if not proven then
        current, previous, proven = nil, current, true
        return false
      end
      local value, err = call(source, "unauthorized", redact.secrets(current, previous))
      if not value then return false, err end
      current, previous, proven = value, current, false
      return true
    end,
  }
end

---@param source string|function|nil the option `token`
---@return hubspot.associations.Tokens|nil
---@return hubspot.associations.Error|nil
function token.from(source)
  if source == nil then
    return fail "no token: set the option `token` (was the environment variable it comes from set?)"
  end
  if type(source) == "function" then return of_function(source) end
  local value, err = check(source)
  if not value then return nil, err end
  return of_string(value)
end

return token
