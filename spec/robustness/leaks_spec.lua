-- Nothing leaks: descriptors and memory are the same after a thousand calls as before, whatever became of the
-- calls.

local associations = require "hubspot.associations"
local clients = require "support.clients"
local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local raw_server = require "support.raw_server"
local resources = require "support.resources"
local responses = require "support.responses"
local sandbox = require "support.sandbox"

local TOKEN = clients.TOKEN
local WARM_UP, CALLS = 300, 1000

-- An allocator may take more from the system in some of the first rounds: of streams, up to 7 MiB in one,
-- and still 0.8 in the third. A leak grows each time.
local ROUNDS = 8

-- KiB by which the figures may differ. A leak of 100 bytes per call is 98 KiB of Lua's memory; one of 500
-- bytes is 490 KiB of the process, whose allocator keeps some. In LuaJIT, up to 21 KiB were measured in a
-- round.
local LUA_SLACK, RESIDENT_SLACK = rawget(_G, "jit") and 32 or 16, 256

local function inputs(count)
  local list = {}
  for index = 1, count do
    list[index] = { from = 1000 + index, to = "2", types = 1 }
  end
  return list
end

describe("after a thousand calls", function()
  local servers

  local function measure()
    local memory = resources.lua_memory()
    return { descriptors = resources.descriptors(), memory = memory, resident = resources.resident() }
  end

  -- Repeats the action, and compares what the process holds with what it held after the warm-up.
  local function assert_level(action)
    for _ = 1, WARM_UP do
      action()
    end
    measure()
    local problem
    for _ = 1, ROUNDS do
      local before = measure()
      for _ = 1, CALLS do
        action()
      end
      local after = measure()
      assert.equal(before.descriptors, after.descriptors)
      local grown, resident = after.memory - before.memory, after.resident - before.resident
      if grown >= LUA_SLACK then
        problem = ("Lua holds %.1f KiB more after each thousand"):format(grown)
      elseif resident >= RESIDENT_SLACK and not resources.is_checked() then
        problem = ("the process holds %d KiB more after each thousand"):format(resident)
      else
        return
      end
    end
    error(problem, 0)
  end

  local function serve(...)
    local server = raw_server.start({ connections = { ... } })
    servers[#servers + 1] = server
    return server
  end

  local function failing(client, kind, list)
    return function()
      local batch, err = client:create("contacts", "companies", list or inputs(1))
      if batch or err.kind ~= kind then
        error("expected an error of kind " .. kind .. ", found " .. tostring(batch or err))
      end
    end
  end

  before_each(function()
    servers = {}
  end)

  after_each(function()
    clients.close()
    for _, server in ipairs(servers) do
      server:close()
    end
    servers = nil
    resources.collect()
  end)

  it("that succeed, nothing more is held", function()
    local account = sandbox.start()
    servers[1] = account
    local client, list = clients.open(account:url()), inputs(20)
    list[20].from = "404" -- one of them is an error
    assert_level(function()
      local batch = assert(client:create("contacts", "companies", list))
      assert(#batch.results == 19 and #batch.errors == 1)
    end)
    assert.is_true(account:statistics().requests >= WARM_UP + CALLS)
  end)

  it("of streams, each with an end of its own, nothing more is held", function()
    local server = serve({ { "receive" }, { "send", "reply" }, { "hold" } })
    local transport, count = assert(core.transport({})), 0
    assert_level(function()
      count = count + 1
      local port = count % 4 == 0 and raw_server.free_port() or server.port
      local stream = assert(transport:connect("127.0.0.1", port, false, 10))
      stream:send("request")
      while stream:state() and not stream:receive() and count % 4 ~= 1 do
        core.poll(transport:fd(), 10)
        transport:step()
      end
      if count % 4 ~= 2 then
        stream:close()
      end
    end)
    transport:close()
  end)

  it("that link one pair, and others that fail with it, nothing more is held", function()
    local account = sandbox.start()
    servers[1] = account
    local links = assert(clients.open(account:url()):collector("contacts", "companies"))
    local failed, number = 0, 500000
    local function told(_, err) failed = failed + (err and 1 or 0) end
    assert_level(function()
      failed, number = 0, number + 1
      assert(links:add({ from = 404, to = number, types = 1 }, told))
      assert(links:add({ from = 404, to = number + 1, types = 1 }, told))
      assert(links:link { from = 1001, to = number, types = 1 })
      assert(links:flush())
      assert(failed == 2 and links:pending() == 0)
    end)
  end)

  it("that HubSpot rejects, nothing more is held", function()
    local account = sandbox.start({ token = { "another-good-token" } })
    servers[1] = account
    assert_level(failing(clients.open(account:url(), { token = function()
      return TOKEN
    end }), "unauthorized"))
  end)

  it("that get no response, nothing more is held", function()
    assert_level(failing(clients.open("http://127.0.0.1:" .. raw_server.free_port()), "network"))
  end)

  it("that are reset, nothing more is held", function()
    local server = serve({ { "read_request" }, { "send", responses.created():sub(1, -20) }, { "reset" } })
    assert_level(failing(clients.open(server:url()), "network"))
  end)

  it("whose responses make no sense, nothing more is held", function()
    local server = serve(responses.script(responses.created("<html>"), WARM_UP + ROUNDS * CALLS))
    assert_level(failing(clients.open(server:url()), "decode"))
  end)

  it("whose responses are not HTTP, nothing more is held", function()
    local server = serve(responses.script("garbage\r\n\r\n"))
    assert_level(failing(clients.open(server:url()), "network"))
  end)

  it("whose ids come as numbers, packed, in chunks, nothing more is held", function()
    local result = '{"fromObjectId":1,"toObjectId":2,"labels":[null]},'
    local body = '{"results":[' .. result:rep(20):sub(1, -2) .. "]}"
    local bytes = responses.of(200, responses.chunked(responses.gzip(body), 50), {
      "Content-Encoding: gzip", "Transfer-Encoding: chunked",
    })
    local client = clients.open(serve(responses.script(bytes, 2000)):url())
    assert_level(function()
      local batch = assert(client:create("contacts", "companies", inputs(1)))
      assert(#batch.results == 20 and batch.results[20].fromObjectId == "1")
    end)
  end)

  it("whose inputs are invalid, nothing more is held", function()
    local server = serve({ { "hold" } })
    local raising = setmetatable({}, { __index = function()
      error("the proxy broke", 0)
    end })
    local client = clients.open(server:url())
    local invalid = failing(client, "invalid_input", { { from = "\255", to = 1, types = {} }, { from = 1 } })
    assert_level(function()
      invalid()
      assert(not pcall(client.create, client, "contacts", "companies", { inputs(1)[1], raising }))
    end)
    assert.equal(0, server:connections())
  end)

  it("of a client each, closed or merely collected, nothing more is held", function()
    local server = serve(responses.script(responses.created()))
    local count = 0
    assert_level(function()
      count = count + 1
      local client = assert(associations.new({ max_attempts = 1, token = TOKEN, base_url = server:url() }))
      assert(client:create("contacts", "companies", inputs(1)))
      if count % 2 == 0 then
        client:close()
      end
    end)
  end)

  it("that are canceled, nothing more is held", function()
    local server = serve({ { "read_request" }, { "hold" } })
    local transport = assert(core.transport({}))
    assert_level(function()
      local call = exchange.call(server:url() .. "/", { body = ("x"):rep(100000) })
      local request = assert(transport:submit(call))
      transport:step()
      transport:step()
      request:close()
    end)
    transport:close()
  end)
end)
