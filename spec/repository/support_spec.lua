-- What specs stand on: spec/support/process.lua, raw_server.lua and certificates.lua.
-- Talks to the raw server with luasocket, bash and `openssl s_client`, never with the module under test.

local certificates = require "support.certificates"
local process = require "support.process"
local raw_server = require "support.raw_server"
local socket = require "socket"

local CLIENT_TIMEOUT = 10

local ALL_BYTES = {}
for byte = 0, 255 do
  ALL_BYTES[byte + 1] = string.char(byte)
end
ALL_BYTES = table.concat(ALL_BYTES)

-- A Lua script that finds the support modules as this spec does.
local function script(text)
  return ("package.path, package.cpath = %q, %q\n"):format(package.path, package.cpath) .. text
end

-- Runs a tool, without the sanitizer that may be preloaded for the code under test.
local function run_tool(argv, stdin)
  return process.run(argv, { stdin = stdin, env = { LD_PRELOAD = false, LC_ALL = "C" } })
end

-- A command that ends well when the condition, a shell command, fails within 10 s.
local function wait_while(condition, ...)
  local loop = "while " .. condition .. "; do sleep 0.01; done"
  return run_tool({ "timeout", "10", "sh", "-c", loop, "sh", ... }).code
end

local function folder_entries(folder)
  return run_tool({ "ls", "-A", folder }).stdout
end

-- A folder that is removed when the test is over; finally is busted's.
local function temporary_folder(finally)
  local folder = process.make_folder()
  finally(function()
    process.remove_folder(folder)
  end)
  return folder
end

describe("process.run", function()
  it("gives the exit code and both outputs", function()
    local result = process.run({ "sh", "-c", "echo out; echo err >&2; exit 7" })
    assert.same({ code = 7, stdout = "out\n", stderr = "err\n" }, result)
  end)

  it("passes arguments as they are", function()
    local arguments = { "", "two words", "it's", '"$HOME" `id` \\', "*", "line\nline", "-n", "\195\169" }
    local argv = { "printf", "<%s>" }
    for _, argument in ipairs(arguments) do
      argv[#argv + 1] = argument
    end
    assert.equal("<" .. table.concat(arguments, "><") .. ">", process.run(argv).stdout)
  end)

  it("passes stdin byte for byte, more than a pipe holds", function()
    local bytes = ALL_BYTES:rep(4096)
    local result = process.run({ "tee", "/dev/stderr" }, { stdin = bytes })
    assert.is_true(result.stdout == bytes)
    assert.is_true(result.stderr == bytes)
  end)

  it("gives an empty stdin when it is given none", function()
    assert.same({ code = 0, stdout = "", stderr = "" }, process.run({ "cat" }))
  end)

  it("sets and removes environment variables", function()
    local result = process.run({ "sh", "-c", 'echo "$SET_BY_SPEC ${HOME-no home}"' }, {
      env = { SET_BY_SPEC = "a 'b' $c", HOME = false },
    })
    assert.equal("a 'b' $c no home\n", result.stdout)
  end)

  it("tells of a program that does not exist, and of one that a signal ended", function()
    local missing = process.run({ "no-such-program" })
    assert.equal(127, missing.code)
    assert.matches("no%-such%-program", missing.stderr)
    assert.same({ code = 137, stdout = "", stderr = "" }, process.run({ "sh", "-c", "kill -9 $$" }))
  end)

  it("raises for an empty command and for a zero byte", function()
    assert.has_error(function()
      process.run({})
    end, "a command is a list: the program, then its arguments")
    assert.error_matches(function()
      process.run({ "echo", "a\0b" })
    end, "zero byte")
  end)
end)

describe("process.start", function()
  it("reads the first line and the further ones, and gives the rest at the end", function()
    local child = process.start({ "sh", "-c", "echo one; echo two; cat; echo three; echo err >&2; exit 3" })
    assert.equal("one", child.line)
    assert.equal("two", child:read_line())
    local result = child:close()
    assert.same({ code = 3, stdout = "three\n", stderr = "err\n" }, result)
    assert.equal(result, child:close())
  end)

  it("keeps children apart: each ends when it is closed, in any order", function()
    local children = {}
    for index = 1, 3 do
      children[index] = process.start({ "sh", "-c", "echo $1; cat", "sh", index })
    end
    for _, index in ipairs({ 2, 1, 3 }) do
      assert.equal(tostring(index), children[index].line)
      assert.equal(0, children[index]:close().code)
      assert.equal(0, wait_while("kill -0 $1 2>/dev/null", children[index].pid))
    end
  end)

  it("says what a program that fails to start said", function()
    assert.error_matches(function()
      process.start({ "sh", "-c", "echo the reason >&2; exit 4" })
    end, "sh ended without a line of output %(exit code 4%); on stderr it said: the reason$")
    assert.error_matches(function()
      process.start({ "no-such-program" })
    end, "exit code 127.*no%-such%-program")
  end)

  it("sends signals to the program itself", function()
    local loop = "trap 'exit 130' INT; echo ready; while :; do sleep 0.01; done"
    local child = process.start({ "sh", "-c", loop })
    child:kill("INT")
    assert.equal(130, child:close().code)
    child = process.start({ "sh", "-c", "echo ready; exec cat" })
    child:kill("KILL")
    assert.equal(137, child:close().code)
  end)

  it("passes the environment", function()
    local child = process.start({ "sh", "-c", 'echo "$SET_BY_SPEC ${HOME-no home}"' }, {
      env = { SET_BY_SPEC = "set", HOME = false },
    })
    assert.equal("set no home", child.line)
    child:close()
  end)

  it("leaves no child and no file when the test is killed", function()
    local folder = temporary_folder(finally)
    local test = process.start({ process.interpreter(), "-e", script([[
      local child = require("support.process").start({ "sh", "-c", "echo ready; exec cat" })
      print(child.pid)
      io.stdout:flush()
      child:read_line()
    ]]) }, { env = { TMPDIR = folder } })
    assert.equal(0, process.run({ "sh", "-c", "kill -0 " .. test.line }).code)
    test:kill("KILL")
    test:close()
    assert.equal(0, wait_while("kill -0 $1 2>/dev/null", test.line))
    assert.equal("", folder_entries(folder))
  end)
end)

describe("the raw server", function()
  local server, clients

  local function start(connections, tls)
    server = raw_server.start({ connections = connections, tls = tls })
    return server
  end

  local function connect()
    local client = assert(socket.tcp())
    clients[#clients + 1] = client
    client:settimeout(CLIENT_TIMEOUT)
    assert(client:connect("127.0.0.1", server.port))
    return client
  end

  -- All that the server sends until it closes.
  local function exchange(request)
    local client = connect()
    assert(client:send(request or ""))
    return assert(client:receive("*a"))
  end

  -- What the kernel says of the end of a connection, which luasocket does not tell.
  local function bash(commands)
    return run_tool({ "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$1; " .. commands, "bash", server.port })
  end

  before_each(function()
    server, clients = nil, {}
  end)

  after_each(function()
    for _, client in ipairs(clients) do
      client:close()
    end
    if server then
      server:close()
    end
  end)

  it("sends exactly the bytes of its script", function()
    start({ { { "send", ALL_BYTES }, { "send", "\r\n\\\"" } } })
    assert.equal(ALL_BYTES .. "\r\n\\\"", exchange())
  end)

  it("sends large amounts from a few bytes", function()
    start({ { { "send_repeated", ("\0"):rep(65536), 160 }, { "send", "end" } } })
    assert.is_true(exchange() == ("\0"):rep(160 * 65536) .. "end")
  end)

  it("reads a request up to the end of its body, however it is cut", function()
    start({ { { "read_request" }, { "send", "thanks" } } })
    local client = connect()
    local pieces = { "POST / HTTP/1.1\r\ncontent-LENGTH:  5\r", "\n\r", "\nab", "\0", "\r\n", "next" }
    for _, piece in ipairs(pieces) do
      assert(client:send(piece))
      server:connections() -- by the time that it answers, it has read the piece
    end
    assert.equal("thanks", client:receive("*a"))
    assert.same({ "POST / HTTP/1.1\r\ncontent-LENGTH:  5\r\n\r\nab\0\r\n" }, server:requests())
  end)

  it("reads several requests of one connection", function()
    local response = { "send", "HTTP/1.1 204 No Content\r\n\r\n" }
    start({ { { "read_request" }, response, { "read_request" }, response } })
    local first, second = "GET /1 HTTP/1.1\r\n\r\n", "POST /2 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
    assert.equal(response[2]:rep(2), exchange(first .. second))
    assert.same({ first, second }, server:requests())
    assert.equal(1, server:connections())
  end)

  it("can leave the body unread", function()
    start({ { { "read_head" }, { "send", "enough" } } })
    assert.equal("enough", exchange("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nbody"))
    assert.same({ "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n" }, server:requests())
  end)

  it("tells of a request that the peer cut short", function()
    start({ { { "read_request" }, { "send", "never sent" } } })
    local client = connect()
    assert(client:send("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nbo"))
    assert.same({}, server:requests())
    client:shutdown("send")
    assert.same({ nil, "closed", "" }, { client:receive("*a") })
    assert.same({ "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nbo" }, server:requests())
  end)

  it("follows the script of each connection, and repeats the last", function()
    start({ { { "send", "first" } }, { { "send", "second" } } })
    assert.same({ "first", "second", "second" }, { exchange(), exchange(), exchange() })
  end)

  it("counts every connection and request that was made before it is asked", function()
    start({ { { "read_request" }, { "hold" } } })
    assert.same({ 0, {} }, { server:connections(), server:requests() })
    for round = 1, 2 do
      -- All of it, and the question, are waiting when the server runs again.
      server.child:kill("STOP")
      for _ = 1, 100 do
        assert(connect():send("GET / HTTP/1.1\r\n\r\n"))
      end
      local wake = assert(io.popen("sleep 0.1; kill -s CONT " .. server.child.pid))
      if round == 1 then
        assert.equal(100, server:connections())
      else
        assert.equal(200, #server:requests())
      end
      wake:close()
    end
  end)

  it("drips bytes one at a time", function()
    start({ { { "drip", "abc", 0.03 } } })
    local client = connect()
    local began = socket.gettime()
    assert.same({ "a", "b", "c" }, { client:receive(1), client:receive(1), client:receive(1) })
    assert.is_true(socket.gettime() - began > 0.05)
  end)

  it("sleeps before it goes on, while others are served", function()
    start({ { { "sleep", 0.2 }, { "send", "late" } }, { { "send", "at once" } } })
    local slow = connect()
    slow:settimeout(0)
    assert.equal(1, server:connections())
    assert.equal("at once", exchange())
    assert.same({ nil, "timeout", "" }, { slow:receive(1) })
    slow:settimeout(CLIENT_TIMEOUT)
    assert.equal("late", slow:receive("*a"))
  end)

  it("holds a connection open until the peer closes it", function()
    start({ { { "receive" }, { "send", "got it" }, { "hold" } } })
    local client = connect()
    assert(client:send("something"))
    assert.equal("got it", client:receive(6))
    assert(client:send("something more"))
    client:settimeout(0.05)
    assert.same({ nil, "timeout", "" }, { client:receive(1) })
    client:shutdown("send")
    client:settimeout(CLIENT_TIMEOUT)
    assert.same({ nil, "closed", "" }, { client:receive(1) })
  end)

  it("closes in order: what is unread on one side costs nothing on the other", function()
    local large = { "send", ("x"):rep(1000000) }
    start({ { { "receive" }, large, { "sleep", 0.1 }, { "close" }, { "send", "never sent" } } })
    -- The peer reads when the server has closed already, more than its own buffer holds.
    local result = bash("echo read >&3; head -c 1 <&3; echo unread >&3; sleep 0.3; cat <&3")
    assert.same({ 1000000, 0, "" }, { #result.stdout, result.code, result.stderr })
  end)

  it("resets a connection after what it sent has arrived", function()
    start({ { { "send", "one" }, { "send", "two" }, { "reset" } } })
    local result = bash("cat <&3")
    assert.equal("onetwo", result.stdout)
    assert.matches("Connection reset by peer", result.stderr)
  end)

  it("goes on when a peer goes away in mid-script", function()
    start({ { { "send_repeated", ("x"):rep(65536), 1000 } }, { { "send", "still here" } } })
    local client = connect()
    assert(client:receive(1))
    client:close()
    assert.equal("still here", exchange())
  end)

  it("names its address", function()
    start({ { { "close" } } })
    assert.equal("http://127.0.0.1:" .. server.port, server:url())
    assert.equal("https://127.0.0.1:" .. server.port, server:url("https"))
    assert.equal("http://localhost:" .. server.port, server:url(nil, "localhost"))
  end)

  it("is gone once it is closed", function()
    start({ { { "hold" } } })
    local client = connect()
    assert.equal(1, server:connections())
    server:close()
    assert.same({ nil, "closed", "" }, { client:receive(1) })
    assert.same({ nil, "connection refused" }, { socket.connect("127.0.0.1", server.port) })
  end)

  it("refuses a script that it cannot follow", function()
    assert.error_matches(function()
      raw_server.start({ connections = { { { "shout" } } } })
    end, "the raw server has no action shout")
    assert.error_matches(function()
      raw_server.start({ connections = {} })
    end, "needs a script for one connection")
    assert.error_matches(function()
      raw_server.start({ connections = { { { "send", print } } } })
    end, "cannot hold a function")
  end)

  describe("with TLS", function()
    local RESPONSE = { { "read_request" }, { "send", "hello" } }
    local set

    setup(function()
      set = certificates.make()
    end)

    teardown(function()
      set:close()
    end)

    local function s_client(...)
      return run_tool({
        "openssl", "s_client", "-connect", "127.0.0.1:" .. server.port, "-servername", "localhost",
        "-CAfile", set.ca, "-no-CApath", "-no-CAstore", "-verify_hostname", "localhost",
        "-verify_return_error", "-quiet", ...
      }, "GET / HTTP/1.1\r\n\r\n")
    end

    it("is trusted by who trusts its CA", function()
      start({ RESPONSE }, set.server)
      assert.equal("hello", s_client().stdout)
      assert.same({ "GET / HTTP/1.1\r\n\r\n" }, server:requests())
      assert.equal("https://127.0.0.1:" .. server.port, server:url())
    end)

    local refusals = {
      expired = "certificate has expired",
      other_host = "[Hh]ostname mismatch",
      unknown = "unable to get local issuer certificate",
    }
    for name, reason in pairs(refusals) do
      it("is refused with the certificate that is " .. name, function()
        start({ RESPONSE }, set[name])
        local result = s_client()
        assert.not_equal(0, result.code)
        assert.equal("", result.stdout)
        assert.matches(reason, result.stderr)
        assert.same({ 1, {} }, { server:connections(), server:requests() })
      end)
    end

    it("speaks only the protocol that it is told to", function()
      local old = { certificate = set.server.certificate, key = set.server.key, protocol = "TLSv1_1" }
      start({ RESPONSE }, old)
      assert.equal("", s_client("-tls1_2").stdout)
      assert.equal("hello", s_client("-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0").stdout)
    end)

    it("resets in mid-TLS, after what it sent has arrived", function()
      start({ { { "read_request" }, { "send", "half" }, { "reset" } } }, set.server)
      local result = s_client()
      assert.equal("half", result.stdout)
      assert.matches("errno=104", result.stderr)
    end)

    it("can answer a TLS handshake with something else", function()
      start({ { { "receive" }, { "send", "HTTP/1.1 400 Bad Request\r\n\r\n" } } })
      local result = s_client()
      assert.equal("", result.stdout)
      assert.matches("wrong version number", result.stderr)
    end)
  end)
end)

describe("the certificates", function()
  it("are removed when they are closed", function()
    local set = certificates.make()
    assert.equal(0, process.run({ "test", "-s", set.server.key }).code)
    set:close()
    assert.equal(1, process.run({ "test", "-e", set.folder }).code)
  end)
end)

describe("the support as a whole", function()
  it("leaves no process and no file, even when nothing is closed", function()
    local folder = temporary_folder(finally)
    local result = process.run({ process.interpreter(), "-" }, {
      env = { TMPDIR = folder },
      stdin = script([[
        local process = require "support.process"
        local raw_server = require "support.raw_server"
        process.run({ "true" })
        pcall(process.start, { "false" })
        pcall(raw_server.start, { connections = {} })
        raw_server.start({ connections = { { { "hold" } } } }):close()
        unclosed = { -- kept alive until the end
          process.start({ "sh", "-c", "echo ready; cat" }),
          raw_server.start({ connections = { { { "hold" } } } }),
          require("support.certificates").make(),
        }
        io.write("done")
      ]]),
    })
    assert.same({ code = 0, stdout = "done", stderr = "" }, result)
    assert.equal(0, wait_while('grep -qzsxF -- "TMPDIR=$1" /proc/[0-9]*/environ', folder))
    assert.equal("", folder_entries(folder))
  end)
end)
