-- Checks retryable.lua: which failures may be temporary, which may hide a success, and which count. No clock,
-- no I/O.

local error_kinds = require "hubspot.associations.error_kinds"
local retryable = require "hubspot.associations.policy.retryable"

local COULDNT_CONNECT, TIMED_OUT, SSL_CONNECT, GOT_NOTHING, CERTIFICATE = 7, 28, 35, 52, 60

local function http(status)
  return { kind = "http", status = status }
end

describe("a failed request", function()
  it("is sent again after each failure that may be temporary", function()
    local statuses = { 408, 409, 423, 425, 477, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526 }
    for _, status in ipairs(statuses) do
      assert.is_true(retryable.is_retryable(http(status)), tostring(status))
    end
    for _, kind in ipairs { "network", "timeout", "decode", "rate_limited" } do
      assert.is_true(retryable.is_retryable { kind = kind, status = 429 }, kind)
    end
    assert.is_true(retryable.is_retryable { kind = "network", curl_code = COULDNT_CONNECT })
    assert.is_true(retryable.is_retryable { kind = "tls", curl_code = SSL_CONNECT })
    assert.is_true(retryable.is_retryable { kind = "decode", status = 201 })
  end)

  it("is not sent again after a permanent failure", function()
    for _, status in ipairs { 400, 402, 405, 406, 410, 411, 413, 414, 415, 422, 431, 451 } do
      assert.is_false(retryable.is_retryable(http(status)), tostring(status))
    end
    for kind, status in pairs {
      unauthorized = 401, forbidden = 403, not_found = 404, daily_limit = 429, redirect = 307,
    } do
      assert.is_false(retryable.is_retryable { kind = kind, status = status }, kind)
    end
    local kinds = { "invalid_input", "too_large", "token", "journal", "source", "closed", "canceled" }
    for _, kind in ipairs(kinds) do
      assert.is_false(retryable.is_retryable { kind = kind }, kind)
    end
    assert.is_false(retryable.is_retryable { kind = "tls", curl_code = CERTIFICATE })
  end)

  it("is not sent again after a permanent failure at a proxy", function()
    local function is_permanent(fields)
      fields.kind = "network"
      return not retryable.is_retryable(fields)
    end
    for status = 300, 599 do
      local passes = status >= 500 or status == 408 or status == 425 or status == 429
      assert.equal(not passes, is_permanent { proxy_status = status, curl_code = 56 }, status)
    end
    assert.is_true(is_permanent { reason = "proxy" })
    for _, code in ipairs { 3, 4, 67, 94 } do
      assert.is_true(is_permanent { curl_code = code }, code)
    end
    for code = 1, 33 do -- a CURLproxycode
      local passes = code == 3 or code >= 13 and code <= 16 or code >= 19 and code <= 31 and code ~= 23
      assert.equal(not passes, is_permanent { proxy_code = code, curl_code = 97 }, code)
    end
    for _, code in ipairs { 5, 6, 7, 52, 55, 56 } do
      assert.is_false(is_permanent { curl_code = code }, code)
    end
  end)

  it("may have been processed, unless that is ruled out", function()
    for _, err in ipairs {
      { kind = "timeout", curl_code = TIMED_OUT }, { kind = "decode", status = 201 },
      { kind = "too_large" }, { kind = "closed" },
      { kind = "network", curl_code = GOT_NOTHING }, { kind = "network", curl_code = 18 },
      { kind = "network", curl_code = 55 }, { kind = "tls", curl_code = 56 },
      { kind = "network", curl_code = 28, sent = true }, { kind = "network" },
      http(500), http(502), http(503), http(504), http(521), http(408),
    } do
      local name = err.kind .. " " .. tostring(err.status or err.curl_code)
      assert.is_true(retryable.may_have_been_done(err), name)
    end
    for _, err in ipairs {
      { kind = "network", curl_code = COULDNT_CONNECT, sent = false },
      { kind = "tls", curl_code = CERTIFICATE, sent = false },
      { kind = "timeout", sent = false }, { kind = "closed", sent = false },
      { kind = "rate_limited", status = 429 }, { kind = "daily_limit", status = 429 },
      http(400), http(409), http(422), http(423), http(425), http(477), http(413),
      { kind = "unauthorized", status = 401 }, { kind = "forbidden", status = 403 },
      { kind = "not_found", status = 404 }, { kind = "redirect", status = 302 }, { kind = "token" },
    } do
      local name = err.kind .. " " .. tostring(err.status or err.curl_code)
      assert.is_false(retryable.may_have_been_done(err), name)
    end
  end)

  it("is judged by its kind and fields only", function()
    local function same(err, message)
      err.message = message
      return { retryable.is_retryable(err), retryable.may_have_been_done(err), retryable.counts(err) }
    end
    for kind in pairs(error_kinds) do
      local err = { kind = kind, status = 400 }
      assert.same(same(err, "rejected"), same(err, "rate limit: try again later, timeout, 503, proxy"))
    end
    assert.same({ false, false, true }, same({ kind = "another" }, "no such kind"))
    assert.is_false(retryable.may_have_been_done { kind = "http", status = "error" }) -- a single input's
  end)

  it("counts as an attempt unless the rate limit rejected it", function()
    for kind in pairs(error_kinds) do
      assert.equal(kind ~= "rate_limited", retryable.counts { kind = kind })
    end
  end)
end)
