-- The budget of an account, which all its processes share: what redis.budget returns, and what a client
-- makes of it.

local channels = require "hubspot.associations.redis.channel"
local given_options = require "hubspot.associations.redis.options"
local members = require "hubspot.associations.redis.member"

local budget = {}

local TIMEOUT = 5 -- seconds; a process goes on alone before that
local OPTIONS = { url = "url", account = "name", rate = "rate" }
local KEYS = { "state", "charges", "members", "waiting" }

---@class hubspot.associations.BudgetOptions
---@field url string redis[s]://[user[:password]@]host[:port][/database]
---@field account string|nil which budget of that Redis: "default"
---@field rate integer|nil requests per 10 seconds; by default, what the response headers allow

---@class hubspot.associations.Budget what `redis.budget` returns, for the option `budget` of a client
local Budget = {}
Budget.__index = Budget

---@param given hubspot.associations.BudgetOptions
---@param level integer of the caller to blame, as for `error`
---@return hubspot.associations.Budget
function budget.new(given, level)
  local read = given_options.read("redis.budget", given, OPTIONS, level + 1)
  return setmetatable({ address = read.url, account = read.account or "default", rate = read.rate }, Budget)
end

---Takes part in the budget, in place of a limiter.
---@param session hubspot.associations.Session
---@return hubspot.associations.Member
function Budget:join(session)
  local keys = {}
  for index, name in ipairs(KEYS) do
    keys[index] = ("hubspot-associations:budget:{%s}:%s"):format(self.account, name)
  end
  local channel = channels.new(self.address, session, TIMEOUT)
  return members.new {
    keys = keys,
    rate = self.rate,
    ask = function(...) return channel:script(...) end,
    tell = function(event) session.events:budget(event) end,
    forks = function() return session.wakeups.transport:forks() end,
  }
end

return budget
