-- Reads the inputs of a job from a list, or from an iterator that returns the next one, and nil at the end.

local core = require "hubspot.associations.core"
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
  local entries, last, key, is_in_order = 0, 0, nil, true
  return function()
    if is_in_order then -- as nearly all are
      local is_end
      last, is_end = core.count_keys(list, entries, KEYS_AT_ONCE)
      if is_end then return last end
      is_in_order, entries = last - entries == KEYS_AT_ONCE, last
      if is_in_order then return end
      if last > 0 then key = last end
    end
    for _ = 1, KEYS_AT_ONCE do
      key = next(list, key)
      if key == nil then
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

-- The loop of most inputs of a job. It counts nothing: the body tells what was added, even after an error.
local function from_iterator(iterator)
  return function(body, most, inputs)
    local add, count = body.add, body:count()
    for position = count + 1, count + most do
      local input, why = iterator()
      if not input then return judge_end(input, why) end
      local added, err = add(body, input)
      if not added then return true, input, added, err end
      if inputs then inputs[position] = input end
    end
  end
end

---@param from table|function
---@return (fun(): boolean, any)|nil read true and the next input, or false at the end
---@return integer|hubspot.associations.Error|nil total how many inputs there are, if known; or the error
---@return (fun(): integer|nil, hubspot.associations.Error|nil)|nil count for a list that is too long to count
---  at once: to be called before anything is read, until it returns the total, or why it is not a list
---@return function|nil add_to (body, most, inputs): adds so many inputs to a body, up to the first that is
---  invalid, and puts those of an iterator into the list `inputs`, if there is one, by their positions.
---  Returns nothing; or, if there were fewer, what `read` does, and what the body's `add` did for that input
function source.reader(from)
  if type(from) == "function" then
    return function() return judge_end(from()) end, nil, nil, from_iterator(from)
  end
  local count = counter(from)
  local total, err = count()
  if err then return nil, err end
  local index = 0
  local function read()
    if index >= total then return false end
    index = index + 1
    return true, from[index]
  end
  local function add_to(body, most)
    local wanted = math.min(most, total - index)
    local count_added, added, why = body:add_run(from, index + 1, wanted)
    index = index + count_added
    if count_added < wanted then
      index = index + 1
      return true, from[index], added, why
    end
    if wanted < most then return false end
  end
  return read, total, not total and function()
    total, err = count()
    return total, err
  end or nil, add_to
end

return source
