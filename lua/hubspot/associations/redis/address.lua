-- Where Redis is, and who asks: redis[s]://[user[:password]@]host[:port][/database]. User and password are
-- kept in a closure only, so that printing a table cannot show them. No reason repeats any part of the URL.

local address = {}

local DEFAULT_PORT = 6379
local BEHIND_HOST = "after the host, there may be : and a port, and / and the number of a database"

---@class hubspot.associations.RedisAddress
---@field host string
---@field port integer
---@field is_tls boolean
---@field database string|nil digits
---@field shown string host and port
---@field credentials fun(): string|nil, string|nil the password, and the user

local function decode(text)
  if text:gsub("%%%x%x", ""):find("%", 1, true) then return nil end
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- The password and the user of the part before the @; or nil, nil, and why they cannot be used.
local function read_credentials(text)
  local user, password = text:match "^([^:]*):(.*)$"
  if not user then return nil, nil, "there is a user without a password: user:password@host" end
  user, password = decode(user), decode(password)
  if not user or not password then return nil, nil, "a % in a user or a password is written %25" end
  if password == "" then return nil, nil, "the password is empty" end
  return password, user ~= "" and user or nil
end

local function read_host(text)
  local host, port = text:match "^%[([%x:.]+)%](.*)$"
  if not host then host, port = text:match "^([A-Za-z0-9._-]+)(.*)$" end
  if not host then return nil, "there is no host, or one that is no name and no address" end
  if port:find "^[^:]" then return nil, BEHIND_HOST end
  local number = port == "" and DEFAULT_PORT or tonumber(port:match "^:(%d%d?%d?%d?%d?)$" or 0)
  if number < 1 or number > 65535 then return nil, "the port is no number from 1 to 65535" end
  return host, number
end

---@param url string
---@return hubspot.associations.RedisAddress|nil
---@return string|nil reason
function address.parse(url)
  local scheme, rest = url:match "^([Rr][Ee][Dd][Ii][Ss][Ss]?)://(.*)$"
  if not scheme then return nil, "it has to begin with redis:// or rediss://" end
  if url:find "[%z\1-\32\127]" then return nil, "there is a space or a control character in it" end
  local authority, path = rest:match "^([^/]*)(.*)$"
  if path:find("@", 1, true) then return nil, "a / in a user or a password is written %2F" end
  local before, place = authority:match "^(.*)@([^@]*)$"
  local password, user, why
  if before then
    password, user, why = read_credentials(before)
    if why then return nil, why end
  end
  local host, port = read_host(place or authority)
  if not host then return nil, port end
  local database = path:match "^/(%d+)$"
  if not database and path ~= "" and path ~= "/" then return nil, BEHIND_HOST end
  return {
    host = host,
    port = port,
    is_tls = #scheme == 6,
    database = database and not database:find "^0+$" and database or nil,
    shown = (host:find(":", 1, true) and "[" .. host .. "]" or host) .. ":" .. ("%d"):format(port),
    credentials = function() return password, user end,
  }
end

return address
