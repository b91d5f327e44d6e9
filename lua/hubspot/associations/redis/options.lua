-- The options of a budget and of a queue, checked.

local addresses = require "hubspot.associations.redis.address"
local ascii = require "hubspot.associations.text.ascii"
local one_line = require "hubspot.associations.text.one_line"

local options = {}

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

---Raises when an option is unknown or wrong.
---@param method string for the message
---@param given table
---@param known table<string, string> the name of each option, and its kind
---@param level integer of the caller to blame, as for `error`
---@return table
function options.read(method, given, known, level)
  if type(given) ~= "table" then error(method .. ": expected a table of options", level + 1) end
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
      local why = reason and ": " .. reason or ""
      error(("%s: option %s: expected %s%s"):format(method, name, kind[2], why), level + 1)
    end
  end
  if not read.url then error(("%s: option url: expected %s"):format(method, KINDS.url[2]), level + 1) end
  return read
end

return options
