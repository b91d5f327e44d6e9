-- Peer: by hand again, on one LuaSocket connection that is kept alive, with HTTP written out by hand:
-- less work than http.request does, and no handling of anything but the answer expected.

local batch = require "support.batch"
local peer = require "support.peer"

local cjson = peer.need "cjson"
local socket = peer.need "socket"

local host, port, path = peer.variable("BENCH_URL"):match "^http://([^:/]+):(%d+)(/.*)$"
local head = table.concat({
  "POST " .. path .. " HTTP/1.1",
  "Host: " .. host .. ":" .. port,
  "Authorization: Bearer pat-na1-00000000-0000-0000-0000-000000000000",
  "Content-Type: application/json",
  "Content-Length: %d",
  "\r\n",
}, "\r\n")
local inputs = batch.inputs()

local connection = assert(socket.connect(host, tonumber(port)))
connection:setoption("tcp-nodelay", true)

local function receive_head()
  local status = tonumber(assert(connection:receive "*l"):match "^HTTP/1%.1 (%d+)")
  local headers = {}
  while true do
    local line = assert(connection:receive "*l")
    if line == "" then return status, headers end
    local name, value = line:match "^([^:]+):%s*(.-)%s*$"
    headers[name:lower()] = value
  end
end

peer.measure(function()
  local body = cjson.encode { inputs = inputs }
  assert(connection:send(head:format(#body) .. body))
  local status, headers = receive_head()
  assert(status == 201, status)
  local answer = assert(connection:receive(tonumber(headers["content-length"])))
  batch.walk(cjson.decode(answer))
end)
