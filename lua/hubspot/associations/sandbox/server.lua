-- An HTTP/1.1 server on loopback, with one coroutine per connection in a cqueues controller. It knows nothing
-- of HubSpot: it passes each request to an account's `handle`, and sends the response that this returns.

local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"
local http1 = require "hubspot.associations.sandbox.http1"

local LOOPBACK = "127.0.0.1"
local READ_SIZE = 64 * 1024
-- How long the rest of a rejected request is read: a connection that is closed with unread bytes is reset,
-- and the client would not see the response.
local DRAIN_SECONDS = 2

local module = {}

---@class hubspot.associations.sandbox.Server
local server = {}
server.__index = server

-- cqueues raises on socket errors by default.
local function return_error(_, _, code)
  return code
end

-- os.time has whole seconds only: it gives the start, and the monotonic clock the time since then.
local epoch = os.time() - cqueues.monotime()

---A clock for an account's `now`.
---@return number seconds since 1970
function module.now()
  return epoch + cqueues.monotime()
end

-- An account that raises is a bug of the sandbox, which costs one request and not the server.
local function handle(self, request)
  local ok, response = pcall(self.account.handle, self.account, request)
  if ok then return response end
  io.stderr:write("sandbox: ", tostring(response), "\n")
  return { status = 500, headers = { ["content-type"] = "text/plain" }, body = "the sandbox failed\n" }
end

local function reject(connection, status, reason)
  connection:write(http1.serialise({
    status = status, headers = { ["content-type"] = "text/plain" }, body = reason .. "\n",
  }, false))
  connection:shutdown("w")
  local deadline = cqueues.monotime() + DRAIN_SECONDS
  repeat
    connection:settimeout(math.max(deadline - cqueues.monotime(), 0))
  until not connection:read(-READ_SIZE)
end

-- Serves one request. False when the connection has to be closed.
local function serve_request(self, connection, reader)
  local head, status, reason = reader:head()
  if not head then
    if status then reject(connection, status, reason) end
    return false
  end
  if head.continue and not connection:write(http1.CONTINUE) then return false end
  head.body, status, reason = reader:body(head)
  if not head.body then
    reject(connection, status, reason)
    return false
  end
  local response = handle(self, head)
  if response.delay then cqueues.poll(self.closing, response.delay) end
  if self.closed then return false end
  if response.dropped then return false end
  local text = http1.serialise(response, head.keep_alive, head.method == "HEAD")
  if response.cut then -- a fault: the connection ends after this many bytes of the body
    connection:write(text:sub(1, #text - #response.body + response.cut))
    return false
  end
  return connection:write(text) and head.keep_alive
end

local function serve(self, connection)
  connection:onerror(return_error)
  connection:setmode("bn", "bn")
  connection:setbufsiz(READ_SIZE, READ_SIZE)
  local reader = http1.reader(function() return (connection:read(-READ_SIZE)) end)
  self.connections[connection] = true
  local goes_on
  repeat goes_on = serve_request(self, connection, reader) until not goes_on
  self.connections[connection] = nil
  connection:close()
end

local function accept(self)
  local readable = { pollfd = self.listener:pollfd(), events = "r" }
  while not self.closed do
    cqueues.poll(readable, self.closing)
    if self.closed then break end
    local connection, code = self.listener:accept({ nodelay = true }, 0)
    if connection then
      self.loop:wrap(serve, self, connection)
    elseif code and code ~= errno.ETIMEDOUT then
      cqueues.poll(self.closing, 0.01)  -- too many open files, for example: some may be closed by then
    end
  end
  self.listener:close()
end

-- Calls take for each byte or line of standard input, and closes the server when it ends.
local function read_input(self, format, take)
  self.eof_watcher = coroutine.running()
  while true do
    cqueues.poll({ pollfd = 0, events = "r" }, self.closing)
    local line = not self.closed and io.stdin:read(format)
    if not line then break end
    take(line)
  end
  self:close()
end

local function ignore() end

local function open_listener(port)
  local listener, code = socket.listen { host = LOOPBACK, port = port, reuseaddr = true }
  if not listener then return nil, code end
  listener:onerror(return_error)
  local ok
  ok, code = listener:listen()
  if ok then return listener end
  listener:close()
  return nil, code
end

---@class hubspot.associations.sandbox.ServerOptions
---@field account { handle: function } an account, or faults in front of one
---@field port integer|nil 0, the default, lets the system choose one
---@field shutdown_on_eof boolean|nil whether the server is closed when standard input ends

local OPTIONS = { account = true, port = true, shutdown_on_eof = true }

---Listens on 127.0.0.1. Connections are served once `run` is called, or a host steps `controller`.
---@param given hubspot.associations.sandbox.ServerOptions
---@return hubspot.associations.sandbox.Server|nil
---@return string|nil err
function module.listen(given)
  if type(given) ~= "table" or type(given.account) ~= "table" then
    error("sandbox server: expected a table with an account", 2)
  end
  for name in pairs(given) do
    if not OPTIONS[name] then
      error(string.format("unknown sandbox server option %q", tostring(name)), 2)
    end
  end
  local port = given.port or 0
  if type(port) ~= "number" or port % 1 ~= 0 or port < 0 or port > 65535 then
    error("sandbox server: expected a port from 0 to 65535", 2)
  end
  local listener, code = open_listener(port)
  if not listener then
    local reason = type(code) == "number" and errno.strerror(code) or tostring(code)
    return nil, string.format("cannot listen on %s:%d: %s", LOOPBACK, port, reason)
  end
  local _, _, bound = listener:localname()
  local self = setmetatable({
    account = given.account, listener = listener, bound = bound, closed = false,
    closing = condition.new(), loop = cqueues.new(), connections = {},
  }, server)
  self.loop:wrap(accept, self)
  if given.shutdown_on_eof then self.loop:wrap(read_input, self, 1, ignore) end
  return self
end

---@return integer port
function server:port()
  return self.bound
end

---@return string url such as "http://127.0.0.1:8080"
function server:url()
  return string.format("http://%s:%d", LOOPBACK, self.bound)
end

---The cqueues controller that serves the connections, for a host's own controller to step.
---@return userdata controller
function server:controller()
  return self.loop
end

---Calls a function for each line of standard input, and closes the server when it ends.
---@param take fun(line: string)
function server:on_line(take)
  self.loop:wrap(read_input, self, "*l", take)
end

---Closes the server when an event occurs.
---@param event any an argument of cqueues.poll: a signal listener, a condition, a socket
function server:close_when(event)
  self.loop:wrap(function()
    cqueues.poll(event, self.closing) -- whichever comes first
    self:close()
  end)
end

---Serves until `close` is called.
function server:run()
  repeat
    local ok, message, _, thread = self.loop:step()
    if not ok and thread == self.eof_watcher then
      self:close()  -- standard input cannot be polled: it is a file or /dev/null, and so ended already
    elseif not ok then
      -- The coroutine that raised has ended; the others continue.
      io.stderr:write("sandbox: ", tostring(message), "\n")
    end
  until self.loop:empty()
end

---Closes the server and all connections, also those that wait for a response.
function server:close()
  if self.closed then return end
  self.closed = true
  self.closing:signal()
  for connection in pairs(self.connections) do connection:shutdown("rw") end
end

return module
