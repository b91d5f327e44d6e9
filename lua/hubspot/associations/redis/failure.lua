-- What can go wrong with Redis, as errors: they name Redis's host, and never its password.

local errors = require "hubspot.associations.errors"
local retryable = require "hubspot.associations.policy.retryable"
local one_line = require "hubspot.associations.text.one_line"
local shorten = require "hubspot.associations.text.shorten"

local failure = {}

local LONGEST = 500 -- bytes of an error reply that are shown
local SHORTEST_SECRET = 4 -- bytes; a shorter password may be a part of any word

-- What to do, where Redis's own words leave it open.
local ADVICE = {
  NOAUTH = "give its password in the URL, redis://user:password@host",
  WRONGPASS = "correct the user and the password in the URL",
  NOPERM = "its ACL has to let this user in: docs/fleet.md has the line",
  OOM = "it is full: raise its maxmemory, or remove what fills it",
  READONLY = "it is a replica: give the address of its primary",
}

-- The first word of an error reply.
local function code_of(text)
  if text:find "^ERR Protocol error: unauthenticated " then return "NOAUTH" end -- a command of many words
  return text:match "^ERR Error running script .*: %-([A-Z]+) " -- Redis 6.2: what a command in it got
    or text:match "^([A-Z][A-Z0-9_]*)%f[%z ]" or "ERR"
end

---An error reply of Redis. `code` is its first word.
---@param address hubspot.associations.RedisAddress
---@param text string
---@return hubspot.associations.Error
function failure.of_reply(address, text)
  local password = address.credentials()
  if password and #password >= SHORTEST_SECRET then
    text = text:gsub(password:gsub("[^A-Za-z0-9]", "%%%0"), "(password)")
  end
  local err = { kind = "redis", service = "Redis", code = code_of(text) }
  -- Which line of a script had it is for nobody.
  local shown = shorten.text(text:gsub("%.? ?script: %x+, on @user_script:%d+%.?$", ""), LONGEST, "...")
  local advice = ADVICE[err.code]
  if advice then shown = shown:gsub("%.$", "") end
  err.message = ("Redis at %s rejected it: %s%s"):format(address.shown, one_line(shown),
    advice and "; " .. advice or "")
  err.retryable = retryable.is_retryable(err)
  return errors.new(err)
end

---A connection that could not be made, or that broke.
---@param address hubspot.associations.RedisAddress
---@param fields table { kind, message, curl_code }
---@param was_open boolean
---@return hubspot.associations.Error
function failure.of_connection(address, fields, was_open)
  local before = was_open and "the connection to Redis at %s broke: " or "no connection to Redis at %s: "
  return errors.new {
    kind = fields.kind,
    service = "Redis",
    message = before:format(address.shown) .. one_line(fields.message),
    curl_code = fields.curl_code,
    retryable = fields.kind ~= "closed" and fields.kind ~= "tls",
  }
end

---Redis did not reply in time.
---@param address hubspot.associations.RedisAddress
---@param timeout number
---@param was_open boolean
---@return hubspot.associations.Error
function failure.of_timeout(address, timeout, was_open)
  local message = was_open and "Redis at %s did not reply within %d ms"
    or "no connection to Redis at %s within %d ms"
  message = message:format(address.shown, math.floor(timeout * 1000 + 0.5))
  if address.is_tls and not was_open then message = message .. "; is it a port of TLS?" end
  return errors.new { kind = "timeout", service = "Redis", retryable = true, message = message }
end

---Redis sent what is no reply, or more than a reply may have.
---@param address hubspot.associations.RedisAddress
---@param reason string
---@return hubspot.associations.Error
function failure.of_protocol(address, reason)
  local message = ("what Redis at %s sent makes no sense: %s"):format(address.shown, one_line(reason))
  if reason:find("reply type byte", 1, true) then message = message .. "; is it a Redis?" end
  return errors.new { kind = "decode", service = "Redis", retryable = false, message = message }
end

---@return hubspot.associations.Error
function failure.closed()
  return errors.new {
    kind = "closed", service = "Redis", message = "the connection to Redis is closed", sent = false,
    retryable = false,
  }
end

---The error of one exchange, of an error that ended the connection of all.
---@param err hubspot.associations.Error
---@param may_be_done boolean whether Redis may have done any of it
---@return hubspot.associations.Error
function failure.of_exchange(err, may_be_done)
  local copy = errors.copy(err)
  copy.sent = may_be_done
  copy.may_be_done = may_be_done or nil
  return copy
end

return failure
