-- redis_codec's reader on any bytes, cut anywhere: it has the replies that a reader in plain Lua has, and
-- says that there are no more where that one does. And what it writes as a command is, read again, its words.

local codec = require "hubspot.associations.redis_codec"
local resp2 = require "support.resp2"

local function same(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then return rawequal(one, other) end
  for key, value in pairs(one) do
    if not same(value, other[key]) then return false end
  end
  for key in pairs(other) do
    if one[key] == nil then return false end
  end
  return true
end

-- The sizes of the parts are from a generator that the first byte seeds.
local function sizes(seed)
  return function()
    seed = (seed * 109 + 89) % 1021
    return seed % 3 == 0 and 1 + seed % 64 or 1 + seed % 4
  end
end

local function read_all(bytes, size)
  local reader = codec.reader(function(text) return { error = text } end)
  local replies, first = {}, 1
  while first <= #bytes do
    local count = size()
    local has, reply = reader:feed(bytes:sub(first, first + count - 1))
    while has do
      has, reply = reader:next()
      if has then replies[#replies + 1] = reply end
    end
    if has == nil then return replies, assert(reply) end
    first = first + count
  end
  return replies
end

local function check_replies(bytes, size)
  local replies, why = read_all(bytes, size)
  local expected, expected_why = resp2.read_all(bytes)
  assert(same(replies, expected), "other replies")
  assert((why == nil) == (expected_why == nil), why or expected_why)
end

local function check_command(bytes, size)
  local words, first = {}, 1
  while first <= #bytes do
    local count = size()
    words[#words + 1] = bytes:sub(first, first + count - 1)
    first = first + count
  end
  if #words == 0 then return end
  local written = codec.command(words)
  assert(same({ words }, (resp2.read_all(written))), "other words")
  check_replies(written, size)
end

return function(bytes)
  local size = sizes(bytes:byte() or 0)
  check_replies(bytes:sub(2), size)
  check_command(bytes, size)
end
