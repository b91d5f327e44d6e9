-- Whether a failed request was sent, in part or entirely, and the outcome in a job: `not_sent` if nothing was
-- sent, `unconfirmed` if HubSpot may have processed it.

local socket = require "socket"
local certificates = require "support.certificates"
local clients = require "support.clients"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local INPUTS = { { from = 101, to = "202", types = 279 } }
local MORE = {}
for index = 1, 2000 do
  local types = { associationCategory = ("A"):rep(500), associationTypeId = 1 }
  MORE[index] = { from = index, to = "7", types = types }
end

local SENT, UNSENT = { nil, "unconfirmed" }, { false, "not_sent" }

describe("a request that fails", function()
  local server, set

  setup(function() set = certificates.make() end)
  teardown(function() set.close() end)

  after_each(function()
    clients.close()
    if server then server:close() end
    server = nil
  end)

  -- Checks that a call fails in this way, and a job with the same inputs, too.
  local function assert_fails(client, kind, expected, inputs)
    local batch, err = client:create("contacts", "companies", inputs or INPUTS)
    assert.is_nil(batch)
    assert.equal(kind, err.kind, tostring(err))
    assert.is_boolean(err.retryable)
    assert.equal(expected[1] == false, err.sent == false, tostring(err))
    local report, why = client:create_all("contacts", "companies", inputs or INPUTS)
    assert.equal(kind, why.kind, tostring(why))
    assert.equal(report.inputs, report[expected[2]], tostring(why))
  end

  local function refused_url(scheme)
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    listener:close()
    return scheme .. "://127.0.0.1:" .. port
  end

  it("for a refused connection, has sent nothing", function()
    assert_fails(clients.open(refused_url "http"), "network", UNSENT)
    assert_fails(clients.open(refused_url "https"), "network", UNSENT)
  end)

  it("for an unknown host, has sent nothing", function()
    assert_fails(clients.open("https://nowhere.invalid"), "network", UNSENT)
  end)

  it("for a certificate that is not trusted, or cannot be checked, has sent nothing", function()
    server = raw_server.start { connections = { {}, {} }, tls = set.server }
    assert_fails(clients.open(server:url()), "tls", UNSENT)
    server = raw_server.start { connections = { {}, {} }, tls = set.server }
    assert_fails(clients.open(server:url(), { ca_file = "/nowhere.pem" }), "tls", UNSENT)
  end)

  it("for a handshake without a response, has sent nothing", function()
    server = raw_server.start { connections = { { { "hold" } }, { { "hold" } } } }
    local url = server:url():gsub("^http:", "https:")
    assert_fails(clients.open(url, { connect_timeout = 0.2 }), "timeout", UNSENT)
  end)

  for name, script in pairs {
    ["has been read"] = { { "read_request" }, { "close" } },
    ["has been read in part"] = { { "receive" }, { "reset" } },
  } do
    it("after it " .. name .. " may have been done", function()
      server = raw_server.start { connections = { script, script } }
      assert_fails(clients.open(server:url()), "network", SENT, MORE)
    end)
  end

  it("for lack of a response may have been done", function()
    server = raw_server.start { connections = { { { "read_request" }, { "hold" } }, { { "hold" } } } }
    assert_fails(clients.open(server:url(), { timeout = 0.3 }), "timeout", SENT)
  end)

  -- A client of a server that reads the first request and closes the connection; the client is closed before
  -- the second.
  local function open_for_one_attempt()
    server = raw_server.start { connections = { { { "read_request" }, { "close" } } } }
    local client
    client = clients.open(server:url(), {
      max_attempts = 2,
      on_event = function(event)
        if event.type == "retry" then client:close() end
      end,
    })
    return client
  end

  it("and is given up while none is in flight may have been done in an earlier attempt", function()
    local _, err = open_for_one_attempt():create("contacts", "companies", INPUTS)
    assert.same({ "closed", 1 }, { err.kind, err.attempts })
    assert.is_nil(err.sent)
  end)

  it("the same holds for a job's inputs", function()
    local report, err = open_for_one_attempt():create_all("contacts", "companies", INPUTS)
    assert.same({ "closed", 1 }, { err.kind, report.unconfirmed })
    assert.is_nil(report.failures[1].error.sent)
  end)

  it("on a reused connection may have been done", function()
    local once = { { "read_request" }, { "send", responses.created() }, { "read_request" }, { "close" } }
    server = raw_server.start { connections = { once, { { "close" } }, { { "close" } } } }
    local client = clients.open(server:url())
    assert(client:create("contacts", "companies", INPUTS))
    local _, err = client:create("contacts", "companies", INPUTS)
    assert.equal("network", err.kind)
    assert.is_not.equal(false, err.sent)
  end)
end)
