-- Checks the scanners of src/json_scan.h by spec/core/json_scan.c, compiled as for this machine, and as for one
-- without SSE2; and through core.decode, that a string of any length ends where it does.

local checkout = require "support.checkout"
local core = require "hubspot.associations.core"
local process = require "support.process"

local SEED = os.getenv "SEED" or tostring(os.time() % 1000000)
local COUNT = 20000

-- A sanitizer that is preloaded for the code under test must not run in a compiler.
local CLEAN = { LD_PRELOAD = false }

local function run(argv)
  return process.run(argv, { env = CLEAN })
end

describe("the scanners", function()
  local program
  before_each(function() program = os.tmpname() end)
  after_each(function() os.remove(program) end)

  local function compare(flag)
    local compiler = os.getenv "CC" or "cc"
    if run({ "sh", "-c", "command -v " .. compiler }).code ~= 0 then pending("no " .. compiler) end
    local source = checkout.ROOT .. "spec/core/json_scan.c"
    local built = run { compiler, "-std=c11", "-O2", flag, "-o", program, source }
    assert(built.code == 0, built.stderr)
    local result = run { program, SEED, tostring(COUNT) }
    assert(result.code == 0, ("%s; SEED=%s replays it; %d"):format(result.stdout, SEED, result.code))
    return result.stdout
  end

  it("stop at the first quote or backslash, and read nothing behind the end", function()
    assert.matches("^%w+ %d+\n$", compare "-DHSA_FOR_THIS_MACHINE")
  end)

  it("do so without SSE2", function()
    assert.matches("^portable %d+\n$", compare "-DHSA_PORTABLE")
  end)
end)

describe("a string", function()
  it("of any length is read to its quote, whatever stands behind it", function()
    for length = 0, 70 do
      local text = ("x"):rep(length)
      for _, rest in ipairs { "", ' ,"\\\\"', ' ,"' .. text .. '"' } do
        local list = assert(core.decode('["' .. text .. '"' .. rest .. "]"))
        assert(list[1] == text, length)
      end
    end
  end)

  it("of any length may have an escape anywhere", function()
    for length = 0, 40 do
      for at = 0, length do
        local before, behind = ("x"):rep(at), ("y"):rep(length - at)
        for escape, char in pairs { ['\\"'] = '"', ["\\\\"] = "\\", ["\\u00e9"] = "\195\169" } do
          local list = assert(core.decode('["' .. before .. escape .. behind .. '","z"]'))
          assert(list[1] == before .. char .. behind and list[2] == "z", before .. escape .. behind)
        end
      end
    end
  end)

  it("of any length has to have an end", function()
    for length = 0, 70 do
      local text = '["' .. ("x"):rep(length)
      for _, ending in ipairs { "", "\\", '\\"', "\\\\", "\\u12", "]" } do
        local list, why = core.decode(text .. ending)
        assert.is_nil(list)
        local reason = (ending == "\\" or ending == "\\u12") and "an escape that JSON does not have" or
          "a string without an end"
        assert.equal(reason .. " at byte 3", why)
      end
    end
  end)
end)
