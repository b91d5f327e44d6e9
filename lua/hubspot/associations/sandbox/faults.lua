-- Stands in front of a sandbox account, takes the same requests, and injects faults into some of the
-- responses: those of networks, gateways and an overloaded service, which a client has to survive.
-- Randomness is passed in, so that a simulation can replay its faults.

local json = require "hubspot.associations.sandbox.json"
local rejection = require "hubspot.associations.sandbox.rejection"

local faults = {}

---@class hubspot.associations.sandbox.Faults
local Faults = {}
Faults.__index = Faults

-- ---- kinds of faults ----
-- Each is a function of account, request and random, and returns a response. `dropped = true` in it ends the
-- connection without a response; `cut` is the number of bytes of the body after which the connection ends.

local function respond(status, body, headers)
  headers = headers or {}
  headers["content-type"] = headers["content-type"] or "text/html"
  return { status = status, headers = headers, body = body }
end

local function rate_limited(policy, retry_after)
  return function()
    local rejected = rejection.rate(policy, retry_after)
    local headers = rejected.headers or {}
    headers["content-type"] = "application/json"
    return respond(429, json.encode(rejected.fields), headers)
  end
end

local function gateway(status)
  return function()
    return respond(status, ("<html><body>%d</body></html>"):format(status))
  end
end

-- Leaves about three in ten entries out of a list.
local function thin(list, random)
  local kept = {}
  for _, entry in ipairs(list or {}) do
    if random() < 0.7 then kept[#kept + 1] = entry end
  end
  return kept
end

-- Changes the decoded body of a successful response, if it has one. Ids are strings in between, because they
-- may be larger than a Lua number can hold.
local function rewrite(response, change)
  if response.status >= 300 or response.body == "" then return response end
  local batch = json.decode((response.body:gsub('(ObjectId":)(%d+)', '%1"#%2"')))
  change(batch)
  response.body = json.encode(batch):gsub('"#(%d+)"', "%1")
  return response
end

local KINDS = {
  -- The request does not arrive.
  lost_request = function()
    return { dropped = true }
  end,
  -- The request is processed, but the response is lost.
  lost_response = function(account, request)
    account:handle(request)
    return { dropped = true }
  end,
  -- The request is processed twice; the client sees the second response.
  duplicate = function(account, request)
    account:handle(request)
    return account:handle(request)
  end,
  -- The response is late.
  delay = function(account, request, random)
    local response = account:handle(request)
    response.delay = (response.delay or 0) + random() * 5
    return response
  end,
  -- A gateway gives up: 503 before the request is processed, 502 and 504 after it.
  unavailable = gateway(503),
  bad_gateway = function(account, request)
    account:handle(request)
    return gateway(502)()
  end,
  gateway_timeout = function(account, request)
    account:handle(request)
    return gateway(504)()
  end,
  -- HubSpot rejects the request for a while.
  locked = gateway(423),
  ten_secondly = rate_limited "TEN_SECONDLY_ROLLING",
  secondly = rate_limited("SECONDLY", 1),
  daily = rate_limited "DAILY",
  -- The connection ends within the body.
  truncated = function(account, request, random)
    local response = account:handle(request)
    response.cut = math.floor(random() * #response.body)
    return response
  end,
  -- The body has foreign bytes in it.
  garbled = function(account, request, random)
    local response = account:handle(request)
    local at = math.floor(random() * #response.body)
    response.body = response.body:sub(1, at) .. "<garbage\0>" .. response.body:sub(at + 1)
    return response
  end,
  -- The body is empty.
  empty = function(account, request)
    local response = account:handle(request)
    response.body = ""
    return response
  end,
  -- The response leaves inputs out.
  partial = function(account, request, random)
    return rewrite(account:handle(request), function(batch)
      batch.results = thin(batch.results, random)
      batch.errors = batch.errors and thin(batch.errors, random)
    end)
  end,
  -- Errors name no ids, and the response may leave inputs out.
  anonymous = function(account, request, random)
    return rewrite(account:handle(request), function(batch)
      if random() < 0.5 then batch.results = thin(batch.results, random) end
      for _, err in ipairs(batch.errors or {}) do err.context = nil end
    end)
  end,
  -- The batch is not complete yet.
  pending = function(account, request, random)
    return rewrite(account:handle(request), function(batch)
      batch.status = "PENDING"
      batch.results = thin(batch.results, random)
    end)
  end,
}

---@return string[] kinds all of them, in alphabetical order
function faults.kinds()
  local names = {}
  for name in pairs(KINDS) do names[#names + 1] = name end
  table.sort(names)
  return names
end

---@param account hubspot.associations.sandbox.Account
---@param plan { random: function, chances: table<string, number>|nil, script: table<integer, string>|nil }
---  chances: the probability of each kind; script: the kind for the request of that number, which goes before
---  chances
---@return hubspot.associations.sandbox.Faults
function faults.new(account, plan)
  for _, names in ipairs { plan.chances or {}, plan.script or {} } do
    for key, value in pairs(names) do
      local kind = type(key) == "string" and key or value
      if not KINDS[kind] then error("no such fault: " .. tostring(kind), 2) end
    end
  end
  return setmetatable({
    account = account,
    random = plan.random,
    chances = plan.chances or {},
    script = plan.script or {},
    kinds = faults.kinds(), -- ordered: the same random numbers choose the same faults
    requests = 0,
  }, Faults)
end

local function choose(self)
  local scripted = self.script[self.requests]
  if scripted then return scripted end
  local number = self.random()
  for _, kind in ipairs(self.kinds) do
    number = number - (self.chances[kind] or 0)
    if number < 0 then return kind end
  end
end

---@param request hubspot.associations.sandbox.Request
---@return hubspot.associations.sandbox.Response with `dropped` or `cut` when the connection is to fail
function Faults:handle(request)
  if request.path:find "^/sandbox/" then return self.account:handle(request) end
  self.requests = self.requests + 1
  local kind = choose(self)
  if not kind then return self.account:handle(request) end
  return KINDS[kind](self.account, request, self.random)
end

return faults
