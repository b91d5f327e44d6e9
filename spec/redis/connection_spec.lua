-- Checks redis/connection.lua with a real redis-server: replies, errors in words and in time, and what
-- becomes of commands whose connection ends.

local core = require "hubspot.associations.core"
local child = require "support.child"
local redis_server = require "support.redis_server"
local slowdown = require "support.slowdown"

local missing = redis_server.missing()
if missing then
  describe("a connection to Redis", function() pending(missing) end)
  return
end

local redis = require "hubspot.associations.redis"

describe("a connection to Redis", function()
  local server, connections

  setup(function() server = redis_server.start() end)
  teardown(function() server:close() end)
  before_each(function() connections = {} end)
  after_each(function()
    for _, connection in ipairs(connections) do connection:close() end
  end)

  local function connect(changes)
    local options = { url = server:url(), timeout = 5 }
    for name, value in pairs(changes or {}) do options[name] = value end
    local connection = assert(redis.new(options))
    connections[#connections + 1] = connection
    return connection
  end

  describe("that is there", function()
    local connection

    before_each(function()
      connection = connect()
      assert(connection:call "FLUSHALL")
    end)

    it("has a string, a number, a list, and false for nil", function()
      assert.equal("OK", connection:call("SET", "key", "value"))
      assert.equal("value", connection:call("GET", "key"))
      assert.equal(5, connection:call("STRLEN", "key"))
      assert.same({ "value", false }, connection:call("MGET", "key", "none"))
      local reply, err = connection:call("GET", "none")
      assert.same({ false }, { reply, err })
    end)

    it("takes bytes and numbers as they are", function()
      local bytes = {}
      for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
      bytes = table.concat(bytes)
      connection:call("SET", bytes, bytes)
      assert.equal(bytes, connection:call("GET", bytes))
      connection:call("SET", "number", 2 ^ 53)
      assert.equal("9007199254740992", connection:call("GET", "number"))
      connection:call("SET", "number", 0.25)
      assert.equal("0.25", connection:call("GET", "number"))
    end)

    it("takes no nil and no table as an argument", function()
      assert.error_matches(function() connection:call("SET", "key", nil) end, "argument 3 of a command")
      assert.error_matches(function() connection:call("SET", {}, "x") end, "argument 2 of a command")
      assert.error_matches(function() connection:call() end, "a command has from 1")
      assert.equal("PONG", connection:call "PING")
    end)

    it("has an error reply as an error, with its code", function()
      connection:call("SET", "key", "value")
      local reply, err = connection:call("LPUSH", "key", "x")
      assert.is_nil(reply)
      assert.same({ "redis", "WRONGTYPE", false }, { err.kind, err.code, err.retryable })
      assert.equal(("redis: Redis at 127.0.0.1:%d rejected it: WRONGTYPE Operation against a key holding "
        .. "the wrong kind of value"):format(server.port), tostring(err))
    end)

    it("has each reply of a pipeline in its place", function()
      local replies = connection:pipeline {
        { "SET", "key", 1 }, { "INCR", "key" }, { "NONSENSE" }, { "GET", "key" },
      }
      assert.equal("ERR", replies[3].code)
      replies[3] = nil
      assert.same({ "OK", 2, nil, "2" }, replies)
      assert.same({}, connection:pipeline {})
    end)

    it("has large replies, and many", function()
      local value = ("x"):rep(3 * 1024 * 1024)
      connection:call("SET", "key", value)
      local replies = connection:pipeline { { "GET", "key" }, { "STRLEN", "key" }, { "GET", "key" } }
      assert.is_true(replies[1] == value and replies[3] == value)
      assert.equal(#value, replies[2])
      local commands = {}
      for index = 1, 20000 do commands[index] = { "ECHO", index } end
      replies = connection:pipeline(commands)
      for index = 1, 20000 do assert.equal(tostring(index), replies[index]) end
    end)

    it("runs a script, and sends it again to a Redis that forgot it", function()
      local script = connection:script "return { KEYS[1], ARGV[1], ARGV[2] }"
      assert.same({ "a", "1", "b" }, script:call({ "a" }, 1, "b"))
      assert(connection:call("SCRIPT", "FLUSH"))
      assert.same({ "a", "2", "b" }, script:call({ "a" }, 2, "b"))
      local _, err = connection:script("nonsense"):call {}
      assert.equal("redis", err.kind)
    end)

    it("is used by no call once it is closed", function()
      connection:close()
      connection:close()
      local reply, err = connection:call "PING"
      assert.same({ nil, "closed", false }, { reply, err.kind, err.sent })
    end)
  end)

  it("says what to install where hiredis is not there", function()
    local result = child.run [[
      package.preload["hubspot.associations.redis_codec"] = function() error "not built" end
      print(pcall(require, "hubspot.associations.redis"))
    ]]
    assert.matches("^false\t.*needs hiredis: install it %(Debian's package libhiredis%-dev%)", result.stdout)
  end)

  it("chooses its database", function()
    connect({ url = server:url() .. "/3" }):call("SET", "here", 1)
    assert.equal(0, connect():call("EXISTS", "here"))
    assert.equal(1, connect({ url = server:url() .. "/3" }):call("EXISTS", "here"))
    local _, err = connect({ url = server:url() .. "/99" }):call "PING"
    assert.same({ "redis", "ERR", false }, { err.kind, err.code, err.sent })
  end)

  it("raises for options that are wrong, and shows no password", function()
    local CASES = {
      ["option url: expected redis"] = { url = "redis://user:hunter2@" },
      ["option timeout: expected"] = { url = "redis://h", timeout = -1 },
      ["option colour is unknown"] = { url = "redis://h", colour = "red" },
      ["expected a table"] = 7,
      ["option loop"] = { url = "redis://h", loop = {} },
      ["option ca_file"] = { url = "redis://h", ca_file = 7 },
    }
    for said, options in pairs(CASES) do
      local raised, message = pcall(redis.new, options)
      assert.is_false(raised)
      assert.truthy(message:find(said, 1, true), message)
      assert.is_nil(message:find("hunter2", 1, true))
    end
  end)

  it("is made again when it was lost, and sends nothing twice", function()
    local own = redis_server.start { words = { "--appendonly", "yes", "--appendfsync", "always" } }
    finally(function() own:close() end)
    local connection = connect { url = own:url() }
    assert.equal(1, connection:call("INCR", "count"))
    own:kill()
    local reply, err = connection:call("INCR", "count")
    assert.same({ nil, "network", true }, { reply, err.kind, err.retryable })
    own:start()
    assert.equal(2, connection:call("INCR", "count"))
  end)

  it("says of a command whose connection broke that it may have been done", function()
    local connection = connect()
    assert.equal("PONG", connection:call "PING")
    local id = connection:call("CLIENT", "ID")
    local replies, err = connection:pipeline {
      { "SET", "done", 1 }, { "CLIENT", "KILL", "ID", id, "SKIPME", "no" }, { "SET", "not done", 1 },
    }
    assert.is_nil(replies)
    assert.same({ "network", true, true }, { err.kind, err.sent, err.may_be_done })
    assert.equal("OK", err.replies[1])
    assert.matches("Redis may have done it", tostring(err))
    assert.equal(1, connection:call("EXISTS", "done"))
  end)

  it("says of a Redis that is away that nothing was sent", function()
    local own = redis_server.start()
    own:kill()
    finally(function() own:close() end)
    local _, err = connect({ url = own:url() }):call "PING"
    assert.same({ "network", false, nil, true }, { err.kind, err.sent, err.may_be_done, err.retryable })
    assert.matches("no connection to Redis at 127.0.0.1:" .. own.port, tostring(err))
    _, err = connect({ url = "redis://nowhere.invalid" }):call "PING"
    assert.same({ "network", false }, { err.kind, err.sent })
  end)

  it("waits for a Redis that hangs no longer than `timeout`, and goes on once it is back", function()
    local own = redis_server.start()
    finally(function() own:close() end)
    local connection = connect { url = own:url(), timeout = 0.3 }
    assert.equal("PONG", connection:call "PING")
    own:signal "STOP"
    for _ = 1, 2 do -- on a connection that is there, and on a new one, which the system makes
      local began = core.now()
      local reply, err = connection:call("INCR", "count")
      local took = core.now() - began
      assert.is_nil(reply)
      assert.same({ "timeout", true }, { err.kind, err.may_be_done })
      assert.matches("did not reply within 300 ms %(Redis may have done it", tostring(err))
      assert.is_true(took >= 0.29 and took < 0.6 * slowdown, took)
    end
    own:signal "CONT"
    assert.equal("PONG", connection:call "PING")
  end)

  it("says of a command that did not leave as a whole that nothing was sent", function()
    local own = redis_server.start()
    finally(function() own:close() end)
    local connection = connect { url = own:url(), timeout = 0.5 }
    assert.equal("PONG", connection:call "PING")
    own:signal "STOP"
    local _, err = connection:call("SET", "key", ("x"):rep(32 * 1024 * 1024))
    assert.same({ "timeout", false, nil }, { err.kind, err.sent, err.may_be_done })
    own:signal "CONT"
    assert.equal(0, connection:call("EXISTS", "key"))
  end)

  it("says in words that Redis is full, and that it is read-only", function()
    local own = redis_server.start { words = { "--maxmemory", "1mb", "--maxmemory-policy", "noeviction" } }
    finally(function() own:close() end)
    local connection = connect { url = own:url() }
    local commands = {}
    for index = 1, 100 do commands[index] = { "SET", index, ("x"):rep(100000) } end
    local err = assert(connection:pipeline(commands))[100]
    assert.same({ "redis", "OOM", true }, { err.kind, err.code, err.retryable })
    assert.matches(": OOM command not allowed when used memory > 'maxmemory'.*; it is full: ", tostring(err))
    local _
    _, err = connection:script("return redis.call('SET', KEYS[1], 'x')"):call { "key" }
    assert.matches(": OOM command not allowed when used memory > 'maxmemory'; it is full: ", tostring(err))
    assert(connection:call("CONFIG", "SET", "maxmemory", 0))
    assert(connection:call("REPLICAOF", "127.0.0.1", 1))
    _, err = connection:call("SET", "key", "value")
    assert.same({ "redis", "READONLY", true }, { err.kind, err.code, err.retryable })
    assert.matches("READONLY You can't write against a read only replica", tostring(err))
  end)

  it("says the code of a command that a script ran, also for Redis 6.2", function()
    local failure = require "hubspot.associations.redis.failure"
    local address = { shown = "h:6379", credentials = function() end }
    for text, expected in pairs {
      ["ERR Error running script (call to f_1a): @user_script:3: @user_script: 3: -OOM command not "
        .. "allowed when used memory > 'maxmemory'."] = { "OOM", true },
      ["ERR Error running script (call to f_1a): @user_script:3: attempt to index a nil value"] =
        { "ERR", false },
      ["READONLY You can't write against a read only replica. script: 1a, on @user_script:3."] =
        { "READONLY", true },
    } do
      local err = failure.of_reply(address, text)
      assert.same(expected, { err.code, err.retryable })
    end
  end)

  it("makes another connection once Redis is a replica, as its name may lead to its successor", function()
    local own = redis_server.start()
    local connection = assert(redis.new { url = own:url() })
    finally(function()
      connection:close()
      own:close()
    end)
    local first = connection:call("CLIENT", "ID")
    assert.equal(first, connection:call("CLIENT", "ID"))
    assert(connection:call("REPLICAOF", "127.0.0.1", 1))
    local _, err = connection:call("SET", "key", "value")
    assert.equal("READONLY", err.code)
    local second = connection:call("CLIENT", "ID")
    assert.not_equal(first, second)
    assert.equal(second, connection:call("CLIENT", "ID"))
    assert(connection:call("REPLICAOF", "NO", "ONE"))
    assert.equal("OK", connection:call("SET", "key", "value"))
  end)

  describe("with a password", function()
    local own

    setup(function()
      own = redis_server.start()
      local admin = assert(redis.new { url = own:url() })
      assert(admin:call("ACL", "SETUSER", "fleet", "on", ">s3cret/word", "~*", "+@all", "-config"))
      assert(admin:call("CONFIG", "SET", "requirepass", "hunter2@all"))
      admin:close()
    end)
    teardown(function() own:close() end)

    local function text_of(value, seen)
      seen = seen or {}
      if type(value) ~= "table" then return tostring(value) end
      if seen[value] then return "" end
      seen[value] = true
      local parts = { tostring(value) }
      for key, entry in pairs(value) do
        parts[#parts + 1] = text_of(key, seen) .. "=" .. text_of(entry, seen)
      end
      return table.concat(parts, " ")
    end

    it("is let in, as the default user and as one of the access list", function()
      assert.equal("default", connect({ url = own:url ":hunter2%40all@" }):call("ACL", "WHOAMI"))
      local connection = connect { url = own:url "fleet:s3cret%2Fword@" }
      assert.equal("fleet", connection:call("ACL", "WHOAMI"))
      local _, err = connection:call("CONFIG", "GET", "port")
      assert.same({ "redis", "NOPERM", false }, { err.kind, err.code, err.retryable })
    end)

    it("is not let in with a wrong one, or without one", function()
      local _, err = connect({ url = own:url "fleet:wrongword@" }):call "PING"
      assert.same({ "redis", "WRONGPASS", false, false }, { err.kind, err.code, err.sent, err.retryable })
      _, err = connect({ url = own:url() }):call "PING"
      assert.equal("NOAUTH", err.code)
      _, err = connect({ url = own:url() }):command { "PING", 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }
      assert.equal("NOAUTH", err.code) -- Redis itself calls that ERR
    end)

    it("is shown nowhere", function()
      local right = connect { url = own:url ":hunter2%40all@" }
      local wrong = connect { url = own:url ":wrongword@" }
      local _, one = right:call("NONSENSE", "hunter2@all")
      local _, other = wrong:call "PING"
      assert.matches("%(password%)", tostring(one))
      for _, value in ipairs { one, other, right, wrong } do
        local text = text_of(value)
        assert.is_nil(text:find("hunter2", 1, true))
        assert.is_nil(text:find("wrongword", 1, true))
      end
    end)
  end)
end)
