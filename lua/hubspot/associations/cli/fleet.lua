-- What the commands of a fleet share: the queue, and the budget, that the arguments name.

local errors = require "hubspot.associations.errors"
local files = require "hubspot.associations.cli.files"
local terminal = require "hubspot.associations.cli.output.terminal"

local fleet = {}

local NO_URL = "no Redis: name it by --redis, or set the environment variable HUBSPOT_REDIS to its URL"
local EVICTS = "Redis has the maxmemory-policy %s: when it is full, it deletes what is in the queue; set "
  .. "noeviction"
local NO_FILE = "Redis has no append-only file (appendonly no): a crash of it loses what came into the queue "
  .. "since its last snapshot, or all; set appendonly yes, and appendfsync always"

-- Where Redis is: from the environment, a URL may have a password.
local function url_of(arguments, environment)
  local url = arguments.redis or environment.getenv "HUBSPOT_REDIS"
  if url and url ~= "" then return url end
end

---What happened, in one line. To ask again is always right here: what may be done does no harm twice.
---@param err hubspot.associations.Error
---@return string
function fleet.summary(err)
  if not err.may_be_done then return errors.summary(err) end
  local copy = errors.copy(err)
  copy.may_be_done = nil
  return errors.summary(copy)
end

-- The module, and where Redis is; or nil, and why there is none.
local function redis_of(arguments, environment)
  local url = url_of(arguments, environment)
  if not url then return nil, NO_URL end
  local loaded, redis = pcall(require, "hubspot.associations.redis")
  if not loaded then return nil, tostring(redis) end
  local wrong = redis.invalid_url(url)
  if wrong then return nil, "HUBSPOT_REDIS: the URL cannot be used: " .. wrong end
  return redis, url
end

---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.SharedQueue|nil
---@return string|nil message
function fleet.queue(arguments, environment)
  local redis, url = redis_of(arguments, environment)
  if not redis then return nil, url end
  local queue, err = redis.queue {
    url = url, name = arguments.queue, ca_file = arguments.ca_file, max_dead = arguments.max_dead,
  }
  return queue, err and errors.summary(err)
end

---Makes calls of the queue that the arguments name.
---@param arguments table as arguments.parse gives them
---@param environment hubspot.associations.cli.Environment
---@param calls fun(queue: hubspot.associations.SharedQueue): table|nil, hubspot.associations.Error|nil
---@return table|nil result
---@return string|nil message
function fleet.call(arguments, environment, calls)
  local problem = files.unreadable("--ca-file", arguments.ca_file)
  if problem then return nil, problem end
  local queue, why = fleet.queue(arguments, environment)
  if not queue then return nil, why end
  local result, err = calls(queue)
  queue:close()
  if result then return result end
  return nil, fleet.summary(err)
end

---Warns of a Redis that may lose what is in the queue, as far as it says so.
---@param queue hubspot.associations.SharedQueue
---@param environment hubspot.associations.cli.Environment
---@param status hubspot.associations.QueueStatus|nil where the caller has it
function fleet.warn(queue, environment, status)
  local info, err = queue.connection:call("INFO", "memory")
  if err and err.kind ~= "redis" then return end -- what comes next says so; else, the user may not ask this
  local policy = type(info) == "string" and info:match "maxmemory_policy:(allkeys%-[a-z]+)"
  if policy then terminal.say(environment.stderr, EVICTS:format(policy)) end
  status = status or queue:status()
  if status and status.appendonly == false then terminal.say(environment.stderr, NO_FILE) end
end

---The budget that --budget names; nil where there is none.
---@param arguments table
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.Budget|nil
---@return string|nil message why it cannot be used
function fleet.budget(arguments, environment)
  if not arguments.budget then return nil end
  local redis, url = redis_of(arguments, environment)
  if not redis then return nil, url end
  return redis.budget { url = url, account = arguments.budget, rate = arguments.rate }
end

---The same of a command that needs Redis for nothing else.
---@param arguments table
---@param environment hubspot.associations.cli.Environment
---@return hubspot.associations.Budget|nil
---@return string|nil message
function fleet.budget_of_job(arguments, environment)
  if arguments.redis and not arguments.budget then
    return nil, "option '--redis': it has a use with --budget only"
  end
  return fleet.budget(arguments, environment)
end

return fleet
