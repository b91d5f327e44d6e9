-- Checks progress.lua: counts and a clock in, what is written out.
-- Never runs a job: command_job_spec does.

local progress = require "hubspot.associations.cli.progress"

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
  return progress.new { mode = mode, stream = out, columns = columns, now = 100 }, out
end

local function report(inputs, failed, resumed)
  return { inputs = inputs, failed = failed or 0, unconfirmed = 0, resumed = resumed or 0 }
end

describe("the progress of a job", function()
  it("is a bar with rows, rate, failures and the time that is left", function()
    local shown, out = new("bar", 70)
    shown:update(report(500, 3))
    shown:tick(105, 1000)
    assert.are.equal("\r[=========         ]   50%  500 rows  100 rows/s  3 failed  0:05 left\27[K", out.text)
    assert.are.equal(69, #out.text - 4)
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
    assert.are.equal("\r500 rows  100 rows/s\27[K", out.text)
  end)

  it("never reaches the last column", function()
    for columns = 1, 90 do
      local shown, out = new("bar", columns)
      shown:update(report(123456, 99))
      shown:tick(7200, 1e6)
      assert.is_true(#out.text - 4 <= math.max(1, columns - 1))
    end
  end)

  it("is drawn ten times a second at most", function()
    local shown, out = new "bar"
    for step = 0, 999 do shown:tick(101 + step / 1000, 10) end
    local drawn = select(2, out.text:gsub("\r", ""))
    assert.is_true(drawn >= 9 and drawn <= 10, drawn)
  end)

  it("does not count what a journal knew into the rate", function()
    local shown, out = new("bar", 70)
    shown:update(report(1000, 0, 900))
    shown:tick(110, 1100)
    assert.truthy(out.text:find("10 rows/s  0:10 left", 1, true), out.text)
  end)

  it("shows hours when there are any", function()
    local shown, out = new("bar", 70)
    shown:update(report(10))
    shown:tick(110, 3735)
    assert.truthy(out.text:find("1:02:05 left", 1, true), out.text)
  end)

  it("makes room for what is said meanwhile", function()
    local shown, out = new("bar", 70)
    shown:tick(101)
    out.text = ""
    shown:say "a word"
    assert.are.equal("\r\27[Khubspot-associations: a word\n", out.text)
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
