-- The connections that a client's calls use: one is kept and reused, a dead one is replaced silently, and
-- several requests at once each get their own response.

local core = require "hubspot.associations.core"
local clients = require "support.clients"
local exchange = require "support.exchange"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local CREATED = responses.created()

describe("a connection", function()
  local server, transport, client

  local function start(...)
    server = raw_server.start({ connections = { ... } })
  end

  local function open_client(changes)
    client = clients.open(server:url(), changes)
  end

  local function open_transport()
    transport = assert(core.transport({}))
  end

  local function run()
    return exchange.run(transport, server:url() .. "/")
  end

  before_each(function()
    server, transport = nil, nil
  end)

  after_each(function()
    clients.close()
    if transport then
      transport:close()
    end
    server:close()
  end)

  it("is used by a hundred calls", function()
    start(responses.script(CREATED, 100))
    open_client()
    for _ = 1, 100 do
      assert(clients.create(client))
    end
    assert.same({ 1, 100 }, { server:connections(), #server:requests() })
  end)

  it("is counted when it is new, not when it is reused", function()
    start(responses.script(CREATED, 100))
    open_transport()
    local connects = {}
    for index = 1, 3 do
      connects[index] = assert(run()).connects
    end
    assert.same({ 1, 0, 0 }, connects)
  end)

  it("is kept after a rejection, too", function()
    local rejected = responses.of(400, "{}")
    start(responses.script({ rejected, rejected, rejected, CREATED }))
    open_client()
    for _ = 1, 3 do
      assert.is_nil((clients.create(client)))
    end
    assert(clients.create(client))
    assert.equal(1, server:connections())
  end)

  it("is not reused when the server announces its end", function()
    start(responses.script(responses.created(nil, { "Connection: close" }), 2))
    open_transport()
    for _ = 1, 3 do
      assert.equal(1, assert(run()).connects)
    end
    assert.equal(3, server:connections())
  end)

  it("is not reused after a response that broke off", function()
    local broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n"
    start({ { "read_request" }, { "send", broken }, { "hold" } }, responses.script(CREATED))
    open_transport()
    local response, failure = run()
    assert.is_nil(response)
    assert.equal("network", failure.kind)
    assert.equal(1, assert(run()).connects)
  end)

  it("is not reused after a request that timed out: its late response is ignored", function()
    start({ { "read_request" }, { "sleep", 0.2 }, { "send", responses.of(200, "late") }, { "hold" } },
      responses.script(responses.of(200, "right")))
    open_transport()
    local response, failure = exchange.run(transport, server:url() .. "/", { timeout = 0.05 })
    assert.is_nil(response)
    assert.equal("timeout", failure.kind)
    core.poll(nil, 0.2)
    assert.equal("right", assert(run()).body)
  end)

  for how, ending in pairs({ closed = "close", reset = "reset" }) do
    it("is replaced silently when the server has " .. how .. " it while it was idle", function()
      local scripts = {}
      for index = 1, 5 do
        scripts[index] = responses.script(CREATED)
        table.insert(scripts[index], { ending })
      end
      server = raw_server.start({ connections = scripts })
      open_client { max_attempts = clients.LOOKS and 1 or 2 }
      for count = 1, 5 do
        local _, meta = assert(clients.create(client))
        assert.is_true(meta.attempts <= (clients.LOOKS and 1 or 2))
        assert.equal(count, server:connections())
      end
      assert.equal(5, #server:requests())
    end)
  end

  -- The server has the second request by then, and may have done it.
  for how, ending in pairs({ closes = "close", resets = "reset" }) do
    local function start_dying()
      local first = responses.script(CREATED)
      first[#first + 1] = { "read_request" }
      first[#first + 1] = { ending }
      start(first, responses.script(CREATED))
    end

    it("is replaced at once when the server " .. how .. " it as a request comes, which counts", function()
      start_dying()
      open_client({ max_attempts = 2 })
      assert(clients.create(client))
      local began = core.now()
      local _, meta = assert(clients.create(client))
      assert.equal(2, meta.attempts)
      assert.is_true(core.now() - began < 0.2)
      assert.same({ 2, 3 }, { server:connections(), #server:requests() })
    end)

    it("is not replaced when the server " .. how .. " it, and the request must be sent only once", function()
      start_dying()
      open_client()
      assert(clients.create(client))
      local batch, err = clients.create(client)
      assert.is_nil(batch)
      assert.same({ "network", 1 }, { err.kind, err.attempts })
      assert.is_nil(err.sent)
      assert.same({ 1, 2 }, { server:connections(), #server:requests() })
    end)
  end

  it("is one for each of several requests at once, which complete in any order", function()
    local function script(body, seconds)
      return { { "read_request" }, { "sleep", seconds }, { "send", responses.of(200, body) }, { "hold" } }
    end
    start(script("slow", 0.3), script("slower", 0.6), script("quick", 0))
    open_transport()
    local requests = {}
    for index = 1, 3 do
      requests[index] = assert(transport:submit(exchange.call(server:url() .. "/")))
      exchange.eventually(function() -- so that the scripts go to them in order
        transport:step()
        return server:connections() == index
      end, "a connection")
    end
    assert.equal(3, transport:pending())
    assert.equal("quick", assert(exchange.finish(transport, requests[3])).body)
    assert.same({ false, false, 2 }, { requests[1]:done(), requests[2]:done(), transport:pending() })
    assert.equal("slow", assert(exchange.finish(transport, requests[1])).body)
    assert.is_false(requests[2]:done())
    assert.equal("slower", assert(exchange.finish(transport, requests[2])).body)
    assert.equal(0, transport:pending())
  end)

  it("that fails does not affect other requests", function()
    start({ { "read_request" }, { "reset" } },
      { { "read_request" }, { "sleep", 0.1 }, { "send", responses.of(200, "fine") } })
    open_transport()
    local failing = assert(transport:submit(exchange.call(server:url() .. "/")))
    exchange.eventually(function()
      transport:step()
      return server:connections() == 1
    end, "a connection")
    local other = assert(transport:submit(exchange.call(server:url() .. "/")))
    local response, failure = exchange.finish(transport, failing)
    assert.is_nil(response)
    assert.equal("network", failure.kind)
    assert.equal("fine", assert(exchange.finish(transport, other)).body)
  end)

  it("is kept for each of a hundred requests at once", function()
    start(responses.script(CREATED, 2))
    open_transport()
    for _ = 1, 2 do
      local requests = {}
      for index = 1, 100 do
        requests[index] = assert(transport:submit(exchange.call(server:url() .. "/")))
      end
      for _, request in ipairs(requests) do
        assert.equal(201, assert(exchange.finish(transport, request)).status)
      end
    end
    assert.equal(200, #server:requests())
    assert.is_true(server:connections() >= 100)
  end)
end)
