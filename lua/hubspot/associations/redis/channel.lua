-- A way to Redis on the transport of a client: it has no descriptor of its own, and never waits. The
-- replies make the owners of the client's descriptor look again.

local core = require "hubspot.associations.core"
local codec = require "hubspot.associations.redis_codec"
local failure = require "hubspot.associations.redis.failure"
local links = require "hubspot.associations.redis.link"
local scripts = require "hubspot.associations.redis.script"

local channel = {}

---@class hubspot.associations.RedisChannel
local Channel = {}
Channel.__index = Channel

---@class hubspot.associations.RedisScriptExchange
local Exchange = {}
Exchange.__index = Exchange

---@param address hubspot.associations.RedisAddress
---@param session table { wakeups, trust } of a client's session
---@param timeout number seconds until a reply has to be there
---@return hubspot.associations.RedisChannel
function channel.new(address, session, timeout)
  local self = setmetatable({
    address = address,
    wakeups = session.wakeups,
    explain = function(failed) return session.trust:explain(failed) end,
    timeout = timeout,
    link = nil,
    digests = {}, -- source of a script -> its digest, once Redis has said it
  }, Channel)
  session.wakeups:after_steps(function()
    if self.link then self.link:advance() end
  end)
  return self
end

-- Sends the script by its digest; or as a whole, when that is not known, and asks for it.
local function send(self, exchange)
  local digest = self.digests[exchange.source]
  local commands
  if digest then
    commands = { codec.command(scripts.words("EVALSHA", digest, exchange.keys, exchange.arguments)) }
  else
    commands = {
      codec.command { "SCRIPT", "LOAD", exchange.source },
      codec.command(scripts.words("EVAL", exchange.source, exchange.keys, exchange.arguments)),
    }
  end
  local sent = { count = #commands, replies = {}, received = 0, is_done = false }
  sent.wake = function() self.wakeups:hurry_all() end
  exchange.sent, exchange.link = sent, links.of(self)
  exchange.link:submit(sent, #commands[1], table.concat(commands))
end

---Runs a script in Redis.
---@param source string
---@param keys string[]
---@param arguments string[]
---@return hubspot.associations.RedisScriptExchange
function Channel:script(source, keys, arguments)
  local exchange = setmetatable({
    channel = self, source = source, keys = keys, arguments = arguments, at = core.now(),
  }, Exchange)
  send(self, exchange)
  return exchange
end

---Whether there is a reply, or an error.
---@return boolean
function Exchange:done()
  local sent, self_channel = self.sent, self.channel
  if not sent.is_done and core.now() - self.at > self_channel.timeout then
    local err = failure.of_timeout(self_channel.address, self_channel.timeout, self.link.is_open)
    self.link:give_up(sent, err)
  end
  if not sent.is_done then return false end
  local reply = sent.replies[sent.count]
  if type(reply) ~= "table" or reply.code ~= "NOSCRIPT" then return true end
  self_channel.digests[self.source] = nil -- Redis was started again
  send(self_channel, self)
  return false
end

---The reply, once it is there; nil and an error where there is none.
---@return any
---@return hubspot.associations.Error|nil
function Exchange:reply()
  local sent = self.sent
  if sent.err then return nil, sent.err end
  local reply = sent.replies[sent.count]
  if type(reply) == "table" and reply.kind then return nil, reply end
  if sent.count == 2 and type(sent.replies[1]) == "string" then
    self.channel.digests[self.source] = sent.replies[1]
  end
  return reply
end

return channel
