-- The limits that an account's users have set: how many records a record may be linked to, by association
-- type. The sandbox keeps them and reports what is near them, but does not enforce them: how HubSpot rejects
-- a write beyond one was observed nowhere.

local limits = {}
limits.__index = limits

-- The share of a limit from which on a record is near it. Invented.
limits.NEAR = 0.8

---@class hubspot.associations.sandbox.Limit
---@field from string object type id
---@field to string object type id
---@field category string
---@field type_id integer
---@field most integer

---@class hubspot.associations.sandbox.Limits
---@return hubspot.associations.sandbox.Limits
function limits.new()
  return setmetatable({ list = {} }, limits)
end

local function position_of(self, from, to, category, type_id)
  for i, limit in ipairs(self.list) do
    if limit.from == from and limit.to == to and limit.category == category and limit.type_id == type_id then
      return i
    end
  end
end

---@param limit hubspot.associations.sandbox.Limit
function limits:set(limit)
  local at = position_of(self, limit.from, limit.to, limit.category, limit.type_id)
  self.list[at or #self.list + 1] = limit
end

function limits:remove(from, to, category, type_id)
  local at = position_of(self, from, to, category, type_id)
  if at then table.remove(self.list, at) end
end

---@param from? string object type id; with `to`, only that direction
---@param to? string
---@return hubspot.associations.sandbox.Limit[] list in the order in which they were first set
function limits:all(from, to)
  local list = {}
  for _, limit in ipairs(self.list) do
    if not from or limit.from == from and (not to or limit.to == to) then list[#list + 1] = limit end
  end
  return list
end

return limits
