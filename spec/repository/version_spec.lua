-- Checks that the version is the same wherever it shows, and that the rockspecs name what is there.
-- Reads files of the checkout only.

local checkout = require "support.checkout"
local core = require "hubspot.associations.core"
local version = require "hubspot.associations.version"

local files, read = checkout.files, checkout.read

-- A rockspec's globals.
local function rockspec(path)
  local globals = {}
  local chunk
  if rawget(_G, "setfenv") then -- Lua 5.1
    chunk = assert(load(read(path):gmatch ".+", "=" .. path))
    rawget(_G, "setfenv")(chunk, globals)
  else
    chunk = assert(load(read(path), "=" .. path, "t", globals))
  end
  chunk()
  return globals
end

describe("the version", function()
  it("is of the form that LuaRocks and semantic versioning share", function()
    assert.truthy(version:find "^%d+%.%d+%.%d+$")
  end)

  it("is the same in Lua, in C and on the public face", function()
    assert.equal(version, core.VERSION)
    assert.equal(version, require("hubspot.associations").VERSION)
  end)

  it("stands where the Makefile looks for it", function()
    local source = read "lua/hubspot/associations/version.lua"
    assert.equal(version, ("\n" .. source):match '\nreturn "(.-)"\n')
  end)

  it("is that of the newest entry of the changelog, and of the Debian package", function()
    assert.equal(version, read "CHANGELOG.md":match "\n## %[(%d[^%]]*)%] %- %d%d%d%d%-%d%d%-%d%d\n")
    assert.equal(version, read "debian/changelog":match "^hubspot%-associations %((.-)%-%d+%)")
  end)

  it("of libcurl is told", function()
    assert.truthy(core.LIBCURL_VERSION:find "^%d+%.%d+%.%d+")
    assert.truthy(core.LIBCURL_TLS:find "^%a+/%d")
    for _, name in ipairs { "LIBCURL_CA_FILE", "LIBCURL_CA_PATH" } do
      local path = core[name]
      assert.truthy(path == nil or path:find "^/", path)
    end
  end)
end)

describe("the rockspecs", function()
  local paths = files "rockspec -name '*.rockspec'"

  it("are there, the one for a checkout among them", function()
    assert.truthy(table.concat(paths, " "):find("rockspec/hubspot-associations-scm-1.rockspec", 1, true))
  end)

  it("are named for the package and version in them", function()
    for _, path in ipairs(paths) do
      local rock = rockspec(path)
      assert.equal("hubspot-associations", rock.package, path)
      assert.equal(("rockspec/%s-%s.rockspec"):format(rock.package, rock.version), path)
    end
  end)

  it("are of this version or an older one", function()
    for _, path in ipairs(paths) do
      local rock = rockspec(path)
      local released = rock.version:match "^(.-)%-%d+$"
      assert.truthy(released, path)
      if released ~= "scm" then
        local function comparable(text)
          return ("%05d.%05d.%05d"):format(text:match "^(%d+)%.(%d+)%.(%d+)$")
        end
        assert.is_true(comparable(released) <= comparable(version), path)
      end
    end
  end)

  it("ask for a Lua that this is written for, and for lua-cjson where a file needs it", function()
    for _, path in ipairs(paths) do
      local dependencies = table.concat(rockspec(path).dependencies, "\n")
      assert.truthy(dependencies:find "lua >= 5%.[1-4]", path)
      for _, file in ipairs(files "lua -name '*.lua'") do
        if read(file):find 'require "cjson"' then
          assert.truthy(dependencies:find("lua-cjson", 1, true), path .. " " .. file)
        end
      end
      assert.equal("MIT", rockspec(path).description.license, path)
    end
  end)

  it("build every module that is there", function()
    for _, path in ipairs(paths) do
      local build = rockspec(path).build
      if build.type == "builtin" then
        for _, file in ipairs(files "lua -name '*.lua'") do
          local name = file:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/", ".")
          assert.equal(file, build.modules[name], path)
        end
        assert.truthy(build.modules["hubspot.associations.core"], path)
      else
        -- make finds them itself: the rockspec names the targets and where they are installed.
        assert.equal("make", build.type, path)
        for _, name in ipairs { "INST_BINDIR", "INST_LUADIR", "INST_LIBDIR" } do
          assert.truthy(build.install_variables[name], path .. ": " .. name)
          assert.truthy(read("Makefile"):find("\n" .. name .. " *="), name)
        end
      end
    end
  end)
end)
