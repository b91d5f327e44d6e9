-- The bytes of a request, as a server receives them: path, header fields, body. Its effect is checked in
-- client/create_spec.lua.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local clients = require "support.clients"
local exchange = require "support.exchange"
local raw_server = require "support.raw_server"
local responses = require "support.responses"


-- A request taken apart: its first line, its fields (a list of values by lower-case name), its body.
local function parse(bytes)
  local head, body = bytes:match("^(.-\r\n)\r\n(.*)$")
  local first, rest = head:match("^([^\r\n]*)\r\n(.*)$")
  local fields = {}
  for written, value in rest:gmatch("([^:\r\n]+): ?([^\r\n]*)\r\n") do
    local name = written:lower()
    fields[name] = fields[name] or {}
    table.insert(fields[name], value)
  end
  return { first = first, fields = fields, body = body }
end

describe("a request", function()
  local server

  local function new(changes)
    return clients.open(server:url(), changes)
  end

  -- What the server received last.
  local function received()
    local requests = server:requests()
    return parse(requests[#requests])
  end

  local function path_of(client, from, to)
    assert(client:create(from, to, clients.INPUTS))
    return received().first:match("^POST (%S+) HTTP/1%.1$")
  end

  before_each(function()
    server = raw_server.start({ connections = { responses.script(responses.created(), 20) } })
  end)

  after_each(function()
    clients.close()
    server:close()
  end)

  it("has the fields that the service requires, once each, and no others", function()
    assert(clients.create(new()))
    local request = received()
    local agent = request.fields["user-agent"][1]
    assert.matches("^hubspot%-associations/%d[%w.]* %(.*Lua.*libcurl/%d.*%)$", agent)
    local encodings = request.fields["accept-encoding"][1]
    assert.truthy(encodings:find("gzip", 1, true), encodings)
    assert.same({
      host = { "127.0.0.1:" .. server.port },
      authorization = { "Bearer " .. clients.TOKEN },
      ["content-type"] = { "application/json" },
      ["content-length"] = { tostring(#request.body) },
      accept = { "application/json" },
      ["accept-encoding"] = { encodings },
      ["user-agent"] = { agent },
    }, request.fields)
  end)

  it("has the documented body", function()
    assert(new():create("contacts", "companies", {
      { from = 101, to = "202", types = 1 },
      { from = { id = "3" }, to = { id = 4 }, types = {
        { associationCategory = "USER_DEFINED", associationTypeId = 2147483647 }, 279,
      } },
    }))
    assert.same({ inputs = {
      { from = { id = "101" }, to = { id = "202" },
        types = { { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 1 } } },
      { from = { id = "3" }, to = { id = "4" }, types = {
        { associationCategory = "USER_DEFINED", associationTypeId = 2147483647 },
        { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 279 },
      } },
    } }, cjson.decode(received().body))
  end)

  it("has ids with any text unchanged, if ids are not checked", function()
    local ids = {
      'a"b', "a\\b", "a\nb\t\r", "\1\31\127", "a\0b", "\195\169 \226\130\172 \240\159\152\128", "</script>",
    }
    local inputs = {}
    for index, id in ipairs(ids) do
      inputs[index] = { from = id, to = 1, types = 1 }
    end
    assert(new({ check_ids = false }):create("contacts", "companies", inputs))
    local found = {}
    for index, input in ipairs(cjson.decode(received().body).inputs) do
      found[index] = input.from.id
    end
    assert.same(ids, found)
  end)

  it("is sent at once, however large, without Expect: 100-continue", function()
    local inputs = {}
    for index = 1, 2000 do
      local types = { associationCategory = ("A"):rep(1000), associationTypeId = 1 }
      inputs[index] = { from = index, to = index, types = types }
    end
    assert(new():create("contacts", "companies", inputs))
    local request = received()
    assert.is_true(#request.body > 2000000)
    assert.is_nil(request.fields.expect)
    assert.same({ tostring(#request.body) }, request.fields["content-length"])
    assert.is_nil(request.fields["transfer-encoding"])
    assert.equal(2000, #cjson.decode(request.body).inputs)
  end)

  it("has the dated version after the family", function()
    assert.equal("/crm/associations/2025-09/contacts/companies/batch/create",
      path_of(new(), "contacts", "companies"))
    assert.equal("/crm/associations/2026-09/0-1/0-2/batch/create",
      path_of(new({ version = "2026-09" }), "0-1", "0-2"))
  end)

  it("has v4 before the family", function()
    assert.equal("/crm/v4/associations/p_pets/2-1234/batch/create",
      path_of(new({ version = "v4" }), "p_pets", "2-1234"))
  end)

  it("percent-encodes object types with any bytes", function()
    local client = new()
    local cases = {
      ["a b"] = "a%20b", ["a/b"] = "a%2Fb", ["a?b#c"] = "a%3Fb%23c", ["100%"] = "100%25",
      ["%2e%2e"] = "%252e%252e", ["a+b&c=d"] = "a%2Bb%26c%3Dd", ["\195\188"] = "%C3%BC", ["\255"] = "%FF",
      ["..."] = "...", ["..a"] = "..a", ["a.b~c_d-e"] = "a.b~c_d-e", ["a\\b"] = "a%5Cb", [" "] = "%20",
      ["{a}[1]"] = "%7Ba%7D%5B1%5D", ["a:@b"] = "a%3A%40b",
    }
    for name, encoded in pairs(cases) do
      assert.equal("/crm/associations/2025-09/" .. encoded .. "/" .. encoded .. "/batch/create",
        path_of(client, name, name))
    end
  end)

  it("is not sent when an object type could lead to another path", function()
    local client = new()
    for _, name in ipairs({ "", ".", "..", "a\nb", "a\r\nHost: b", "a\0b", "\127" }) do
      local pairs_of_types = { { name, "companies", "fromObjectType" }, { "contacts", name, "toObjectType" } }
      for _, pair in ipairs(pairs_of_types) do
        local batch, err = client:create(pair[1], pair[2], clients.INPUTS)
        assert.is_nil(batch)
        assert.same({ "invalid_input", pair[3] }, { err.kind, err.field })
        assert.is_nil(tostring(err):find("%c"))
      end
    end
    assert.equal(0, server:connections())
  end)

  it("goes below the base_url, with or without slashes at its end", function()
    for _, tail in ipairs({ "", "/", "//" }) do
      assert.equal("/crm/associations/2025-09/contacts/companies/batch/create",
        path_of(new({ base_url = server:url() .. tail }), "contacts", "companies"))
      server:close()
      server = raw_server.start({ connections = { responses.script(responses.created()) } })
    end
    assert.equal("/below/crm/associations/2025-09/contacts/companies/batch/create",
      path_of(new({ base_url = server:url() .. "/below/" }), "contacts", "companies"))
  end)

  it("goes to localhost by name, too", function()
    assert(clients.create(new({ base_url = server:url("http", "localhost") })))
    assert.same({ "localhost:" .. server.port }, received().fields.host)
  end)

  it("has the caller's user agent after the module's own", function()
    assert(clients.create(new({ user_agent = "nightly-sync/2.1" })))
    assert.matches("^hubspot%-associations/.* nightly%-sync/2%.1$", received().fields["user-agent"][1])
  end)
end)

describe("core.transport", function()
  local transport

  before_each(function()
    transport = assert(core.transport({}))
  end)

  after_each(function()
    transport:close()
  end)

  local function submit(changes)
    local call = {
      method = "POST", url = "http://127.0.0.1:1/", headers = {}, timeout = 1, connect_timeout = 1,
    }
    for name, value in pairs(changes) do
      call[name] = value
    end
    return transport:submit(call)
  end

  it("rejects a URL that would show a token to the network, or is not http", function()
    local urls = {
      "http://api.hubapi.com/", "http://192.0.2.1/", "http://127.0.0.1.example/", "http://localhost.example/",
      "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "https://u:p@127.0.0.1/", "127.0.0.1/",
      "", "https:///",
    }
    for _, url in ipairs(urls) do
      local request, failure = submit({ url = url })
      assert.is_nil(request, url)
      assert.equal("network", failure.kind)
      assert.truthy(core.invalid_url(url))
    end
    assert.equal(0, transport:pending())
  end)

  it("sends a path as it is, steps and all", function()
    local server = raw_server.start({ connections = { responses.script(responses.of(200)) } })
    assert(exchange.run(transport, server:url() .. "/a/../b/./%2e%2e/c?d=/../e"))
    local path = server:requests()[1]:match("^POST (%S+) ")
    server:close()
    -- From 8.23 on, libcurl writes hexadecimal digits in upper case.
    assert.equal("/a/../b/./%2e%2e/c?d=/../e", (path:gsub("%%2E", "%%2e")))
  end)

  it("raises for header lines that could inject another, without showing them", function()
    for _, line in ipairs({ "X: secret\r\nY: 1", "X: secret\n", "X: sec\0ret", 42, false }) do
      local raised, message = pcall(submit, { headers = { line } })
      assert.is_false(raised)
      assert.is_nil(message:find("secret", 1, true))
    end
  end)

  it("raises for fields of a wrong type", function()
    local wrong = {
      { timeout = 0 }, { timeout = -1 }, { timeout = 0 / 0 }, { timeout = "soon" }, { connect_timeout = 0 },
      { method = false }, { method = "PO\0ST" }, { url = 1 }, { body = {} }, { headers = "X: 1" },
    }
    for index, changes in ipairs(wrong) do
      assert.is_false(pcall(submit, changes), index)
    end
    assert.equal(0, transport:pending())
  end)
end)
