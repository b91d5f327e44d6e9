-- Checks transport:connect: a connection on which Lua speaks a protocol of its own, driven like the requests
-- of the same transport, by its one descriptor and its steps.

local certificates = require "support.certificates"
local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local process = require "support.process"
local raw_server = require "support.raw_server"
local resources = require "support.resources"
local responses = require "support.responses"
local socket = require "socket"

describe("a stream of a transport", function()
  local transport, listener, port

  before_each(function()
    transport = assert(core.transport {})
    listener = assert(socket.bind("127.0.0.1", 0))
    listener:settimeout(10)
    port = select(2, listener:getsockname())
  end)

  after_each(function()
    transport:close()
    listener:close()
  end)

  -- Steps when there is something to do, as a host does, until the condition holds.
  local function drive(condition)
    local deadline = core.now() + 10
    while not condition() do
      assert.is_true(core.poll(transport:fd(), deadline - core.now()), "nothing came to do")
      transport:step()
    end
  end

  local function ended(stream)
    return function() return stream:state() == nil end
  end

  -- An open stream, and the other end of it.
  local function open()
    local stream = assert(transport:connect("127.0.0.1", port, false, 5))
    drive(function() return stream:state() == "open" end)
    local peer = assert(listener:accept())
    peer:settimeout(10)
    finally(function()
      stream:close()
      peer:close()
    end)
    return stream, peer
  end

  -- What comes until there are so many bytes.
  local function receive(stream, count)
    local parts, length = {}, 0
    drive(function()
      local bytes = stream:receive()
      if bytes then
        parts[#parts + 1], length = bytes, length + #bytes
      end
      return length >= count
    end)
    return table.concat(parts)
  end

  local function is_quiet()
    return not core.poll(transport:fd(), 0)
  end

  it("makes the descriptor readable as soon as it is asked for, before any step", function()
    local fd = transport:fd()
    assert.is_false(core.poll(fd, 0))
    local stream = assert(transport:connect("127.0.0.1", port, false, 5))
    finally(function() stream:close() end)
    assert.is_true(core.poll(fd, 0))
    while stream:state() == "connecting" do -- fd is all that the host looks at
      assert.is_true(core.poll(fd, 10), "nothing came to do")
      transport:step()
    end
    assert.equal("open", stream:state())
  end)

  it("makes the descriptor readable for what it waits to send, and when sending ended it", function()
    local fd = transport:fd()
    local stream, peer = open()
    assert.is_true(stream:send(("x"):rep(8 * 1024 * 1024)))
    assert.is_true(stream:sent() < 8 * 1024 * 1024)
    local count, deadline = 0, core.now() + 10
    peer:settimeout(0)
    while count < 8 * 1024 * 1024 and core.now() < deadline do -- nobody steps before the descriptor says so
      if core.poll(fd, 0) then transport:step() end
      local bytes, _, part = peer:receive(65536)
      count = count + #(bytes or part)
    end
    assert.same({ 8 * 1024 * 1024, 8 * 1024 * 1024 }, { count, stream:sent() })
    peer:close()
    while stream:state() == "open" and core.now() < deadline do stream:send "x" end
    assert.is_nil(stream:state())
    assert.is_true(core.poll(fd, 0))
  end)

  it("is served beside a request that is submitted and not stepped yet", function()
    local fd = transport:fd()
    local stream = assert(transport:connect("127.0.0.1", port, false, 5))
    local request = assert(transport:submit(exchange.call(("http://127.0.0.1:%d/"):format(port))))
    finally(function()
      stream:close()
      request:close()
    end)
    local peers = {}
    listener:settimeout(0)
    local deadline = core.now() + 10
    while stream:state() ~= "open" or #peers < 2 do
      assert.is_true(core.now() < deadline, "nothing came to do")
      if core.poll(fd, 0.01) then transport:step() end
      peers[#peers + 1] = listener:accept()
    end
    for _, peer in ipairs(peers) do peer:close() end
  end)

  it("carries bytes in both directions, and is quiet in between", function()
    local stream, peer = open()
    assert.is_true(is_quiet())
    assert.is_true(stream:send "ping\0\r\n")
    assert.equal("ping\0\r\n", peer:receive(7))
    assert.equal(7, stream:sent())
    peer:send "pong\0"
    assert.equal("pong\0", receive(stream, 5))
    assert.is_nil(stream:receive())
    transport:step()
    assert.is_true(is_quiet())
  end)

  it("takes bytes before it is open, and sends them then", function()
    local stream = assert(transport:connect("127.0.0.1", port, false, 5))
    assert.equal("connecting", stream:state())
    stream:send "early"
    assert.equal(0, stream:sent())
    drive(function() return stream:sent() == 5 end)
    local peer = listener:accept()
    assert.equal("early", peer:receive(5))
    peer:close()
    stream:close()
  end)

  it("sends much to a peer that is slow to read it, without being asked again", function()
    local stream, peer = open()
    local bytes = ("0123456789abcdef"):rep(2 ^ 19) -- 8 MiB
    assert.is_true(stream:send(bytes))
    assert.is_true(stream:sent() < #bytes)
    local parts, length = {}, 0
    peer:settimeout(0)
    local deadline = core.now() + 10
    while length < #bytes and core.now() < deadline do
      core.poll(transport:fd(), 0.001)
      transport:step()
      local part, _, rest = peer:receive(1024 * 1024)
      parts[#parts + 1] = part or rest
      length = length + #parts[#parts]
    end
    assert.is_true(table.concat(parts) == bytes)
    assert.equal(#bytes, stream:sent())
  end)

  it("refuses to hold more than 64 MiB to be sent, and then takes none of it", function()
    local stream = assert(transport:connect("127.0.0.1", port, false, 5))
    local taken, failure = stream:send(("x"):rep(64 * 1024 * 1024 + 1))
    assert.same({ nil, "too_large" }, { taken, failure.kind })
    assert.is_true(stream:send "x")
    drive(function() return stream:sent() == 1 end)
    stream:close()
  end)

  it("takes what is sent for as long as less than that waits, however much was sent before", function()
    local stream, peer = open()
    local part, count = ("x"):rep(2 ^ 20), 0
    assert.is_true(stream:send(part:rep(16)))
    peer:settimeout(0)
    for round = 1, 80 do
      assert.is_true(stream:send(part), round)
      exchange.eventually(function() -- so that something waits at any time
        transport:step()
        local bytes, _, rest = peer:receive(2 ^ 20)
        count = count + #(bytes or rest)
        return count >= round * 2 ^ 20
      end, "what was sent")
      assert.is_true(stream:sent() < (round + 16) * 2 ^ 20, "nothing waits")
    end
    local taken, failure = stream:send(part:rep(56))
    assert.same({ nil, "too_large" }, { taken, failure and failure.kind })
  end)

  it("reads no more than its owner takes", function()
    local stream, peer = open()
    peer:settimeout(0)
    local total, bytes = 0, ("x"):rep(1024 * 1024)
    local still = 0
    while still < 100 and total < 64 * 1024 * 1024 do
      local _, _, sent = peer:send(bytes)
      total = total + (sent or #bytes)
      still = sent == 0 and still + 1 or 0
      core.poll(transport:fd(), 0.001)
      transport:step()
    end
    assert.is_true(total < 32 * 1024 * 1024, total)
    assert.is_true(is_quiet())
    assert.equal(total, #receive(stream, total))
  end)

  it("has what was received before the other side ended it", function()
    local stream, peer = open()
    peer:send "last words"
    peer:close()
    drive(ended(stream))
    local _, failure = stream:state()
    assert.same({ "network", true }, { failure.kind, failure.connection_ended })
    assert.equal("last words", stream:receive())
    assert.is_nil(stream:receive())
    assert.is_true(stream:send "nobody reads this")
    assert.equal(0, stream:sent())
  end)

  it("has what was received before sending failed", function()
    local stream, peer = open()
    stream:send "not read"
    peer:send "last words"
    peer:close() -- which resets the connection
    exchange.eventually(function()
      stream:send "x" -- and no step
      return stream:state() == nil
    end, "a stream whose connection was reset")
    assert.equal("last words", stream:receive())
  end)

  it("wakes its owner when it ends as something is sent", function()
    local stream, peer = open()
    stream:send "not read"
    peer:close() -- which resets the connection
    exchange.eventually(function()
      stream:send "x"
      return stream:state() == nil
    end, "a stream whose connection was reset")
    assert.is_true(core.poll(transport:fd(), 1))
    transport:step()
    assert.is_true(is_quiet())
  end)

  it("fails in words when it is refused, and for a name that there is not", function()
    local refused = assert(transport:connect("127.0.0.1", raw_server.free_port(), false, 5))
    local nowhere = assert(transport:connect("nowhere.invalid", 1, false, 5))
    drive(ended(refused))
    drive(ended(nowhere))
    local _, failure = refused:state()
    assert.same({ "network", true, false }, { failure.kind, failure.looked_up, failure.connection_ended })
    assert.matches("[Cc]onnect", failure.message)
    _, failure = nowhere:state()
    assert.same({ "network", false }, { failure.kind, failure.looked_up })
    assert.matches("resolve", failure.message)
  end)

  it("ends when it is not made in time, and not before", function()
    local began = core.now()
    -- The listener takes the connection, and says nothing of TLS.
    local stream = assert(transport:connect("127.0.0.1", port, true, 0.3))
    drive(ended(stream))
    local _, failure = stream:state()
    assert.equal("timeout", failure.kind)
    assert.is_true(core.now() - began > 0.29)
  end)

  it("takes any time for it that requests take", function()
    for _, seconds in ipairs { 1e-9, 2e6, 1e300 } do
      local stream = assert(transport:connect("127.0.0.1", port, false, seconds))
      stream:close()
    end
    for _, seconds in ipairs { 0, -1, 0 / 0 } do
      assert.error(function() transport:connect("127.0.0.1", port, false, seconds) end)
    end
  end)

  it("goes on for longer than it took to make it", function()
    local stream = assert(transport:connect("127.0.0.1", port, false, 0.2))
    drive(function() return stream:state() == "open" end)
    local peer = listener:accept()
    local deadline = core.now() + 0.4
    while core.now() < deadline do
      core.poll(transport:fd(), deadline - core.now())
      transport:step()
    end
    peer:send "still here"
    assert.equal("still here", receive(stream, 10))
    peer:close()
    stream:close()
  end)

  it("takes no host that could say more than a host", function()
    for _, host in ipairs {
      "", "a b", "a/b", "user@host", "a?b", "a#b", "[::1]", "::1%eth0", ("a"):rep(254), "h\195\169", "a:b:g",
    } do
      local stream, failure = transport:connect(host, 1, false, 1)
      assert.same({ nil, "network" }, { stream, failure.kind }, host)
    end
    assert.error(function() transport:connect("a\0b", 1, false, 1) end)
    assert.error(function() transport:connect("a", 0, false, 1) end)
    assert.error(function() transport:connect("a", 65536, false, 1) end)
    assert.error(function() transport:connect("a", 1, false, 0) end)
  end)

  it("offers no protocol of HTTP in TLS", function()
    local stream = assert(transport:connect("localhost", port, true, 5))
    listener:settimeout(0)
    local peer
    drive(function()
      peer = peer or listener:accept()
      return peer
    end)
    peer:settimeout(0)
    local hello = ""
    exchange.eventually(function()
      transport:step()
      local part, _, rest = peer:receive(16384)
      hello = hello .. (part or rest)
      return #hello > 200
    end, "a client's hello")
    assert.truthy(hello:find("localhost", 1, true)) -- the name of the server
    assert.is_nil(hello:find("http/1", 1, true))
    peer:close()
    stream:close()
  end)

  it("verifies certificates, as requests do", function()
    local set = certificates.make()
    finally(function() set:close() end)
    for name, kind in pairs { server = false, expired = "tls", other_host = "tls", unknown = "tls" } do
      local server = raw_server.start {
        connections = { { { "receive" }, { "send", "hello" }, { "hold" } } }, tls = set[name],
      }
      transport:close()
      transport = assert(core.transport { ca_file = set.ca })
      local stream = assert(transport:connect("127.0.0.1", server.port, true, 5))
      stream:send "hello?"
      if kind then
        drive(ended(stream))
        assert.equal(kind, (select(2, stream:state())).kind, name)
        assert.equal(0, stream:sent())
      else
        assert.equal("hello", receive(stream, 5))
      end
      stream:close()
      server:close()
    end
  end)

  it("does not step without end while TLS waits for the other side before it sends", function()
    local set, folder = certificates.make(), process.make_folder()
    local server_port = raw_server.free_port()
    local server = io.popen(([[unset LD_PRELOAD
      echo $$ >%s/pid
      exec openssl s_server -accept 127.0.0.1:%d -cert %s -key %s -tls1_2 >/dev/null 2>&1]]):format(
      folder, server_port, set.server.certificate, set.server.key), "w")
    local function signal(name)
      process.run { "kill", "-" .. name, (process.read_file(folder .. "/pid"):gsub("%s", "")) }
    end
    finally(function()
      signal "CONT"
      signal "TERM"
      server:close()
      process.remove_folder(folder)
      set:close()
    end)
    transport:close()
    transport = assert(core.transport { ca_file = set.ca })
    local stream
    exchange.eventually(function() -- until the server listens
      stream = assert(transport:connect("127.0.0.1", server_port, true, 5))
      drive(function() return stream:state() ~= "connecting" end)
      return stream:state()
    end, "an open stream")
    stream:send "one"
    while core.poll(transport:fd(), 0.1) do transport:step() end
    server:write "R\n" -- it asks for a second handshake
    server:flush()
    assert.is_true(core.poll(transport:fd(), 10))
    signal "STOP"
    transport:step()
    stream:send "two"
    local steps, deadline = 0, core.now() + 0.2
    while core.poll(transport:fd(), math.max(0, deadline - core.now())) and core.now() < deadline do
      transport:step()
      steps = steps + 1
    end
    assert.same({ 3, "open" }, { stream:sent(), stream:state() })
    assert.is_true(steps < 400, steps)
    signal "CONT"
    drive(function() return stream:sent() == 6 end)
    stream:close()
  end)

  it("lives beside requests of the same transport", function()
    local script = {}
    for round = 1, 20 do
      script[2 * round - 1], script[2 * round] = { "read_request" }, { "send", responses.of(200, "body") }
    end
    local server = raw_server.start { connections = { script } }
    finally(function() server:close() end)
    local stream, peer = open()
    for round = 1, 20 do
      stream:send(round .. "\n")
      local response = assert(exchange.run(transport, server:url() .. "/"))
      assert.equal("body", response.body)
      assert.equal(tostring(round), peer:receive "*l")
    end
  end)

  it("ends with the transport, and by itself, at each stage", function()
    resources.collect()
    local before = resources.descriptors()
    for stage = 1, 3 do
      local own = assert(core.transport {})
      local stream = assert(own:connect("127.0.0.1", port, false, 5))
      for _ = 1, stage do
        core.poll(own:fd(), 1)
        own:step()
      end
      if stage == 1 then
        own:shutdown()
        local state, failure = stream:state()
        assert.same({ nil, "closed" }, { state, failure.kind })
      end
      own:close()
      assert.is_nil(stream:state())
      stream:send "x"
      stream:close()
      stream:close()
      assert.error(function() stream:state() end)
      local none, failure = pcall(own.connect, own, "127.0.0.1", port, false, 5)
      assert.is_true(none)
      assert.is_nil(failure)
    end
    for _ = 1, 10 do
      local stream = transport:connect("127.0.0.1", port, false, 5)
      transport:step()
      if _ % 2 == 0 then stream:close() end
    end
    resources.collect()
    assert.equal(before, resources.descriptors())
  end)
end)
