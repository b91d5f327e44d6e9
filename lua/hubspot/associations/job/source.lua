-- Reads the inputs of a job from a list, or from an iterator that returns the next one, and nil at the end.

local errors = require "hubspot.associations.errors"
local one_line = require "hubspot.associations.text.one_line"

local source = {}

local function invalid(found)
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

-- What an iterator returned.
local function judge_end(input, why)
  if input == false then fail "the source returned false; at its end it has to return nil" end
  if input == nil and why then fail("the source ended with: " .. one_line(why)) end -- as file:read does
  return input ~= nil, input
end

local KEYS_AT_ONCE = 20000 -- about a millisecond

-- Counts the entries of a list, KEYS_AT_ONCE per call: a million take tens of milliseconds. It looks at every
-- key, since `#` may stop at a hole, and the inputs after it would be lost.
local function counter(list)
  local next, entries, last, key = next, 0, 0, nil
  return function()
    for _ = 1, KEYS_AT_ONCE do
      key = next(list, key)
      if key == last + 1 and entries == last then -- as nearly all are
        entries, last = key, key
      elseif key == nil then
        if entries == last then return entries end
        local hole = 1
        while list[hole] ~= nil do hole = hole + 1 end
        return invalid(("a list with a hole at %d"):format(hole))
      elseif type(key) ~= "number" or key % 1 ~= 0 or key < 1 then
        local is_input = key == "from" or key == "to" or key == "types" or key == "id"
        return invalid("a table with the key " .. one_line(key)
          .. (is_input and ": is it one input? Put it into a list, { { … } }" or ""))
      else
        entries, last = entries + 1, math.max(last, key)
      end
    end
  end
end

---@param from table|function
---@return (fun(): boolean, any)|nil read true and the next input, or false at the end
---@return integer|hubspot.associations.Error|nil total how many inputs there are, if known; or the error
---@return (fun(): integer|nil, hubspot.associations.Error|nil)|nil count for a list that is too long to count
---  at once: to be called before anything is read, until it returns the total, or why it is not a list
---@return (fun(): any, any)|nil take the next input; nil or false have to be given to
---@return (fun(input: any, why: any): boolean, any)|nil judge what `take` returned: returns what `read` does
function source.reader(from)
  if type(from) == "function" then
    return function() return judge_end(from()) end, nil, nil, from, judge_end
  end
  local count = counter(from)
  local total, err = count()
  if err then return nil, err end
  local index = 0
  local function take()
    index = index + 1
    if index <= total then return from[index] end
  end
  local function judge(input) return index <= total, input end
  return function() return judge(take()) end, total, not total and function()
    total, err = count()
    return total, err
  end or nil, take, judge
end

return source
