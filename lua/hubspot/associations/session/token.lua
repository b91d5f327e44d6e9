-- Where a client's token comes from, whether it can be sent, and when a new one is asked for.
-- The token lives in this file's closures only: no table that can be printed holds it.

local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"
local redact = require "hubspot.associations.text.redact"

local token = {}

local function fail(message)
  return nil, errors.new { kind = "token", message = message, retryable = false }
end

-- RFC 6750's characters, and nothing that could end a header line. The token itself is never repeated.
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

-- Asks the caller's function, whose words may show none of the tokens it gave before.
local function ask(source, reason, secrets)
  local called, value, message = pcall(source, reason)
  local function quote(words)
    return redact.text(one_line(words), secrets)
  end
  if not called then return fail("the token function raised: " .. quote(value)) end
  if value == nil then
    return fail("the token function gave none: " .. quote(message or "it gave no reason"))
  end
  return check(value)
end

---@class hubspot.associations.Tokens
---@field get fun(): string|nil, hubspot.associations.Error|nil the token to send
---@field accepted fun(sent: string) takes note that HubSpot accepted it
---@field secrets fun(sent: string): string[] what no response to a request with this token may show
---@field renew fun(rejected: string): boolean, hubspot.associations.Error|nil after a 401: true when `get`
---  now gives another one; an error when there was to be a new one, and it could not be had

local function of_string(value)
  return {
    get = function() return value end,
    accepted = function() end,
    secrets = function() return redact.secrets(value) end,
    renew = function() return false end,
  }
end

-- A renewed token that HubSpot rejects, too, ends the call: a function that gives bad ones is not asked for
-- ever. The next call asks it afresh.
local function of_function(source)
  local current, previous, proven = nil, nil, true
  return {
    get = function()
      if current then return current end
      local err
      current, err = ask(source, "first", redact.secrets(previous))
      return current, err
    end,
    accepted = function(sent)
      if sent == current then proven = true end
    end,
    secrets = function(sent) return redact.secrets(sent, previous) end,
    renew = function(rejected)
      if rejected ~= current then return current ~= nil end -- another call has renewed it meanwhile
      if not proven then
        current, previous, proven = nil, current, true
        return false
      end
      local value, err = ask(source, "unauthorized", redact.secrets(current, previous))
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
