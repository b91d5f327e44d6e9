-- Checks response.lua: reading a response as a batch, or as the error of its status, headers and body. Does
-- no I/O: the responses have the form in which the transport returns them.

local cjson = require "cjson"
local responses = require "hubspot.associations.api.response"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"

local function read(status, body, headers, date)
  if type(body) == "table" then body = cjson.encode(body) end
  return responses.read({ status = status, headers = headers or {}, body = body, date = date or 0 }, "batch")
end

local function rejected(...)
  local batch, err = read(...)
  assert.is_nil(batch)
  assert.is_true(errors.is(err))
  assert.is_string(err.message)
  assert.is_nil(tostring(err):find "[%c\127]")
  return err
end

local EMPTY = '{"status":"COMPLETE","results":[],"startedAt":"a","completedAt":"b"}'

describe("a 2xx", function()
  it("is read as a batch, whichever 2xx it is", function()
    for _, status in ipairs { 200, 201, 202, 207, 299 } do
      local batch, err = read(status, EMPTY)
      assert.is_nil(err)
      assert.same({ status = "COMPLETE", results = {}, startedAt = "a", completedAt = "b" }, batch)
    end
  end)

  it("keeps every field of the batch, known or unknown", function()
    local batch = read(207, [[{
      "status": "COMPLETE", "startedAt": "s", "completedAt": "c", "requestedAt": "r", "numErrors": 1,
      "links": {"self": "x"}, "future": [1, {"a": true}],
      "results": [{"fromObjectId": 101, "fromObjectTypeId": "0-1", "toObjectId": "202",
        "toObjectTypeId": "0-2", "labels": [null, "Primary", null]}],
      "errors": [{"status": "error", "category": "VALIDATION_ERROR", "subCategory": "crm.X", "message": "m",
        "context": {"ids": ["1", "2"]}, "links": {}, "errors": [{"message": "n", "in": "id", "code": null}]}]
    }]])
    assert.same({
      status = "COMPLETE", startedAt = "s", completedAt = "c", requestedAt = "r", numErrors = 1,
      links = { self = "x" }, future = { 1, { a = true } },
      results = {
        {
          fromObjectId = "101", fromObjectTypeId = "0-1", toObjectId = "202", toObjectTypeId = "0-2",
          labels = { "Primary" },
        },
      },
      errors = {
        {
          status = "error", category = "VALIDATION_ERROR", subCategory = "crm.X", message = "m",
          context = { ids = { "1", "2" } }, links = {}, errors = { { message = "n", ["in"] = "id" } },
        },
      },
    }, batch)
    if math.type then assert.equal("integer", math.type(batch.numErrors)) end
  end)

  it("keeps both spellings of CANCELED", function()
    for _, status in ipairs { "CANCELED", "CANCELLED", "PENDING", "PROCESSING", "SOMETHING_NEW" } do
      assert.equal(status, read(200, { status = status, results = { 1 } }).status)
    end
  end)

  it("may have results or errors only", function()
    assert.same({ results = {} }, read(201, '{"results":[]}'))
    assert.same({ errors = { { message = "m" } } }, read(207, '{"errors":[{"message":"m"}]}'))
    assert.same({ results = {} }, read(207, '{"results":[],"errors":null}'))
  end)

  it("may have fields of other types than documented", function()
    local batch = read(201, '{"results":[5,"x",[]],"errors":["y"],"numErrors":"two","status":7,"links":[]}')
    assert.same({ results = { 5, "x", {} }, errors = { "y" }, numErrors = "two", status = 7, links = {} },
      batch)
  end)

  it("that cannot be read is an error, not an empty success", function()
    for what, body in pairs {
      empty = "",
      ["white space"] = " \n",
      HTML = "<html>\n<body>Down</body></html>",
      ["cut short"] = EMPTY:sub(1, -2),
      ["twice a batch"] = EMPTY .. EMPTY,
      ["a string"] = '"COMPLETE"',
      ["a number"] = "5",
      null = "null",
      ["an empty list"] = "[]",
      ["a list"] = '[{"results":[]}]',
      ["an empty object"] = "{}",
      ["without results and errors"] = '{"status":"COMPLETE","completedAt":"x"}',
      ["with nulls for both"] = '{"results":null,"errors":null}',
      ["with results that are a string"] = '{"results":"none"}',
      ["with results that are a number"] = '{"results":0}',
      ["with results that are an object"] = '{"results":{"a":1}}',
      ["with errors that are an object"] = '{"results":[],"errors":{"a":1}}',
      ["with errors that are true"] = '{"results":[],"errors":true}',
    } do
      local err = rejected(201, body, { ["x-hubspot-correlation-id"] = "c" })
      assert.equal("decode", err.kind, what)
      assert.equal(201, err.status, what)
      assert.equal("c", err.correlationId, what)
      assert.truthy(err.message:find("HubSpot responded with 201, but ", 1, true), what)
      assert.equal(body, err.body, what)
    end
    assert.equal("decode", rejected(204, "").kind)
  end)

  it("that is cut off anywhere is an error", function()
    for length = 0, #EMPTY - 1 do assert.equal("decode", rejected(201, EMPTY:sub(1, length)).kind) end
  end)

  it("that cannot be read shows only its beginning", function()
    local err = rejected(200, ("x"):rep(100000))
    assert.is_true(#err.message < 400)
    assert.is_true(#err.body <= 4096)
  end)
end)

describe("a success", function()
  local function read_as(reader, body, status)
    return responses.read({ status = status or 200, headers = {}, body = body, date = 0 }, reader)
  end

  local function decode_error(reader, body)
    local result, err = read_as(reader, body)
    assert.is_nil(result, body)
    assert.equal("decode", err.kind, body)
  end

  it("is read as a page: a list of results, and perhaps where the next ones begin", function()
    assert.same({ results = {} }, read_as("page", '{"results":[]}'))
    local page = '{"results":[{"typeId":1}],"paging":{"next":{"after":"MC0y%3D"}}}'
    assert.same(
      { results = { { typeId = 1 } }, paging = { next = { after = "MC0y%3D" } } }, read_as("page", page)
    )
    for _, body in ipairs {
      "", "{}", "[]", '{"results":null}', '{"results":{"a":1}}', '{"results":"x"}',
      '{"results":[5]}', '{"results":[{},"x"]}', '{"results":[],"paging":"x"}', "<html>",
    } do
      decode_error("page", body)
    end
  end)

  it("is read as an object, and not as a list", function()
    assert.same({ toObjectId = "5", labels = { "A" } }, read_as("object", '{"toObjectId":5,"labels":["A"]}'))
    for _, body in ipairs { "", "[1]", "5", "null", "<html>" } do decode_error("object", body) end
  end)

  it("that says nothing is one by its status; what it says is kept", function()
    assert.same({}, read_as("none", "", 204))
    assert.same({}, read_as("none", "", 200))
    assert.same({ status = "COMPLETE" }, read_as("none", '{"status":"COMPLETE"}', 200))
  end)

  it("is none, whatever the reader, when the status is no 2xx", function()
    for _, reader in ipairs { "batch", "page", "object", "none" } do
      local result, err = read_as(reader, '{"message":"no"}', 400)
      assert.is_nil(result)
      assert.same({ "http", 400, "no" }, { err.kind, err.status, err.message })
    end
  end)
end)

describe("a rejection", function()
  it("has the kind of its status", function()
    for status, kind in pairs {
      [300] = "redirect", [301] = "redirect", [302] = "redirect", [304] = "redirect", [308] = "redirect",
      [400] = "http", [401] = "unauthorized", [402] = "http", [403] = "forbidden", [404] = "not_found",
      [405] = "http", [408] = "http", [409] = "http", [413] = "http", [422] = "http", [423] = "http",
      [429] = "rate_limited", [477] = "http", [500] = "http", [502] = "http", [503] = "http", [504] = "http",
      [521] = "http", [599] = "http",
    } do
      for _, body in ipairs { "", "<html>", "{}", EMPTY, '{"message":"m"}' } do
        local err = rejected(status, body)
        assert.equal(kind, err.kind, status)
        assert.equal(status, err.status, status)
      end
    end
  end)

  it("of the daily limit has a kind of its own", function()
    for policy, kind in pairs {
      DAILY = "daily_limit", SECONDLY = "rate_limited", TEN_SECONDLY_ROLLING = "rate_limited",
    } do
      local err = rejected(429, { status = "error", message = "m", policyName = policy })
      assert.equal(kind, err.kind)
      assert.equal(policy, err.policyName)
    end
    assert.equal("http", rejected(400, { policyName = "DAILY" }).kind)
  end)

  it("keeps every field of HubSpot under its name", function()
    local fields = {
      category = "VALIDATION_ERROR", subCategory = "crm.INVALID", correlationId = "aaaa",
        policyName = "SECONDLY",
      groupName = "publicapi", errorType = "RATE_LIMIT", context = { ids = { "1" } }, links = { help = "x" },
      errors = { { message = "n", ["in"] = "id", code = "C", context = "{missingScopes=[a, b]}" } },
    }
    local body = { status = "error", message = "the reason" }
    for name, value in pairs(fields) do body[name] = value end
    local err = rejected(400, body)
    for name, value in pairs(fields) do assert.same(value, err[name], name) end
    assert.equal("the reason", err.message)
    assert.equal(400, err.status) -- the HTTP status, not the body's "error"
    assert.same(body, err.body)
  end)

  it("does not mix up its own fields with fields of the response", function()
    local err = rejected(400, {
      kind = "closed", status = 200, attempts = 99, index = 5, field = "x", retryable = true, body = "b",
        count = 7,
      message = "m",
    })
    assert.equal("http", err.kind)
    assert.equal(400, err.status)
    for _, name in ipairs { "attempts", "index", "field", "count" } do assert.is_nil(err[name], name) end
    assert.equal("http: m (HTTP 400)", tostring(err))
  end)

  it("may have fields of other types than documented, null and list included", function()
    local err = rejected(400,
      '{"message":5,"category":{"a":1},"correlationId":[1],"errors":"x","context":null}')
    assert.equal("http", err.kind)
    assert.same({ a = 1 }, err.category)
    assert.equal("x", err.errors)
    assert.is_nil(err.context)
    assert.truthy(err.message:find("HubSpot responded with 400", 1, true))
    for _, body in ipairs { "[]", "[1,2]", '"x"', "null", "5", "{", "\0", "\255", '{"message":""}',
      '{"message":[]}' } do
      err = rejected(500, body)
      assert.equal("http", err.kind)
      assert.truthy(err.message:find("HubSpot responded with 500", 1, true), body)
    end
  end)

  it("that is HTML shows its beginning on one line", function()
    local html = "<html>\r\n<head>\t<title>502 Bad Gateway</title>\n" .. ("x"):rep(10000)
    local err = rejected(502, html)
    assert.truthy(err.message:find("HubSpot responded with 502: <html> <head> <title>502 Bad", 1, true))
    assert.is_true(#err.message < 300)
    assert.equal(html:sub(1, 4096), err.body)
  end)

  it("that is empty says so", function()
    for _, body in ipairs { "", "\r\n", "  " } do
      assert.equal("HubSpot responded with 503: an empty body", rejected(503, body).message)
    end
  end)

  it("takes its correlation id from the body, else from the header", function()
    local headers = { ["x-hubspot-correlation-id"] = "from the header" }
    assert.equal("from the body", rejected(400, { correlationId = "from the body" }, headers).correlationId)
    assert.equal("from the header", rejected(400, { message = "m" }, headers).correlationId)
    assert.equal("from the header", rejected(502, "<html>", headers).correlationId)
    assert.is_nil(rejected(502, "<html>").correlationId)
  end)

  it("shows no control characters in its line", function()
    local err = rejected(400, { message = "a\27[2Jb\r\nc\0d", category = "x\ny", correlationId = "\7" })
    assert.is_nil(tostring(err):find "[%c\127]")
    err = rejected(400, "\27[2J\0\r\n\127")
    assert.is_nil(tostring(err):find "[%c\127]")
  end)
end)

describe("the correlation id of a response", function()
  it("is in its header", function()
    local headers = { ["x-hubspot-correlation-id"] = "abc" }
    assert.equal("abc", responses.correlation_id { status = 201, headers = headers, body = "" })
    assert.is_nil(responses.correlation_id { status = 201, headers = {}, body = "" })
  end)
end)

describe("the cursor of the next page", function()
  local function next_cursor(paging, trail)
    local page = core.decode('{"results":[],"paging":' .. paging .. "}")
    return responses.next_cursor(page, trail or responses.trail())
  end

  it("is text, as it was given", function()
    assert.equal("MC0y%3D", (next_cursor '{"next":{"after":"MC0y%3D","link":"x"}}'))
    assert.equal("500", (next_cursor '{"next":{"after":500}}'))
  end)

  it("is absent on the last page", function()
    for _, paging in ipairs { "null", "{}", '{"next":null}', '{"next":{}}', '{"next":{"after":null}}' } do
      local cursor, err = next_cursor(paging)
      assert.is_nil(cursor)
      assert.is_nil(err, paging)
    end
    assert.is_nil((responses.next_cursor(nil, responses.trail())))
  end)

  it("is an error where it may not be the last page, or leads in a circle", function()
    for _, paging in ipairs {
      '"x"', "5", "false", '{"next":"x"}', '{"next":false}', '{"next":{"link":"x"}}', '{"next":{"after":""}}',
      '{"next":{"after":true}}', '{"next":{"after":["x"]}}', '{"next":{"after":1.5}}',
      '{"next":{"after":"' .. ("x"):rep(5000) .. '"}}',
    } do
      local cursor, err = next_cursor(paging)
      assert.is_nil(cursor)
      assert.same({ "decode", false }, { err.kind, err.retryable }, paging)
    end
    local _, err = next_cursor('{"next":{"after":"A"}}', responses.trail "A")
    assert.truthy(err.message:find("same cursor", 1, true))
  end)

  -- Follows pages until an error. Returns it, and after how many pages it came.
  local function follow(cursor_of)
    local trail, number = responses.trail(), 0
    while true do
      local cursor, err = responses.next_cursor({ paging = { next = { after = cursor_of(number) } } }, trail)
      if not cursor then return err, number, trail end
      number = number + 1
    end
  end

  it("is an error when it leads in a circle, of whatever length, and when there is always another", function()
    for _, length in ipairs { 1, 2, 7, 50, 99 } do
      local err, pages = follow(function(number) return "c" .. number % length end)
      assert.truthy(err.message:find("same cursor", 1, true))
      assert.is_true(pages < 2 * 100, pages)
    end
    local err, pages, trail = follow(function(number) return "c" .. number end)
    assert.same({ "decode", false, 100000 }, { err.kind, err.retryable, pages })
    assert.truthy(err.message:find("100000 pages", 1, true))
    local count = 0
    for _ in pairs(trail.is_seen) do count = count + 1 end
    assert.is_true(count <= 101, count) -- the rest of 100,000 cursors is forgotten
  end)
end)
