-- Writes the result of an association that was created, as batch create and the PUT of one pair show it.
-- Put together from texts, because an id may be larger than a Lua number can hold.

local association_result = {}

local function labels_json(types)
  if types.category then return types.json end
  local labels = {}
  for _, entry in ipairs(types) do
    if entry.json ~= "" then labels[#labels + 1] = entry.json end
  end
  return table.concat(labels, ",")
end

-- JSON allows no leading zeros in a number.
local function digits(id)
  return (id:gsub("^0+(%d)", "%1"))
end

---@param direction hubspot.associations.sandbox.Direction
---@param is_numeric boolean whether ids are numbers
---@param from_id string
---@param to_id string
---@param types hubspot.associations.sandbox.Type|hubspot.associations.sandbox.Type[]
---@return string json
function association_result.write(direction, is_numeric, from_id, to_id, types)
  if is_numeric then from_id, to_id = digits(from_id), digits(to_id) end
  return direction.before_from_id .. from_id .. direction.before_to_id .. to_id
    .. direction.before_labels .. labels_json(types) .. "]}"
end

return association_result
