-- A server on loopback that sends exactly the bytes that a spec names, and reports what it received.
-- It runs in a child process (raw_server_main.lua), so that the code under test may block.
-- It knows nothing of HubSpot, and of HTTP only where a request ends.
--
-- A connection follows a script, which is a list of actions:
--   { "read_request" }                   reads a head, and a body of its Content-Length
--   { "read_head" }                      reads a head and leaves the body unread
--   { "read_http2_head" }                reads frames of HTTP/2 until a request's head is complete
--   { "read_http2_request" }             the same, until a request has ended
--   { "receive" }                        reads what is available, at least one byte
--   { "send", bytes }
--   { "send_repeated", bytes, count }
--   { "send_for_ever", bytes }
--   { "drip", bytes, seconds }           sends one byte at a time, with pauses of so many seconds
--   { "sleep", seconds }
--   { "ignore" }                         does nothing, reads nothing, for ever
--   { "hold" }                           reads until the peer closes
--   { "close" }                          sends FIN; under TLS no close_notify goes before it
--   { "reset" }                          sends RST
-- A script closes the connection at its end. If the peer is gone, the rest of the script is skipped.

local process = require "support.process"
local socket = require "socket"

local raw_server = {}

local HERE = debug.getinfo(1, "S").source:match("^@(.*)raw_server%.lua$")

-- Seconds within which the server has to answer a question.
local ANSWER_TIMEOUT = 10

-- A value of strings, numbers, booleans and tables as a Lua expression.
local function serialize(value)
  local kind = type(value)
  if kind == "string" then
    return ("%q"):format(value)
  elseif kind == "number" then
    return ("%.17g"):format(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind ~= "table" then
    error("a script for the raw server cannot hold a " .. kind, 0)
  end
  local fields = {}
  for key, field in pairs(value) do
    fields[#fields + 1] = "[" .. serialize(key) .. "]=" .. serialize(field)
  end
  return "{" .. table.concat(fields, ",") .. "}"
end

---@class raw_server.Tls
---@field certificate string path of a PEM file
---@field key string path of a PEM file
---@field protocol? string the only one spoken, such as "TLSv1_1"; any when absent
---@field alpn? string the protocol to choose whatever the client offers, such as "h2"

---@class raw_server.Options
---@field connections table[][] the script of the first connection, of the second…; the last one repeats
---@field tls? raw_server.Tls

---@class raw_server.Server
---@field port integer
local Server = {}
Server.__index = Server

--- A port of loopback on which nothing listens at the moment.
---@return integer
function raw_server.free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

--- Starts a server. Raises if it does not start, or if a script is wrong.
---@param options raw_server.Options
---@return raw_server.Server
function raw_server.start(options)
  local script = "return " .. serialize(options) -- raises before there is anything to clean up
  local folder = process.make_folder()
  process.write_file(folder .. "/script.lua", script)
  -- A sanitizer that is preloaded for the code under test must not run in the server.
  local argv = { "lua5.4", HERE .. "raw_server_main.lua", folder .. "/script.lua" }
  local ok, child = pcall(process.start, argv, { env = { LD_PRELOAD = false, LUA_INIT = false } })
  process.remove_folder(folder)
  if not ok then
    error(child, 2)
  end
  local port, control_port = child.line:match("^(%d+) (%d+)$")
  return setmetatable({
    port = tonumber(port),
    control_port = tonumber(control_port),
    child = child,
    scheme = options.tls and "https" or "http",
  }, Server)
end

--- The server's address, without a slash at its end.
---@param scheme? string "https" or "http" as the server speaks, by default
---@param host? string "127.0.0.1" by default
---@return string
function Server:url(scheme, host)
  return ("%s://%s:%d"):format(scheme or self.scheme, host or "127.0.0.1", self.port)
end

-- Asks the server what it has seen. It reads all that has arrived before it answers.
local function ask(self)
  local control = assert(socket.tcp())
  control:settimeout(ANSWER_TIMEOUT)
  assert(control:connect("127.0.0.1", self.control_port))
  local connections = tonumber(assert(control:receive("*l")))
  local requests = {}
  for index = 1, tonumber(assert(control:receive("*l"))) do
    local length = tonumber(assert(control:receive("*l")))
    requests[index] = length == 0 and "" or assert(control:receive(length))
  end
  control:close()
  return { connections = connections, requests = requests }
end

--- The requests that read_request and read_head have read so far, byte for byte, oldest first. Of one that
--- the peer broke off, it is what arrived.
---@return string[]
function Server:requests()
  return ask(self).requests
end

--- How many connections were accepted so far, with those whose TLS handshake failed.
---@return integer
function Server:connections()
  return ask(self).connections
end

--- Stops the server, and resets open connections. Raises if the server itself failed.
function Server:close()
  local result = self.child:close()
  if result.code ~= 0 then
    error(("the raw server failed (exit code %d): %s"):format(result.code, result.stderr), 2)
  end
end

return raw_server
