-- Stands before a sandbox account and spoils some of its answers, as networks, gateways and busy services
-- do: for tests of what must survive them. Answers like an account does, and takes the same requests.
-- Pure: the luck comes in.

local json = require "hubspot.associations.sandbox.json"
local rejection = require "hubspot.associations.sandbox.rejection"

local faults = {}

---@class hubspot.associations.sandbox.Faults
local Faults = {}
Faults.__index = Faults

-- ---- what can go wrong ----
-- Each takes (account, request, random) and returns a response. `dropped = true`: the connection ends
-- without an answer. `cut`: only so many bytes of the body come.

local function answer(status, body, headers)
  headers = headers or {}
  headers["content-type"] = headers["content-type"] or "text/html"
  return { status = status, headers = headers, body = body }
end

local function rate_limited(policy, retry_after)
  return function()
    local rejected = rejection.rate(policy, retry_after)
    local headers = rejected.headers or {}
    headers["content-type"] = "application/json"
    return answer(429, json.encode(rejected.fields), headers)
  end
end

local function gateway(status)
  return function()
    return answer(status, ("<html><body>%d</body></html>"):format(status))
  end
end

-- Leaves some entries out of a list of the answer, which keeps its length otherwise.
local function thin(list, random)
  local kept = {}
  for _, entry in ipairs(list or {}) do
    if random() < 0.7 then kept[#kept + 1] = entry end
  end
  return kept
end

-- Ids are text meanwhile: they may be larger than a number of Lua's can be.
local function rewrite(response, change)
  if response.status >= 300 then return response end
  local batch = json.decode((response.body:gsub('(ObjectId":)(%d+)', '%1"#%2"')))
  change(batch)
  response.body = json.encode(batch):gsub('"#(%d+)"', "%1")
  return response
end

local KINDS = {
  -- The request never arrives.
  lost_request = function()
    return { dropped = true }
  end,
  -- It is done, but the answer never comes.
  lost_answer = function(account, request)
    account:handle(request)
    return { dropped = true }
  end,
  -- It arrives twice; the second answer comes.
  duplicate = function(account, request)
    account:handle(request)
    return account:handle(request)
  end,
  -- The answer takes long.
  delay = function(account, request, random)
    local response = account:handle(request)
    response.delay = (response.delay or 0) + random() * 5
    return response
  end,
  -- A gateway gives up, before or after the request is done.
  unavailable = gateway(503),
  bad_gateway = function(account, request)
    account:handle(request)
    return gateway(502)()
  end,
  gateway_timeout = function(account, request)
    account:handle(request)
    return gateway(504)()
  end,
  locked = gateway(423),
  ten_secondly = rate_limited "TEN_SECONDLY_ROLLING",
  secondly = rate_limited("SECONDLY", 1),
  daily = rate_limited "DAILY",
  -- The answer breaks off.
  truncated = function(account, request, random)
    local response = account:handle(request)
    response.cut = math.floor(random() * #response.body)
    return response
  end,
  -- A stranger's bytes stand in the answer.
  garbled = function(account, request, random)
    local response = account:handle(request)
    local at = math.floor(random() * #response.body)
    response.body = response.body:sub(1, at) .. "<garbage\0>" .. response.body:sub(at + 1)
    return response
  end,
  empty = function(account, request)
    local response = account:handle(request)
    response.body = ""
    return response
  end,
  -- The answer leaves inputs out, or says less of them.
  partial = function(account, request, random)
    return rewrite(account:handle(request), function(batch)
      batch.results = thin(batch.results, random)
      batch.errors = batch.errors and thin(batch.errors, random)
    end)
  end,
  anonymous = function(account, request, random)
    return rewrite(account:handle(request), function(batch)
      if random() < 0.5 then batch.results = thin(batch.results, random) end
      for _, err in ipairs(batch.errors or {}) do err.context = nil end
    end)
  end,
  pending = function(account, request, random)
    return rewrite(account:handle(request), function(batch)
      batch.status = "PENDING"
      batch.results = thin(batch.results, random)
    end)
  end,
}

---@return string[] kinds all that can go wrong, in alphabetical order
function faults.kinds()
  local names = {}
  for name in pairs(KINDS) do names[#names + 1] = name end
  table.sort(names)
  return names
end

---@param account hubspot.associations.sandbox.Account
---@param plan table { random = function, chances = { [kind] = probability of a request to meet it },
---  script = { [number of the request] = kind } }
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
    kinds = faults.kinds(), -- in an order, so that the same luck brings the same faults
    requests = 0,
  }, Faults)
end

local function choose(self)
  local scripted = self.script[self.requests]
  if scripted then return scripted end
  local luck = self.random()
  for _, kind in ipairs(self.kinds) do
    luck = luck - (self.chances[kind] or 0)
    if luck < 0 then return kind end
  end
end

---@param request hubspot.associations.sandbox.Request
---@return hubspot.associations.sandbox.Response with `dropped` or `cut`, where it is to fail under way
function Faults:handle(request)
  if request.path:find "^/sandbox/" then return self.account:handle(request) end
  self.requests = self.requests + 1
  local kind = choose(self)
  if not kind then return self.account:handle(request) end
  return KINDS[kind](self.account, request, self.random)
end

return faults
