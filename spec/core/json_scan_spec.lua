-- Checks the scanners of src/json_scan.h by spec/core/json_scan.c, compiled as for this machine, and without
-- SSE2; and through core.decode, that a string of any length ends where it does.

local c_program = require "support.c_program"
local core = require "hubspot.associations.core"

local SEED = os.getenv "SEED" or tostring(os.time() % 1000000)
local COUNT = "20000"

describe("the scanners", function()
  local function compare(flag)
    local compared, result = pcall(c_program.run, { "spec/core/json_scan.c" }, { flag }, { SEED, COUNT })
    assert(compared, ("%s; SEED=%s replays it"):format(tostring(result), SEED))
    if not result then pending "no C compiler" end
    return result
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
