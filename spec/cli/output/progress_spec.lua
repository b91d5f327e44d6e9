-- Checks progress.lua: counts and a clock in, what is written out.
-- Never runs a job, nor a terminal: screen_spec does.

local progress = require "hubspot.associations.cli.output.progress"

local function stream()
  local kept = { text = "", flush = function() return true end }
  function kept.write(_, text)
    kept.text = kept.text .. text
    return kept
  end
  return kept
end

local function new(mode, columns)
  local out = stream()
  local shown = progress.new {
    mode = mode, stream = out, now = 100,
    columns = type(columns) == "function" and columns or function() return columns end,
  }
  return shown, out
end

-- The lines that a bar was drawn as.
local function drawn(out)
  local lines = {}
  for line in out.text:gmatch "\r\27%[%?7l([^\27]*)\27%[J\27%[%?7h" do lines[#lines + 1] = line end
  return lines
end

local function report(inputs, failed, resumed)
  return { inputs = inputs, failed = failed or 0, unconfirmed = 0, resumed = resumed or 0 }
end

describe("the progress of a job", function()
  it("is a bar with rows, rate, failures and the time that is left", function()
    local shown, out = new("bar", 70)
    shown:update(report(500, 3))
    shown:tick(105, 1000)
    assert.are.same({ "[=========         ]   50%  500 rows  100 rows/s  3 failed  0:05 left" }, drawn(out))
    assert.are.equal(69, #drawn(out)[1])
  end)

  it("leaves the cursor in the first column, and the terminal's wrapping on", function()
    local shown, out = new("bar", 70)
    shown:tick(105, 1000)
    assert.truthy(out.text:find "^\r\27%[%?7l[^\27]*\27%[J\27%[%?7h\r$")
  end)

  it("tells failed rows from unconfirmed ones", function()
    local shown, out = new "plain"
    shown:update { inputs = 500, failed = 3, unconfirmed = 190, resumed = 0 }
    shown:tick(105, nil)
    assert.are.equal("hubspot-associations: 500 rows, 100 rows/s, 3 failed, 190 unconfirmed\n", out.text)
  end)

  it("has no bar, and no time left, when the total is not known", function()
    local shown, out = new("bar", 70)
    shown:update(report(500))
    shown:tick(105, nil)
    assert.are.same({ "500 rows  100 rows/s" }, drawn(out))
  end)

  it("never reaches the last column", function()
    for columns = 1, 130 do
      local shown, out = new("bar", columns)
      shown:update(report(123456, 99), 120, "for the rate limit")
      shown:tick(7200, 1e6)
      shown:update(report(123456, 99))
      shown:finish(7201, 1e6)
      for _, line in ipairs(drawn(out)) do assert.is_true(#line <= math.max(1, columns - 1)) end
    end
  end)

  it("asks for the width each time, and takes 80 where nobody knows it", function()
    local columns
    local shown, out = new("bar", function() return columns end)
    shown:update(report(500))
    for second, width in ipairs { 60, 30, 120, false } do
      columns = width or nil
      shown:tick(105 + second, 1000)
    end
    local widths = {}
    for index, line in ipairs(drawn(out)) do widths[index] = #line end
    assert.are.same({ 59, #" 50%  500 rows  0:07 left", 119, 79 }, widths)
  end)

  it("leaves out what is least important where there is no room for all", function()
    local lines = {}
    for index, columns in ipairs { 70, 44, 34, 30, 18 } do
      local shown, out = new("bar", columns)
      shown:update(report(123456, 99))
      shown:tick(200, 1e6)
      lines[index] = drawn(out)[1]
    end
    assert.are.same({
      "[=           ]   12%  123456 rows  1235 rows/s  99 failed  11:51 left",
      " 12%  123456 rows  99 failed  11:51 left",
      " 12%  123456 rows  99 failed",
      " 12%  123456 rows  99 failed",
      " 12%  123456 rows",
    }, lines)
  end)

  it("has no time left when nothing more is sent", function()
    local shown, out = new("bar", 70)
    shown:update(report(500, 3))
    shown:ending()
    shown:tick(105, 1000)
    assert.are.same({ "[==============               ]   50%  500 rows  100 rows/s  3 failed" }, drawn(out))
  end)

  it("is drawn ten times a second at most", function()
    local shown, out = new "bar"
    for step = 0, 999 do shown:tick(101 + step / 1000, 10) end
    assert.is_true(#drawn(out) >= 9 and #drawn(out) <= 10, #drawn(out))
  end)

  describe("tells a rate and a time left", function()
    it("that do not count what a journal knew", function()
      local shown, out = new("bar", 70)
      shown:update(report(1000, 0, 900))
      shown:tick(110, 1100)
      assert.truthy(out.text:find("10 rows/s  0:10 left", 1, true), out.text)
    end)

    it("of the last half minute, pauses included", function()
      local shown, out = new("plain", 70)
      for second = 0, 90 do -- 1000 rows a second for a minute, then 10 rows a second
        local done = second <= 60 and second * 1000 or 60000 + (second - 60) * 10
        shown:update(report(done))
        shown:tick(100 + second, 61000)
      end
      local last = out.text:match "([^\n]*)\n$"
      assert.are.equal("hubspot-associations: 98 %, 60300 rows, 10 rows/s, 1:10 left", last)
    end)

    it("only once it is known", function()
      local shown, out = new("bar", 70)
      shown:update(report(900, 0, 900))
      shown:tick(110, 1100)
      assert.is_nil(out.text:find "rows/s")
      assert.is_nil(out.text:find "left")
    end)

    it("with a digit behind the point where it is low", function()
      local shown, out = new("bar", 70)
      shown:update(report(5))
      shown:tick(110, 10)
      assert.truthy(out.text:find("0.5 rows/s  0:10 left", 1, true), out.text)
    end)

    it("in hours when there are any, and not at all when it is days", function()
      local shown, out = new("bar", 70)
      shown:update(report(10))
      shown:tick(110, 3735)
      assert.truthy(out.text:find("1:02:05 left", 1, true), out.text)
      shown, out = new("bar", 70)
      shown:update(report(10))
      shown:tick(110, 1e9)
      assert.is_nil(out.text:find "left")
    end)
  end)

  it("says that it waits, and for what, in place of a time that is left", function()
    local shown, out = new("bar", 70)
    shown:update(report(500), 7.2, "for the rate limit")
    shown:tick(105, 1000)
    assert.truthy(drawn(out)[1]:find "500 rows  waiting 8 s for the rate limit$", drawn(out)[1])
    shown, out = new "plain"
    shown:update(report(500), 0.9, "to try again")
    shown:tick(105, 1000)
    assert.are.equal("hubspot-associations: 50 %, 500 rows, 100 rows/s, 0:05 left\n", out.text)
  end)

  it("ends with the rate of the whole run, and no time left", function()
    local shown, out = new("bar", 60)
    for second = 0, 100 do
      shown:update(report(math.min(1000, second * 20)))
      shown:tick(100 + second, 1000)
    end
    shown:finish(200, 1000)
    local lines = drawn(out)
    assert.truthy(lines[#lines]:find "=%]  100%%  1000 rows  10 rows/s$")
    assert.truthy(out.text:find "\27%[%?7h\n$")
  end)

  it("makes room for what is said meanwhile", function()
    local shown, out = new("bar", 70)
    shown:tick(101)
    out.text = ""
    shown:say "a word"
    assert.are.equal("\r\27[?7l\27[J\27[?7h\rhubspot-associations: a word\n", out.text)
  end)

  it("is a plain line every three seconds", function()
    local shown, out = new "plain"
    shown:update(report(500, 3))
    for second = 100, 106 do shown:tick(second, 1000) end
    assert.are.equal("hubspot-associations: 50 %, 500 rows, 167 rows/s, 3 failed, 0:03 left\n"
      .. "hubspot-associations: 50 %, 500 rows, 83 rows/s, 3 failed, 0:06 left\n", out.text)
  end)

  it("is nothing when nothing was asked for", function()
    local shown, out = new "none"
    shown:tick(200, 10)
    shown:finish(200, 10)
    assert.are.equal("", out.text)
  end)
end)
