-- Encodes JSON deterministically: keys are sorted, and an empty table is a list. So a simulation that is
-- replayed gets the same bytes.

local cjson = require "cjson"

local json = {}

local scalar = cjson.new()

local encode

local function encode_list(list)
  local parts = {}
  for i, value in ipairs(list) do parts[i] = encode(value) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = scalar.encode(name) .. ":" .. encode(object[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value)
  if type(value) ~= "table" then return scalar.encode(value) end
  return (next(value) == nil or value[1] ~= nil) and encode_list(value) or encode_object(value)
end

---@param value any its tables are lists, or have string keys
---@return string
json.encode = encode

json.decode = scalar.decode
json.null = scalar.null

return json
