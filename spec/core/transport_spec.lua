-- How a host drives core.transport: its one descriptor, its steps, and the lives of transports and requests;
-- and core.poll and core.now, which a host without a loop of its own waits with.

local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local raw_server = require "support.raw_server"
local resources = require "support.resources"
local responses = require "support.responses"
local socket = require "socket"

local ANSWER = { "send", responses.of(200, "body") }
local READ = { "read_request" }

describe("core.transport", function()
  local server, transport

  local function start(...)
    server = raw_server.start({ connections = { ... } })
    transport = assert(core.transport({}))
  end

  local function submit(changes)
    return assert(transport:submit(exchange.call(server:url() .. "/", changes)))
  end

  local function is_readable()
    return core.poll(transport:fd(), 0)
  end

  -- Steps until there is nothing to do.
  local function settle()
    exchange.eventually(function()
      transport:step()
      return not is_readable()
    end, "a transport without work")
  end

  -- Steps when there is something to do, as a host does, until the condition holds.
  local function drive(condition)
    local deadline = core.now() + 10
    while not condition() do
      assert.is_true(core.poll(transport:fd(), deadline - core.now()), "nothing came to do")
      transport:step()
    end
  end

  before_each(function()
    server, transport = nil, nil
  end)

  after_each(function()
    if transport then
      transport:close()
    end
    if server then
      server:close()
    end
  end)

  it("has one descriptor, the same all along", function()
    start({ READ, ANSWER, READ, ANSWER })
    local fd = transport:fd()
    for _ = 1, 2 do
      local request = submit()
      assert.equal(fd, transport:fd())
      drive(function()
        assert.equal(fd, transport:fd())
        return request:done()
      end)
      assert(request:response())
      assert.equal(fd, transport:fd())
    end
  end)

  it("has nothing to do when it is new", function()
    transport = assert(core.transport({}))
    assert.is_false(is_readable())
    transport:step()
    assert.equal(0, transport:pending())
  end)

  it("has something to do as soon as there is a request", function()
    start({ READ, ANSWER })
    local request = submit()
    assert.is_true(is_readable())
    assert.is_false(request:done())
    assert.equal(1, transport:pending())
  end)

  it("is readable only when a step does something: it does not keep a host busy", function()
    start({ READ, { "sleep", 0.3 }, ANSWER })
    local request = submit()
    local steps = 0
    drive(function()
      steps = steps + 1
      return request:done()
    end)
    assert.is_true(steps < 50, "steps: " .. steps)
  end)

  -- Waits for the transport without fd, which sets the alarm of a step before.
  local function finish_own(request, fd)
    exchange.eventually(function()
      core.poll(fd, 0.01)
      transport:step(request)
      return request:done()
    end, "a response")
  end

  it("is not readable for the request that its owner named in the step which completed it", function()
    start({ READ, ANSWER })
    local fd, request = transport:fd(), submit()
    finish_own(request, fd)
    assert.is_false(core.poll(fd, 0))
    transport:step()
    assert.is_true(core.poll(fd, 0), "its owner did not take the response: others are asked")
    assert(request:response())
    assert.is_false(core.poll(fd, 0))
  end)

  it("is readable for the requests of others that the step of an owner completed", function()
    start({ READ, ANSWER }, { READ, ANSWER })
    local fd, own, other = transport:fd(), submit(), submit()
    exchange.eventually(function()
      core.poll(fd, 0.01)
      transport:step(own)
      return own:done() and other:done()
    end, "both responses")
    assert.is_true(core.poll(fd, 0))
    assert(own:response())
    assert.is_true(core.poll(fd, 0))
    assert(other:response())
    assert.is_false(core.poll(fd, 0))
  end)

  it("is readable after a step in the name of a closed request, or of one of another transport", function()
    start({ READ, ANSWER })
    local fd, request, closed = transport:fd(), submit(), submit()
    closed:close()
    local others = assert(core.transport({}))
    local foreign = assert(others:submit(exchange.call(server:url() .. "/")))
    exchange.eventually(function()
      core.poll(fd, 0.01)
      transport:step(closed)
      return request:done()
    end, "a response")
    assert.is_true(core.poll(fd, 0))
    transport:step(foreign)
    assert.is_true(core.poll(fd, 0))
    others:close()
    transport:step(foreign)
    assert.is_true(core.poll(fd, 0))
    assert.has_error(function() transport:step(io.stdout) end)
  end)

  it("is readable while a request that is done is not asked for its response", function()
    start({ READ, ANSWER, { "hold" } })
    local request = submit()
    drive(function()
      return request:done()
    end)
    assert.is_true(is_readable())
    for _ = 1, 3 do -- at once the first time, then now and then: others may wait for the descriptor, too
      transport:step()
      assert.is_true(core.poll(transport:fd(), 5))
    end
    assert.equal(0, transport:pending())
    assert.equal("body", assert(request:response()).body)
    settle()
    assert.is_false(core.poll(transport:fd(), 0.05))
  end)

  it("tells of such a request to whoever looks, however often others step in between", function()
    start({ READ, ANSWER, { "hold" } })
    local request = submit()
    drive(function()
      return request:done()
    end)
    for _ = 1, 5 do transport:step() end
    assert.is_true(is_readable())
    local quiet, calls = false, 0
    local deadline = core.now() + 5
    repeat
      transport:step()
      if not is_readable() then
        quiet = true
      elseif quiet then
        quiet, calls = false, calls + 1
      end
    until calls == 3 or core.now() > deadline
    assert.equal(3, calls)
    assert.equal("body", assert(request:response()).body)
  end)

  it("does not keep those busy who wait beside such a request for something else", function()
    start({ READ, ANSWER, { "hold" } })
    local request = submit()
    drive(function()
      return request:done()
    end)
    local steps, deadline = 0, core.now() + 0.5
    while core.now() < deadline do
      if core.poll(transport:fd(), math.max(0, deadline - core.now())) then
        transport:step()
        steps = steps + 1
      end
    end
    assert.is_true(steps < 10000, steps) -- one that spins makes hundreds of thousands
    assert.equal("body", assert(request:response()).body)
  end)

  it("does not keep those busy, either, who are answered all the while", function()
    local script = {}
    for _ = 1, 80 do
      for _, action in ipairs({ READ, { "sleep", 0.005 }, ANSWER }) do script[#script + 1] = action end
    end
    start(script)
    local steps = 0
    local function ask(count)
      for _ = 1, count do
        local request = submit()
        while not request:done() do
          transport:step()
          steps = steps + 1
          assert.is_true(core.poll(transport:fd(), 5))
        end
        if count == 1 then return request end
        request:close()
      end
    end
    local forgotten = { ask(1) }
    ask(20)
    forgotten[2] = ask(1)
    ask(40)
    assert.is_true(steps < 10000, steps)
    assert.is_true(forgotten[1]:done() and forgotten[2]:done())
  end)

  it("that is shut down is readable from then on, with all it had ended", function()
    start({ READ, { "hold" } })
    local request = submit()
    drive(function()
      return server:requests()[1] ~= nil
    end)
    local fd = transport:fd()
    transport:shutdown()
    assert.is_true(request:done())
    local _, failure = request:response()
    assert.same({ "closed", true }, { failure.kind, failure.sent })
    for _ = 1, 3 do
      transport:step()
      assert.is_true(is_readable())
      assert.equal(fd, transport:fd())
    end
    request, failure = transport:submit(exchange.call(server:url()))
    assert.is_nil(request)
    assert.equal("closed", failure.kind)
  end)

  it("is no longer readable when the last of such requests is closed instead", function()
    start({ READ, ANSWER, { "hold" } })
    local request = submit()
    drive(function()
      return request:done()
    end)
    request:close()
    settle()
  end)

  it("wakes for a time-out, with no byte on the wire", function()
    start({ READ, { "hold" } })
    local request = submit({ timeout = 0.2 })
    local began = core.now()
    drive(function()
      return request:done()
    end)
    local response, failure = request:response()
    assert.is_nil(response)
    assert.equal("timeout", failure.kind)
    assert.is_true(core.now() - began >= 0.19)
  end)

  it("never waits in a step", function()
    start({ READ, { "sleep", 1 }, ANSWER })
    local request = submit()
    local began = core.now()
    for _ = 1, 100 do
      transport:step()
    end
    assert.is_true(core.now() - began < 0.5)
    assert.is_false(request:done())
  end)

  it("raises when a request is asked too early, or twice, or after it was closed", function()
    start({ READ, ANSWER })
    local request = submit()
    assert.error_matches(function()
      request:response()
    end, "not done")
    assert(exchange.finish(transport, request))
    for _ = 1, 2 do
      assert.error_matches(function()
        request:response()
      end, "closed")
    end
    assert.is_true(request:done())
    request:close()
    request:close()
  end)

  it("ends the connection of a request that is closed under way", function()
    start({ READ, { "hold" } })
    local before = resources.descriptors()
    local request = submit()
    exchange.eventually(function()
      transport:step()
      return #server:requests() == 1
    end, "the request")
    assert.equal(before + 1, resources.descriptors())
    request:close()
    assert.same({ true, 0 }, { request:done(), transport:pending() })
    assert.equal(before, resources.descriptors())
    settle()
  end)

  it("cancels a request that is collected", function()
    start({ READ, { "hold" } })
    submit()
    transport:step()
    assert.equal(1, transport:pending())
    resources.collect()
    assert.equal(0, transport:pending())
  end)

  it("closes one of several requests and lets the others go on", function()
    start({ READ, { "hold" } }, { READ, { "sleep", 0.1 }, ANSWER })
    local first = submit()
    exchange.eventually(function()
      transport:step()
      return server:connections() == 1
    end, "a connection")
    local second = submit()
    transport:step()
    first:close()
    assert.equal("body", assert(exchange.finish(transport, second)).body)
  end)

  it("ends what is under way when it is closed, and can be closed again", function()
    start({ READ, { "hold" } })
    local before = resources.descriptors()
    local request = submit()
    transport:step()
    transport:close()
    transport:close()
    assert.is_true(request:done())
    local response, failure = request:response()
    assert.is_nil(response)
    assert.equal("closed", failure.kind)
    assert.is_true(resources.descriptors() < before)
    transport:step()
    assert.equal(0, transport:pending())
    assert.equal(-1, transport:fd())
    transport:wake(0)
    request, failure = transport:submit(exchange.call(server:url()))
    assert.is_nil(request)
    assert.same({ "closed", false }, { failure.kind, failure.sent })
  end)

  it("keeps a response that it brought, even when it is closed before anyone asks", function()
    start({ READ, ANSWER })
    local request = submit()
    drive(function()
      return request:done()
    end)
    transport:close()
    assert.equal("body", assert(request:response()).body)
  end)

  it("lives as long as its requests", function()
    start({ READ, ANSWER })
    local request = submit()
    local fd = transport:fd()
    transport:step()
    transport = nil
    resources.collect()
    assert.is_false(request:done())
    core.poll(fd, 0) -- raises when the descriptor is closed
    request:close()
  end)

  it("keeps the body alive until the request is done", function()
    start({ { "sleep", 0.1 }, READ, ANSWER }) -- most of the body has to wait
    local size = 4 * 1024 * 1024
    local request = submit({ body = ("x"):rep(size) })
    transport:step()
    for _ = 1, 5 do
      resources.collect()
      assert.equal(size, #("\0"):rep(size)) -- what would take its place
    end
    assert(exchange.finish(transport, request))
    assert.is_true(server:requests()[1]:match("\r\n\r\n(.*)$") == ("x"):rep(size))
  end)

  it("drops all when everything is collected at once, in whatever order", function()
    start({ READ, { "hold" } })
    local before = resources.descriptors()
    for _ = 1, 20 do
      local other = assert(core.transport({}))
      for _ = 1, 3 do
        assert(other:submit(exchange.call(server:url() .. "/")))
      end
      other:step()
    end
    resources.collect()
    assert.equal(before, resources.descriptors())
  end)

  it("raises when its options make no sense", function()
    local wrong = { { max_response = 0 }, { max_response = "x" }, { proxy = 1 }, { ca_file = "a\0b" } }
    for _, options in ipairs(wrong) do
      assert.is_false(pcall(core.transport, options))
    end
    assert.is_false(pcall(core.transport))
  end)
end)

describe("core.poll", function()
  it("is false when nothing came in time, and not before", function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    local began = core.now()
    assert.is_false(core.poll(listener:getfd(), 0.05))
    local elapsed = core.now() - began
    assert.is_true(elapsed >= 0.05 and elapsed < 2, "elapsed: " .. elapsed)
    began = core.now()
    assert.is_false(core.poll(listener:getfd(), 0))
    assert.is_true(core.now() - began < 0.05)
    listener:close()
  end)

  it("is true as soon as there is something to read, or the peer has gone", function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    local peer = assert(socket.connect("127.0.0.1", port))
    assert.is_true(core.poll(listener:getfd(), 5))
    local accepted = assert(listener:accept())
    assert.is_false(core.poll(accepted:getfd(), 0))
    assert(peer:send("x"))
    assert.is_true(core.poll(accepted:getfd()))
    assert(accepted:receive(1))
    assert.is_false(core.poll(accepted:getfd(), 0))
    peer:close()
    assert.is_true(core.poll(accepted:getfd(), 5))
    accepted:close()
    listener:close()
  end)

  it("sleeps when there is nothing to watch", function()
    local began = core.now()
    assert.is_false(core.poll(nil, 0.03))
    assert.is_true(core.now() - began >= 0.03)
  end)

  it("raises for what is no open descriptor, and for a time that is none", function()
    assert.error_matches(function()
      core.poll(1000000, 0)
    end, "not an open descriptor")
    for _, seconds in ipairs({ -1, "soon", {} }) do
      assert.is_false(pcall(core.poll, nil, seconds))
    end
    assert.is_false(pcall(core.poll, "x", 0))
    assert.is_false(pcall(core.poll, nil, 0 / 0))
  end)
end)

describe("core.now", function()
  it("never goes back", function()
    local last = core.now()
    for _ = 1, 1000 do
      local now = core.now()
      assert.is_true(now >= last)
      last = now
    end
  end)
end)
