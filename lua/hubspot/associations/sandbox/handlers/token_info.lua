-- POST /oauth/v2/private-apps/get/access-token-info: the app, user and scopes of the token in the body. The
-- app has the scopes of HubSpot's most usual objects, but for those in the option `forbidden`.

local json = require "hubspot.associations.sandbox.json"
local rejection = require "hubspot.associations.sandbox.rejection"
local request_body = require "hubspot.associations.sandbox.request_body"

local token_info = {}

local OBJECTS = { "companies", "contacts", "custom", "deals", "tickets" }

local function scopes_of(settings)
  local scopes = { "oauth" }
  local forbidden = settings.forbidden or {}
  if forbidden == true then return scopes end
  for _, object in ipairs(OBJECTS) do
    for _, access in ipairs { "read", "write" } do
      local scope = ("crm.objects.%s.%s"):format(object, access)
      if not forbidden[scope] then scopes[#scopes + 1] = scope end
    end
  end
  return scopes
end

---@param call hubspot.associations.sandbox.Call
---@return hubspot.associations.sandbox.HandlerResponse|nil
---@return hubspot.associations.sandbox.Rejection|nil
function token_info.handle(call)
  local given, rejected = request_body.decode(call.request.body)
  if not given then return nil, rejected end
  local sent = (call.request.headers.authorization or ""):match " (%S+)$"
  if type(given.tokenKey) ~= "string" then return nil, rejection.invalid("tokenKey is missing") end
  if given.tokenKey ~= sent or not call.settings.private_app then return nil, rejection.no_token() end
  local body = { userId = 987, hubId = call.settings.hub_id, appId = 654, scopes = scopes_of(call.settings) }
  return { status = 200, body = json.encode(body) }
end

return token_info
