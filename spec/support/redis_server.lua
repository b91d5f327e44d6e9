-- A redis-server for specs: on a free port, with a folder of its own, which both end with the test. Specs
-- kill it, stop it and start it again on the same port and folder.

local process = require "support.process"
local socket = require "socket"

local redis_server = {}

local PATIENCE = 15 -- seconds until it has to be ready
local TRIES = 5 -- somebody else may take the port first

-- Writes the server's pid. The server dies with this shell, which ends with the test.
local KEEP_SERVER = [[
folder=$1
shift
cd "$folder" || exit
redis-server "$@" >>"$folder/log" 2>&1 &
server=$!
trap '' INT TERM
trap 'kill -9 $server 2>/dev/null; wait $server 2>/dev/null' EXIT
printf '%s\n' "$server"
cat >/dev/null
]]

---@class redis_server.Server
---@field port integer
---@field pid integer
---@field folder string
local Server = {}
Server.__index = Server

---Whether the specs can have a redis-server, and the module that speaks with it; or what is missing.
---@return string|nil missing
function redis_server.missing()
  if not pcall(require, "hubspot.associations.redis_codec") then return "there is no hiredis" end
  if os.execute "command -v redis-server >/dev/null" then return nil end
  return "there is no redis-server"
end

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return port
end

-- Sends a line to a port, and returns a reply of one line, or of a bulk string.
local function ask(port, line)
  local connection = socket.tcp()
  connection:settimeout(2)
  local reply
  if connection:connect("127.0.0.1", port) and connection:send(line .. "\r\n") then
    reply = connection:receive "*l"
    local size = reply and reply:match "^%$(%d+)"
    if size then reply = connection:receive(tonumber(size)) end
  end
  connection:close()
  return reply
end

-- Whether the server has begun to serve: a port of TLS takes connections then.
local function is_ready(self)
  local info = ask(self.plain_port, "INFO server")
  if info and info:find "^%-NOAUTH" then return true end
  return info ~= nil and info:find("process_id:" .. self.pid .. "\r", 1, true) ~= nil
    and ask(self.plain_port, "PING") == "+PONG" -- not while it is loading
end

-- Runs the server; false when it ended at once, for example as the port is taken.
local function run(self)
  local argv = { "sh", "-c", KEEP_SERVER, "sh", self.folder, "--bind", "127.0.0.1", "--save", "", "--dir",
    self.folder, "--port", tostring(self.plain_port) }
  for _, word in ipairs(self.words) do argv[#argv + 1] = word end
  if self.tls then
    for name, value in pairs {
      ["--tls-port"] = tostring(self.port), ["--tls-cert-file"] = self.tls.certificate,
      ["--tls-key-file"] = self.tls.key, ["--tls-ca-cert-file"] = self.tls.certificate,
      ["--tls-auth-clients"] = "no",
    } do
      argv[#argv + 1], argv[#argv + 2] = name, value
    end
  end
  self.child = process.start(argv, { env = { LD_PRELOAD = false } })
  self.pid = assert(tonumber(self.child.line))
  local deadline = socket.gettime() + PATIENCE
  while not is_ready(self) do
    if not process.lives(self.pid) or socket.gettime() > deadline then
      self.child:close()
      return false
    end
    socket.sleep(0.01)
  end
  return true
end

---Starts a server, without persistence unless the words say so.
---@param options? { words?: string[], tls?: certificates.Pair } words: of redis-server's command line. tls:
---  the port is one of TLS
---@return redis_server.Server
function redis_server.start(options)
  options = options or {}
  local self = setmetatable({
    folder = process.make_folder(), words = options.words or {}, tls = options.tls,
  }, Server)
  for _ = 1, TRIES do
    self.port = free_port()
    self.plain_port = self.tls and free_port() or self.port
    if run(self) then return self end
  end
  local log = process.read_file(self.folder .. "/log")
  process.remove_folder(self.folder)
  error("redis-server did not start: " .. log, 2)
end

---@param credentials string|nil "user:password@"
---@return string
function Server:url(credentials)
  return ("%s://%s127.0.0.1:%d"):format(self.tls and "rediss" or "redis", credentials or "", self.port)
end

---@param name string such as "STOP", "CONT" or "KILL"
function Server:signal(name)
  process.run { "sh", "-c", ("kill -%s %d"):format(name, self.pid) }
end

---Kills it. `start` starts it again.
function Server:kill()
  self:signal "KILL"
  self.child:close()
end

---On the same port, with the same folder.
function Server:start()
  assert(run(self), "redis-server did not start again")
end

function Server:close()
  self.child:close()
  process.remove_folder(self.folder)
end

return redis_server
