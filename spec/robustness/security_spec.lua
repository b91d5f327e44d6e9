-- No token shows: not in an error, an event, a client that is printed or traversed; not even if the server
-- sends it back. Who may see it on the wire is checked in environment_spec and tls_spec.

local associations = require "hubspot.associations"
local cjson = require "cjson"
local clients = require "support.clients"
local raw_server = require "support.raw_server"
local responses = require "support.responses"
local walk = require "support.walk"

-- It has all characters that a token may have.
local TOKEN = "pat-na1_0123.abcdef~0+4/5=="

describe("a token", function()
  local server, client, events

  local function open(base_url, changes)
    events = {}
    client = clients.open(base_url, {
      token = TOKEN,
      on_event = function(event)
        events[#events + 1] = event
      end,
    }, changes)
  end

  -- Makes a call to a server with that script, and searches all that comes of it for the token.
  local function assert_hidden(script, changes)
    server = raw_server.start({ connections = { script } })
    open(server:url(), changes)
    local batch, second = clients.create(client)
    assert.is_nil(walk.find(batch, TOKEN))
    assert.is_nil(walk.find(second, TOKEN))
    assert.is_nil(walk.find(events, TOKEN))
    assert.is_nil(walk.find(client, TOKEN))
    return batch, second
  end

  before_each(function()
    server = nil
  end)

  after_each(function()
    clients.close()
    if server then
      server:close()
    end
  end)

  it("is found by the search of this spec, if there is one", function()
    assert.truthy(walk.find({ a = { [{}] = { TOKEN } } }, TOKEN))
    assert.truthy(walk.find({ [TOKEN] = 1 }, TOKEN))
    assert.truthy(walk.find(setmetatable({}, { __index = { "x" .. TOKEN .. "x" } }), TOKEN))
    assert.is_nil(walk.find({ "pat-na1" }, TOKEN))
  end)

  it("is not in a client, nor in what tostring makes of it, before and after a call", function()
    server = raw_server.start({ connections = { responses.script(responses.created()) } })
    open(server:url())
    assert.is_nil(walk.find(client, TOKEN))
    assert(clients.create(client))
    assert.is_nil(walk.find(client, TOKEN))
    assert.is_nil(walk.find(events, TOKEN))
    assert.truthy(server:requests()[1]:find("Bearer " .. TOKEN, 1, true))
  end)

  local FAILING = {
    ["is rejected"] = responses.script(responses.of(401, '{"message":"no"}')),
    ["is lacking scopes"] = responses.script(responses.of(403, "{}")),
    ["is redirected"] = responses.script(responses.of(302, "", { "Location: http://127.0.0.1:1/" })),
    ["meets a server that fails"] = responses.script(responses.of(500, "<html>")),
    ["gets a response without a batch"] = responses.script(responses.created("nonsense")),
    ["meets a reset"] = { { "read_request" }, { "reset" } },
    ["meets garbage"] = { { "read_request" }, { "send", "garbage\r\n\r\n" } },
    ["meets silence"] = { { "read_request" }, { "hold" } },
  }
  for how, script in pairs(FAILING) do
    it("is not in the error or the events of a call that " .. how, function()
      local batch, err = assert_hidden(script, { timeout = 0.3 })
      assert.is_nil(batch)
      assert.is_true(#events == 2 and #tostring(err) > 0)
    end)
  end

  it("is not in the error of a call that reaches no server", function()
    open("http://127.0.0.1:" .. raw_server.free_port())
    local _, err = clients.create(client)
    assert.is_nil(walk.find(err, TOKEN))
    assert.is_nil(walk.find(events, TOKEN))
  end)

  it("is not in the error that associations.new raises or returns", function()
    local bad = TOKEN .. "\nX-Evil: 1"
    local _, err = associations.new({ max_attempts = 1, token = bad })
    assert.is_nil(walk.find(err, TOKEN))
    for _, options in ipairs({ { token = { TOKEN } }, { token = TOKEN, timeout = {} } }) do
      local ok, raised = pcall(associations.new, options)
      assert.is_false(ok)
      assert.is_nil(walk.find(raised, TOKEN))
    end
  end)

  local function json(text)
    return cjson.encode({ text = text }):match('^{"text":"(.*)"}$')
  end

  -- Each puts the token into a response in some way.
  local ECHOES = {
    ["in its message"] = responses.of(400, '{"message":"bad token ' .. TOKEN .. '!","category":"X"}'),
    ["in its message, with slashes escaped"] = responses.of(400,
      '{"message":"bad token ' .. json(TOKEN) .. '"}'),
    ["in its message, with signs escaped as Java does"] = responses.of(400,
      '{"message":"bad token ' .. TOKEN:gsub("=", "\\u003d"):gsub("%+", "\\u002B") .. '"}'),
    ["in a nested field"] = responses.of(403, cjson.encode({
      message = "no", context = { [TOKEN] = { TOKEN } },
      errors = { { message = TOKEN, context = { a = { TOKEN } } } },
    })),
    ["in a field of no known name"] = responses.of(400,
      '{"message":"no","debug":{"authorization":"Bearer ' .. TOKEN .. '"}}'),
    ["in HTML"] = responses.of(502, "<html>Authorization: Bearer " .. TOKEN .. "</html>"),
    ["in a response that is cut short"] = responses.created('{"results":[],"debug":"' .. TOKEN),
    ["in a batch"] = responses.created(
      '{"status":"COMPLETE","results":[{"x":"' .. TOKEN .. '"}],"y":"' .. TOKEN .. '"}'),
    ["packed by gzip"] = responses.of(400, responses.gzip('{"message":"' .. TOKEN .. '"}'), {
      "Content-Encoding: gzip",
    }),
    ["in its correlation id"] = responses.of(400, "{}", { "X-HubSpot-Correlation-Id: " .. TOKEN }),
    ["in a batch's correlation id"] = responses.created(nil, { "X-HubSpot-Correlation-Id: " .. TOKEN }),
    ["in its first line"] = "HTTP/1.1 400 Bad " .. TOKEN .. "\r\nContent-Length: 0\r\n\r\n",
    ["in a redirect"] = responses.of(302, "", { "Location: https://example.com/?token=" .. TOKEN }),
    ["instead of HTTP"] = "Authorization: Bearer " .. TOKEN .. "\r\n\r\n",
    ["as a chunk's size"] = responses.of(200, TOKEN .. "\r\n", { "Transfer-Encoding: chunked" }),
    ["as a content encoding"] = responses.of(200, "x", { "Content-Encoding: " .. TOKEN }),
    ["twice, and right after each other"] = responses.of(400, '{"message":"' .. TOKEN .. TOKEN .. '"}'),
  }
  for how, bytes in pairs(ECHOES) do
    it("is removed from a response that has it " .. how, function()
      assert_hidden(responses.script(bytes))
      assert.truthy(server:requests()[1]:find("Bearer " .. TOKEN, 1, true))
    end)
  end

  it("leaves the words around it when it is removed", function()
    local body = '{"message":"bad token ' .. TOKEN .. '!"}'
    local _, err = assert_hidden(responses.script(responses.of(400, body)))
    assert.matches("^bad token .+!$", err.message)
  end)

  it("that was rejected is removed from the response to its successor, too", function()
    local second = "pat-na1-another-0123456789"
    local script = responses.script({
      responses.of(401, '{"message":"rejected: ' .. TOKEN .. '"}'),
      responses.of(401, '{"message":"rejected ' .. second .. ", and before " .. TOKEN .. '"}'),
    })
    local batch, err = assert_hidden(script, {
      token = function(reason)
        return reason == "first" and TOKEN or second
      end,
    })
    assert.is_nil(batch)
    assert.equal(2, err.attempts)
    assert.is_nil(walk.find(err, second))
  end)

  it("is not in the error of a token function that fails after it, with the words of its author", function()
    local _, err = assert_hidden(responses.script(responses.of(401, '{"message":"' .. TOKEN .. '"}')), {
      token = function(reason)
        if reason == "first" then
          return TOKEN
        end
        return nil, "cannot renew " .. TOKEN
      end,
    })
    assert.equal("token", err.kind)
  end)
end)
