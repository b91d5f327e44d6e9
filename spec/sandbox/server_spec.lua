-- The sandbox's HTTP server, in a process of its own, over real sockets. What an account responds is checked
-- in the other specs of this folder.

local cjson = require "cjson"
local socket = require "socket"
local process = require "support.process"

local ROOT = debug.getinfo(1, "S").source:match("^@(.*)spec/sandbox/[^/]*$")
local LAUNCHER = (ROOT == "" and "." or ROOT:gsub("/$", "")) .. "/spec/support/sandbox_server.lua"

local CREATE = "/crm/associations/2025-09/contacts/companies/batch/create"
local PATIENCE = 10
local MIB = 1024 * 1024

local function body_of(count, first_id)
  local inputs = {}
  for i = 1, count do
    inputs[i] = {
      from = { id = tostring(10000 + (first_id or 0) + i) }, to = { id = "7" },
      types = { { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 1 } },
    }
  end
  return cjson.encode { inputs = inputs }
end

-- The bytes of a request. `fields` replaces the usual header fields; false leaves one out.
local function request(method, path, body, fields)
  local lines = { method .. " " .. path .. " HTTP/1.1" }
  local head = {
    Host = "127.0.0.1", Authorization = "Bearer good", ["Content-Type"] = "application/json",
    ["Content-Length"] = body and #body,
  }
  for name, value in pairs(fields or {}) do head[name] = value end
  for name, value in pairs(head) do
    if value then lines[#lines + 1] = name .. ": " .. value end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

local function in_chunks(text, size)
  local parts = {}
  for from = 1, #text, size do
    local chunk = text:sub(from, from + size - 1)
    parts[#parts + 1] = string.format("%x;note=1\r\n%s\r\n", #chunk, chunk)
  end
  return table.concat(parts) .. "0\r\nTrailer: yes\r\n\r\n"
end

describe("the sandbox's server", function()
  local server, port, connections

  local function connect()
    local connection = assert(socket.tcp())
    connection:settimeout(PATIENCE)
    assert(connection:connect("127.0.0.1", port))
    connections[#connections + 1] = connection
    return connection
  end

  -- The next response: status, headers and body. A 100 is skipped.
  local function receive(connection)
    local line, err = connection:receive("*l")
    if not line then return nil, err end
    local response = { status = tonumber(line:match("^HTTP/1%.1 (%d%d%d) ")), headers = {} }
    for field in function() return assert(connection:receive("*l")) end do
      if field == "" then break end
      local name, value = field:match("^([^:]+): (.*)$")
      response.headers[name:lower()] = value
    end
    local length = tonumber(response.headers["content-length"] or 0)
    response.body = length > 0 and assert(connection:receive(length)) or ""
    return response
  end

  local function exchange(connection, bytes)
    assert(connection:send(bytes))
    return assert(receive(connection))
  end

  local function is_ended(connection)
    local _, err = connection:receive(1)
    return err == "closed"
  end

  local function statistics()
    return cjson.decode(exchange(connect(), request("GET", "/sandbox/statistics")).body)
  end

  setup(function()
    server = process.start { "lua5.4", LAUNCHER, "{}" }
    port = tonumber(server.line)
  end)

  teardown(function() server:close() end)

  before_each(function()
    connections = {}
    assert.equal(204, exchange(connect(), request("POST", "/sandbox/reset", "")).status)
  end)

  after_each(function()
    for _, connection in ipairs(connections) do connection:close() end
  end)

  it("passes a batch to the account, and sends the response", function()
    local response = exchange(connect(), request("POST", CREATE, body_of(2000)))
    assert.equal(201, response.status)
    assert.equal("application/json;charset=utf-8", response.headers["content-type"])
    assert.equal(2000, #cjson.decode(response.body).results)
    assert.equal(2000, statistics().associations)
    local list = cjson.decode(exchange(connect(), request("GET", "/sandbox/associations")).body)
    assert.equal(2000, #list)
  end)

  it("keeps a connection for the next request", function()
    local connection = connect()
    for i = 1, 3 do
      local response = exchange(connection, request("POST", CREATE, body_of(1, i)))
      assert.equal(201, response.status)
      assert.equal("keep-alive", response.headers.connection)
    end
    assert.equal(3, statistics().associations)
  end)

  it("serves pipelined requests in their order", function()
    local connection = connect()
    assert(connection:send(request("POST", CREATE, body_of(1)) .. "\r\n" .. request("POST", "/nowhere", "")
      .. request("POST", CREATE, body_of(1, 5))))
    assert.equal(201, receive(connection).status)
    assert.equal(404, receive(connection).status)
    assert.equal(201, receive(connection).status)
  end)

  it("reads a request that arrives byte by byte", function()
    local connection = connect()
    connection:setoption("tcp-nodelay", true)
    local bytes = request("POST", CREATE, body_of(1))
    for i = 1, #bytes do assert(connection:send(bytes:sub(i, i))) end
    assert.equal(201, receive(connection).status)
  end)

  it("reads a chunked body", function()
    local fields = { ["Content-Length"] = false, ["Transfer-Encoding"] = "chunked" }
    local connection = connect()
    for _, size in ipairs { 1, 100, 100000 } do
      local response = exchange(connection, request("POST", CREATE, in_chunks(body_of(50), size), fields))
      assert.equal(201, response.status, size)
      assert.equal(50, #cjson.decode(response.body).results)
    end
  end)

  it("closes a connection when the client asks for it", function()
    local connection = connect()
    local response = exchange(connection, request("POST", CREATE, body_of(1), { Connection = "close" }))
    assert.equal(201, response.status)
    assert.equal("close", response.headers.connection)
    assert.is_true(is_ended(connection))
  end)

  it("closes a connection of HTTP/1.0, unless the client asks for keep-alive", function()
    local connection = connect()
    local head = "GET /sandbox/statistics HTTP/1.0\r\n"
    local response = exchange(connection, head .. "Connection: keep-alive\r\n\r\n")
    assert.equal("keep-alive", response.headers.connection)
    assert.equal(200, exchange(connection, head .. "\r\n").status)
    assert.is_true(is_ended(connection))
  end)

  it("sends 100 Continue to a client that expects it", function()
    local connection = connect()
    local body = body_of(1)
    local head = request("POST", CREATE, nil, { Expect = "100-continue", ["Content-Length"] = #body })
    assert.equal(100, exchange(connection, head).status)
    assert.equal(201, exchange(connection, body).status)
  end)

  it("rejects a malformed request, closes its connection, and serves others", function()
    local post = "POST " .. CREATE .. " HTTP/1.1\r\nHost: a\r\n"
    for i, case in ipairs {
      { "nonsense\r\n\r\n", 400 },
      { "GET\r\n\r\n", 400 },
      { "GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
      { "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
      { "GET / HTTP/1.1\r\n\r\n", 400 },
      { "GET / HTTP/1.1\r\nHost: a\r\nbad field\r\n\r\n", 400 },
      { "GET / HTTP/1.1\r\nHost: a\r\n folded: yes\r\n\r\n", 400 },
      { post .. "Content-Length: -1\r\n\r\n", 400 },
      { post .. "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
      { post .. "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
      { post .. "Transfer-Encoding: gzip\r\n\r\n", 501 },
      { post .. "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400 },
      { post .. "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400 },
      { post .. "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n", 413 },
    } do
      local connection = connect()
      assert.equal(case[2], exchange(connection, case[1]).status, i)
      assert.is_true(is_ended(connection))
    end
    assert.equal(201, exchange(connect(), request("POST", CREATE, body_of(1))).status)
  end)

  it("rejects header fields over 64 KiB", function()
    local response = exchange(connect(), request("GET", "/", nil, { ["X-Long"] = ("x"):rep(70000) }))
    assert.equal(431, response.status)
    response = exchange(connect(), request("GET", "/", nil, { ["X-Long"] = ("x"):rep(60000) }))
    assert.equal(404, response.status)
  end)

  it("rejects a body over 64 MiB, whether or not it arrives", function()
    local fields = { ["Content-Length"] = 64 * MIB + 1 }
    assert.equal(413, exchange(connect(), request("POST", CREATE, ("x"):rep(2 * MIB), fields)).status)
  end)

  it("survives connections that end within a request", function()
    local bytes = request("POST", CREATE, body_of(100))
    for _, length in ipairs { 0, 1, 30, #bytes - 1 } do
      local connection = connect()
      connection:send(bytes:sub(1, length))
      connection:setoption("linger", { on = true, timeout = 0 })  -- a reset
      connection:close()
      connection = connect()
      connection:send(bytes:sub(1, length))
      connection:shutdown("send")
      local response = receive(connection)
      if length == 0 then
        assert.is_nil(response)
      else
        assert.equal(400, response.status)
      end
    end
    assert.equal(0, statistics().associations)
  end)

  it("serves a connection while another is silent within a request", function()
    local silent = connect()
    silent:send(request("POST", CREATE, body_of(1)):sub(1, -10))
    assert.equal(201, exchange(connect(), request("POST", CREATE, body_of(1))).status)
  end)

  it("serves others while responses are delayed, and delays them concurrently", function()
    exchange(connect(), request("PATCH", "/sandbox/options", '{"latency":0.5}'))
    local started = socket.gettime()
    local slow = {}
    for i = 1, 8 do
      slow[i] = connect()
      slow[i]:send(request("POST", CREATE, body_of(1, i)))
    end
    assert.equal(200, exchange(connect(), request("GET", "/sandbox/statistics")).status)
    assert.same({}, (socket.select(slow, nil, 0)))  -- no response yet
    for i = 1, 8 do assert.equal(201, receive(slow[i]).status) end
    local elapsed = socket.gettime() - started
    assert.is_true(elapsed >= 0.5, "responded after " .. elapsed)
    assert.is_true(elapsed < 2, "responded after " .. elapsed)
  end)

  it("responds to HEAD without a body", function()
    local connection = connect()
    local bytes = request("HEAD", "/sandbox/statistics", nil, { Connection = "close" })
    assert(connection:send(bytes))
    local text = connection:receive("*a")
    assert.truthy(text:find("^HTTP/1%.1 405 "))
    assert.truthy(text:find("\r\n\r\n$"))
  end)

  it("says why it cannot listen on a port that is in use", function()
    assert.error_matches(function()
      process.start { "lua5.4", "-e", ([[
        package.path = %q .. "/lua/?.lua;" .. package.path
        local server = require "hubspot.associations.sandbox.server"
        local running, err = server.listen { account = {}, port = %d }
        io.stderr:write(tostring(running), " ", err)
      ]]):format(LAUNCHER:gsub("/spec/support/.*$", ""), port) }
    end, "nil cannot listen on 127.0.0.1:" .. port)
  end)

  it("needs no C core: the specs run it in one Lua, and the module in any", function()
    local result = process.run { "lua5.4", "-e", [[
      local core = "hubspot.associations.core"
      package.preload[core] = function() error("the sandbox requires the core: " .. debug.traceback()) end
    ]], LAUNCHER, "{}" }
    assert.same({ code = 0, stderr = "" }, { code = result.code, stderr = result.stderr })
  end)

  it("ends at once when its standard input is a file", function()
    local result = process.run { "lua5.4", LAUNCHER, "{}" }
    assert.equal(0, result.code)
    assert.truthy(result.stdout:find("^%d+\n$"))
    assert.equal("", result.stderr)
  end)

  it("ends when its standard input ends, also with open connections and delayed responses", function()
    local other = process.start { "lua5.4", LAUNCHER, '{"latency":60}' }
    local main_port = port
    port = tonumber(other.line)
    local idle, waiting = connect(), connect()
    waiting:send(request("POST", CREATE, body_of(1)))
    exchange(connect(), request("GET", "/sandbox/statistics"))
    port = main_port
    assert.equal(0, other:close().code)
    assert.is_true(is_ended(idle))
    assert.is_true(is_ended(waiting))
  end)
end)
