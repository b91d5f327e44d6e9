-- Finds the line and column of a value in a JSON text: HubSpot's errors say "on line 1, column 11".
-- The text has to be valid JSON, and is: it has been decoded before.

local json_position = {}

local BLANK = "^[ \t\r\n]*()"

-- The position after the string that begins at `at`.
local function after_string(text, at)
  repeat
    at = text:find('["\\]', at + 1)
    local escapes = text:byte(at) == 0x5C
    if escapes then at = at + 1 end
  until not escapes
  return at + 1
end

local after_value

-- Calls visit(key or index, first, last) for each member of the object or list that begins at `at`, until it
-- returns true. Otherwise returns the position after the object or list.
local function each_member(text, at, visit)
  local is_object = text:sub(at, at) == "{"
  local index = 0
  at = text:match(BLANK, at + 1)
  while not text:find("^[%]}]", at) do
    index = index + 1
    local key = index
    if is_object then
      local ends = after_string(text, at)
      key = text:sub(at + 1, ends - 2)
      at = text:match("^[ \t\r\n]*:[ \t\r\n]*()", ends)
    end
    local ends = after_value(text, at)
    if visit(key, at, ends - 1) then return nil end
    at = text:match("^[ \t\r\n]*,?[ \t\r\n]*()", ends)
  end
  return at + 1
end

local function ignore() end

function after_value(text, at)
  local first = text:sub(at, at)
  if first == '"' then return after_string(text, at) end
  if first == "{" or first == "[" then return each_member(text, at, ignore) end
  return text:match("^[^,%]} \t\r\n]*()", at)
end

---The position of the value at a path.
---@param text string
---@param path (string|integer)[] names, and indices from 1
---@return integer|nil first byte
---@return integer|nil last byte
function json_position.find(text, path)
  local first = text:match(BLANK)
  local last = after_value(text, first) - 1
  for _, step in ipairs(path) do
    local begins, ends
    if text:find("^[%[{]", first) then
      each_member(text, first, function(key, from, to)
        if key == step then begins, ends = from, to end
        return begins ~= nil
      end)
    end
    if not begins then return nil end
    first, last = begins, ends
  end
  return first, last
end

---The line and column of a byte, in characters, both from 1.
---@param text string UTF-8
---@param at integer
---@return integer line
---@return integer column
function json_position.column(text, at)
  local before = text:sub(1, at - 1)
  local _, lines = before:gsub("\n", "")
  local _, characters = before:match("[^\n]*$"):gsub("[^\128-\191]", "")
  return lines + 1, characters + 1
end

return json_position
