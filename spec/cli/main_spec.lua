-- Checks main.lua and the launcher: what the command does before and around any of its commands.

local cli = require "hubspot.associations.cli.main"
local command = require "support.command"
local process = require "support.process"
local version = require "hubspot.associations.version"

local TOKEN = command.TOKEN

local environment, run, stream = command.environment, command.run, command.stream
local assert_found = command.assert_found

describe("the command", function()
  it("tells its version", function()
    local result = run { "--version" }
    assert.are.same({ code = 0, stdout = "hubspot-associations " .. version .. "\n", stderr = "" }, result)
  end)

  it("loads little to tell its version", function()
    local before, loaded = package.loaded, "hubspot.associations.cli.arguments"
    local kept = before[loaded]
    before[loaded] = nil
    local code = cli.main({ "--version" }, { stdout = stream(), stderr = stream() })
    local is_loaded = before[loaded] ~= nil
    before[loaded] = kept
    assert.are.same({ 0, false }, { code, is_loaded })
  end)

  it("gives help on standard output", function()
    for _, arguments in ipairs { { "--help" }, { "create", "--help" }, { "sandbox", "--help" } } do
      local result = run(arguments)
      assert.are.same({ 0, "" }, { result.code, result.stderr })
      assert_found(result.stdout, "Usage: hubspot-associations")
    end
  end)

  it("ends with 2 and points to the help when it is misused", function()
    local result = run { "destroy" }
    assert.are.same({ 2, "" }, { result.code, result.stdout })
    assert_found(result.stderr, "unknown command 'destroy'")
    assert_found(result.stderr, "try: hubspot-associations --help\n")
    for _, name in ipairs { "create", "sandbox" } do
      assert_found(run({ name, "--nothing" }).stderr, "try: hubspot-associations " .. name .. " --help\n")
    end
  end)

  it("says so when its modules are not in the search path", function()
    local folder = process.make_folder() -- in a checkout, it would find them
    process.run { "cp", command.PATH, folder }
    local result = process.run({ process.interpreter(), folder .. "/hubspot-associations", "--version" },
      { env = environment { LUA_PATH = "/nowhere/?.lua" } })
    process.remove_folder(folder)
    assert.are.equal(2, result.code)
    assert_found(result.stderr, "LUA_PATH")
  end)

  it("finds its modules below any prefix that make install put it in, and in a checkout", function()
    local abi, core = _VERSION:match "%d+%.%d+", nil
    for template in package.cpath:gmatch "[^;]+" do
      local file = io.open((template:gsub("%?", "hubspot/associations/core")))
      if file then
        core = core or template:match "^(.*)/%?"
        file:close()
      end
    end
    local modules = command.PATH:gsub("bin/[^/]*$", "lua")
    local build = rawget(_G, "jit") and "luajit" or abi
    local function without(path, place)
      return (path:gsub("[^;]+", function(template)
        return template:find(place, 1, true) == 1 and "/nowhere/?" or template
      end))
    end
    for there, here in pairs { ["share/lua/" .. abi] = "lib/lua/" .. abi, lua = "build/" .. build } do
      local folder = process.make_folder()
      process.run { "sh", "-c", [[cd "$1" && mkdir -p bin share/lua lib/lua build && cp "$2" bin/ &&
        ln -s "$3" "$5" && ln -s "$4" "$6"]], "sh", folder, command.PATH, modules, core, there, here }
      local result = process.run({ process.interpreter(), folder .. "/bin/hubspot-associations", "create",
        "--from", "a", "--to", "b", "--dry-run", "-" }, { stdin = "1,2,3\n", env = environment {
          LUA_PATH = without(package.path, modules), LUA_CPATH = without(package.cpath, core),
        } })
      process.remove_folder(folder)
      assert.are.same({ 0, "" }, { result.code, result.stderr })
    end
  end)

  it("can be run in a host's process, with the host's streams", function()
    local out, err = stream(), stream()
    local code = cli.main({ "create", "--from", "a", "--to", "b", "--type", "1", "-" }, {
      stdin = { read = function() return nil end }, stdout = out, stderr = err,
      getenv = function() return TOKEN end,
    })
    assert.are.same({ 2, "" }, { code, out.text })
    assert_found(err.text, "standard input: has no rows")
  end)

  it("calls its own mistakes internal errors, in one line", function()
    local out, err = stream(), stream()
    local code = cli.main({ "create", "--from", "a", "--to", "b", "-" }, {
      stdin = { read = function() error "a mistake" end }, stdout = out, stderr = err,
      getenv = function() return TOKEN end,
    })
    assert.are.equal(2, code)
    assert_found(err.text, "internal error")
    assert_found(err.text, "a mistake")
    assert.are.equal(1, select(2, err.text:gsub("\n", "")))
  end)

  it("takes no broken pipe for an error, but every other failure to write", function()
    local err = stream()
    assert.are.equal(0, cli.main({ "--version" }, { stdout = stream { "Broken pipe", 32 }, stderr = err }))
    assert.are.equal("", err.text)
    assert.are.equal(2, cli.main({ "--version" }, { stdout = stream { "No space left", 28 }, stderr = err }))
    assert_found(err.text, "No space left")
  end)
end)
