-- What the commands of a fleet share: the queue that the arguments name.

local errors = require "hubspot.associations.errors"

local fleet = {}

local NO_URL = "no Redis: name it by --redis, or set the environment variable HUBSPOT_REDIS to its URL"

-- Where Redis is: from the environment, a URL may have a password.
local function url_of(arguments, environment)
  local url = arguments.redis or environment.getenv "HUBSPOT_REDIS"
  if url and url ~= "" then return url end
end

---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.SharedQueue|nil
---@return string|nil message
function fleet.queue(arguments, environment)
  local url = url_of(arguments, environment)
  if not url then return nil, NO_URL end
  local loaded, redis = pcall(require, "hubspot.associations.redis")
  if not loaded then return nil, tostring(redis) end
  local wrong = redis.invalid_url(url)
  if wrong then return nil, "HUBSPOT_REDIS: the URL cannot be used: " .. wrong end
  local queue, err = redis.queue {
    url = url, name = arguments.queue, ca_file = arguments.ca_file, max_dead = arguments.max_dead,
  }
  return queue, err and errors.summary(err)
end

---What people should know of the queue's Redis, which the queue itself cannot tell.
---@param queue hubspot.associations.SharedQueue
---@return string|nil
function fleet.warning(queue)
  local info = queue.connection:call("INFO", "memory") -- a user may not be allowed to ask
  local policy = type(info) == "string" and info:match "maxmemory_policy:(allkeys%-[a-z]+)"
  if not policy then return nil end
  return ("Redis has the maxmemory-policy %s: when it is full, it deletes what is in the queue; set "
    .. "noeviction"):format(policy)
end

---The budget on the same Redis, where one is named.
---@param arguments table
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.Budget|nil
function fleet.budget(arguments, environment)
  if not arguments.budget then return nil end
  local redis = require "hubspot.associations.redis"
  return redis.budget {
    url = url_of(arguments, environment), account = arguments.budget, rate = arguments.rate,
  }
end

return fleet
