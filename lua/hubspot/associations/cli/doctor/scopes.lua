-- Which scopes an app needs for writing records of a type. HubSpot says so for certain only in a 403; what is
-- here is the rule by which it names them, and those older scopes that include them.

local types = require "hubspot.associations.types"

local scopes = {}

local OLDER = { contacts = "contacts", companies = "contacts", deals = "contacts", tickets = "tickets" }

-- Objects whose scopes are known to follow the rule. Others may share those of another object, as calls and
-- notes share the contacts' ones.
local IS_KNOWN = { contacts = true, companies = true, deals = true, tickets = true, custom = true }

local function is_custom(object_type)
  return object_type:find "^2%-%d" ~= nil or object_type:find "^[pP]%d*_" ~= nil
end

-- The scope for an object type, an older one in its place, and whether HubSpot is known to ask for it.
local function needed(object_type)
  local name = types.object_name(object_type) or is_custom(object_type) and "custom"
  if not name then return nil, nil, false end
  return ("crm.objects.%s.write"):format(name), OLDER[name], IS_KNOWN[name] or false
end

---What a token's scopes allow to write.
---@param held string[] the token's
---@param object_types string[]
---@return { held: string[], missing: string[], unclear: string[] } scopes that it has, scopes that it lacks,
---  and what can be said of neither: scopes it lacks that HubSpot may not ask for, and object types
function scopes.compare(held, object_types)
  local is_held, is_seen = {}, {}
  for _, scope in ipairs(held) do is_held[scope] = true end
  local result = { held = {}, missing = {}, unclear = {} }
  for _, object_type in ipairs(object_types) do
    local scope, older, is_known = needed(object_type)
    local list, name = result.unclear, scope or object_type
    if scope and is_held[scope] then
      list = result.held
    elseif older and is_held[older] then
      list, name = result.held, older
    elseif is_known then
      list = result.missing
    end
    if not is_seen[name] then list[#list + 1] = name end
    is_seen[name] = true
  end
  return result
end

return scopes
