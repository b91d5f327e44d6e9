-- Checks the command doctor as its users run it: a process of its own, over real HTTP, against the sandbox
-- and against servers that answer as proxies and portals do. In every state there is a page, it says what is
-- wrong and what to do, and it shows no secret (support.command looks for the token in all that is said).

local certificates = require "support.certificates"
local command = require "support.command"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local fixture = command.fixture()
local assert_found = command.assert_found

local DETAILS = '{"portalId":4711,"accountType":"STANDARD","timeZone":"US/Eastern"}'
local INFO = '{"hubId":4711,"userId":9,"appId":7,"scopes":["oauth"]}'
local JSON = "Content-Type: application/json"
local HTML = "<html><body>Please log in to Hotel WiFi</body></html>"

-- Whatever the spec's own environment has.
local function environment(changes)
  local env = { CURL_CA_BUNDLE = false, SSL_CERT_DIR = false, SSL_CERT_FILE = false }
  for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY" } do
    env[name] = false
  end
  for name, value in pairs(changes or {}) do env[name] = value end
  return env
end

local function run(url, more, env)
  local arguments = { "doctor", "--base-url", url }
  for _, word in ipairs(more or {}) do arguments[#arguments + 1] = word end
  local result = command.run(arguments, { env = environment(env) })
  assert_found(result.stdout, "hubspot-associations doctor, 20")
  assert_found(result.stdout, "\nok       module        hubspot-associations 0.")
  assert.matches("\n\n[^\n]+ wrong[^\n]*%.\n$", result.stdout)
  for line in result.stdout:gmatch "\nwrong[^\n]*\n[^\n]*" do assert_found(line, " -> ") end
  assert.equal(result.stdout:find "\nwrong " and 1 or 0, result.code)
  return result
end

-- Runs it against a server that sends these responses in turn.
local function run_against(list, more, env)
  local server = fixture.raw { responses.script(list) }
  local result = run(server:url(), more, env)
  return result, server
end

-- Each part has to be in the line of that check.
local function assert_line(result, status, check, ...)
  local line = ("\n" .. result.stdout):match(("\n%s +%s +([^\n]*\n[^\n]*)"):format(status, check))
  if not line then error(("no %s %s in:\n%s"):format(status, check, result.stdout), 2) end
  for _, part in ipairs { ... } do assert_found(line, part) end
end

local BOTH = { "--from", "contacts", "--to", "companies" }

describe("the command doctor", function()
  setup(fixture.open)
  teardown(fixture.close)
  before_each(fixture.reset)

  local function on_sandbox(options, more, env)
    fixture.server:configure(options)
    return run(fixture.server:url(), more, env)
  end

  it("says that all is well, with one request for each question, and changes nothing", function()
    local result = on_sandbox({ hub_id = 4711, rate = { limit = 100, daily = 5000 } }, BOTH)
    assert.equal("", result.stderr)
    assert_line(result, "ok", "service", fixture.server:url() .. ", version 2025-09: answered in ")
    assert_line(result, "ok", "clock", " s ahead of the service's")
    assert_line(result, "ok", "token", "from HUBSPOT_TOKEN: HubSpot accepts it")
    assert_line(result, "ok", "account", "hub 4711, DEVELOPER_TEST, time zone US/Eastern")
    assert_line(result, "ok", "app", "app 654, user 987, 11 scopes: crm.objects.companies.read ")
    assert_line(result, "ok", "rate limit", "5000 requests a day, 4996 left; 100 requests in 10 s, 96 left")
    assert_line(result, "ok", "read", "contacts to companies: links can be read")
    assert_line(result, "ok", "labels", "can be read: 3, the account's own: 0")
    assert_line(result, "ok", "write", "crm.objects.contacts.write, crm.objects.companies.write")
    assert_found(result.stdout, "\n\nNothing is wrong.\n")
    assert.same({}, fixture.server:associations())
    assert.equal(4, fixture.server:statistics().requests)
    assert.equal(0, fixture.server:statistics().inputs)
  end)

  it("shows each request when it is to be verbose, and the page as without", function()
    local result = on_sandbox({}, { "--verbose" })
    assert.matches("GET /account%-info/2025%-09/details: 200 in %d+ ms, correlation id ", result.stderr)
    local _, lines = result.stderr:gsub("\n", "")
    assert.equal(fixture.server:statistics().requests, lines)
  end)

  it("asks about no scopes without --from and --to, and takes neither alone", function()
    local result = on_sandbox({}, {})
    assert.is_nil(result.stdout:find("\nok +write"))
    assert.equal(2, fixture.server:statistics().requests)
    result = command.run({ "doctor", "--from", "contacts" })
    assert.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "belong together")
  end)

  it("asks in the version that is given", function()
    assert_line(on_sandbox({}, { "--api-version", "v4" }), "ok", "account", "hub ")
    assert_line(on_sandbox({}, { "--api-version", "1999-01" }), "wrong", "service", "404", "--api-version")
  end)

  it("writes JSON Lines", function()
    local result = fixture.run("doctor", { "--output-format", "jsonl" })
    assert.equal(0, result.code)
    assert_found(result.stdout,
      '\n{"status":"ok","check":"token","found":"from HUBSPOT_TOKEN: HubSpot accepts it"}\n')
  end)

  -- ---- scopes ----

  it("names the scopes that writing needs and the token lacks", function()
    local result = on_sandbox({ forbidden = { "crm.objects.companies.write" } }, BOTH)
    assert_line(result, "ok", "read")
    assert_line(result, "wrong", "write", "the token lacks crm.objects.companies.write\n", "give its app")
    assert_found(result.stdout, "\n\n1 thing is wrong, 1 could not be checked.\n")
  end)

  it("names the scopes that reading needs, as HubSpot does", function()
    local result = on_sandbox({ forbidden = { "crm.objects.contacts.read" } }, BOTH)
    assert_line(result, "wrong", "read", "scopes: crm.objects.contacts.read", "the scopes that are named")
    assert_line(result, "wrong", "labels", "scopes: crm.objects.contacts.read")
    assert_line(result, "ok", "write")
  end)

  it("says that it cannot know what a token that is no private app's may write", function()
    local result = on_sandbox({ private_app = false }, BOTH)
    assert_line(result, "ok", "token")
    assert_line(result, "unknown", "app", "a private app's token only", "401")
    assert_line(result, "unknown", "write", "only a write would show")
    assert_found(result.stdout, "\n\nNothing is wrong, 3 could not be checked.\n")
  end)

  it("says that it cannot know the scopes of some objects", function()
    assert_line(on_sandbox({}, { "--from", "contacts", "--to", "calls" }), "unknown", "write",
      "crm.objects.calls.write", "only a write would show")
  end)

  it("says that there is no such object type", function()
    assert_line(on_sandbox({}, { "--from", "contacts", "--to", "widgets" }), "wrong", "read",
      "Unable to infer object type from: widgets")
  end)

  -- ---- tokens ----

  it("says that HubSpot rejects the token, and asks nothing more", function()
    local result = on_sandbox({ token = "another" }, BOTH)
    assert_line(result, "ok", "service")
    assert_line(result, "ok", "clock")
    assert_line(result, "wrong", "token", "HTTP 401, INVALID_AUTHENTICATION", "is valid and has not expired")
    assert_line(result, "unknown", "scopes", "not checked")
    assert.equal(1, fixture.server:statistics().requests)
  end)

  it("says that there is no token, and sends nothing", function()
    for expected, case in pairs {
      ["no token: set the environment variable HUBSPOT_TOKEN"] = { { HUBSPOT_TOKEN = false } },
      ["the token has characters that no access token has"] = { { HUBSPOT_TOKEN = command.TOKEN .. '"' } },
      ["white space"] = { { HUBSPOT_TOKEN = command.TOKEN .. " " } },
      ["the token file cannot be opened"] = { {}, { "--token-file", fixture.path "gone" } },
      ["is empty"] = { {}, { "--token-file", fixture.file("empty", "") } },
    } do
      local result = on_sandbox({}, case[2] or {}, case[1])
      assert_line(result, "wrong", "token", expected, "the access token of a private app")
      assert_line(result, "unknown", "service", "nothing was asked")
      assert_line(result, "ok", "proxy")
    end
    assert.equal(0, fixture.server:statistics().requests)
  end)

  it("reads the token from a file, and names that", function()
    local path = fixture.secret_file("token", command.TOKEN .. "\n")
    local options = { token = command.TOKEN }
    local result = on_sandbox(options, { "--token-file", path }, { HUBSPOT_TOKEN = false })
    assert_line(result, "ok", "token", "from the file " .. path)
  end)

  it("shows no token where one stands for the name of a file, or in the address", function()
    local result = on_sandbox({}, { "--token-file", command.TOKEN }, { HUBSPOT_TOKEN = false })
    assert_line(result, "wrong", "token", "cannot be opened: [token]")
    result = on_sandbox({}, { "--token-file", "the-very-secret-0123456789" },
      { HUBSPOT_TOKEN = "the-very-secret-0123456789" })
    assert.is_nil(result.stdout:find("very-secret", 1, true))
    result = run(fixture.server:url() .. "/" .. command.TOKEN)
    assert_line(result, "wrong", "service", "404")
  end)

  -- ---- what is not HubSpot ----

  for what, case in pairs {
    ["a captive portal's page"] = { responses.of(200, HTML), "Hotel WiFi", "captive portal" },
    ["another's JSON"] = { responses.of(200, '{"ok":true}', { JSON }), "no hub id", "captive portal" },
    ["a redirect"] = {
      responses.of(302, "", { "Location: http://portal.example/?t=" .. command.TOKEN }), "302",
      "captive portal",
    },
    ["a proxy's 403"] = { responses.of(403, HTML), "403", "captive portal" },
    ["a proxy's 401"] = { responses.of(401, HTML), "401", "captive portal" },
    ["a page that there is none"] = { responses.of(404, HTML), "404", "check --base-url" },
    ["a gateway's 502"] = { responses.of(502, HTML), "502", "try again later" },
    ["HubSpot's 500"] = { responses.of(500, '{"status":"error","message":"internal error"}', { JSON }),
      "internal error", "try again later" },
    ["a page that echoes the token"] = { responses.of(200, "<p>" .. command.TOKEN .. "</p>"), "200",
      "captive portal" },
    ["JSON that echoes the token"] = {
      responses.of(400, '{"message":"no \\u0070' .. command.TOKEN:sub(2) .. '"}', { JSON }), "400",
      "correct what HubSpot rejects",
    },
    ["an empty response"] = { responses.of(200, ""), "empty body", "captive portal" },
  } do
    it("takes " .. what .. " for what it is, and asks nothing more", function()
      local result, server = run_against({ case[1] }, BOTH)
      assert_line(result, "wrong", "service", case[2], case[3])
      assert_line(result, "unknown", "token", "not checked")
      assert_line(result, "unknown", "scopes", "not checked")
      assert.equal(1, #server:requests())
    end)
  end

  it("says that nothing listens there", function()
    local result = run("http://127.0.0.1:" .. raw_server.free_port())
    assert_line(result, "wrong", "service", "network: ", "can be reached from here")
    assert_line(result, "unknown", "clock", " UTC on this machine")
  end)

  it("says that the connection ends without an answer", function()
    local server = fixture.raw { { { "read_request" }, { "close" } } }
    assert_line(run(server:url()), "wrong", "service", "network: ")
  end)

  -- ---- HubSpot's other answers ----

  it("says that the rate limit is used up, and asks nothing more", function()
    for policy, expected in pairs { SECONDLY = "other programs use up", DAILY = "until midnight" } do
      local body = ('{"status":"error","message":"You are at the limit.","policyName":"%s"}'):format(policy)
      local result, server = run_against { responses.of(429, body, {
        JSON, "X-HubSpot-RateLimit-Daily: 500", "X-HubSpot-RateLimit-Daily-Remaining: 0",
      }) }
      assert_line(result, "ok", "service")
      assert_line(result, "unknown", "token")
      assert_line(result, "wrong", "rate limit", policy, "500 requests a day, 0 left", expected)
      assert.equal(1, #server:requests())
    end
  end)

  it("says that no request of the day is left", function()
    local result = run_against { responses.of(200, DETAILS, {
      "X-HubSpot-RateLimit-Daily: 500", "X-HubSpot-RateLimit-Daily-Remaining: 0",
    }), responses.of(200, INFO) }
    assert_line(result, "wrong", "rate limit", "500 requests a day, 0 left", "until midnight")
  end)

  it("has the hub id from elsewhere where the token may not ask for the account", function()
    local result = run_against { responses.of(403,
      '{"status":"error","message":"This app lacks scopes.","category":"MISSING_SCOPES"}',
      { JSON }), responses.of(200, INFO) }
    assert_line(result, "ok", "token", "HubSpot accepts it")
    assert_line(result, "ok", "account", "hub 4711; its details: forbidden: This app lacks scopes.")
    assert_line(result, "ok", "app", "app 7, user 9, 1 scopes: oauth")
  end)

  it("says that this machine's clock is wrong", function()
    local result = run_against { responses.of(200, DETAILS, { "Date: Sun, 06 Nov 1994 08:49:37 GMT" }),
      responses.of(200, INFO) }
    assert_line(result, "wrong", "clock", " s ahead of the service's: 20", "NTP")
    result = run_against { responses.of(200, DETAILS, { "Date: Sun, 06 Nov 2095 08:49:37 GMT" }),
      responses.of(200, INFO) }
    assert_line(result, "wrong", "clock", " s behind the service's: 20")
  end)

  -- ---- certificates and proxies ----

  describe("of an https service", function()
    local set

    setup(function() set = certificates.make() end)
    teardown(function() set:close() end)

    local function run_tls(server, more, env)
      local script = responses.script { responses.of(200, DETAILS), responses.of(200, INFO) }
      local raw = fixture.raw({ script }, server)
      return run((raw:url():gsub("^http:", "https:")), more, env)
    end

    it("says which certificates it trusts", function()
      local result = run_tls(set.server, { "--ca-file", set.ca })
      assert_line(result, "ok", "certificates", set.ca .. " (option ca_file)")
      assert_line(result, "ok", "account", "hub 4711")
      result = run_tls(set.server, {}, { SSL_CERT_FILE = set.ca })
      assert_line(result, "ok", "certificates", set.ca .. " (environment variable SSL_CERT_FILE)")
      assert_line(result, "ok", "account", "hub 4711")
    end)

    it("says that a certificate is not trusted, or not valid", function()
      local with_ca = { "--ca-file", set.ca }
      for name, more in pairs { unknown = with_ca, expired = with_ca, server = {} } do
        local result = run_tls(set[name], more)
        assert_line(result, "wrong", "service", "tls: ", "this machine's clock", "--ca-file")
        assert_line(result, "unknown", "clock", " UTC on this machine")
      end
    end)

    it("says that the certificates to trust are not there", function()
      local gone = fixture.path "gone.pem"
      local result = run_tls(set.server, { "--ca-file", gone })
      assert_line(result, "wrong", "certificates", gone .. ": No such file", "--ca-file")
      assert_line(result, "wrong", "service", "tls: ")
    end)
  end)

  it("shows the proxy without its user and password, also one that fails", function()
    local USER, PASSWORD = "uQzjX", "pWvqK"
    local function assert_hidden(result)
      assert.is_nil((result.stdout .. result.stderr):find(USER, 1, true))
      assert.is_nil((result.stdout .. result.stderr):find(PASSWORD, 1, true))
    end
    local address = "127.0.0.1:" .. raw_server.free_port()
    local usable = ("http://%s:%s@%s"):format(USER, PASSWORD, address)
    local result = run("https://api.example", {}, { https_proxy = usable, no_proxy = "a.example" })
    assert_line(result, "ok", "proxy", ("http://%s (environment variable https_proxy)"):format(address),
      "no_proxy")
    assert_line(result, "wrong", "service", "network: ")
    assert_hidden(result)
    result = run("https://api.example", {}, { ALL_PROXY = usable .. "/@" .. PASSWORD })
    assert_line(result, "wrong", "proxy", "that of environment variable ALL_PROXY cannot be used",
      "correct it")
    assert_hidden(result)
    local server = fixture.raw { responses.script(responses.of(407, HTML, { "Proxy-Authenticate: Basic" })) }
    local refusing = server:url():gsub("//", ("//%s:%s@"):format(USER, PASSWORD))
    result = run("https://api.example", {}, { https_proxy = refusing })
    assert_line(result, "wrong", "service", "407", "check the proxy")
    assert_hidden(result)
  end)
end)
