-- The process behind raw_server.lua: accepts connections, and runs a script on each.
-- Usage: lua5.4 raw_server_main.lua SCRIPT.lua. Prints "PORT CONTROL_PORT", and ends when stdin does.
-- It sends no byte that the script does not name.

local cqueues = require "cqueues"
local cqueues_socket = require "cqueues.socket"
local luasocket = require "socket"
local pkey = require "openssl.pkey"
local tls_context = require "openssl.ssl.context"
local x509 = require "openssl.x509"

local options = dofile(arg[1])

local connections = 0
local requests = {}
local activity = 0 -- counts whatever arrives: it stands still when all that has come was taken in

local function read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- Errors of sockets are not raised: a failed action ends its script.
local function returns_errors(socket)
  socket:onerror(function(_, _, why)
    return why
  end)
  socket:setmode("bn", "bn")
  return socket
end

local function receive_some(connection)
  local bytes = connection.socket:xread(-65536, "bn")
  if bytes then
    activity = activity + 1
  end
  return bytes
end

-- Reads until there are `wanted` bytes, or the peer has closed.
local function fill(connection, wanted)
  while #connection.received < wanted do
    local bytes = receive_some(connection)
    if not bytes then
      return false
    end
    connection.received = connection.received .. bytes
  end
  return true
end

local function take(connection, length)
  local bytes = connection.received:sub(1, length)
  connection.received = connection.received:sub(length + 1)
  return bytes
end

-- The length of the head, including the empty line at its end; nil if the peer closed before.
local function read_head(connection)
  while true do
    local _, last = connection.received:find("\r\n\r\n", 1, true)
    if last then
      return last
    elseif not fill(connection, #connection.received + 1) then
      return nil
    end
  end
end

-- Records a request of that length; without a length, what arrived of it.
local function record(connection, length)
  local request = take(connection, length or #connection.received)
  if request ~= "" then
    requests[#requests + 1] = request
  end
  return length ~= nil
end

local function send(connection, bytes)
  return (connection.socket:write(bytes))
end

-- Unread bytes would turn the close into a reset, which discards what the peer has not read yet.
local function discard_received(connection)
  repeat
    local bytes = connection.socket:recv(-65536, "bn")
  until not bytes
end

-- Each action returns false when the script cannot go on.
local actions = {}

function actions.read_head(connection)
  return record(connection, read_head(connection))
end

function actions.read_request(connection)
  local length = read_head(connection)
  if length then
    local head = connection.received:sub(1, length):lower()
    length = length + (tonumber(head:match("\r\ncontent%-length:%s*(%d+)")) or 0)
  end
  return record(connection, length and fill(connection, length) and length or nil)
end

-- The frames of HTTP/2, after the client's preface. For each stream that a client opens, `requests` has the
-- bytes of its DATA frames.
local PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local DATA, HEADERS, ENDS = 0, 1, 1

local function read_frame(connection)
  if not fill(connection, 9) then
    return nil
  end
  local length, kind, flags, stream = (">I3BBI4"):unpack(connection.received)
  if not fill(connection, 9 + length) then
    return nil
  end
  return kind, flags, stream, take(connection, 9 + length):sub(10)
end

local function begin_http2(connection)
  connection.streams = {}
  return fill(connection, #PREFACE) and take(connection, #PREFACE) == PREFACE
end

-- Reads frames until one that `is_last` accepts.
local function read_frames(connection, is_last)
  if not connection.streams and not begin_http2(connection) then
    return false
  end
  repeat
    local kind, flags, stream, payload = read_frame(connection)
    if not kind then
      return false
    elseif kind == HEADERS then
      requests[#requests + 1] = ""
      connection.streams[stream] = #requests
    elseif kind == DATA then
      local index = connection.streams[stream]
      requests[index] = requests[index] .. payload
    end
  until (kind == HEADERS or kind == DATA) and is_last(flags, kind)
  return true
end

function actions.read_http2_head(connection)
  return read_frames(connection, function(_, kind)
    return kind == HEADERS
  end)
end

function actions.read_http2_request(connection)
  return read_frames(connection, function(flags)
    return flags % (2 * ENDS) == ENDS
  end)
end

function actions.receive(connection)
  return receive_some(connection) ~= nil
end

actions.send = send

function actions.send_repeated(connection, bytes, count)
  for _ = 1, count do
    if not send(connection, bytes) then
      return false
    end
  end
  return true
end

function actions.drip(connection, bytes, seconds)
  for byte in bytes:gmatch(".") do
    if not send(connection, byte) then
      return false
    end
    cqueues.sleep(seconds)
  end
  return true
end

function actions.sleep(_, seconds)
  cqueues.sleep(seconds)
  return true
end

function actions.send_for_ever(connection, bytes)
  repeat until not send(connection, bytes)
  return false
end

function actions.ignore()
  cqueues.sleep(math.huge)
end

function actions.hold(connection)
  repeat until not receive_some(connection)
  return false
end

function actions.close(connection)
  connection.socket:shutdown("w")
  discard_received(connection)
  return false
end

function actions.reset(connection)
  -- cqueues cannot set SO_LINGER. luasocket can, on a descriptor that it is lent.
  local borrower = assert(luasocket.tcp4())
  borrower:close()
  borrower:setfd(connection.socket:pollfd())
  assert(borrower:setoption("linger", { on = true, timeout = 0 }))
  borrower:setfd(-1)
  return false
end

local function check(script)
  for _, action in ipairs(script) do
    if not actions[action[1]] then
      error("the raw server has no action " .. tostring(action[1]), 0)
    end
  end
  return script
end

local function follow(script, connection)
  for _, action in ipairs(script) do
    if not actions[action[1]](connection, table.unpack(action, 2)) then
      return
    end
  end
  actions.close(connection)
end

local function server_context(tls)
  local context = tls_context.new(tls.protocol or "TLS", true)
  -- The lowest security level, to offer a client protocols that it has to refuse.
  context:setCipherList("ALL:@SECLEVEL=0")
  context:setCertificate(x509.new(read_file(tls.certificate)))
  context:setPrivateKey(pkey.new(read_file(tls.key)))
  if tls.alpn then
    context:setAlpnSelect(function()
      return tls.alpn
    end)
  end
  return context
end

-- Without Nagle's algorithm: what is sent before a reset must not be delayed, and lost.
local ACCEPT = { nodelay = true }

local function listen()
  local listener = returns_errors(assert(cqueues_socket.listen { host = "127.0.0.1", port = 0 }))
  assert(listener:listen())
  local _, _, port = listener:localname()
  return listener, port
end

local scripts = {}
for index, script in ipairs(options.connections) do
  scripts[index] = check(script)
end
assert(#scripts > 0, "the raw server needs a script for one connection at least")
local context = options.tls and server_context(options.tls)

local listener, port = listen()
local control, control_port = listen()
local loop = cqueues.new()

loop:wrap(function()
  for socket in listener:clients(ACCEPT) do
    connections = connections + 1
    activity = activity + 1
    local script = scripts[math.min(connections, #scripts)]
    loop:wrap(function()
      returns_errors(socket)
      if not context or socket:starttls(context) then
        follow(script, { socket = socket, received = "" })
      end
      socket:close()
    end)
  end
end)

-- Lets the connections read what has arrived, until two rounds bring nothing: the order in which cqueues
-- wakes coroutines is not specified.
local function settle()
  local quiet = 0
  while quiet < 2 do
    local before = activity
    cqueues.sleep(0)
    quiet = activity == before and quiet + 1 or 0
  end
end

loop:wrap(function()
  for socket in control:clients(ACCEPT) do
    loop:wrap(function()
      returns_errors(socket)
      settle()
      local answer = { ("%d\n%d\n"):format(connections, #requests) }
      for _, request in ipairs(requests) do
        answer[#answer + 1] = ("%d\n%s"):format(#request, request)
      end
      socket:write(table.concat(answer))
      socket:shutdown("w")
      socket:close()
    end)
  end
end)

loop:wrap(function()
  repeat
    cqueues.poll { pollfd = 0, events = "r" }
  until not io.read(1)
  os.exit(0)
end)

io.write(("%d %d\n"):format(port, control_port))
io.stdout:flush()
assert(loop:loop())
