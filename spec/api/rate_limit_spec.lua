-- Checks rate_limit.lua: HubSpot's rate-limit headers; Retry-After in seconds, as an HTTP date, and with
-- invalid values. The time is passed in.

local rate_limit = require "hubspot.associations.api.rate_limit"
local response = require "hubspot.associations.api.response"
local random = require "support.random"

local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

-- The HTTP date of a time, in any locale.
local function http_date(time)
  local at = os.date("!*t", time)
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(
    DAYS[at.wday], at.day, MONTHS[at.month], at.year, at.hour, at.min, at.sec
  )
end

local function read(value, date, now)
  return rate_limit.retry_after({ ["retry-after"] = value, date = date }, now or 0)
end

describe("Retry-After", function()
  it("is nil when the response has none", function()
    assert.is_nil(read(nil))
    assert.is_nil(read(nil, http_date(0), 100))
  end)

  it("is a number of seconds", function()
    for text, seconds in pairs { ["0"] = 0, ["1"] = 1, ["007"] = 7, ["120"] = 120, ["86400"] = 86400 } do
      assert.equal(seconds, read(text, http_date(50), 99))
    end
  end)

  it("is a date, relative to the response's own date", function()
    assert.equal(30, read(http_date(1700000030), http_date(1700000000), 1234))
    assert.equal(86400, read(http_date(1700086400), http_date(1700000000), 1800000000))
  end)

  it("is a date, relative to the clock if the response has no valid date", function()
    assert.equal(30, read(http_date(1700000030), nil, 1700000000))
    for _, junk in ipairs { "", "yesterday", "1700000000", "2023-11-14" } do
      assert.near(29.5, read(http_date(1700000030), junk, 1700000000.5), 1e-9)
    end
  end)

  it("is 0 for a date that has passed", function()
    assert.equal(0, read(http_date(1700000000), http_date(1700000000)))
    assert.equal(0, read(http_date(1699999999), http_date(1700000000)))
    assert.equal(0, read("Thu, 01 Jan 1970 00:00:00 GMT", nil, 1700000000))
  end)

  it("is nil when it is neither", function()
    for _, junk in ipairs {
      "", " ", "soon", "-1", "+5", "1.5", "1e3", "0x10", "5 seconds", "5,5", "1\0", "inf", "nan",
      "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 06 Foo 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT",
      "06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT x",
      ("9"):rep(5000) .. "x",
    } do
      assert.is_nil(read(junk, http_date(0), 0), junk)
    end
  end)

  it("is a long time when it is huge", function()
    for _, digits in ipairs { 11, 20, 400, 100000 } do
      local seconds = read(("9"):rep(digits))
      assert.is_true(seconds > 365 * 86400 and seconds < math.huge)
    end
  end)

  it("is right on every day, also of leap years", function()
    assert.equal(784111777, read("Sun, 06 Nov 1994 08:49:37 GMT", nil, 0))
    assert.equal(951782400, read("Tue, 29 Feb 2000 00:00:00 GMT", nil, 0))
    assert.equal(951868800, read("Wed, 01 Mar 2000 00:00:00 GMT", nil, 0))
    assert.equal(4107542400, read("Mon, 01 Mar 2100 00:00:00 GMT", nil, 0)) -- 2100 is no leap year
    -- Where time_t has 32 bits, os.date knows no year after 2038.
    local last = pcall(os.date, "!*t", 2 ^ 31) and 150 * 366 * 86400 or 2 ^ 31 - 86400
    for time = 0, last, 86400 do
      local seconds = read(http_date(time), nil, 0)
      if seconds ~= time then assert.equal(time, seconds) end
    end
  end)

  it("agrees with os.time", function()
    -- os.time reads local time: the difference of two days at noon, in days, is the same everywhere.
    local function noon(year, month, day)
      return os.time { year = year, month = month, day = day, hour = 12 }
    end
    local first = noon(1999, 1, 1)
    random.check(300, function(luck)
      local year, month, day = luck:integer(1999, 2037), luck:integer(1, 12), luck:integer(1, 28)
      local text = ("Mon, %02d %s %04d 00:00:00 GMT"):format(day, MONTHS[month], year)
      local days = math.floor((noon(year, month, day) - first) / 86400 + 0.5)
      assert.equal(days * 86400, read(text, "Fri, 01 Jan 1999 00:00:00 GMT"))
    end)
  end)
end)

-- The header must reach the error of a response, too.
describe("a response that says when to try again", function()
  it("makes an error with that many seconds", function()
    local _, err = response.read({
      status = 503, headers = { ["retry-after"] = "17" }, body = "", date = 0,
    }, "batch")
    assert.equal(17, err.retry_after)
  end)
end)

describe("the rate limit of a response", function()
  local PREFIX = "x-hubspot-ratelimit-"

  it("has the values of its headers", function()
    assert.same({
      max = 190, remaining = 7, interval = 10, daily = 650000, daily_remaining = 1, secondly = 19,
      secondly_remaining = 0,
    }, rate_limit.read {
      [PREFIX .. "max"] = "190",
      [PREFIX .. "remaining"] = "7",
      [PREFIX .. "interval-milliseconds"] = "10000",
      [PREFIX .. "daily"] = "650000",
      [PREFIX .. "daily-remaining"] = "1",
      [PREFIX .. "secondly"] = "19",
      [PREFIX .. "secondly-remaining"] = "0",
    })
  end)

  it("is nil when there are no such headers", function()
    assert.is_nil(rate_limit.read {})
    assert.is_nil(rate_limit.read { ["content-type"] = "x", ["x-hubspot-ratelimit"] = "5" })
  end)

  it("has the values that are there, if some are missing", function()
    assert.same({ remaining = 5 }, rate_limit.read { [PREFIX .. "remaining"] = "5" })
    assert.same({ interval = 0.25 }, rate_limit.read { [PREFIX .. "interval-milliseconds"] = "250" })
  end)

  it("ignores values that are not numbers", function()
    for _, garbage in ipairs {
      "", "-1", "1.5", "1e3", "0x10", "x", "5x", "x5", "5, 6", "5 6", "nan", "inf", "5\0", ("9"):rep(30),
    } do
      assert.is_nil(rate_limit.read { [PREFIX .. "max"] = garbage }, garbage)
      assert.same({ daily = 5 }, rate_limit.read { [PREFIX .. "max"] = garbage, [PREFIX .. "daily"] = "5" })
    end
  end)
end)
