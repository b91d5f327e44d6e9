-- Checks a connection to a Redis that behaves as none should: each call ends in time, with an error in
-- words, and the next one gets a connection of its own.

local child = require "support.child"
local core = require "hubspot.associations.core"
local raw_server = require "support.raw_server"
local redis_server = require "support.redis_server"
local slowdown = require "support.slowdown"

local missing = redis_server.missing()
if missing then
  describe("a connection to a hostile Redis", function() pending(missing) end)
  return
end

local redis = require "hubspot.associations.redis"

local GOOD = { { "receive" }, { "send", "+PONG\r\n" }, { "hold" } }

describe("a connection to a hostile Redis", function()
  local server, connection

  after_each(function()
    if connection then connection:close() end
    if server then server:close() end
    server, connection = nil, nil
  end)

  -- A connection to a server whose first connection follows the script, and whose second is as it should
  -- be.
  local function connect(script, credentials)
    server = raw_server.start { connections = { script, GOOD } }
    connection = assert(redis.new {
      url = ("redis://%s127.0.0.1:%d"):format(credentials or "", server.port), timeout = 0.5 * slowdown,
    })
    return connection
  end

  -- What it sends; the kind of the error; what the error says.
  local CASES = {
    ["that speaks HTTP"] = { "HTTP/1.1 400 Bad Request\r\n\r\n", "decode", 'got "H" as reply type' },
    ["that ends the connection before a reply"] = { "", "network", "ended the connection %(Redis may have" },
    ["that ends the connection within a reply"] = { "$100\r\nabc", "network", "ended the connection" },
    ["that announces too much"] = { "$999999999999\r\n", "network", "ended the connection" },
    ["that nests too deeply"] = { ("*1\r\n"):rep(20), "decode", "nested" },
    ["whose error is long, and has controls in it"] = { "-ERR \27[31m" .. ("x"):rep(5000) .. "\r\n", "redis",
      "rejected it: ERR [^\27]*%.%.%.$" },
    ["whose error has no text"] = { "-\r\n", "redis", "^redis: " },
  }

  for name, case in pairs(CASES) do
    it(name .. " gives an error, and the next call has a connection of its own", function()
      connect { { "receive" }, { "send", case[1] }, { "close" } }
      local reply, err = connection:call "PING"
      assert.is_nil(reply)
      assert.equal(case[2], err.kind)
      assert.matches(case[3], tostring(err))
      assert.is_true(#tostring(err) < 700)
      -- After an error reply, the next call may be the one that finds that the connection has ended.
      local again = connection:call "PING"
      if err.kind == "redis" then again = again or connection:call "PING" end
      assert.equal("PONG", again)
    end)
  end

  it("that sends a byte now and then is given up after `timeout`", function()
    connect { { "receive" }, { "drip", "$100\r\n" .. ("x"):rep(90), 0.05 }, { "hold" } }
    local began = core.now()
    local _, err = connection:call "PING"
    assert.same({ "timeout", true }, { err.kind, err.may_be_done })
    assert.is_true(core.now() - began < 1 * slowdown)
    assert.equal("PONG", connection:call "PING")
  end)

  it("that sends without end, and no reply, is given up", function()
    connect { { "receive" }, { "send", "*2147483647\r\n" }, { "send_for_ever", ("+x\r\n"):rep(10000) } }
    local began = core.now()
    local _, err = connection:call "PING"
    assert.is_true(err.kind == "timeout" or err.kind == "decode", err.kind)
    assert.is_true(core.now() - began < 10 * slowdown)
    assert.equal("PONG", connection:call "PING")
  end)

  it("that replies more often than it was asked loses its connection", function()
    connect { { "receive" }, { "send", "+ONE\r\n+TWO\r\n" }, { "hold" } }
    assert.equal("ONE", connection:call "PING")
    assert.equal("PONG", connection:call "PING")
    assert.equal(2, server:connections())
  end)

  it("that rejects connections says why", function()
    connect { { "send", "-ERR max number of clients reached\r\n" }, { "close" } }
    local _, err = connection:call "PING"
    assert.matches("max number of clients", tostring(err))
    assert.equal("redis", err.kind)
    local again = connection:call "PING" -- may be the one that finds that the connection has ended
    assert.equal("PONG", again or connection:call "PING")
  end)

  it("that says nothing to the password is given up, and was sent no command", function()
    connect({ { "ignore" } }, ":hunter2@")
    local _, err = connection:call("SET", "key", "value")
    assert.same({ "timeout", false, nil }, { err.kind, err.sent, err.may_be_done })
    assert.is_nil(tostring(err):find("hunter2", 1, true))
  end)

  it("that repeats the password in its error has it taken out", function()
    connect({ { "receive" }, { "send", "-ERR no hunter2 here: hunter2\r\n" }, { "hold" } }, "user:hunter2@")
    local _, err = connection:call "PING"
    assert.matches("^redis: .* rejected it: ERR no %(password%) here: %(password%)$", tostring(err))
    assert.is_false(err.sent)
  end)

  it("takes no memory for what a server announces", function()
    connect { { "receive" }, { "send", "*2147483647\r\n*2147483647\r\n$536870911\r\n" }, { "hold" } }
    local script = ([[
      local redis = require "hubspot.associations.redis"
      local connection = redis.new { url = "redis://127.0.0.1:%d", timeout = 0.5 }
      io.write((select(2, connection:call "PING")).kind)
    ]]):format(server.port)
    assert.equal("timeout", child.run("collectgarbage()\n" .. script).stdout)
  end)
end)
