-- Responses that are too large, compressed or not: each is ended as soon as it exceeds its limit, and its
-- memory is freed.

local core = require "hubspot.associations.core"
local clients = require "support.clients"
local exchange = require "support.exchange"
local raw_server = require "support.raw_server"
local resources = require "support.resources"
local responses = require "support.responses"

local KIB, MIB = 1024, 1024 * 1024

local function lines_of(size)
  local line = "X-Filler: " .. ("x"):rep(KIB - 12)
  local lines = {}
  for index = 1, math.floor(size / KIB) do
    lines[index] = line
  end
  return lines
end

describe("a response's limit", function()
  local server, transport, bomb

  -- The result of one request to a server that sends this.
  local function run(max_response, script)
    server = raw_server.start({ connections = { script } })
    transport = assert(core.transport({ max_response = max_response }))
    return exchange.run(transport, server:url() .. "/")
  end

  local function respond(bytes)
    return { { "read_request" }, { "send", bytes } }
  end

  local function assert_too_large(response, failure)
    assert.is_nil(response)
    assert.equal("too_large", failure.kind)
    return failure
  end

  setup(function()
    bomb = responses.gzip_of_zeros(200)
    assert.is_true(#bomb < 2 * MIB)
  end)

  after_each(function()
    clients.close()
    if transport then
      transport:close()
    end
    server:close()
    server, transport = nil, nil
  end)

  it("allows exactly that size, and not one byte more", function()
    for _, packed in ipairs({ false, true }) do
      for extra = 0, 1 do
        local body = ("x"):rep(1000 + extra)
        local bytes = packed and responses.of(200, responses.gzip(body), { "Content-Encoding: gzip" })
          or responses.of(200, responses.chunked(body, 99), { "Transfer-Encoding: chunked" })
        local response, failure = run(1000, respond(bytes))
        if extra == 0 then
          assert.equal(1000, #response.body)
        else
          assert.matches("1000 bytes", assert_too_large(response, failure).message)
        end
        transport:close()
        server:close()
      end
    end
  end)

  it("ends a response whose length exceeds it before its body comes", function()
    local response, failure = run(1000, {
      { "read_request" }, { "send", "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" }, { "hold" },
    })
    assert.matches("1000 bytes", assert_too_large(response, failure).message)
    assert.is_true(failure.elapsed < 5)
  end)

  it("ends a response whose length is too large for a number", function()
    local response, failure = run(1000, respond(responses.of(200, "x", {
      "Content-Length: 99999999999999999999999",
    })))
    assert.is_nil(response)
    assert.truthy(failure.kind == "too_large" or failure.kind == "network", failure.kind)
  end)

  it("ends 100 MiB of zeros without a length in time", function()
    local response, failure = run(MIB, {
      { "read_request" }, { "send", "HTTP/1.1 200 OK\r\n\r\n" }, { "send_repeated", ("\0"):rep(MIB), 100 },
    })
    assert_too_large(response, failure)
  end)

  it("counts the decompressed size while a body is decompressed", function()
    local response, failure = run(MIB, respond(responses.of(200, bomb, { "Content-Encoding: gzip" })))
    assert_too_large(response, failure)
  end)

  it("ends headers of more than 256 KiB", function()
    local response, failure = run(MIB, respond(responses.of(200, "", lines_of(257 * KIB))))
    assert.matches("head", assert_too_large(response, failure).message)
  end)

  it("allows smaller headers", function()
    assert.equal(200, assert(run(MIB, respond(responses.of(200, "", lines_of(250 * KIB))))).status)
  end)

  -- libcurl itself ends this one; before 8.6 with "out of memory", for which there is no kind.
  it("ends an endless header line", function()
    local response, failure = run(MIB, {
      { "read_request" }, { "send", "HTTP/1.1 200 OK\r\nX-Filler: " },
      { "send_repeated", ("x"):rep(KIB), 2048 },
    })
    assert.is_nil(response)
    assert.truthy(failure.kind == "too_large" or failure.kind == "network", failure.kind)
  end)

  it("ends endless interim responses", function()
    local response = run(MIB, {
      { "read_request" },
      { "send_repeated", (responses.of(103, "", lines_of(99 * KIB)):gsub("Content%-Length: 0\r\n", "")), 99 },
    })
    assert.is_nil(response)
  end)

  it("ends endless trailers", function()
    local response, failure = run(MIB, {
      { "read_request" },
      { "send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" },
      { "send_repeated", "X-Filler: " .. ("x"):rep(KIB) .. "\r\n", 10240 },
    })
    assert.is_nil(response)
    assert.truthy(failure.kind == "too_large" or failure.kind == "network", failure.kind)
  end)

  it("is 64 MiB for a client: the error is one line with advice, and the memory is freed", function()
    local zeros = {
      { "read_request" }, { "send", "HTTP/1.1 201 OK\r\n\r\n" }, { "send_repeated", ("\0"):rep(MIB), 100 },
    }
    local packed = respond(responses.created(bomb, { "Content-Encoding: gzip" }))
    server = raw_server.start({
      connections = { zeros, packed, zeros, packed, responses.script(responses.created()) },
    })
    local client = clients.open(server:url(), { timeout = 30 })
    local before
    for _ = 1, 4 do
      local batch, err = clients.create(client)
      assert.is_nil(batch)
      assert.equal("too_large", err.kind)
      assert.matches("too_large: .*" .. 64 * MIB .. " bytes", tostring(err))
      assert.is_true(#tostring(err) < 200)
      before = before or resources.resident()
    end
    if not resources.is_checked() then
      local grown = resources.resident() - before -- three times 64 MiB, if none was given back
      assert.is_true(grown < 64 * KIB, "grown by KiB: " .. grown)
    end
    assert(clients.create(client))
  end)

  it("allows a client to read a large response within it", function()
    local body = '{"results":[],"filler":"' .. ("x"):rep(20 * MIB) .. '"}'
    server = raw_server.start({ connections = { respond(responses.created(responses.gzip(body), {
      "Content-Encoding: gzip",
    })) } })
    local client = clients.open(server:url(), { timeout = 30 })
    local batch = assert(clients.create(client))
    assert.equal(20 * MIB, #batch.filler)
  end)
end)
