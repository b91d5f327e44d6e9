-- The paths under /sandbox, by which a test inspects and configures an account over HTTP. HubSpot has none of
-- them. They need no token, and do not count as requests.

local cjson = require "cjson"
local options = require "hubspot.associations.sandbox.options"
local request_body = require "hubspot.associations.sandbox.request_body"

local control = {}

local json = cjson.new()

local function respond(status, body)
  return { status = status, headers = { ["content-type"] = "application/json" }, body = body }
end

local function reject(status, message)
  return respond(status, json.encode { status = "error", message = message })
end

local function list_associations(account)
  local list = account:associations()
  for i, association in ipairs(list) do list[i] = json.encode(association) end
  return respond(200, "[" .. table.concat(list, ",") .. "]")
end

local function show_statistics(account)
  local statistics = account:statistics()
  local by_status = {}  -- JSON's names are strings
  for status, count in pairs(statistics.status) do by_status[string.format("%d", status)] = count end
  statistics.status = by_status
  return respond(200, json.encode(statistics))
end

local function reset(account)
  account:reset()
  return { status = 204, headers = {}, body = "" }
end

local function change_options(account, request)
  local given, rejected = request_body.decode(request.body)
  if not given then return reject(400, rejected.fields.message) end
  for name, value in pairs(given) do
    if value == json.null then given[name] = options.DEFAULT end
  end
  local changes, message = options.check(given)
  if not changes then return reject(400, message) end
  account:configure(given)
  return { status = 204, headers = {}, body = "" }
end

local RESOURCES = {
  ["/sandbox/associations"] = { method = "GET", handle = list_associations },
  ["/sandbox/statistics"] = { method = "GET", handle = show_statistics },
  ["/sandbox/reset"] = { method = "POST", handle = reset },
  ["/sandbox/options"] = { method = "PATCH", handle = change_options },
}

---@param account hubspot.associations.sandbox.Account
---@param path string without its query
---@param request table
---@return table response
function control.handle(account, path, request)
  local resource = RESOURCES[path]
  if not resource then return reject(404, "No resource at " .. path) end
  if request.method ~= resource.method then
    local rejected = reject(405, "Method not allowed: " .. tostring(request.method))
    rejected.headers.allow = resource.method
    return rejected
  end
  return resource.handle(account, request)
end

return control
