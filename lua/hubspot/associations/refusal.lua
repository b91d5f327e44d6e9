-- What a refusal of a whole batch means for the batch: whether splitting it can help.
-- Pure; reads HubSpot's error, which may have any shape.

local refusal = {}

local SPLITTABLE = { [400] = true, [413] = true, [422] = true }

-- What HubSpot calls the parameters in the path, which are the same for every input.
local PATH_PARAMETERS = { fromObjectType = true, toObjectType = true }

local function mentions_path(err)
  if type(err.context) == "table" then
    for key in pairs(err.context) do
      if PATH_PARAMETERS[key] then return true end
    end
  end
  return PATH_PARAMETERS[err["in"]] or tostring(err.message):lower():find("object type", 1, true) ~= nil
end

---The refusal itself, and the details in its `errors`: each may say which input is at fault.
---@param err table
---@return table[]
function refusal.details(err)
  local list = { err }
  for _, detail in ipairs(type(err.errors) == "table" and err.errors or {}) do
    if type(detail) == "table" then list[#list + 1] = detail end
  end
  return list
end

---Whether the refusal may be about single inputs, so that others of the batch may pass without them.
---@param err hubspot.associations.Error
---@return boolean
function refusal.is_splittable(err)
  if err.kind ~= "http" or not SPLITTABLE[err.status] then return false end
  for _, detail in ipairs(refusal.details(err)) do
    if mentions_path(detail) then return false end
  end
  return true
end

---Whether the batch was refused for its size.
---@param err hubspot.associations.Error
---@return boolean
function refusal.is_too_many(err)
  if err.status == 413 then return true end
  local message = tostring(err.message):lower()
  local counts = message:find("input", 1, true) or message:find("batch", 1, true)
  local limits = message:find("at most", 1, true) or message:find("maximum", 1, true)
    or message:find("too many", 1, true) or message:find("exceed", 1, true)
  return (counts and limits) ~= nil
end

return refusal
