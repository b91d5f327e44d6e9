-- The options of a connection, a budget and a queue, checked.

local addresses = require "hubspot.associations.redis.address"
local ascii = require "hubspot.associations.text.ascii"
local client_options = require "hubspot.associations.options"
local one_line = require "hubspot.associations.text.one_line"
local redis_names = require "hubspot.associations.text.redis_names"

local options = {}

local URL = "redis[s]://[user[:password]@]host[:port][/database]"

-- What an option takes, by its kind: a function (value, name) that returns the value to use; or nil, what is
-- expected, and why that is not it.
local KINDS = {}

local function whole(most)
  return function(value)
    if type(value) == "number" and value >= 1 and value <= most and value % 1 == 0 then return value end
    return nil, ("a whole number from 1 to %d"):format(most)
  end
end

function KINDS.url(value)
  local address, reason
  if type(value) == "string" then address, reason = addresses.parse(value) end
  return address, URL, reason
end

function KINDS.name(value)
  if type(value) == "string" and redis_names.is_shared(value) then return value end
  return nil, "a string of " .. redis_names.SHARED
end

-- One that a client has, too.
function KINDS.client(value, name)
  local expected = client_options.expected(name, value)
  if expected then return nil, expected end
  return value
end

KINDS.rate = whole(10000)
KINDS.count = whole(1e9)
KINDS.streams = whole(64)

---Raises when an option is unknown or wrong.
---@param method string for the message
---@param given table
---@param known table<string, string> the name of each option, and its kind
---@param level integer of the caller to blame, as for `error`
---@return table
function options.read(method, given, known, level)
  if type(given) ~= "table" then
    local found = given == nil and "nothing" or "a " .. type(given) -- it may be a URL with a password
    error(("%s: expected a table of options, found %s"):format(method, found), level + 1)
  end
  local read = {}
  for name, value in pairs(given) do
    if not known[name] then
      local names = {}
      for other in pairs(known) do names[#names + 1] = other end
      table.sort(names, ascii.before)
      local list = table.concat(names, ", ")
      error(("%s: option %s is unknown; there are %s"):format(method, one_line(name), list), level + 1)
    end
    local used, expected, reason = KINDS[known[name]](value, name)
    read[name] = used
    if used == nil then
      local why = reason and ": " .. reason or ", found " .. client_options.shown(name, value)
      error(("%s: option %s: expected %s%s"):format(method, name, expected, why), level + 1)
    end
  end
  if not read.url then error(("%s: option url: expected %s"):format(method, URL), level + 1) end
  return read
end

return options
