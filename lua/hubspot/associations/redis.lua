-- What the processes of a fleet share, on Redis. Needs the module redis_codec, which is built where hiredis
-- is installed; nothing else of the library does.

local found, why = pcall(require, "hubspot.associations.redis_codec")
if not found then
  error("hubspot.associations.redis needs hiredis: install it (Debian's package libhiredis-dev), and build "
    .. "this module again; " .. why:match "^[^\n]*", 0)
end

local addresses = require "hubspot.associations.redis.address"
local budgets = require "hubspot.associations.redis.budget"
local connections = require "hubspot.associations.redis.connection"

local queues = require "hubspot.associations.redis.queue"

local redis = {}

---A connection to Redis, made when the first command is sent, and again when it was lost. Raises when an
---option is unknown or wrong.
---@param options hubspot.associations.RedisOptions
---@return hubspot.associations.RedisConnection|nil
---@return hubspot.associations.Error|nil
function redis.new(options)
  local made, err = connections.new(options, 2)
  return made, err
end

---The budget that the processes of an account share: an option of associations.new. Raises when an option is
---unknown or wrong.
---@param options hubspot.associations.BudgetOptions
---@return hubspot.associations.Budget
function redis.budget(options)
  local made = budgets.new(options, 2)
  return made
end

---Why a URL cannot be used; nil when it can. The reason repeats no part of it.
---@param url string
---@return string|nil
function redis.invalid_url(url)
  local address, reason = addresses.parse(url)
  return not address and reason or nil
end

---A queue of inputs, which workers drain by client:work. Raises when an option is unknown or wrong.
---@param options hubspot.associations.QueueOptions
---@return hubspot.associations.SharedQueue|nil
---@return hubspot.associations.Error|nil
function redis.queue(options)
  local made, err = queues.new(options, 2)
  return made, err
end

return redis
