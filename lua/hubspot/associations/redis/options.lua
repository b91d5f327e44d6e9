-- The options of a budget and of a queue, checked.

local addresses = require "hubspot.associations.redis.address"
local ascii = require "hubspot.associations.text.ascii"
local one_line = require "hubspot.associations.text.one_line"
local shorten = require "hubspot.associations.text.shorten"

local options = {}

local LONGEST_SHOWN = 100 -- bytes of a value that is wrong

---A value as an error shows it, which must be none that may have a secret, such as a URL.
---@param value any
---@return string
function options.found(value)
  if value == nil then return "nothing" end
  if type(value) == "number" then return tostring(value) end
  if type(value) ~= "string" then return "a " .. type(value) end
  return '"' .. shorten.text(one_line(value), LONGEST_SHOWN, "...") .. '"'
end

-- What is expected of each kind of option: a function that returns the value to use, or nil; and in words.
local KINDS = {}

local function whole(most)
  return {
    function(value)
      local valid = type(value) == "number" and value >= 1 and value <= most and value % 1 == 0
      return valid and value or nil
    end,
    ("a whole number from 1 to %d"):format(most),
  }
end

KINDS.url = {
  function(value)
    if type(value) ~= "string" then return nil end
    return addresses.parse(value)
  end,
  "redis[s]://[user[:password]@]host[:port][/database]",
}

-- It stands in the names of keys, in braces.
KINDS.name = {
  function(value)
    local valid = type(value) == "string" and #value <= 100 and value:find "^[A-Za-z0-9_.:@-]+$"
    return valid and value or nil
  end,
  "a string of 1 to 100 letters, digits and _ . : @ -",
}

KINDS.rate = whole(10000)
KINDS.count = whole(1e9)
KINDS.streams = whole(64)

KINDS.seconds = {
  function(value) return type(value) == "number" and value > 0 and value < math.huge and value or nil end,
  "a positive number of seconds",
}

KINDS.text = {
  function(value) return type(value) == "string" and value ~= "" and value or nil end,
  "a string that is not empty",
}

KINDS.table = { function(value) return type(value) == "table" and value or nil end, "a table" }

-- The same for an option: what may be a URL with a password, or a token, also in a wrong place, is not shown.
local function shown(name, value)
  if type(value) == "string" and (name == "url" or value:find "[@?#]" or value:find "pat%-") then
    return "a string"
  end
  return options.found(value)
end

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
    local kind = KINDS[known[name]]
    local used, reason = kind[1](value)
    read[name] = used
    if used == nil then
      local why = reason and ": " .. reason or ", found " .. shown(name, value)
      error(("%s: option %s: expected %s%s"):format(method, name, kind[2], why), level + 1)
    end
  end
  if not read.url then error(("%s: option url: expected %s"):format(method, KINDS.url[2]), level + 1) end
  return read
end

return options
