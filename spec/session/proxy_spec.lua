-- Proxies: whatever is wrong with one, no error, event or command shows its user or password; and a permanent
-- refusal is not retried.

local core = require "hubspot.associations.core"
local child = require "support.child"
local clients = require "support.clients"
local random = require "support.random"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local SERVICE = "https://api.example" -- never reached: the proxy is in between
local USER, PASSWORD = "uQzjX", "pWvqK"

-- URLs that libcurl, or core.proxy, rejects: USER and PASSWORD stand for u and p.
local UNUSABLE = {
  "foo://u:p@host.invalid:1", "socks9://u:p@host.invalid", "ftp://u:p@host.invalid:1",
  "file://u:p@host.invalid/", "http://u:p p@host.invalid:1", "http://u:p/p@127.0.0.1:1",
  "http://u:p#p@127.0.0.1:1", "http://u:p?p@127.0.0.1:1", "http://u:p@p@127.0.0.1:1",
  "http://u:1/p@127.0.0.1:1", "http://u:1?p@127.0.0.1:1", "http://u:1#p@127.0.0.1:1", "http://u:p@",
  "http://u:p", "//u:p@127.0.0.1:1", "://u:p@127.0.0.1", "http://u:p@127.0.0.1:99999",
  "http://u:p@127.0.0.1:port", "http://u:p@[::1", "http://u:p@ho st:1", "http://u:p%0ap@127.0.0.1:1",
  "http://u%00:p@127.0.0.1:1", "http://u:p%40127.0.0.1:1", "http://u:p@127.0.0.1:1:2", "127.0.0.1:1@u:p",
  "http:// u:p@127.0.0.1:1", "foo://u:" .. ("p"):rep(300) .. "@host.invalid",
}

-- URLs that they accept: nothing listens there.
local USABLE = {
  "http://u:p@127.0.0.1:1", "u:p@127.0.0.1:1", "http:/u:p@127.0.0.1:1", "http://u:p%40p@127.0.0.1:1",
  "http://u:p@name.invalid:3128", "socks5://u:p@127.0.0.1:1", "socks5h://u:p@127.0.0.1:1",
  "http://u@127.0.0.1:1",
}

local function filled(url)
  return (url:gsub("%f[%a][up]%f[%A]", { u = USER, p = PASSWORD }):gsub("pppp+", function(run)
    return PASSWORD:rep(#run)
  end))
end

local function assert_hidden(value, url)
  if type(value) == "table" then
    for key, inner in pairs(value) do
      assert_hidden(key, url)
      assert_hidden(inner, url)
    end
  elseif type(value) == "string" then
    assert.is_nil(value:find(USER, 1, true) or value:find(PASSWORD, 1, true), url .. ": " .. value)
  end
end

-- The error of a call, and its events. Checks that they have neither user nor password.
local function call(options)
  local events = {}
  local client = clients.open(SERVICE, options, {
    on_event = function(event) events[#events + 1] = event end,
  })
  local batch, err = clients.create(client)
  assert.is_nil(batch)
  assert_hidden({ err, tostring(err), events }, options.proxy)
  return err, events
end

describe("a proxy that cannot be used", function()
  after_each(clients.close)

  it("fails a call at once, and nothing shows its user or password", function()
    for _, url in ipairs(UNUSABLE) do
      local err = call { proxy = filled(url), max_attempts = 6 }
      assert.same({ "network", "proxy" }, { err.kind, err.reason }, url)
      assert.same({ false, false }, { err.retryable, err.sent }, url)
      assert.matches("option proxy cannot be used", err.message, url)
    end
  end)

  it("stops a job at once: nothing was sent", function()
    local client = clients.open(SERVICE, { proxy = filled(UNUSABLE[1]), max_attempts = 6 })
    local report, err = client:create_all("contacts", "companies", clients.INPUTS)
    assert.same({ 1, 0, 0 }, { report.not_sent, report.failed, report.unconfirmed })
    assert.equal("proxy", err.reason)
    assert_hidden({ report, err, tostring(err) }, "job")
  end)

  it("may be from the environment", function()
    local script = [[
      local associations = require "hubspot.associations"
      local function show(value)
        if type(value) ~= "table" then return print(value) end
        for key, inner in pairs(value) do show(key) show(inner) end
      end
      local client = assert(associations.new { token = "pat-na1-0123456789", base_url = "https://api.example",
        timeout = 5, max_attempts = 6, on_event = show })
      local report, err = client:create_all("contacts", "companies", { { from = 1, to = 2, types = 1 } })
      show(report) show(err) print(err)
      print(err.reason, err.retryable, report.not_sent)
    ]]
    local names = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }
    for number, url in ipairs(UNUSABLE) do
      local env = { no_proxy = false, NO_PROXY = false }
      for _, name in ipairs(names) do env[name] = false end
      local name = names[number % #names + 1]
      env[name] = filled(url)
      -- libcurl 7.88 uses no proxy if it cannot decode the user or password.
      if not url:find "%%0" then
        local result = child.run(script, { env = env })
        assert_hidden({ result.stdout, result.stderr }, url)
        assert.matches("proxy\tfalse\t1\n$", result.stdout, url)
        assert.matches("environment variable " .. name .. " cannot be used", result.stdout, url)
      end
    end
  end)

  it("is not used for plain HTTP to loopback", function()
    local server = raw_server.start({ connections = { responses.script(responses.created()) } })
    assert(clients.create(clients.open(server:url(), { proxy = UNUSABLE[1] })))
    server:close()
  end)

  it("is described without user and password, with the reason why it cannot be used", function()
    for _, url in ipairs(UNUSABLE) do
      local found = clients.open(SERVICE, { proxy = filled(url) }):connection()
      assert_hidden(found, url)
      assert.same({ nil, "option proxy", "string" },
        { found.proxy, found.proxy_origin, type(found.proxy_problem) }, url)
    end
    for _, url in ipairs(USABLE) do
      local found = clients.open(SERVICE, { proxy = filled(url) }):connection()
      assert_hidden(found, url)
      assert.matches("^%l%w+://[%w.]+", found.proxy, nil, nil, url)
      assert.is_nil(found.proxy_problem, url)
    end
    local found = clients.open("http://127.0.0.1:1/", { proxy = USABLE[1], version = "v4" }):connection()
    assert.same({ "http://127.0.0.1:1", "v4" }, { found.base_url, found.version })
    assert.is_nil(found.proxy)
  end)

  it("never shows a part of a URL, however malformed", function()
    random.check(400, function(luck)
      local url = filled(luck:pick { luck:pick(UNUSABLE), luck:pick(USABLE) })
      for _ = 1, luck:integer(0, 3) do
        local place, char = luck:integer(1, #url), luck:pick { "@", ":", "/", "#", "?", "%", " ", "\\" }
        url = url:sub(1, place) .. char .. url:sub(place + luck:integer(0, 1) + 1)
      end
      local shown, why = core.proxy(url)
      if shown and shown:find(USER, 1, true) or shown and shown:find(PASSWORD, 1, true) then
        -- Then it is the host, with nothing before an @.
        assert.is_nil(url:find(".@", 1, true), url .. " " .. shown)
      end
      if why then assert_hidden(why, url) end
    end)
  end)
end)

describe("a proxy that can be used", function()
  after_each(clients.close)

  it("is named without its user and password when it fails", function()
    for _, url in ipairs(USABLE) do
      local err = call { proxy = filled(url) }
      assert.equal("network", err.kind, url)
      assert.is_true(err.retryable, url)
      assert.matches(url:find "invalid" and "name%.invalid" or "127%.0%.0%.1", err.message, url)
    end
    assert.equal("http://host.example:3128", core.proxy("http://u:p@host.example:3128/"))
    assert.equal("http://host.example", core.proxy("u:p@host.example"))
    assert.equal("socks5h://[::1]:1080", core.proxy("socks5h://u:p@[::1]:1080"))
  end)
end)

describe("a proxy's refusal", function()
  local proxy

  after_each(function()
    clients.close()
    proxy:close()
  end)

  local function through(script, attempts)
    proxy = raw_server.start({ connections = { script } })
    local url = proxy:url():gsub("^http://", "http://" .. USER .. ":" .. PASSWORD .. "@")
    local err = call { proxy = url, max_attempts = attempts }
    return err, proxy:connections()
  end

  for _, status in ipairs { 301, 400, 401, 403, 404, 405, 407, 451 } do
    it("of a tunnel is final: " .. status, function()
      local err, connections = through({ { "read_head" }, { "send", responses.of(status) } }, 6)
      assert.same({ "network", status, false, 1 }, { err.kind, err.proxy_status, err.retryable, connections })
    end)
  end

  it("of a tunnel stops a job at once", function()
    proxy = raw_server.start({ connections = { { { "read_head" }, { "send", responses.of(407) } } } })
    local client = clients.open(SERVICE, { proxy = proxy:url(), max_attempts = 6 })
    local report, err = client:create_all("contacts", "companies", clients.INPUTS)
    assert.same({ 1, 407, 1 }, { report.not_sent, err.proxy_status, proxy:connections() })
  end)

  for _, status in ipairs { 408, 429, 500, 502, 503, 504 } do
    it("that may be temporary is retried: " .. status, function()
      local err, connections = through({ { "read_head" }, { "send", responses.of(status) } }, 2)
      assert.same({ status, true, 2 }, { err.proxy_status, err.retryable, connections })
    end)
  end

  local function socks(...)
    proxy = raw_server.start({ connections = { { { "receive" }, ... } } })
    local url = proxy:url():gsub("^http://", "socks5h://" .. USER .. ":" .. PASSWORD .. "@")
    local err = call { proxy = url, max_attempts = 2 }
    return err.retryable, proxy:connections()
  end

  it("by SOCKS is final if it is about user and password, or the rules of the proxy", function()
    assert.same({ false, 1 }, { socks({ "send", "\5\255" }) }) -- none of the ways to authenticate
    proxy:close()
    assert.same({ false, 1 }, { socks({ "send", "\5\2" }, { "receive" }, { "send", "\1\1" }) })
    proxy:close()
    assert.same({ false, 1 }, { socks(
      { "send", "\5\2" }, { "receive" }, { "send", "\1\0" }, { "receive" },
      { "send", "\5\2\0\1\0\0\0\0\0\0" } -- not allowed by its rules
    ) })
  end)

  it("by SOCKS is retried if the host could not be reached, or the connection broke off", function()
    assert.same({ true, 2 }, { socks(
      { "send", "\5\2" }, { "receive" }, { "send", "\1\0" }, { "receive" }, { "send", "\5\4\0\1\0\0\0\0\0\0" }
    ) })
    proxy:close()
    assert.same({ true, 2 }, { socks({ "close" }) })
  end)
end)
