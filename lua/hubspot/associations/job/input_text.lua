-- Text that distinguishes an input from others, as far as possible: it may be any value. By itself it uses no
-- metatable, so that an input whose fields can only be read once is not read again.

local digits_of = require "hubspot.associations.text.digits"

-- The fields that identify an input; the command keeps an invalid row in `problem`.
local IDENTIFYING = {
  "from", "to", "id", "after", "types", "type", "associationCategory", "associationTypeId", "problem", "row",
}

local MOST_ENTRIES, MOST_DEPTH = 100, 5

local function describe(value, depth, get, most)
  local its_type = type(value)
  if its_type == "string" then return ("%d:%s"):format(#value, value) end
  if its_type == "number" then
    return digits_of(value) or (("%.17g"):format(value):gsub("[^0-9a-z+-]+", "."))
  end
  if its_type ~= "table" or depth == 0 then return its_type == "boolean" and tostring(value) or its_type end
  local parts = {}
  for _, name in ipairs(IDENTIFYING) do
    local field = get(value, name)
    if field ~= nil then parts[#parts + 1] = name .. "=" .. describe(field, depth - 1, get, most) end
  end
  for index = 1, most do
    local entry = get(value, index)
    if entry == nil then break end
    parts[#parts + 1] = describe(entry, depth - 1, get, most)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

---@param input any
---@param get (fun(value: table, key: any): any)|nil how a field is read, where metatables are to be used
---@param most integer|nil how many entries of a list count
---@return string
return function(input, get, most)
  return describe(input, MOST_DEPTH, get or rawget, most or MOST_ENTRIES)
end
