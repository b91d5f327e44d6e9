-- Checks src/redis_codec.c: what it writes, and that a hostile server gets an error for what is no reply,
-- is too large, or is nested too deeply; and takes no more memory than it sent bytes for.

local child = require "support.child"
local process = require "support.process"
local random = require "support.random"
local resources = require "support.resources"
local resp2 = require "support.resp2"

local is_there, codec = pcall(require, "hubspot.associations.redis_codec")
if not is_there then
  describe("the codec for Redis", function() pending "there is no hiredis" end)
  return
end

local function new_reader(limit)
  return codec.reader(function(text) return { error = text } end, limit)
end

-- All replies of what is fed in parts of `size` bytes; then why there are no more, if not for the end.
local function read_all(reader, bytes, size)
  local replies = {}
  for first = 1, #bytes, size do
    local fed, why = reader:feed(bytes:sub(first, first + size - 1))
    if not fed then return replies, why end
    local has, reply = reader:next()
    while has do
      replies[#replies + 1] = reply
      has, reply = reader:next()
    end
    if has == nil then return replies, reply end
  end
  return replies
end

describe("a command for Redis", function()
  it("is a list of its words, with their lengths", function()
    assert.equal("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\na\0\r\n\r\n", codec.command { "SET", "", "a\0\r\n" })
    assert.equal("*1\r\n$4\r\nPING\r\n", codec.command { "PING" })
    assert.equal("*1\r\n$4\r\nPING\r\n", codec.command({ "PING", "more" }, 1))
  end)

  it("has whole numbers without an exponent, and others with a point, in any locale", function()
    local CASES = {
      [0] = "0", [-7] = "-7", [279] = "279", [1e14] = "100000000000000", [0.5] = "0.5", [1e300] = "1e+300",
      [math.huge] = "inf", [1764366405000000.0] = "1764366405000000", [2.0 ^ 53] = "9007199254740992",
      [-2.0 ^ 53] = "-9007199254740992",
    }
    for number, text in pairs(CASES) do
      assert.equal(("*1\r\n$%d\r\n%s\r\n"):format(#text, text), codec.command { number })
      assert.equal(("*1\r\n$%d\r\n%s\r\n"):format(#text, text), codec.command { number + 0.0 })
    end
    assert.equal("*1\r\n$1\r\n0\r\n", codec.command { 0 * -1.5 })
    local folder = process.make_folder()
    finally(function() process.remove_folder(folder) end)
    process.run { "localedef", "-i", "de_DE", "-f", "UTF-8", folder .. "/de_DE.UTF-8" }
    local result = child.run([[
      assert(os.setlocale "de_DE.UTF-8", "the locale is not there")
      io.write(require("hubspot.associations.redis_codec").command { 0.5 })
    ]], { env = { LOCPATH = folder } })
    assert.same({ "*1\r\n$3\r\n0.5\r\n", "" }, { result.stdout, result.stderr })
  end)

  it("refuses what is no word, and as many as no command has", function()
    for _, words in ipairs { { true }, { {} }, { "GET", print } } do
      assert.error_matches(function() codec.command(words) end, "expected a string or a number")
    end
    assert.error(function() codec.command {} end)
    assert.error(function() codec.command({ "x" }, 2) end)
    assert.error(function() codec.command({ "x" }, 2 ^ 40) end)
    local long = ("x"):rep(64 * 1024 * 1024)
    local words = {}
    for index = 1, 9 do words[index] = long end
    assert.error_matches(function() codec.command(words) end, "512 MiB")
  end)
end)

describe("a reader of Redis's replies", function()
  local ALL = "+OK\r\n-ERR it\r\n:-12\r\n$-1\r\n$0\r\n\r\n$5\r\na\r\n\0b\r\n*-1\r\n*0\r\n"
    .. "*3\r\n:1\r\n*2\r\n+x\r\n$-1\r\n-E\r\n"
  local REPLIES = {
    "OK", { error = "ERR it" }, -12, false, "", "a\r\n\0b", false, {}, { 1, { "x", false }, { error = "E" } },
  }

  it("has all kinds of them, wherever they are cut", function()
    for size = 1, #ALL do assert.same(REPLIES, (read_all(new_reader(), ALL, size))) end
  end)

  it("has an array of an array of an array", function()
    local nested = ("*1\r\n"):rep(7) .. ":5\r\n"
    assert.same({ { { { { { { { 5 } } } } } } } }, (read_all(new_reader(), nested, 3)))
  end)

  it("has whole numbers as Lua has them", function()
    local replies = read_all(new_reader(), ":9007199254740993\r\n:9223372036854775807\r\n", 100)
    local whole = math.type and "9007199254740993" or "9.007199254741e+15"
    assert.equal(whole, tostring(replies[1]))
  end)

  -- No reply of Redis.
  for name, bytes in pairs {
    ["a response of HTTP"] = "HTTP/1.1 400 Bad Request\r\n\r\n",
    ["an alert of TLS"] = "\21\3\3\0\2\2\80",
    ["a length that is no number"] = "$x\r\n",
    ["a length below -1"] = "$-2\r\n",
    ["a length beyond all numbers"] = "$99999999999999999999\r\n",
    ["a count beyond all numbers"] = "*99999999999999999999\r\n",
    ["a count of 4 milliards"] = "*4294967296\r\n",
    ["a text that is longer than its length"] = "$3\r\nabcd\r\n",
    ["a line with a line feed"] = "+a\nb\r\n",
    ["an integer that is none"] = ":1x\r\n",
    ["arrays that are nested 9 deep"] = ("*1\r\n"):rep(9),
    ["a map of RESP3"] = "%1\r\n+a\r\n+b\r\n",
    ["a boolean of RESP3"] = "#t\r\n",
    ["a double of RESP3"] = ",1.5\r\n",
    ["a null of RESP3"] = "_\r\n",
    ["a text of RESP3"] = "=5\r\ntxt:a\r\n",
    ["what RESP3 pushes"] = ">1\r\n+a\r\n",
    ["a kind of RESP3 in an array"] = "*2\r\n:1\r\n#t\r\n",
  } do
    it("says so of " .. name, function()
      local replies, why = read_all(new_reader(), bytes, 5)
      assert.same({}, replies)
      assert.is_string(why)
    end)
  end

  it("takes no memory for what a server only announces", function()
    local before = collectgarbage "count"
    local reader = new_reader(1000)
    assert.is_true(reader:feed "*2147483647\r\n*2147483647\r\n$536870000\r\nabc")
    assert.is_false(reader:next())
    assert.is_true(collectgarbage "count" - before < 100)
    local fed, why = reader:feed(("x"):rep(1000))
    assert.same({ nil, "a reply is over the limit of its size" }, { fed, why })
  end)

  it("refuses a reply that takes much memory for few bytes", function()
    local reader = new_reader(64 * 1024 * 1024)
    assert.is_true(reader:feed("*5000000\r\n" .. ("+\r\n"):rep(5000000)))
    local has, why = reader:next()
    assert.same({ nil, "string" }, { has, type(why) })
    assert.equal("a reply has more than 4,194,304 elements", why)
    reader = new_reader(64 * 1024 * 1024)
    for _ = 1, 5 do
      assert.is_true(reader:feed("*1000000\r\n" .. ("+\r\n"):rep(1000000)))
      assert.is_true((reader:next()))
    end
  end)

  it("counts its limit for each reply, and not for what comes in one go", function()
    local reader = new_reader(100)
    local replies = read_all(reader, ("$60\r\n" .. ("x"):rep(60) .. "\r\n"):rep(10), 70)
    assert.equal(10, #replies)
    replies = read_all(reader, "$99\r\n" .. ("x"):rep(99), 10)
    assert.same({}, replies)
  end)

  it("keeps nothing of a large reply", function()
    local bytes = "$8388608\r\n" .. ("x"):rep(8388608) .. "\r\n:1\r\n"
    local before, readers = resources.resident(), {}
    for index = 1, 20 do
      readers[index] = new_reader()
      local replies = read_all(readers[index], bytes, 1024 * 1024)
      assert.same({ 8388608, 1 }, { #replies[1], replies[2] })
    end
    resources.collect()
    local grown = resources.resident() - before
    assert.is_true(grown < 80 * 1024 or resources.is_checked(), grown)
  end)

  it("passes on what its function for errors raises, and is of no more use", function()
    local reader = codec.reader(function() error("no errors today", 0) end)
    reader:feed "-ERR\r\n+OK\r\n"
    assert.error_matches(function() reader:next() end, "no errors today")
    assert.error(function() reader:next() end)
  end)

  it("reads bytes without sense as a plain reader does, wherever they are cut", function()
    local seed = tonumber(os.getenv "SEED") or os.time()
    local draw = random.new(seed)
    local PARTS = {
      "*", "$", ":", "+", "-", "\r\n", "\r", "\n", "1", "2", "0", "9", "x", "\0", "*2\r\n", "$3\r\nabc\r\n",
    }
    for round = 1, 3000 do
      local parts = {}
      for index = 1, draw:integer(1, 40) do parts[index] = draw:pick(PARTS) end
      local bytes = table.concat(parts)
      local size = draw:integer(1, 20)
      local replies, why = read_all(new_reader(1000), bytes, size)
      local expected, expected_why = resp2.read_all(bytes)
      assert.same(expected, replies, ("SEED=%d, round %d"):format(seed, round))
      assert.equal(type(expected_why), type(why), ("SEED=%d, round %d"):format(seed, round))
    end
  end)
end)
