-- Checks what `make` says to a user: what is missing, by the names of the packages; a warning is no error.
-- And where `make install` puts things.

local checkout = require "support.checkout"
local process = require "support.process"

local ABI = _VERSION:match "%d+%.%d+"
local LUA = rawget(_G, "jit") and "luajit" or ABI
local NAME = LUA == "luajit" and LUA or "lua" .. LUA
local unpack = rawget(_G, "unpack") or table.unpack

-- What `make install` puts below its prefix, but for the Lua files of the parts and the documentation.
local INSTALLED = [[
  bin/hubspot-associations
  include/hubspot-associations.h
  lib/libNAME-hubspot-associations.a
  lib/lua/ABI/hubspot/associations/core.so
  lib/pkgconfig/NAME-hubspot-associations.pc
  share/bash-completion/completions/hubspot-associations
  share/fish/vendor_completions.d/hubspot-associations.fish
  share/lua/ABI/hubspot/associations.lua
  share/man/man1/hubspot-associations.1
  share/zsh/site-functions/_hubspot-associations
]]

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

  it("builds and installs nothing of Redis where there is no hiredis", function()
    for _, goal in ipairs { "all", "install" } do
      local commands = make({}, "-n", "HIREDIS=", goal).stdout
      assert.truthy(commands:find("core.so", 1, true))
      assert.is_nil(commands:find("redis_codec", 1, true))
      assert.truthy(make({}, "-n", "HIREDIS=yes", goal).stdout:find("redis_codec.so", 1, true))
    end
  end)

  it("takes the headers of the hiredis that it links", function()
    process.write_file(folder .. "/hiredis.pc", ([[
Name: hiredis
Description: in a place of its own
Version: 9
Libs: -L%s/lib -lhiredis
Cflags: -I%s/include/hiredis
]]):format(folder, folder))
    local commands = make({ PKG_CONFIG_PATH = folder }, "-n", "all", "BUILD=" .. folder .. "/built").stdout
    assert.truthy(commands:find((" -I%s/include/hiredis/.. "):format(folder), 1, true), commands)
    assert.truthy(commands:find((" -L%s/lib -lhiredis "):format(folder), 1, true))
    assert.is_nil(commands:match "[^\n]*core%.c":find("include/hiredis", 1, true))
  end)

  it("takes a warning for an error only when told so", function()
    assert.is_nil(make({}, "-n", "all").stdout:find("-Werror", 1, true))
    assert.truthy(make({ WERROR = "-Werror" }, "-n", "all").stdout:find("-Werror", 1, true))
    assert.truthy(make({}, "-n", "lint").stdout:find("WERROR=-Werror", 1, true))
    assert.truthy(make({}, "-n", "sanitize").stdout:find("WERROR=-Werror", 1, true))
  end)

  it("leaves out the manual page where Lua cannot make it, and says so", function()
    local result = make({}, "--assume-old=all", "pages", "LUA=" .. NOTHING)
    assert.equal(0, result.code)
    assert.matches("^make: no manual page and completions: ", result.stderr)
    local made = process.run { "find", folder, "-type", "f" }.stdout
    assert.equal("", made)
  end)

  -- Where `make install` puts the files of interest: their paths below DESTDIR.
  local function installed(...)
    local command = { "install", "DESTDIR=" .. folder, ... }
    local changes = {
      MAKEFLAGS = false, MFLAGS = false, MAKEOVERRIDES = false, LD_PRELOAD = false, BUILD = false,
      LUA = false,
    }
    local result = process.run({ "make", "-C", checkout.ROOT, "--no-print-directory", "LUA_VERSION=" .. LUA,
      unpack(command) }, { env = changes })
    assert.equal(0, result.code, result.stderr)
    local places = {}
    local found = process.run { "find", folder, "-type", "f", "(", "-name", "*hubspot-associations*", "-o",
      "-name", "associations.lua", "-o", "-name", "core.so", ")" }
    for path in found.stdout:gmatch "[^\n]+" do places[#places + 1] = path:sub(#folder + 1) end
    table.sort(places)
    return places
  end

  it("installs below PREFIX, or GNU's prefix, or below each of GNU's folders", function()
    local below = {}
    for place in INSTALLED:gmatch "%S+" do
      below[#below + 1] = "/opt/x/" .. place:gsub("NAME", NAME):gsub("ABI", ABI)
    end
    assert.same(below, installed "PREFIX=/opt/x")
    process.run { "rm", "-rf", folder .. "/opt" }
    assert.same(below, installed "prefix=/opt/x")
    process.run { "rm", "-rf", folder .. "/opt" }
    local places = installed("prefix=/no", "exec_prefix=/no", "bindir=/b", "libdir=/l", "includedir=/i",
      "datarootdir=/d")
    for index, place in ipairs(below) do
      below[index] = place:gsub("/opt/x/bin", "/b"):gsub("/opt/x/lib", "/l"):gsub("/opt/x/include", "/i")
        :gsub("/opt/x/share", "/d")
    end
    table.sort(below)
    assert.same(below, places)
    local pc = process.read_file(folder .. "/l/pkgconfig/" .. NAME .. "-hubspot-associations.pc")
    assert.matches("\nlibdir=/l\nincludedir=/i\n", pc)
    assert.is_nil(pc:find("@", 1, true))
    local launcher = process.read_file(folder .. "/b/hubspot-associations")
    assert.truthy(launcher:find("../share/lua/", 1, true) and launcher:find("../lib/lua/", 1, true))
    assert.is_nil(launcher:find("%.%./lua") or launcher:find("%.%./build")) -- of a checkout
  end)
end)
