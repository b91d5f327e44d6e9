-- Where a job's inputs come from: a list, or an iterator that returns the next one, and nil at the end.

local errors = require "hubspot.associations.errors"
local printable = require "hubspot.associations.printable"

local source = {}

local function refuse(found)
  return nil, errors.new {
    kind = "invalid_input",
    field = "source",
    message = "expected a list of inputs, or an iterator, found " .. found,
    retryable = false,
  }
end

local function fail(message)
  error(errors.new { kind = "source", message = message }, 0)
end

-- How many entries a list has. Its keys are looked at, since `#` may stop at a hole, and what is behind it
-- would be lost.
local function count(list)
  local entries, last = 0, 0
  for key in next, list do
    if type(key) ~= "number" or key % 1 ~= 0 or key < 1 then
      return refuse("a table with the key " .. printable(key))
    end
    entries, last = entries + 1, math.max(last, key)
  end
  if entries == last then return entries end
  local hole = 1
  while list[hole] ~= nil do hole = hole + 1 end
  return refuse(("a list with a hole at %d"):format(hole))
end

---@param from table|function
---@return (fun(): boolean, any)|nil read true and the next input, or false at the end
---@return integer|hubspot.associations.Error|nil total how many there are, where that is known; or the error
function source.reader(from)
  if type(from) == "function" then
    return function()
      local input, why = from()
      if input == false then fail "the source returned false; at its end it has to return nil" end
      if input == nil and why then fail("the source ended with: " .. printable(why)) end -- as file:read does
      return input ~= nil, input
    end
  end
  local total, err = count(from)
  if not total then return nil, err end
  local index = 0
  return function()
    if index >= total then return false end
    index = index + 1
    return true, from[index]
  end, total
end

return source
