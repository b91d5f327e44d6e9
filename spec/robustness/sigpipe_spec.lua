-- A peer that closes its connection must not end the host by SIGPIPE. Recent versions of libcurl ask the
-- system not to raise it. A library that is preloaded here makes libcurl write without that, as older
-- versions do, so that the specs fail where they should with any libcurl.

local c_program = require "support.c_program"
local certificates = require "support.certificates"
local child = require "support.child"
local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local PLAIN_WRITES = [[
#include <sys/socket.h>
#include <unistd.h>
ssize_t send(int fd, const void *bytes, size_t count, int flags)
{
  (void)flags;
  return write(fd, bytes, count);
}
]]

local SCRIPT = [[
  local core = require "hubspot.associations.core"
  local exchange = require "support.exchange"
  local url, ca_file = %q, %q
  local transport = assert(core.transport({ ca_file = ca_file }))
  assert(exchange.run(transport, url))
  local _, failure = exchange.run(transport, url, { body = ("x"):rep(8 * 1024 * 1024) })
  io.write(failure and failure.kind or "answered")
  if failure then
    assert(exchange.run(transport, url))
  end
  transport:close()
]]

-- Sends into a stream until it has ended.
local STREAM_SCRIPT = [[
  local core = require "hubspot.associations.core"
  local port, is_tls, ca_file = %d, %s, %q
  local transport = assert(core.transport({ ca_file = ca_file }))
  local stream, failure = assert(transport:connect("127.0.0.1", port, is_tls, 5)), nil
  local deadline = core.now() + 10
  repeat
    stream:send(("x"):rep(1000))
    core.poll(transport:fd(), 0.001)
    if stream:state() == "connecting" or core.now() > deadline - 9 then transport:step() end
    local state
    state, failure = stream:state()
  until not state or core.now() > deadline
  stream:close()
  transport:close()
  io.write(failure and failure.kind or "open")
]]

describe("SIGPIPE", function()
  local set, folder, library

  setup(function()
    set = certificates.make()
    folder = process.make_folder()
    library = c_program.preload(folder .. "/send", PLAIN_WRITES)
  end)

  teardown(function()
    process.remove_folder(folder)
    set:close()
  end)

  -- What becomes of the call: libcurl may resend a request if its kept connection turned out to be dead.
  local CASES = {
    { "closes in mid-request", { { "read_head" }, { "close" } }, "network answered" },
    { "resets in mid-request", { { "read_head" }, { "reset" } }, "network answered" },
    { "closes between requests", { { "close" } }, "answered" },
    { "resets between requests", { { "reset" } }, "answered" },
  }
  for _, case in ipairs(CASES) do
    for _, over in ipairs({ "TLS", "plain HTTP" }) do
      it("does not end a process whose peer " .. case[1] .. ", over " .. over, function()
        if not library then
          pending("no C compiler")
        end
        local first = responses.script(responses.created())
        for _, action in ipairs(case[2]) do
          first[#first + 1] = action
        end
        local server = raw_server.start({
          connections = { first, responses.script(responses.created()) },
          tls = over == "TLS" and set.server or nil,
        })
        local script = SCRIPT:format(server:url() .. "/", set.ca)
        local result = child.run(script, { env = { LD_PRELOAD = library } })
        server:close()
        assert.same({ 0, "" }, { result.code, result.stderr })
        assert.truthy(result.stdout ~= "" and case[3]:find(result.stdout, 1, true), result.stdout)
      end)
    end
  end

  for _, over in ipairs({ "TLS", "plain TCP" }) do
    it("does not end a process that sends into a stream whose peer is gone, over " .. over, function()
      if not library then
        pending("no C compiler")
      end
      local server = raw_server.start({
        connections = { { { "receive" }, { "reset" } } }, tls = over == "TLS" and set.server or nil,
      })
      local script = STREAM_SCRIPT:format(server.port, tostring(over == "TLS"), set.ca)
      local result = child.run(script, { env = { LD_PRELOAD = library } })
      server:close()
      assert.same({ 0, "", "network" }, { result.code, result.stderr, result.stdout })
    end)
  end
end)

describe("the process's signals", function()
  local function signals()
    local text = process.read_file("/proc/self/status")
    return text:match("SigPnd:[^\n]*"), text:match("SigBlk:[^\n]*"), text:match("SigIgn:[^\n]*"),
      text:match("SigCgt:[^\n]*")
  end

  it("are blocked, ignored and caught as before once a call is over, or has failed", function()
    local before = { signals() }
    local server = raw_server.start({
      connections = { { { "read_head" }, { "reset" } }, responses.script(responses.created()) },
    })
    local transport = assert(core.transport({}))
    assert.is_nil((exchange.run(transport, server:url() .. "/")))
    assert.same(before, { signals() })
    assert(exchange.run(transport, server:url() .. "/"))
    transport:close()
    server:close()
    assert.same(before, { signals() })
  end)
end)
