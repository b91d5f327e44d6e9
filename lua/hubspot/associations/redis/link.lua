-- One connection to Redis, from its beginning to its end: a state machine over a stream of the transport,
-- which never waits. Commands are pipelined, and replies come in their order. Once it has ended, all that had
-- no reply has an error that says whether Redis may have done it. Nothing is sent twice.

local codec = require "hubspot.associations.redis_codec"
local core = require "hubspot.associations.core"
local failure = require "hubspot.associations.redis.failure"

local link = {}

local MOST_BYTES = 64 * 1024 * 1024 -- of a reply

---@class hubspot.associations.RedisExchange commands that were sent together, and their replies
---@field count integer of the commands
---@field replies any[] those that came; an error reply is an error
---@field received integer their number
---@field first_end integer how many bytes the connection has to send before Redis can read the first command
---@field is_done boolean
---@field err hubspot.associations.Error|nil of all of it: the connection ended
---@field wake fun()|nil called when it is done

---@class hubspot.associations.RedisLink
---@field err hubspot.associations.Error|nil why it has ended
local Link = {}
Link.__index = Link

-- What is to be sent first, as a connection knows nothing of the one before.
local function greeting(address)
  local list = {}
  local password, user = address.credentials()
  if password then
    list[1] = codec.command(user and { "AUTH", user, password } or { "AUTH", password })
  end
  if address.database then list[#list + 1] = codec.command { "SELECT", address.database } end
  return list
end

---@class hubspot.associations.RedisLinkOwner who sends by links, one after the other
---@field wakeups hubspot.associations.Wakeups of the transport
---@field address hubspot.associations.RedisAddress
---@field timeout number seconds, for a connection
---@field explain fun(failure: table): string the message of a failure of TLS
---@field link hubspot.associations.RedisLink|nil the last one

local function open(owner)
  local address = owner.address
  local self = setmetatable({
    address = address,
    explain = owner.explain,
    reader = codec.reader(function(text) return failure.of_reply(address, text) end, MOST_BYTES),
    exchanges = {}, -- without a complete set of replies, from `first` to `last`
    first = 1,
    last = 0,
    given = 0, -- bytes that the stream was given
    held = {}, -- commands that wait for the greeting's replies
    is_open = false,
    is_ready = false,
    is_between = false, -- whether commands and replies may not fit: what it was at did not come to its end
    is_stale = false, -- whether Redis is a replica by now: the name may lead to another one
    used = core.now(), -- when it last sent or received something
  }, Link)
  local transport = owner.wakeups.transport
  local stream, failed = transport:connect(address.host, address.port, address.is_tls, owner.timeout)
  if not stream then
    self.err = failure.of_connection(address, failed, false)
  else
    self.stream = stream
  end
  return self
end

local function finish(exchange, err)
  exchange.is_done, exchange.err = true, err
  if exchange.wake then exchange.wake() end
end

---Ends the connection, and all that has no reply.
---@param err hubspot.associations.Error
function Link:fail(err)
  if self.err then return end
  self.err = err
  local sent = self.stream:sent()
  self.stream:close()
  for index = self.first, self.last do
    local exchange = self.exchanges[index]
    self.exchanges[index] = nil
    finish(exchange, failure.of_exchange(err, exchange.first_end <= sent))
  end
  for _, held in ipairs(self.held) do finish(held.exchange, failure.of_exchange(err, false)) end
  self.held = {}
end

---The same for one who waits for an exchange, which is done after it, also when memory ran out before.
---@param exchange hubspot.associations.RedisExchange
---@param err hubspot.associations.Error
function Link:give_up(exchange, err)
  self:fail(err)
  if not exchange.is_done then exchange.is_done, exchange.err = true, failure.of_exchange(self.err, true) end
end

-- Gives bytes to the stream, and awaits their replies.
local function send(self, exchange, first_size, bytes)
  local was_between = self.is_between
  self.is_between = true
  exchange.first_end = self.given + first_size
  self.exchanges[self.last + 1] = exchange
  local taken, failed = self.stream:send(bytes)
  if taken then
    self.last, self.given = self.last + 1, self.given + #bytes
  else
    self.exchanges[self.last + 1] = nil
  end
  self.is_between = was_between
  if taken then return end
  finish(exchange, failure.of_exchange(failure.of_connection(self.address, failed, true), false))
end

---Sends commands, or holds them until the connection is ready. When it has ended, the exchange is done.
---@param exchange hubspot.associations.RedisExchange
---@param first_size integer bytes of the first command
---@param bytes string
function Link:submit(exchange, first_size, bytes)
  self.used = core.now()
  if self.err then
    finish(exchange, failure.of_exchange(self.err, false))
  elseif self.is_ready then
    send(self, exchange, first_size, bytes)
  else
    self.held[#self.held + 1] = { exchange = exchange, first_size = first_size, bytes = bytes }
  end
end

local function become_ready(self)
  local held = self.held
  self.is_ready, self.held = true, {}
  for _, each in ipairs(held) do send(self, each.exchange, each.first_size, each.bytes) end
end

local function greet(self)
  local list = greeting(self.address)
  self.is_open = true
  if #list == 0 then return become_ready(self) end
  local exchange = { count = #list, replies = {}, received = 0 }
  exchange.wake = function()
    if exchange.err then return end
    for _, reply in ipairs(exchange.replies) do
      if type(reply) == "table" then return self:fail(reply) end
    end
    become_ready(self)
  end
  send(self, exchange, #list[1], table.concat(list))
end

local function take_reply(self, reply)
  local exchange = self.exchanges[self.first]
  if not exchange then
    -- Redis sends an error without a command where it accepts no connection.
    self:fail(type(reply) == "table" and reply.kind and reply
      or failure.of_protocol(self.address, "there is a reply to no command"))
    return
  end
  if type(reply) == "table" and reply.code == "READONLY" then self.is_stale = true end
  exchange.received = exchange.received + 1
  exchange.replies[exchange.received] = reply
  if exchange.received < exchange.count then return end
  self.exchanges[self.first] = nil
  self.first = self.first + 1
  finish(exchange)
end

local function read(self, bytes)
  self.used = core.now()
  local reader = self.reader
  local has, reply = reader:feed(bytes)
  while has and not self.err do
    has, reply = reader:next()
    if has then take_reply(self, reply) end
  end
  if has == nil and not self.err then self:fail(failure.of_protocol(self.address, reply)) end
end

-- Ends it where a new one may find another Redis, once nothing is under way; and where sending or reading
-- raised, as memory ran out: then it is not known which reply is of which command.
local function end_if_unfit(self)
  if self.is_between then
    self:fail(failure.of_protocol(self.address, "a reply could not be read, or a command not be sent"))
  elseif self.is_stale and self:is_idle() then
    self:fail(failure.closed())
  end
end

-- Whether the connection is there, as far as the transport's last step could tell. In a forked child, it is
-- not.
local function lives(self)
  return self.err == nil and self.stream:state() ~= nil
end

---Does what the transport's last step made possible.
function Link:advance()
  if self.err then return end
  if self.is_between then return end_if_unfit(self) end
  local state, failed = self.stream:state()
  if state and not self.is_open then
    if state == "connecting" then return end
    greet(self)
  end
  self.is_between = true
  local bytes = self.stream:receive()
  while bytes and not self.err do
    read(self, bytes)
    bytes = not self.err and self.stream:receive()
  end
  self.is_between = false
  if state or self.err then return end
  failed.message = self.explain(failed)
  self:fail(failure.of_connection(self.address, failed, self.is_open))
end

---Whether nothing is under way.
---@return boolean
function Link:is_idle()
  return self.is_ready and self.first > self.last
end

---The link to send by: a new one when there is none, or it has ended.
---@param owner hubspot.associations.RedisLinkOwner
---@return hubspot.associations.RedisLink
function link.of(owner)
  local last = owner.link
  if last then
    if not lives(last) then last:advance() end
    end_if_unfit(last)
    if not last.err then return last end
  end
  owner.link = open(owner)
  return owner.link
end

return link
