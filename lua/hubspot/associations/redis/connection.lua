-- A connection to Redis that is made when it is needed, and again after it was lost; and the waiting of those
-- who call it. Coroutines share it: their commands are pipelined.

local core = require "hubspot.associations.core"
local blocking = require "hubspot.associations.loop.blocking"
local failure = require "hubspot.associations.redis.failure"
local given_options = require "hubspot.associations.redis.options"
local links = require "hubspot.associations.redis.link"
local scripts = require "hubspot.associations.redis.script"
local trust = require "hubspot.associations.session.trust"
local wakeups = require "hubspot.associations.session.wakeups"

local codec = require "hubspot.associations.redis_codec"

local connection = {}

local DEFAULT_TIMEOUT = 5 -- seconds
local QUIET = 0.05 -- seconds after which a connection is looked at before it is used: it may have ended

---@class hubspot.associations.RedisOptions
---@field url string redis[s]://[user[:password]@]host[:port][/database]
---@field timeout number|nil seconds that a call takes at most, with the connection; 5
---@field ca_file string|nil certificates to trust, as of a client
---@field ca_path string|nil
---@field loop table|nil as of a client

local OPTIONS = { url = "url", timeout = "client", ca_file = "client", ca_path = "client", loop = "client" }

---@class hubspot.associations.RedisConnection
local Connection = {}
Connection.__index = Connection

---@param given hubspot.associations.RedisOptions
---@param level integer of the caller to blame, as for `error`
---@return hubspot.associations.RedisConnection|nil
---@return hubspot.associations.Error|nil
function connection.new(given, level)
  return connection.open(given_options.read("redis.new", given, OPTIONS, level + 1))
end

---The same with options that were read: `url` is an address.
---@param read table { url, timeout, ca_file, ca_path, loop }
---@return hubspot.associations.RedisConnection|nil
---@return hubspot.associations.Error|nil
function connection.open(read)
  local address = read.url
  local trusted = trust.of(read)
  local transport, failed = core.transport {
    ca_file = trusted.ca_file, ca_path = trusted.ca_path, keep_default_ca = trusted.keep_default_ca,
  }
  if not transport then return nil, failure.of_connection(address, failed, false) end
  return setmetatable({
    address = address,
    timeout = read.timeout or DEFAULT_TIMEOUT,
    wakeups = wakeups.new(transport, read.loop or blocking),
    explain = function(failed_) return trusted:explain(failed_) end,
    link = nil,
  }, Connection)
end

-- The link to send by. One that was not used for a while may have ended: that is looked at first.
local function link_of(self)
  local last = self.link
  if last and last:is_idle() and core.now() - last.used > QUIET then self.wakeups:step() end
  return links.of(self)
end

-- Waits until the exchange is done, which it is at the deadline at the latest.
local function await(self, link, exchange, deadline)
  while not exchange.is_done do
    local left = deadline - core.now()
    if left <= 0 then
      link:give_up(exchange, failure.of_timeout(self.address, self.timeout, link.is_open))
    else
      self.wakeups:wait(left, nil, exchange)
      if not exchange.is_done then link:advance() end
    end
  end
  self.wakeups:end_work()
end

-- Sends an exchange by a connection, and waits until it is done. Returns whether the connection was an old
-- one that turned out to have ended, so that nothing was sent: only then is there reason to try another.
local function run(self, exchange, first_size, bytes, deadline)
  local link = link_of(self)
  local was_ready, running = link.is_ready, true
  exchange.wake = function()
    if not running then self.wakeups:hurry(exchange) end
  end
  link:submit(exchange, first_size, bytes)
  running = false
  await(self, link, exchange, deadline)
  local err = exchange.err
  return err ~= nil and was_ready and err.kind == "network" and err.sent == false
end

-- Sends commands that are written, and waits for their replies.
local function exchange_of(self, count, first_size, bytes)
  if self.wakeups.is_closed then return nil, failure.closed() end
  local deadline = core.now() + self.timeout
  local exchange = { count = count, replies = {}, received = 0, is_done = false }
  if run(self, exchange, first_size, bytes, deadline) then
    exchange.is_done, exchange.err = false, nil
    run(self, exchange, first_size, bytes, deadline)
  end
  local err = exchange.err
  if not err then return exchange.replies end
  if exchange.received > 0 then err.replies = exchange.replies end
  return nil, err
end

---Sends a command and waits for its reply: a string, a number, a list, or false where Redis has nil.
---@param ... string|number its name and its arguments
---@return any reply
---@return hubspot.associations.Error|nil also an error reply, of kind `redis`
function Connection:call(...)
  return self:command({ ... }, (select("#", ...)))
end

---The same for a command in a list.
---@param command (string|number)[]
---@param count integer|nil of its words
---@return any reply
---@return hubspot.associations.Error|nil
function Connection:command(command, count)
  local bytes = codec.command(command, count)
  local replies, err = exchange_of(self, 1, #bytes, bytes)
  if not replies then return nil, err end
  local reply = replies[1]
  if type(reply) == "table" and reply.kind then return nil, reply end
  return reply
end

---Sends commands at once, and waits for all replies.
---@param commands (string|number)[][]
---@return any[]|nil replies in the order of the commands; an error reply is an error in its place
---@return hubspot.associations.Error|nil when the connection ended; `replies` are those that had come
function Connection:pipeline(commands)
  local list = {}
  for index, command in ipairs(commands) do list[index] = codec.command(command) end
  if #list == 0 then return {} end
  return exchange_of(self, #list, #list[1], table.concat(list))
end

---@param source string a script for Redis, in Lua
---@return hubspot.associations.RedisScript
function Connection:script(source)
  return scripts.new(self, source)
end

---Ends the connection. Calls under way end with an error.
function Connection:close()
  if self.link then self.link:fail(failure.closed()) end
  self.wakeups:close()
end

return connection
