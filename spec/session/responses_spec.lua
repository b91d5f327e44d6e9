-- Valid responses in every form that HTTP/1 allows: lengths, chunks, encodings, interim responses, header
-- fields; and what counts as a response at all. Broken ones are in failures_spec.lua.

local core = require "hubspot.associations.core"
local clients = require "support.clients"
local exchange = require "support.exchange"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local BATCH = responses.BATCH

describe("a response", function()
  local server

  -- A call to which a server responds with these bytes on its only connection, which is then closed.
  local function create(bytes, script)
    server = raw_server.start({ connections = { script or responses.script(bytes) } })
    return clients.create(clients.open(server:url()))
  end

  after_each(function()
    clients.close()
    server:close()
  end)

  local function it_succeeds(shape, bytes, script)
    it("is read " .. shape, function()
      local batch, meta = assert(create(bytes, script))
      assert.equal("COMPLETE", batch.status)
      assert.equal("2025-09-01T00:00:01Z", batch.completedAt)
      assert.equal(201, meta.status)
      assert.equal(1, server:connections())
    end)
  end

  it_succeeds("with a length", responses.created())
  it_succeeds("without a content type", responses.of(201, BATCH))
  it_succeeds("with a content type that is wrong", responses.of(201, BATCH, { "Content-Type: text/html" }))
  it_succeeds("with a length of its own accord in any case", responses.of(201, BATCH, {
    "cOnTeNt-LeNgTh:   " .. #BATCH .. "  ",
  }))
  it_succeeds("in one chunk", responses.of(201, responses.chunked(BATCH, 1000), {
    "Transfer-Encoding: chunked",
  }))
  it_succeeds("in chunks of a byte each", responses.of(201, responses.chunked(BATCH, 1), {
    "Transfer-Encoding: chunked",
  }))
  it_succeeds("in chunks with trailers",
    responses.of(201, responses.chunked(BATCH, 50, "X-Checksum: 1\r\nX-B: 2\r\n"), {
      "Transfer-Encoding: chunked", "Trailer: X-Checksum",
    }))
  it_succeeds("in chunks with extensions",
    responses.of(201, ("%x;name=value\r\n%s\r\n0;last\r\n\r\n"):format(#BATCH, BATCH), {
      "Transfer-Encoding: chunked",
    }))
  it_succeeds("up to the end of the connection", "HTTP/1.1 201 Created\r\n\r\n" .. BATCH)
  it_succeeds("in HTTP/1.0, up to the end of the connection", "HTTP/1.0 201 Created\r\n\r\n" .. BATCH)
  it_succeeds("without a reason in its first line", (responses.created():gsub(" Something", " ", 1)))
  it_succeeds("when lines end in a mere LF", (responses.created():gsub("\r\n", "\n")))
  it_succeeds("after a 100", "HTTP/1.1 100 Continue\r\n\r\n" .. responses.created())
  it_succeeds("after a 103 and more",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" .. responses.created())
  it_succeeds("byte by byte", nil, { { "read_request" }, { "drip", responses.created(), 0.0001 } })
  it_succeeds("before the request was read to its end", nil, {
    { "read_head" }, { "send", responses.created() }, { "hold" },
  })
  it_succeeds("packed by gzip", responses.created(responses.gzip(BATCH), { "Content-Encoding: gzip" }))
  it_succeeds("packed by gzip, in chunks",
    responses.of(201, responses.chunked(responses.gzip(BATCH), 7), {
      "Transfer-Encoding: chunked", "Content-Encoding: gzip",
    }))
  it_succeeds("packed by deflate",
    responses.created(responses.deflate(BATCH), { "Content-Encoding: deflate" }))
  it_succeeds("packed by deflate without zlib's head",
    responses.created(responses.deflate(BATCH, true), { "Content-Encoding: deflate" }))
  it_succeeds("whose encoding is the identity", responses.created(BATCH, { "Content-Encoding: identity" }))
  it_succeeds("with extra bytes after it",
    responses.created() .. "HTTP/1.1 500 Surprise\r\n\r\n")

  it("has the fields of the final response, not of the interim ones", function()
    local _, meta = assert(create(
      "HTTP/1.1 103 Early Hints\r\nX-HubSpot-RateLimit-Max: 1\r\nX-HubSpot-Correlation-Id: early\r\n\r\n"
        .. responses.created(nil, { "X-HubSpot-RateLimit-Remaining: 7" })
    ))
    assert.same({ remaining = 7 }, meta.rate_limit)
    assert.is_nil(meta.correlation_id)
  end)

  it("has its rate limits read in any case of their names, without invalid values", function()
    local _, meta = assert(create(responses.created(nil, {
      "x-hubspot-ratelimit-max: 190", "X-HUBSPOT-RATELIMIT-REMAINING:189",
      "X-HubSpot-RateLimit-Interval-Milliseconds: 10000", "X-HubSpot-RateLimit-Daily: many",
      "X-HubSpot-RateLimit-Daily-Remaining: -1", "X-HubSpot-RateLimit-Secondly: 1e3",
      "X-HubSpot-RateLimit-Secondly-Remaining: 99999999999999999999",
    })))
    assert.same({ max = 190, remaining = 189, interval = 10 }, meta.rate_limit)
  end)

  it("keeps fields that are not documented, and both spellings of CANCELED", function()
    for _, status in ipairs({ "CANCELED", "CANCELLED", "SOMETHING_NEW" }) do
      local batch = assert(create(responses.created(
        '{"status":"' .. status .. '","results":[{"extra":{"a":[1,2]}}],"surplus":"kept"}')))
      assert.same({ status, "kept", { { extra = { a = { 1, 2 } } } } },
        { batch.status, batch.surplus, batch.results })
      server:close()
    end
  end)

  it("has no null, and no hole in its place", function()
    local batch = assert(create(responses.created(
      '{"status":"COMPLETE","completedAt":null,"errors":null,'
        .. '"results":[{"labels":["a",null,"b",null]},null]}')))
    assert.is_nil(batch.completedAt)
    assert.is_nil(batch.errors)
    assert.same({ { labels = { "a", "b" } } }, batch.results)
  end)

  local MEANINGLESS = {
    ["is empty"] = "",
    ["is no JSON"] = "<html><body>Welcome</body></html>",
    ["is cut short"] = BATCH:sub(1, -10),
    ["is a list"] = "[]",
    ["is null"] = "null",
    ["is a string"] = '"COMPLETE"',
    ["has neither results nor errors"] = '{"status":"COMPLETE"}',
    ["has results that are no list"] = '{"results":{"a":1}}',
    ["has results that are a word"] = '{"results":"none"}',
    ["is nested without end"] = ("["):rep(100000),
  }
  for shape, body in pairs(MEANINGLESS) do
    it("is an error of kind decode when a 2xx " .. shape, function()
      local batch, err = create(responses.created(body, { "X-HubSpot-Correlation-Id: c-1" }))
      assert.is_nil(batch)
      assert.same({ "decode", 201, 1, "c-1" }, { err.kind, err.status, err.attempts, err.correlationId })
      assert.is_true(#tostring(err) < 1000)
      assert.is_nil(tostring(err):find("%c"))
    end)
  end

  it("is an error of kind decode when it is a 204", function()
    local batch, err = create("HTTP/1.1 204 No Content\r\n\r\n")
    assert.is_nil(batch)
    assert.same({ "decode", 204 }, { err.kind, err.status })
  end)

  it("keeps HubSpot's fields when it is a rejection", function()
    local batch, err = create(responses.of(400, '{"status":"error","message":"no good","correlationId":"c-2",'
      .. '"category":"VALIDATION_ERROR","subCategory":{"a":"b"},"errors":[{"message":"m","in":"inputs[0]"}],'
      .. '"context":{"id":["1"]},"links":{"help":"https://example.com"},"policyName":"P","extra":1}'))
    assert.is_nil(batch)
    assert.same({
      "http", 400, "no good", "c-2", "VALIDATION_ERROR", { a = "b" },
      { { message = "m", ["in"] = "inputs[0]" } }, { id = { "1" } }, { help = "https://example.com" }, "P", 1,
    }, {
      err.kind, err.status, err.message, err.correlationId, err.category, err.subCategory,
      err.errors, err.context, err.links, err.policyName, err.body.extra,
    })
  end)

  it("is a readable error when a gateway's rejection is HTML, or empty, or of another type", function()
    local bodies = {
      ["<html>\r\n<h1>502 Bad\tGateway</h1></html>"] = "502 Bad Gateway",
      [""] = "empty body",
      ["[1,2]"] = "502",
      ['{"message":null,"category":7,"errors":"x","context":[]}'] = "502",
      ['{"message":{"a":1}}'] = "502",
      ["\27[31m\255\254"] = "502",
    }
    for body, words in pairs(bodies) do
      local batch, err = create(responses.of(502, body, { "Content-Type: text/html" }))
      assert.is_nil(batch)
      assert.same({ "http", 502 }, { err.kind, err.status })
      local line = tostring(err)
      assert.truthy(line:find(words, 1, true), line)
      assert.is_nil(line:find("%c"))
      server:close()
    end
  end)

  it("has a kind by its status", function()
    local kinds = {
      [301] = "redirect", [304] = "redirect", [400] = "http", [401] = "unauthorized", [403] = "forbidden",
      [404] = "not_found", [409] = "http", [423] = "http", [429] = "rate_limited", [477] = "http",
      [500] = "http", [503] = "http", [521] = "http", [599] = "http",
    }
    for status, kind in pairs(kinds) do
      local bytes = status == 304 and "HTTP/1.1 304 Not Modified\r\n\r\n" or responses.of(status, "{}")
      local batch, err = create(bytes)
      assert.is_nil(batch)
      assert.same({ kind, status, 1 }, { err.kind, err.status, err.attempts })
      server:close()
    end
  end)
end)

describe("a response of core.transport", function()
  local server, transport

  local function run(bytes)
    server = raw_server.start({ connections = { responses.script(bytes) } })
    transport = assert(core.transport({}))
    return assert(exchange.run(transport, server:url() .. "/"))
  end

  after_each(function()
    transport:close()
    server:close()
  end)

  it("has status, fields in lower case without surrounding space, body, and http_version", function()
    local response = run(responses.of(207, "a\0b", { "X-One:  1 \t", "x-EMPTY:", "X-Colon: a:b" }))
    assert.same({ 207, "a\0b", "1.1", 1 },
      { response.status, response.body, response.http_version, response.connects })
    assert.same({ ["x-one"] = "1", ["x-empty"] = "", ["x-colon"] = "a:b", ["content-length"] = "3" },
      response.headers)
    assert.is_true(response.elapsed >= 0 and response.elapsed < 10)
  end)

  it("has the last value of a repeated field", function()
    local response = run(responses.of(200, "", { "X-One: 1", "x-one: 2", "X-ONE: 3" }))
    assert.equal("3", response.headers["x-one"])
  end)

  it("has no trailers among its fields", function()
    local response = run(responses.of(200, responses.chunked("body", 2, "X-One: trailer\r\n"), {
      "Transfer-Encoding: chunked", "X-One: field",
    }))
    assert.same({ "body", "field" }, { response.body, response.headers["x-one"] })
  end)

  it("has no trailers among its fields when the body is empty, either", function()
    local response = run(responses.of(200, responses.chunked("", 2, "X-One: trailer\r\n"), {
      "Transfer-Encoding: chunked", "X-One: field",
    }))
    assert.same({ "", "field" }, { response.body, response.headers["x-one"] })
  end)

  it("recognizes HTTP/1.0", function()
    assert.equal("1.0", run("HTTP/1.0 200 OK\r\n\r\nbody").http_version)
  end)
end)
