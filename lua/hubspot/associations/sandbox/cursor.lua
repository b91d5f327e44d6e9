-- The cursors of pages: base64, percent-encoded, as HubSpot's were observed ("MC0yLTc1MDI%3D"). What is in
-- one is invented: the object type, the record that is read, and the position. So the cursor of another
-- record is found out, and one that was encoded twice.

local cursor = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function letter(number)
  return ALPHABET:sub(number + 1, number + 1)
end

local function encode_three(text)
  local a, b, c = text:byte(1, 3)
  local number = a * 65536 + (b or 0) * 256 + (c or 0)
  return letter(math.floor(number / 262144))
    .. letter(math.floor(number / 4096) % 64)
    .. (b and letter(math.floor(number / 64) % 64) or "=")
    .. (c and letter(number % 64) or "=")
end

local function base64(text)
  return (text:gsub("..?.?", encode_three))
end

local function decode_four(text)
  local number, count = 0, 0
  for i = 1, 4 do
    local at = ALPHABET:find(text:sub(i, i), 1, true)
    if at then count = count + 1 end
    number = number * 64 + (at or 1) - 1
  end
  local bytes = string.char(math.floor(number / 65536), math.floor(number / 256) % 256, number % 256)
  return bytes:sub(1, math.max(count - 1, 0))
end

-- Leading zeros give the text a length at which its base64 ends in "=", the character that matters.
local function plain(to_type, from_id, position)
  local head, digits = to_type .. "-" .. from_id .. "-", string.format("%d", position)
  while (#head + #digits) % 3 == 0 do digits = "0" .. digits end
  return base64(head .. digits)
end

---@param to_type string object type id
---@param from_id string the record that is read
---@param position integer where the next page begins
---@return string
function cursor.write(to_type, from_id, position)
  return (plain(to_type, from_id, position):gsub("[^%w]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

---@param text string
---@param is_decoded boolean whether the percent-encoding has been taken away, as a query's is
---@return integer|nil position nil when it is not a cursor of that record
function cursor.read(text, is_decoded, to_type, from_id)
  local decoded = text
  if not is_decoded then
    decoded = text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  end
  if decoded:find "[^%w+/=]" or #decoded % 4 ~= 0 then return nil end
  local position = tonumber(decoded:gsub("....", decode_four):match "%-(%d+)$")
  if not position then return nil end
  local expected = (is_decoded and plain or cursor.write)(to_type, from_id, position)
  return text == expected and position or nil
end

return cursor
