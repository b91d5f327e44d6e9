-- nginx in front of the sandbox, for specs: it serves TLS and HTTP/2 on a free port, from a temporary folder,
-- and ends with the test. Its log is read back. It changes no request and no response.

local certificates = require "support.certificates"
local exchange = require "support.exchange"
local process = require "support.process"
local raw_server = require "support.raw_server"
local socket = require "socket"

local nginx = {}

-- `$connection` is nginx's number of a connection, which keeps counting across reloads.
local CONFIGURATION = [[
%s
worker_processes 1;
pid nginx.pid;
worker_shutdown_timeout 20s;
events { worker_connections 1024; }
http {
  log_format line '$connection $server_protocol $status';
  access_log access.log line;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 8m;
  upstream sandbox {
    server 127.0.0.1:%d;
    keepalive 128;
  }
  server {
    listen 127.0.0.1:%d ssl http2;
    ssl_certificate %s;
    ssl_certificate_key %s;
    keepalive_requests %d;
    location / {
      proxy_pass http://sandbox;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
]]

-- Ends nginx, and removes its folder, when its stdin ends: when the test closes it, or dies.
local RUN = [[
PATH=$PATH:/usr/sbin:/sbin
cd "$1" || exit
trap '' INT TERM
nginx -p "$1" -e error.log -c nginx.conf -g 'daemon off;' &
pid=$!
echo started
cat >/dev/null
kill -TERM "$pid" 2>/dev/null
wait "$pid"
rm -rf -- "$1"
]]

local CLEAN = { LD_PRELOAD = false, LUA_INIT = false }

--- What is missing to run nginx, or nil.
---@return string|nil
function nginx.missing()
  local script = "PATH=$PATH:/usr/sbin:/sbin; nginx -V 2>&1"
  local said = process.run({ "sh", "-c", script }, { env = CLEAN }).stdout
  if not said:find("nginx version", 1, true) then return "no nginx" end
  return not said:find("http_v2_module", 1, true) and "an nginx without HTTP/2" or nil
end

local function read(path)
  local file = io.open(path, "r")
  if not file then return "" end
  local text = file:read("*a")
  file:close()
  return text
end

---@class nginx.Nginx
---@field port integer
---@field ca string path of the certificate to trust
local Nginx = {}
Nginx.__index = Nginx

-- Whether it listens; false if it has ended because another process took the port.
local function listens(self)
  return exchange.eventually(function()
    if read(self.folder .. "/error.log"):find("[emerg]", 1, true) then return "ended" end
    local probe = socket.connect("127.0.0.1", self.port)
    if probe then probe:close() end
    return probe and self:master() and "listens"
  end, "nginx to listen") == "listens"
end

local function start_once(self, options)
  self.folder = process.make_folder()
  self.port = raw_server.free_port()
  local is_root = process.run({ "id", "-u" }, { env = CLEAN }).stdout:match("^0%s")
  process.write_file(self.folder .. "/nginx.conf", CONFIGURATION:format(
    is_root and "user root;" or "", options.upstream, self.port, self.set.server.certificate,
    self.set.server.key, options.requests_per_connection or 100000))
  self.child = process.start({ "sh", "-c", RUN, "sh", self.folder }, { env = CLEAN })
  return listens(self)
end

--- Starts an nginx in front of the sandbox. Raises with its output if it does not start.
---@param options { upstream: integer, requests_per_connection?: integer } upstream: the sandbox's port
---@return nginx.Nginx
function nginx.start(options)
  local self = setmetatable({ set = certificates.make() }, Nginx)
  self.ca = self.set.ca
  local said
  for _ = 1, 5 do
    if start_once(self, options) then return self end
    said = read(self.folder .. "/error.log")
    self.child:close()
    if not said:find("Address already in use", 1, true) then break end
  end
  self.set.close()
  error("nginx did not start: " .. said, 2)
end

---@return string
function Nginx:url()
  return "https://127.0.0.1:" .. self.port
end

--- The process id of nginx's master, or nil.
---@return string|nil
function Nginx:master()
  return read(self.folder .. "/nginx.pid"):match("^%d+")
end

--- The process ids of the workers.
---@return string[]
function Nginx:workers()
  local said = process.run({ "ps", "-o", "pid=", "--ppid", self:master() }, { env = CLEAN }).stdout
  local pids = {}
  for pid in said:gmatch("%d+") do pids[#pids + 1] = pid end
  return pids
end

local function signal(name, pids)
  process.run({ "sh", "-c", "kill -s " .. name .. " " .. table.concat(pids, " ") }, { env = CLEAN })
end

--- Like `nginx -s reload`: starts new workers; the old ones send GOAWAY, and finish what they have begun.
function Nginx:reload()
  signal("HUP", { self:master() })
end

--- Kills the workers, whatever they are doing; the master starts new ones.
function Nginx:kill_workers()
  signal("KILL", self:workers())
end

local function log_of(self)
  return read(self.folder .. "/access.log")
end

--- What was served: how many requests, over how many connections, in which protocols. nginx logs a request
--- after its response is sent, so this waits until there are `least`.
---@param least integer requests
---@return { requests: integer, connections: integer, protocols: table<string, integer> }
function Nginx:served(least)
  exchange.eventually(function()
    return select(2, log_of(self):gsub("\n", "")) >= least
  end, "nginx's log")
  local served = { requests = 0, connections = 0, protocols = {} }
  local seen = {}
  for connection, protocol in log_of(self):gmatch("(%d+) (%S+) %d+\n") do
    served.requests = served.requests + 1
    served.protocols[protocol] = (served.protocols[protocol] or 0) + 1
    if not seen[connection] then served.connections = served.connections + 1 end
    seen[connection] = true
  end
  return served
end

---@return string
function Nginx:errors()
  return read(self.folder .. "/error.log")
end

function Nginx:close()
  self.child:close()
  self.set.close()
end

return nginx
