-- Sandbox accounts for specs, without a server, and requests to them. An account's clock is moved by the spec
-- only, and its random numbers do not vary.

local cjson = require "cjson"
local account = require "hubspot.associations.sandbox.account"

local sandbox_account = {}

sandbox_account.START = 1000000000.25 -- the time when each account's clock starts

sandbox_account.CREATE = "/crm/associations/2025-09/contacts/companies/batch/create"
sandbox_account.READ = "/crm/associations/2025-09/contacts/companies/batch/read"
sandbox_account.CREATE_BACK = "/crm/associations/2025-09/companies/contacts/batch/create"
sandbox_account.READ_BACK = "/crm/associations/2025-09/companies/contacts/batch/read"

--- A new account.
---@param options? table
---@return hubspot.associations.sandbox.Account
---@return { now: number } clock
function sandbox_account.new(options)
  local clock = { now = sandbox_account.START }
  local given = {
    now = function() return clock.now end,
    random = function() return 0.5 end,
  }
  for name, value in pairs(options or {}) do given[name] = value end
  return account.new(given), clock
end

--- An input of one type: HUBSPOT_DEFINED 1, if it is not given.
---@return table
function sandbox_account.input(from, to, id, category)
  return {
    from = { id = from }, to = { id = to },
    types = { { associationCategory = category or "HUBSPOT_DEFINED", associationTypeId = id or 1 } },
  }
end

--- An input of several types: numbers are ids of category HUBSPOT_DEFINED, strings of USER_DEFINED.
---@return table
function sandbox_account.with_types(from, to, ...)
  local input = sandbox_account.input(from, to)
  for number, id in ipairs { ... } do
    local category = type(id) == "string" and "USER_DEFINED" or "HUBSPOT_DEFINED"
    input.types[number] = { associationCategory = category, associationTypeId = tonumber(id) }
  end
  return input
end

--- The body of a batch request, not yet encoded.
---@return table
function sandbox_account.batch(...)
  return { inputs = { ... } }
end

--- Sends a valid request, but for its body and what `changes` replaces.
---@param subject table an account, or faults in front of one
---@param body string|table
---@param changes? table fields of the request
---@return hubspot.associations.sandbox.Response
---@return table|nil body decoded, if it is JSON
function sandbox_account.send(subject, body, changes)
  local request = {
    method = "POST", path = sandbox_account.CREATE,
    headers = { authorization = "Bearer good", ["content-type"] = "application/json" },
    body = type(body) == "table" and cjson.encode(body) or body,
  }
  for name, value in pairs(changes or {}) do request[name] = value end
  local response = subject:handle(request)
  local kind = response.headers and response.headers["content-type"] or ""
  return response, kind:find("json", 1, true) and not response.cut and cjson.decode(response.body) or nil
end

--- Sends a request to any path.
---@param subject table an account
---@param method string
---@param path string what follows /crm/, with its query
---@param body? string|table none when absent
---@return integer status
---@return table|string body decoded; empty when there is none
---@return hubspot.associations.sandbox.Response
function sandbox_account.call(subject, method, path, body)
  local changes = { method = method, path = "/crm/" .. path }
  local response, decoded = sandbox_account.send(subject, body or "", changes)
  return response.status, decoded or response.body, response
end

--- Links contact 1 to a company by types: numbers are HUBSPOT_DEFINED ids, strings USER_DEFINED ones.
---@param subject table an account
---@param to string
function sandbox_account.link(subject, to, ...)
  local input = sandbox_account.with_types("1", to, ...)
  assert(sandbox_account.send(subject, sandbox_account.batch(input)).status == 201)
end

--- The type ids that a read shows of a pair, sorted.
---@param path string of the read
---@param from string record id
---@param to integer record id
---@return integer[]
function sandbox_account.types_of(subject, path, from, to)
  local _, body = sandbox_account.send(subject, sandbox_account.batch { id = from }, { path = path })
  local list = {}
  for _, target in ipairs(body.results[1] and body.results[1].to or {}) do
    local types = target.toObjectId == to and target.associationTypes or {}
    for _, one in ipairs(types) do list[#list + 1] = one.typeId end
  end
  table.sort(list)
  return list
end

--- The changes of a request that give it another Authorization.
---@param authorization string|nil
---@return table
function sandbox_account.with_token(authorization)
  return { headers = { authorization = authorization, ["content-type"] = "application/json" } }
end

local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

---@return boolean
function sandbox_account.is_uuid(text)
  return text:find(UUID) ~= nil
end

--- Sends a request to a new account, which has to reject all of it with HubSpot's JSON.
---@param options? table the account's
---@return hubspot.associations.sandbox.Response
---@return table body
function sandbox_account.reject(body, changes, options)
  local subject = sandbox_account.new(options)
  local response, decoded = sandbox_account.send(subject, body, changes)
  assert(subject:count() == 0, "a rejected request was processed")
  assert(decoded.status == "error" and type(decoded.message) == "string", response.body)
  assert(sandbox_account.is_uuid(decoded.correlationId), response.body)
  assert(decoded.correlationId == response.headers["x-hubspot-correlation-id"], response.body)
  return response, decoded
end

return sandbox_account
