-- A reader of RESP2 in plain Lua, to compare src/redis_codec.c with: slow, and of bytes that are all there.

local resp2 = {}

local MOST_DEPTH = 8 -- of arrays
local MOST_ELEMENTS = 2 ^ 31 - 1

local LINES = { ["+"] = true, ["-"] = true, [":"] = true, ["$"] = true, ["*"] = true }

-- Raised for bytes of which more have to come.
local INCOMPLETE = {}

local function whole(text)
  local is_spelled = text == "0" or text:find "^%-?[1-9]%d*$"
  local number = is_spelled and tonumber(text)
  if not number or math.type and math.type(number) ~= "integer" then error("no whole number: " .. text, 0) end
  return number
end

local read

local function read_array(bytes, first, count, depth)
  local list = {}
  for index = 1, count do list[index], first = read(bytes, first, depth + 1) end
  return list, first
end

-- The reply at `first`, and where the next one begins.
function read(bytes, first, depth)
  if first > #bytes then error(INCOMPLETE, 0) end
  local kind = bytes:sub(first, first)
  if not LINES[kind] then error("no kind of reply: " .. kind, 0) end
  if kind == "*" and depth > MOST_DEPTH then error("too deep", 0) end
  local last = bytes:find("\r\n", first, true)
  if not last then error(INCOMPLETE, 0) end
  local text, after = bytes:sub(first + 1, last - 1), last + 2
  if text:find "[\r\n]" then error("a line in a line", 0) end
  if kind == "+" then return text, after end
  if kind == "-" then return { error = text }, after end
  local number = whole(text)
  if kind == ":" then return number, after end
  if number < -1 then error("a length below -1", 0) end
  if number == -1 then return false, after end
  if kind == "*" then
    if number > MOST_ELEMENTS then error("too many", 0) end
    return read_array(bytes, after, number, depth)
  end
  if #bytes - after + 1 < number + 2 then error(INCOMPLETE, 0) end
  if bytes:sub(after + number, after + number + 1) ~= "\r\n" then error("no end of a text", 0) end
  return bytes:sub(after, after + number - 1), after + number + 2
end

--- All replies that are complete. An error reply is { error = text }, and nil is false.
---@param bytes string
---@return any[]
---@return string|nil why there are no more, if not for the end
function resp2.read_all(bytes)
  local replies, first = {}, 1
  while true do
    local is_reply, reply, after = pcall(read, bytes, first, 1)
    if not is_reply then return replies, reply ~= INCOMPLETE and reply or nil end
    replies[#replies + 1], first = reply, after
  end
end

return resp2
