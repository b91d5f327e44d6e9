-- All texts that can be reached from a value: keys, values, metatables, results of tostring. For specs that
-- look for a secret where none may be.

local walk = {}

--- Calls visit(text, where) for each string, and for the tostring of each other value.
---@param value any
---@param visit fun(text: string, where: string)
function walk.texts(value, visit)
  local seen = {}
  local function go(one, where)
    visit(tostring(one), where)
    if type(one) ~= "table" or seen[one] then
      return
    end
    seen[one] = true
    for key, field in next, one do
      go(key, where .. "." .. tostring(key) .. " (key)")
      go(field, where .. "." .. tostring(key))
    end
    local meta = getmetatable(one)
    if meta ~= nil then
      go(meta, where .. " (metatable)")
    end
  end
  go(value, "value")
end

--- Where in the value the secret can be read; nil if nowhere.
---@param value any
---@param secret string
---@return string|nil
function walk.find(value, secret)
  local found
  walk.texts(value, function(text, where)
    if not found and text:find(secret, 1, true) then
      found = where .. ": " .. text
    end
  end)
  return found
end

return walk
