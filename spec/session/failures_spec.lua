-- Exchanges that fail: broken connections, responses that stop or cannot be read, timeouts. Each ends with
-- one error of the right kind, in time, and the client can be used for the next call.

local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local socket = require "socket"
local clients = require "support.clients"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local BATCH = responses.BATCH

local READ = { "read_request" }
local CHUNKED = { "Transfer-Encoding: chunked" }
local CREATED = responses.script(responses.created())
local HALF = responses.created():sub(1, -40)

describe("a failed exchange", function()
  local server, client

  local function new(base_url, changes)
    client = clients.open(base_url, changes)
  end

  local function call_error()
    local batch, err = clients.create(client)
    assert.is_nil(batch)
    assert.is_true(errors.is(err))
    assert.equal(1, err.attempts)
    local line = tostring(err)
    assert.truthy(line:find(err.kind .. ": ", 1, true) == 1, line)
    assert.is_nil(line:find("%c"))
    return err
  end

  before_each(function()
    server = nil
  end)

  after_each(function()
    clients.close()
    if server then
      server:close()
    end
  end)

  -- The first connection follows the script; the next call gets a response on another one.
  local function it_fails(how, kind, script, changes)
    it("is one of kind " .. kind .. " when the server " .. how, function()
      server = raw_server.start({ connections = { script, CREATED } })
      new(server:url(), changes)
      local err = call_error()
      assert.equal(kind, err.kind)
      assert.is_true(type(err.curl_code) == "number" and err.curl_code > 0)
      assert.is_nil(err.status)
      assert.equal(1, server:connections())
      assert(clients.create(client) or not clients.LOOKS and clients.create(client))
    end)
  end

  it_fails("closes at once", "network", { { "close" } })
  it_fails("resets at once", "network", { { "reset" } })
  it_fails("closes instead of responding", "network", { READ })
  it_fails("resets instead of responding", "network", { READ, { "reset" } })
  it_fails("resets within the request", "network", { { "read_head" }, { "reset" } })
  it_fails("closes within the first line", "network", { READ, { "send", "HTTP/1.1 20" } })
  it_fails("closes within the head", "network", {
    READ, { "send", "HTTP/1.1 201 Created\r\nX-A: 1\r\n" },
  })
  it_fails("closes within the body", "network", { READ, { "send", HALF } })
  it_fails("resets within the body", "network", { READ, { "send", HALF }, { "reset" } })
  it_fails("sends something other than HTTP", "network", { READ, { "send", "SSH-2.0-OpenSSH_9.2\r\n" } })
  it_fails("sends random bytes", "network", { READ, { "send", "\0\1\2\3\255\254\r\n\r\n\0\0" } })
  it_fails("responds in HTTP/0.9", "network", { READ, { "send", BATCH } })
  it_fails("sends an invalid status", "network", { READ, { "send", "HTTP/1.1 abc Hm\r\n\r\n" } })
  it_fails("sends only an interim response", "network", {
    READ, { "send", "HTTP/1.1 100 Continue\r\n\r\n" },
  })
  it_fails("names an invalid length", "network", {
    READ, { "send", responses.of(201, BATCH, { "Content-Length: -5" }) },
  })
  it_fails("names an invalid chunk size", "network", {
    READ, { "send", responses.of(201, "xyz\r\n" .. BATCH .. "\r\n0\r\n\r\n", CHUNKED) },
  })
  it_fails("names a chunk's size that no number holds", "network", {
    READ, { "send", responses.of(201, "fffffffffffffffffff\r\n" .. BATCH, CHUNKED) },
  })
  it_fails("sends a chunk longer than its size", "network", {
    READ, { "send", responses.of(201, "3\r\n" .. BATCH .. "\r\n0\r\n\r\n", CHUNKED) },
  })
  it_fails("leaves out the last chunk", "network", {
    READ, { "send", responses.of(201, ("%x\r\n%s\r\n"):format(#BATCH, BATCH), CHUNKED) },
  })
  it_fails("declares gzip for a body that is not gzip", "network", {
    READ, { "send", responses.created(BATCH, { "Content-Encoding: gzip" }) },
  })
  it_fails("uses an unknown encoding", "network", {
    READ, { "send", responses.created(BATCH, { "Content-Encoding: shrink" }) },
  })
  it_fails("is silent", "timeout", { READ, { "hold" } }, { timeout = 0.2 })
  it_fails("never reads", "timeout", { { "sleep", 1 } }, { timeout = 0.2 })
  it_fails("is silent after the head", "timeout", {
    READ, { "send", "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n" }, { "hold" },
  }, { timeout = 0.2 })
  it_fails("drips its head", "timeout", { READ, { "drip", responses.created(), 0.05 } }, { timeout = 0.2 })
  it_fails("drips its body", "timeout", {
    READ, { "send", "HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n" },
    { "drip", (" "):rep(1000), 0.02 },
  }, { timeout = 0.2 })
  it_fails("sends interim responses without end", "timeout", {
    READ, { "drip", ("HTTP/1.1 100 Continue\r\n\r\n"):rep(100), 0.002 },
  }, { timeout = 0.2 })

  it("never takes a gzip body that is cut off for a complete one", function()
    local packed = responses.gzip(BATCH)
    for _, cut in ipairs({ 4, 12, #packed - 12 }) do
      server = raw_server.start({ connections = {
        responses.script(responses.created(packed:sub(1, #packed - cut), { "Content-Encoding: gzip" })),
      } })
      new(server:url())
      local batch, err = clients.create(client)
      -- Only the end of the gzip stream may be missing: then the body is complete.
      assert.is_true(batch and batch.status == "COMPLETE" and cut < 12
        or not batch and (err.kind == "network" or err.kind == "decode"))
      server:close()
    end
  end)

  it("takes no longer than its timeout, however slowly bytes arrive", function()
    server = raw_server.start({ connections = { { READ, { "drip", responses.created(), 0.02 } } } })
    new(server:url(), { timeout = 0.3 })
    local began = core.now()
    local err = call_error()
    local elapsed = core.now() - began
    assert.equal("timeout", err.kind)
    assert.is_true(elapsed >= 0.29 and elapsed < 2, "elapsed: " .. elapsed)
    assert.is_true(err.elapsed >= 0.29 and err.elapsed < 2, "elapsed: " .. err.elapsed)
  end)

  it("is one of kind network when no server listens", function()
    local port = raw_server.free_port()
    new("http://127.0.0.1:" .. port)
    local err = call_error()
    assert.same({ "network", 7 }, { err.kind, err.curl_code })
    assert.truthy(tostring(err):find(tostring(port), 1, true))
  end)

  it("is one of kind network when the name does not exist", function()
    new("https://no-such-host.invalid", { connect_timeout = 5 })
    assert.equal("network", call_error().kind)
  end)

  it("is one of kind timeout when no connection is accepted within connect_timeout", function()
    local listener = assert(socket.bind("127.0.0.1", 0, 0))
    local _, port = listener:getsockname()
    local waiting = {}
    for index = 1, 4 do -- the first ones fill its queue; the others get no response
      waiting[index] = assert(socket.tcp4())
      waiting[index]:settimeout(0)
      waiting[index]:connect("127.0.0.1", port)
    end
    new("http://127.0.0.1:" .. port, { timeout = 10, connect_timeout = 0.3 })
    local began = core.now()
    local err = call_error()
    local elapsed = core.now() - began
    assert.equal("timeout", err.kind)
    assert.is_true(elapsed >= 0.29 and elapsed < 5, "elapsed: " .. elapsed)
    for _, one in ipairs(waiting) do
      one:close()
    end
    listener:close()
  end)

  it("is a rejection, not a failure, when the server rejects a body before reading it", function()
    local rejected = responses.of(413, '{"message":"too much","category":"TOO_LARGE"}')
    server = raw_server.start({ connections = { { { "read_head" }, { "send", rejected }, { "sleep", 1 } } } })
    new(server:url())
    local inputs = {}
    for index = 1, 2000 do
      local types = { associationCategory = ("A"):rep(8000), associationTypeId = 1 }
      inputs[index] = { from = index, to = 1, types = types }
    end
    local batch, err = client:create("contacts", "companies", inputs)
    assert.is_nil(batch)
    assert.same({ "http", 413, "TOO_LARGE" }, { err.kind, err.status, err.category })
  end)

  it("has no effect on later ones: a hundred in a row, and then a response", function()
    local scripts = {}
    for index = 1, 100 do
      scripts[index] = index % 2 == 0 and { READ, { "send", HALF }, { "reset" } }
        or { READ, { "send", "noise\r\n" } }
    end
    scripts[#scripts + 1] = CREATED
    server = raw_server.start({ connections = scripts })
    new(server:url())
    for _ = 1, 100 do
      assert.equal("network", call_error().kind)
    end
    assert(clients.create(client))
    assert.equal(101, server:connections())
  end)
end)
