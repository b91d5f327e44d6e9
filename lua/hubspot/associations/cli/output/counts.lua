-- Counts in words.

local counts = {}

---@param count integer
---@param word string
---@return string "1 row", "2 rows"
function counts.of(count, word)
  return ("%d %s%s"):format(count, word, count == 1 and "" or "s")
end

---@param text string
---@param count integer|nil
---@param ... any
---@return string ", 3 unconfirmed"; empty for 0
function counts.more(text, count, ...)
  return (count or 0) > 0 and text:format(count, ...) or ""
end

return counts
