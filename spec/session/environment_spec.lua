-- What the environment of a process may change and what it must not: proxies, .netrc, other configuration of
-- libcurl. And that a redirect is never followed.

local certificates = require "support.certificates"
local child = require "support.child"
local clients = require "support.clients"
local process = require "support.process"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local TOKEN = clients.TOKEN
local OTHER = responses.script(responses.created())

local SCRIPT = [[
  local associations = require "hubspot.associations"
  local client = assert(associations.new({
    max_attempts = 1, token = %q, base_url = %q, timeout = 5, ca_file = %q,
  }))
  local batch, err = client:create("contacts", "companies", { { from = 1, to = 2, types = 1 } })
  print(batch and batch.status or err)
  client:close()
]]

local function each_proxy(url)
  local env = { no_proxy = false, NO_PROXY = false }
  for _, name in ipairs({ "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }) do
    env[name] = url
  end
  return env
end

describe("the environment", function()
  local server, proxy, set

  local function run(env, url, ca_file)
    local script = SCRIPT:format(TOKEN, url or server:url(), ca_file or ""):gsub(', ca_file = ""', "")
    local result = child.run(script, { env = env })
    assert.same({ 0, "" }, { result.code, result.stderr })
    return result.stdout
  end

  setup(function()
    set = certificates.make()
  end)

  teardown(function()
    set:close()
  end)

  before_each(function()
    server = raw_server.start({ connections = { responses.script(responses.created()) } })
    proxy = raw_server.start({ connections = { { { "read_head" }, { "send", responses.of(403, "") } } } })
  end)

  after_each(function()
    proxy:close()
    server:close()
  end)

  it("names a proxy, which is not used for plain HTTP to loopback", function()
    assert.equal("COMPLETE\n", run(each_proxy(proxy:url())))
    assert.equal(0, proxy:connections())
    assert.equal(1, #server:requests())
  end)

  it("names a proxy, which is used for https, and never sees the token", function()
    assert.matches("network: .* 403", run(each_proxy(proxy:url()), server:url("https"), set.ca))
    local requests = proxy:requests()
    assert.equal(1, #requests)
    assert.matches("^CONNECT 127%.0%.0%.1:" .. server.port .. " HTTP/1%.1\r\n", requests[1])
    assert.is_nil(requests[1]:lower():find("authorization", 1, true))
    assert.is_nil(requests[1]:find(TOKEN, 1, true))
    assert.equal(0, server:connections())
  end)

  it("has a .netrc at home, which is not read", function()
    local home = process.make_folder()
    process.write_file(home .. "/.netrc", "machine 127.0.0.1 login user password passphrase\n"
      .. "default login user password passphrase\n")
    local said = run({ HOME = home, CURL_HOME = home, NETRC = home .. "/.netrc" })
    process.remove_folder(home)
    assert.equal("COMPLETE\n", said)
    local request = server:requests()[1]
    local _, count = request:gsub("\r\nAuthorization: ", "")
    assert.equal(1, count)
    assert.truthy(request:find("\r\nAuthorization: Bearer " .. TOKEN .. "\r\n", 1, true))
  end)

  it("has a .netrc at home, which is not even opened", function()
    local home = process.make_folder()
    process.run({ "mkfifo", home .. "/.netrc" }) -- who opens it to read waits for ever
    local said = run({ HOME = home })
    process.remove_folder(home)
    assert.equal("COMPLETE\n", said)
  end)

  it("has a .curlrc at home, which is not read", function()
    local home = process.make_folder()
    local settings = 'header = "X-Curlrc: 1"\nproxy = ' .. proxy:url() .. "\ninsecure\n"
    process.write_file(home .. "/.curlrc", settings)
    local said = run({ HOME = home, CURL_HOME = home })
    process.remove_folder(home)
    assert.equal("COMPLETE\n", said)
    assert.is_nil(server:requests()[1]:find("X-Curlrc", 1, true))
    assert.equal(0, proxy:connections())
  end)
end)

describe("the option proxy", function()
  after_each(clients.close)

  it("is not used for plain HTTP to loopback, either", function()
    local server = raw_server.start({ connections = { responses.script(responses.created()) } })
    local proxy = raw_server.start({ connections = { OTHER } })
    local client = clients.open(server:url(), { proxy = proxy:url() })
    assert(clients.create(client))
    assert.same({ 1, 0 }, { server:connections(), proxy:connections() })
    proxy:close()
    server:close()
  end)

  it("is used for https, and the proxy never sees the token", function()
    local proxy = raw_server.start({
      connections = { { { "read_head" }, { "send", responses.of(407, "") } } },
    })
    local client = clients.open("https://api.example", { proxy = proxy:url() })
    local batch, err = clients.create(client)
    assert.is_nil(batch)
    assert.equal("network", err.kind)
    assert.is_nil(err.status)
    local request = proxy:requests()[1]
    assert.matches("^CONNECT api%.example:443 HTTP/1%.1\r\n", request)
    assert.is_nil(request:find(TOKEN, 1, true))
    proxy:close()
  end)
end)

describe("a redirect", function()
  local server, elsewhere

  before_each(function()
    elsewhere = raw_server.start({ connections = { OTHER } })
  end)

  after_each(function()
    clients.close()
    server:close()
    elsewhere:close()
  end)

  for _, status in ipairs({ 300, 301, 302, 303, 307, 308 }) do
    it("is an error, and never followed: " .. status, function()
      server = raw_server.start({ connections = {
        responses.script(responses.of(status, "moved", { "Location: " .. elsewhere:url() .. "/crm" })),
      } })
      local batch, err = clients.create(clients.open(server:url()))
      assert.is_nil(batch)
      assert.same({ "redirect", status, 1 }, { err.kind, err.status, err.attempts })
      assert.matches("never followed", tostring(err))
      assert.same({ 0, 1, 1 }, { elsewhere:connections(), server:connections(), #server:requests() })
    end)
  end

  it("is not followed on the same server, either", function()
    server = raw_server.start({ connections = {
      responses.script(responses.of(302, "", { "Location: /elsewhere", "Refresh: 0; url=/elsewhere" }), 2),
    } })
    local batch, err = clients.create(clients.open(server:url()))
    assert.is_nil(batch)
    assert.equal("redirect", err.kind)
    assert.equal(1, #server:requests())
  end)

  it("in the header fields of a success is ignored", function()
    server = raw_server.start({ connections = {
      responses.script(responses.created(nil, {
        "Location: " .. elsewhere:url() .. "/", "Alt-Svc: h2=\"" .. elsewhere:url():match("//(.*)") .. "\"",
        "Refresh: 0; url=" .. elsewhere:url(),
      }), 2),
    } })
    local client = clients.open(server:url())
    for _ = 1, 2 do
      assert(clients.create(client))
    end
    assert.same({ 0, 1 }, { elsewhere:connections(), server:connections() })
  end)
end)
