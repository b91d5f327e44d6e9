-- The account of a simulated sync: what links it has, pair by pair; changes to it that are no client's; and,
-- where that is wanted, reads that show a write late, as HubSpot's do.

local cjson = require "cjson"
local account = require "hubspot.associations.sandbox.account"

local sync_account = {}

-- The directions of a sync: names, and the ids of HubSpot's own types. `one_primary` is the side whose record
-- has one primary company. Between records of one object type, a link shows from both, and `inverses` says
-- what the other shows of a label; one that is not there shows as itself.
sync_account.DIRECTIONS = {
  { from = "contacts", to = "companies", from_id = "0-1", to_id = "0-2", unlabeled = "HUBSPOT_DEFINED:279",
    primary = "HUBSPOT_DEFINED:1", one_primary = "from" },
  { from = "companies", to = "contacts", from_id = "0-2", to_id = "0-1", unlabeled = "HUBSPOT_DEFINED:280",
    primary = "HUBSPOT_DEFINED:2", one_primary = "to" },
  { from = "contacts", to = "contacts", from_id = "0-1", to_id = "0-1", unlabeled = "HUBSPOT_DEFINED:449",
    inverses = { ["USER_DEFINED:37"] = "USER_DEFINED:38", ["USER_DEFINED:38"] = "USER_DEFINED:37" } },
}

local Model = {}
Model.__index = Model

-- An account that gets each write `lag` seconds later, and answers the reads.
local function shadow(self, options, world)
  self.shown = account.new(options)
  local real = self.account
  return {
    handle = function(_, request)
      if request.path:find "/batch/read" then return self.shown:handle(request) end
      world:after(self.lag, function() self.shown:handle(request) end)
      return real:handle(request)
    end,
  }
end

local NOTHING_YET = '{"status":"PENDING","results":[]}'

---A service that says nothing of some records, however often it is asked to read them.
---@param service table
---@param unreadable table<string, boolean> their ids
function sync_account.hide(service, unreadable)
  return {
    handle = function(_, request)
      if not next(unreadable) or not request.path:find "/batch/read$" then return service:handle(request) end
      local asked, left = cjson.decode(request.body).inputs, {}
      for _, input in ipairs(asked) do
        if not unreadable[input.id] then left[#left + 1] = input end
      end
      if not left[1] then
        return { status = 200, headers = { ["content-type"] = "application/json" }, body = NOTHING_YET }
      end
      if #left == #asked then return service:handle(request) end
      local shortened = setmetatable({ body = cjson.encode { inputs = left } }, { __index = request })
      local response = service:handle(shortened)
      response.body = response.body:gsub('"COMPLETE"', '"PENDING"', 1)
      return response
    end,
  }
end

---@param world table of simulation.world
---@param direction table one of DIRECTIONS
---@param options table of the account
---@param lag number|nil seconds until a read shows a write
function sync_account.new(world, direction, options, lag)
  local self = setmetatable({
    world = world, account = world.account, direction = direction, lag = lag,
  }, Model)
  if lag then
    local given = { now = function() return world.now end, random = world.random }
    for name, value in pairs(options) do given[name] = value end
    world.service.account = shadow(self, given, world)
  end
  return self
end

local function types_of(keys)
  local list = {}
  for key in pairs(keys) do
    local category, id = key:match "^(.-):(%d+)$"
    list[#list + 1] = { associationCategory = category, associationTypeId = tonumber(id) }
  end
  local function name(one) return one.associationCategory .. one.associationTypeId end
  table.sort(list, function(one, other) return name(one) < name(other) end)
  return list
end

-- Sends a request of nobody's, to the account and, at once or late, to what reads show.
local function send(self, endpoint, input, is_late)
  local direction = self.direction
  local request = {
    method = "POST",
    path = ("/crm/associations/2025-09/%s/%s/batch/%s"):format(direction.from, direction.to, endpoint),
    headers = { authorization = "Bearer another", ["content-type"] = "application/json" },
    body = cjson.encode { inputs = { input } },
  }
  local response = self.account:handle(request)
  assert(response.status < 300, response.body)
  if not self.shown then return end
  if is_late then
    self.world:after(self.lag, function() self.shown:handle(request) end)
  else
    self.shown:handle(request)
  end
end

---Links a pair by these types, and keeps its other labels.
---@param keys table<string, boolean>
---@param is_late boolean|nil whether reads show it after the lag only
function Model:link(from, to, keys, is_late)
  local all = {}
  for key in pairs(self:types(from, to)) do
    if key:find "^USER_DEFINED:" then all[key] = true end
  end
  for key in pairs(keys) do all[key] = true end
  send(self, "create", { from = { id = from }, to = { id = to }, types = types_of(all) }, is_late)
end

---Removes a pair, with all of its types.
function Model:unlink(from, to, is_late)
  send(self, "archive", { from = { id = from }, to = { { id = to } } }, is_late)
end

---The types of a pair.
---@return table<string, boolean>
function Model:types(from, to)
  return (self:state()[from] or {})[to] or {}
end

---What the account has, in the direction of the sync.
---@return table<string, table<string, table<string, boolean>>> state from -> to -> set of "CATEGORY:ID"
function Model:state()
  local state, one = {}, self.direction
  local links, between = self.account.links, self.account.between(one.from_id, one.to_id)
  for from in pairs(links.store:records(one.from_id, one.to_id)) do
    for _, target in ipairs((links:page(between, from, 1, math.huge))) do
      local keys = {}
      for _, kind in ipairs(target.types) do keys[("%s:%d"):format(kind.category, kind.type_id)] = true end
      state[from] = state[from] or {}
      state[from][target.id] = keys
    end
  end
  return state
end

return sync_account
