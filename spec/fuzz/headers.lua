-- The headers of a response, from any lines: those of the last head, as Lua's patterns find them; and none
-- when that head has no end, for there is no response then.

local inside = require "inside"

-- The lines of the last head: from the last status line to the first empty line; nil when there is none.
local function last_head(text)
  local head, is_complete = {}, false
  for line in text:gmatch "[^\n]*\n?" do
    if line:find "^HTTP/." then head, is_complete = {}, false end
    if not is_complete then head[#head + 1] = line end
    if line:find "^[\r\n]" then is_complete = true end
  end
  return is_complete and head or nil
end

return function(bytes)
  local found, head, expected = inside.headers(bytes), last_head(bytes), {}
  assert((found == nil) == (head == nil))
  for _, line in ipairs(head or {}) do
    local name, value = line:match "^([^:]*):%s*(.-)%s*$"
    if name then expected[name:lower()] = value end
  end
  for name, value in pairs(expected) do assert(found[name] == value, name) end
  for name in pairs(found or {}) do assert(expected[name], name) end
end
