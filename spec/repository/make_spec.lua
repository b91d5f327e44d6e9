-- Checks what `make` says to a user: what is missing, by the names of the packages; a warning is no error.

local checkout = require "support.checkout"
local process = require "support.process"

describe("make", function()
  local folder

  before_each(function() folder = process.make_folder() end)
  after_each(function() process.remove_folder(folder) end)

  local function make(env, ...)
    local changes = { MAKEFLAGS = false, MFLAGS = false, LD_PRELOAD = false, WERROR = false, CC = false }
    for name, value in pairs(env) do changes[name] = value end
    return process.run({ "make", "-C", checkout.ROOT, "--no-print-directory", "BUILD=" .. folder .. "/build",
      "LUA_VERSION=5.4", ... }, { env = changes })
  end

  local NOTHING = "/nonexistent"

  -- what is not there: environment, arguments of make; what is named
  local CASES = {
    ["no compiler"] = { {}, "CC=" .. NOTHING, " gcc$" },
    ["no compiler and no headers"] = { { PKG_CONFIG_LIBDIR = NOTHING }, "CC=" .. NOTHING,
      " gcc libcurl4%-openssl%-dev liblua5%.4%-dev$" },
    ["no headers of Lua"] = { {}, "LUA_INCDIR=" .. NOTHING, " liblua5%.4%-dev$" },
  }

  for name, case in pairs(CASES) do
    it("names the packages where there is " .. name, function()
      local result = make(case[1], case[2])
      assert.is_true(result.code ~= 0)
      local said = result.stderr:match "^make: to build, these are missing %(by Debian's names%):([^\n]*)\n"
      assert.matches(case[3], said or result.stderr)
      assert.is_nil(result.stderr:find("No such file", 1, true))
    end)
  end

  it("takes a warning for an error only when told so", function()
    assert.is_nil(make({}, "-n", "all").stdout:find("-Werror", 1, true))
    assert.truthy(make({ WERROR = "-Werror" }, "-n", "all").stdout:find("-Werror", 1, true))
    assert.truthy(make({}, "-n", "lint").stdout:find("WERROR=-Werror", 1, true))
    assert.truthy(make({}, "-n", "sanitize").stdout:find("WERROR=-Werror", 1, true))
  end)
end)
