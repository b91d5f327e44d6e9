-- Real TLS: which certificates are trusted, which protocols are used, and what happens when the peer breaks
-- off. Certificates are made at test time; the system's store is not used.

local core = require "hubspot.associations.core"
local certificates = require "support.certificates"
local child = require "support.child"
local clients = require "support.clients"
local exchange = require "support.exchange"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local TOKEN = clients.TOKEN
local READ = { "read_request" }

-- A configuration of OpenSSL that allows every protocol.
local LENIENT = [[
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
MinProtocol = TLSv1
CipherString = DEFAULT:@SECLEVEL=0
]]

describe("TLS", function()
  local set, server, client

  -- A call to a server with this certificate, by this host name.
  local function create(tls, changes, script, host)
    server = raw_server.start({
      connections = { script or responses.script(responses.created(), 10) },
      tls = tls,
    })
    client = clients.open(server:url("https", host), { ca_file = set.ca }, changes)
    return clients.create(client)
  end

  local function assert_tls_error(batch, err)
    assert.is_nil(batch)
    assert.equal("tls", err.kind)
    assert.same({}, server:requests()) -- the token was not shown to anyone
    return err
  end

  setup(function()
    set = certificates.make()
  end)

  teardown(function()
    set:close()
  end)

  after_each(function()
    clients.close()
    server:close()
  end)

  it("accepts a server whose CA is in ca_file, and keeps its connection", function()
    assert(create(set.server))
    for _ = 1, 9 do
      local _, meta = assert(clients.create(client))
      assert.equal("1.1", meta.http_version)
    end
    assert.same({ 1, 10 }, { server:connections(), #server:requests() })
    assert.truthy(server:requests()[1]:find("\r\nAuthorization: Bearer " .. TOKEN .. "\r\n", 1, true))
  end)

  it("accepts a server by host name, too", function()
    assert(create(set.server, nil, nil, "localhost"))
  end)

  it("accepts a server whose CA is in ca_path", function()
    local folder = process.make_folder()
    local copy = 'cp "$1" "$2/ca.pem" && openssl rehash "$2"'
    local made = process.run({ "sh", "-c", copy, "sh", set.ca, folder })
    assert.equal(0, made.code, made.stderr)
    local batch, err = create(set.server, { ca_file = false, ca_path = folder })
    process.remove_folder(folder)
    assert(batch, tostring(err))
  end)

  for _, protocol in ipairs({ "TLSv1_2", "TLSv1_3" }) do
    it("accepts " .. protocol, function()
      assert(create({ certificate = set.server.certificate, key = set.server.key, protocol = protocol }))
    end)
  end

  for _, protocol in ipairs({ "TLSv1", "TLSv1_1" }) do
    it("rejects " .. protocol, function()
      local tls = { certificate = set.server.certificate, key = set.server.key, protocol = protocol }
      assert_tls_error(create(tls))
    end)
  end

  it("rejects TLSv1_1 even if the system allows it", function()
    server = raw_server.start({
      connections = { responses.script(responses.created()) },
      tls = { certificate = set.server.certificate, key = set.server.key, protocol = "TLSv1_1" },
    })
    process.write_file(set.folder .. "/lenient.cnf", LENIENT)
    local env = { OPENSSL_CONF = set.folder .. "/lenient.cnf" }
    local result = child.run(([[
      local associations = require "hubspot.associations"
      local client = assert(associations.new({ max_attempts = 1, token = %q, base_url = %q, ca_file = %q }))
      local _, err = client:create("contacts", "companies", { { from = 1, to = 2, types = 1 } })
      print(err.kind)
    ]]):format(TOKEN, server:url(), set.ca), { env = env })
    assert.same({ code = 0, stdout = "tls\n", stderr = "" }, result)
    -- The system allows it: `openssl s_client` gets a response.
    local lenient = process.run({
      "openssl", "s_client", "-connect", "127.0.0.1:" .. server.port, "-CAfile", set.ca, "-quiet",
    }, { env = env, stdin = "GET / HTTP/1.1\r\n\r\n" })
    assert.matches("HTTP/1.1 201", lenient.stdout, 1, true)
  end)

  it("rejects an unknown CA", function()
    local err = assert_tls_error(create(set.unknown))
    assert.matches("certificate", tostring(err))
  end)

  it("rejects a CA that is not in ca_file", function()
    assert_tls_error(create(set.server, { ca_file = false }))
  end)

  it("rejects an expired certificate", function()
    assert.matches("expired", tostring(assert_tls_error(create(set.expired))))
  end)

  it("rejects the certificate of another host", function()
    assert_tls_error(create(set.other_host))
  end)

  it("rejects the certificate of another host, by host name", function()
    assert_tls_error(create(set.other_host, nil, nil, "localhost"))
  end)

  it("is a failure of kind tls when ca_file does not exist, or has no certificate", function()
    assert_tls_error(create(set.server, { ca_file = set.folder .. "/missing.pem" }))
    server:close()
    assert_tls_error(create(set.server, { ca_file = set.server.key }))
  end)

  it("names the option whose certificates do not exist, or cannot be read", function()
    local err = assert_tls_error(create(set.server, { ca_file = set.folder .. "/missing.pem" }))
    assert.matches("/missing.pem (option ca_file): No such file", err.message, 1, true)
    server:close()
    err = assert_tls_error(create(set.server, { ca_file = set.folder }))
    assert.matches("(option ca_file): is a directory", err.message, 1, true)
    server:close()
    err = assert_tls_error(create(set.server, { ca_file = set.server.key }))
    assert.matches("(option ca_file), cannot be read", err.message, 1, true)
    server:close()
    err = assert_tls_error(create(set.server, { ca_file = false, ca_path = set.folder .. "/missing" }))
    assert.matches("/missing (option ca_path): No such file", err.message, 1, true)
  end)

  it("is a failure of kind tls when the server uses plain HTTP", function()
    local batch, err = create(nil, nil, { { "receive" }, { "send", responses.of(400, "plain HTTP here") } })
    assert_tls_error(batch, err)
  end)

  it("is a failure of kind tls when the server breaks off the handshake", function()
    for _, ending in ipairs({ "close", "reset" }) do
      assert_tls_error(create(nil, nil, { { "receive" }, { ending } }))
      server:close()
    end
  end)

  it("times out when the server does not respond to the handshake", function()
    local began = core.now()
    local batch, err = create(nil, { connect_timeout = 0.2 }, { { "sleep", 5 } })
    assert.is_nil(batch)
    assert.equal("timeout", err.kind)
    assert.is_true(core.now() - began < 4)
  end)

  local BROKEN = {
    ["closes instead of responding"] = { READ },
    ["resets instead of responding"] = { READ, { "reset" } },
    ["closes in mid-body"] = { READ, { "send", responses.created():sub(1, -9) } },
    ["resets in mid-body"] = { READ, { "send", responses.created():sub(1, -9) }, { "reset" } },
  }
  for how, script in pairs(BROKEN) do
    it("is a failure of the network when the peer " .. how, function()
      local batch, err = create(set.server, nil, script)
      assert.is_nil(batch)
      assert.equal("network", err.kind)
    end)
  end

  it("never takes a part of a body for all of it when the peer closes without close_notify", function()
    local batch, err = create(set.server, nil, {
      READ, { "send", "HTTP/1.1 201 Created\r\n\r\n" .. responses.BATCH:sub(1, -9) }, { "close" },
    })
    assert.is_nil(batch)
    assert.truthy(err.kind == "network" or err.kind == "decode", err.kind)
  end)

  it("never falls back to plain HTTP, nor follows a redirect there", function()
    local plain = raw_server.start({ connections = { responses.script(responses.created()) } })
    local batch, err = create(set.server, nil, responses.script(
      responses.of(302, "", { "Location: " .. plain:url() .. "/" })))
    assert.is_nil(batch)
    assert.equal("redirect", err.kind)
    assert.equal(0, plain:connections())
    plain:close()
  end)

  it("offers HTTP/2, and names the host that it wants", function()
    server = raw_server.start({ connections = { { { "read_head" } } } })
    local transport = assert(core.transport({ ca_file = set.ca }))
    assert.is_nil((exchange.run(transport, server:url("https", "localhost") .. "/", { timeout = 0.2 })))
    transport:close()
    local hello = server:requests()[1]
    assert.truthy(hello:find("\2h2\8http/1.1", 1, true))
    assert.truthy(hello:find("localhost", 1, true))
  end)
end)
