-- HTTP/1.1 as text: bytes are fed to it, cut at every position. There is no socket.

local http1 = require "hubspot.associations.sandbox.http1"

local REQUESTS = "POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst"
  .. "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
  .. "3\r\nsec\r\n3;x=y\r\nond\r\n0\r\nT: r\r\n\r\n"
  .. "\r\nGET http://h/c HTTP/1.0\r\nX-One: 1\r\nx-one:  2 \r\n\r\n"

-- A reader that gets these parts one at a time.
local function reader_of(...)
  local parts, i = { ... }, 0
  return http1.reader(function()
    i = i + 1
    return parts[i]
  end)
end

local function check_all(reader, where)
  local head = assert(reader:head(), where)
  assert.equal("POST", head.method, where)
  assert.equal("/a?b=c", head.path, where)
  assert.is_true(head.keep_alive, where)
  assert.equal("first", reader:body(head), where)
  head = assert(reader:head(), where)
  assert.equal("second", reader:body(head), where)
  head = assert(reader:head(), where)
  assert.equal("/c", head.path, where)
  assert.equal("1, 2", head.headers["x-one"], where)
  assert.is_false(head.keep_alive, where)
  assert.equal("", reader:body(head), where)
  assert.is_nil(reader:head(), where)
end

describe("HTTP/1.1 text", function()
  it("is read the same wherever it is cut", function()
    check_all(reader_of(REQUESTS), "whole")
    for i = 1, #REQUESTS - 1 do
      check_all(reader_of(REQUESTS:sub(1, i), REQUESTS:sub(i + 1)), i)
      check_all(reader_of(REQUESTS:sub(1, i), REQUESTS:sub(i + 1, i + 1), REQUESTS:sub(i + 2)), i)
    end
    local bytes = {}
    for i = 1, #REQUESTS do bytes[i] = REQUESTS:sub(i, i) end
    check_all(reader_of((table.unpack or unpack)(bytes)), "bytes")  -- luacheck: ignore 143 113
  end)

  it("distinguishes an end between requests from one within a request", function()
    local head, status = reader_of():head()
    assert.is_nil(head)
    assert.is_nil(status)
    head, status = reader_of("\r\n"):head()
    assert.is_nil(head)
    assert.is_nil(status)
    head, status = reader_of("GET / HT"):head()
    assert.is_nil(head)
    assert.equal(400, status)
    local reader = reader_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfour")
    local body
    body, status = reader:body(reader:head())
    assert.is_nil(body)
    assert.equal(400, status)
  end)

  it("rejects a head without an end before it holds much of it", function()
    local given = 0
    local reader = http1.reader(function()
      given = given + 1000
      return "GET / HTTP/1.1\r\nHost: h\r\nX: " .. ("x"):rep(1000 - 30)
    end)
    local _, status = reader:head()
    assert.equal(431, status)
    assert.is_true(given < 70000)
  end)

  it("rejects chunks that add up to too much", function()
    local size = 16 * 1024 * 1024
    local chunk = string.format("%x\r\n", size) .. ("x"):rep(size) .. "\r\n"
    local count = 0
    local reader = http1.reader(function()
      count = count + 1
      return count == 1 and "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" or chunk
    end)
    local _, status = reader:body(reader:head())
    assert.equal(413, status)
  end)

  it("is written with a length, and without a body when there can be none", function()
    local response = { status = 201, headers = { ["x-a"] = "b" }, body = "text" }
    assert.equal("HTTP/1.1 201 Created\r\nx-a: b\r\ncontent-length: 4\r\nconnection: keep-alive\r\n\r\ntext",
      http1.serialise(response, true))
    assert.equal("HTTP/1.1 201 Created\r\nx-a: b\r\ncontent-length: 4\r\nconnection: close\r\n\r\n",
      http1.serialise(response, false, true))
    assert.equal("HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n",
      http1.serialise({ status = 204, headers = {}, body = "" }, true))
  end)
end)
