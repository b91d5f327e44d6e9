-- Checks rediss://: certificates are verified, and no proxy of the environment takes part.

local certificates = require "support.certificates"
local child = require "support.child"
local redis_server = require "support.redis_server"

local missing = redis_server.missing()
if missing then
  describe("a connection to Redis by TLS", function() pending(missing) end)
  return
end

local redis = require "hubspot.associations.redis"

describe("a connection to Redis by TLS", function()
  local set

  setup(function() set = certificates.make() end)
  teardown(function() set:close() end)

  local function ping(server, options)
    options.url = options.url or server:url()
    local connection = assert(redis.new(options))
    finally(function()
      connection:close()
      server:close()
    end)
    return connection:call "PING"
  end

  it("is made where the certificate is trusted, and carries much in both directions", function()
    local server = redis_server.start { tls = set.server }
    assert.equal("PONG", ping(server, { ca_file = set.ca }))
    local connection = assert(redis.new { url = server:url(), ca_file = set.ca })
    local value, commands = ("0123456789abcdef"):rep(50000), {}
    for index = 1, 10 do
      commands[2 * index - 1] = { "SET", "key" .. index, value .. index }
      commands[2 * index] = { "GET", "key" .. index }
    end
    local replies = assert(connection:pipeline(commands))
    for index = 1, 10 do assert.is_true(replies[2 * index] == value .. index) end
    for index = 1, 2000 do assert.equal(index, connection:call("INCR", "count")) end
    connection:close()
  end)

  for name, words in pairs { expired = "expired", other_host = "127.0.0.1", unknown = "certificate" } do
    it("is not made with a certificate that is no good: " .. name, function()
      local server = redis_server.start { tls = set[name] }
      local reply, err = ping(server, { ca_file = set.ca })
      assert.is_nil(reply)
      assert.same({ "tls", false, false }, { err.kind, err.sent, err.retryable })
      assert.truthy(tostring(err):find(words, 1, true), tostring(err))
    end)
  end

  it("is not made with the system's certificates alone, nor without TLS on the other side", function()
    local server = redis_server.start { tls = set.server }
    local _, err = ping(server, { ca_path = set.folder .. "/none" })
    assert.equal("tls", err.kind)
    local url = ("rediss://127.0.0.1:%d"):format(server.plain_port)
    local plain
    plain, err = assert(redis.new { url = url, ca_file = set.ca, timeout = 2 }):call "PING"
    assert.is_nil(plain)
    assert.is_true(err.kind == "tls" or err.kind == "timeout", err.kind)
    assert.is_false(err.sent)
  end)

  it("is an error in words where TLS is spoken to a plain client", function()
    local server = redis_server.start { tls = set.server }
    local _, err = ping(server, { url = "redis://127.0.0.1:" .. server.port, timeout = 2 })
    assert.is_true(err.kind == "network" or err.kind == "decode", err.kind)
  end)

  it("goes through no proxy that the environment names", function()
    local server = redis_server.start { tls = set.server }
    finally(function() server:close() end)
    local result = child.run(([[
      local redis = require "hubspot.associations.redis"
      io.write(tostring(redis.new({ url = %q, ca_file = %q, timeout = 5 }):call "PING"))
    ]]):format(server:url(), set.ca), { env = {
      https_proxy = "http://127.0.0.1:1", HTTPS_PROXY = "http://127.0.0.1:1",
      all_proxy = "http://127.0.0.1:1",
    } })
    assert.same({ "PONG", "" }, { result.stdout, result.stderr })
  end)
end)
