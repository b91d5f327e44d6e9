-- core.invalid_url on any bytes: what it accepts is, as libcurl reads it for a transfer, https, or http to
-- this machine, and without a user name. What it refuses is not looked at.

local core = require "hubspot.associations.core"
local inside = require "inside"

local function is_loopback(host)
  if host:lower() == "localhost" or host == "[::1]" then return true end
  local a, b, c = host:match "^127%.(%d+)%.(%d+)%.(%d+)$"
  return a and tonumber(a) < 256 and tonumber(b) < 256 and tonumber(c) < 256
end

return function(url)
  if core.invalid_url(url) then return end
  local scheme, host, user, password, is_plain = inside.url_parts(url)
  assert(not user and not password, "it carries a user name or a password")
  assert(is_plain == (scheme == "http"), scheme)
  assert(scheme == "https" or scheme == "http" and is_loopback(host), host)
end
