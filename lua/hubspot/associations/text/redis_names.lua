-- Names on Redis that people give: to the library, and to the command.

local redis_names = {}

---Whether a queue or a budget may have this name. It stands in the names of keys, in braces.
---@param text string
---@return boolean
function redis_names.is_shared(text)
  return #text <= 100 and text:find "^[A-Za-z0-9_.:@-]+$" ~= nil
end

redis_names.SHARED = "1 to 100 letters, digits and _ . : @ -" -- what that is

---Whether a text is an id of a stream's entry, such as a dead letter.
---@param text string
---@return boolean
function redis_names.is_entry_id(text)
  return text:find "^%d+%-%d+$" ~= nil
end

return redis_names
