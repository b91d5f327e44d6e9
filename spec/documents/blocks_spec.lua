-- Checks the documentation against the code: every block of its pages is run as its reader would run it,
-- against the sandbox. Never judges the prose. The files of docs/hosts.md are only compiled here:
-- spec/hosts/docs_spec.lua runs them, in their hosts. Blocks that need a Redis have one of their own, where
-- there is redis-server: `make test-fleet`.

local checkout = require "support.checkout"
local command = require "support.command"
local documents = require "support.documents"
local process = require "support.process"
local redis_server = require "support.redis_server"
local sandbox = require "support.sandbox"

local EXAMPLE_ADDRESS = "http://127.0.0.1:8080" -- stands for the sandbox in the blocks
local REDIS_ADDRESS = "redis://127.0.0.1:6379" -- stands for a Redis of the spec
local FLEET = "docs/fleet.md" -- whose blocks need one

-- Blocks that change the machine, are what runs this spec, or are run by that of the hosts.
local NOT_RUN = {
  ["make demo"] = true,
  ["make test"] = true,
  ["sudo apt-get install build-essential pkg-config libcurl4-openssl-dev lua5.4 liblua5.4-dev luarocks\n"
    .. "sudo luarocks --lua-version=5.4 make"] = true,
  ["sudo apt-get install build-essential pkg-config libcurl4-openssl-dev lua5.4 liblua5.4-dev lua-cjson "
    .. "lua-argparse\nmake && sudo make install"] = true,
  ["sudo apt-get install build-essential pkg-config libcurl4-openssl-dev luajit2 libluajit2-5.1-dev "
    .. "lua-cjson lua-argparse\nmake LUA_VERSION=luajit && sudo make install LUA_VERSION=luajit"] = true,
  ["cc -o link link.c $(pkg-config --cflags --libs lua5.4-hubspot-associations) -Wl,-E\n./link"] = true,
  ["hubspot-associations --completion bash >~/.local/share/bash-completion/completions/hubspot-associations\n"
    .. "hubspot-associations --completion zsh >~/.zfunc/_hubspot-associations "
    .. "# with fpath=(~/.zfunc $fpath) before compinit\n"
    .. "hubspot-associations --completion fish >~/.config/fish/completions/hubspot-associations.fish"] = true,
  ["sudo apt-get install libhiredis-dev redis-server\nmake && sudo make install"] = true,
  ["make dist RELEASES=https://example.com/releases\nmake distcheck"] = true,
  ["make deb\nsudo apt-get install ./build/deb/hubspot-associations_*.deb "
    .. "./build/deb/lua-hubspot-associations_*.deb"] = true,
  ["make install prefix=/usr libdir=/usr/lib64 DESTDIR=/tmp/image LUA_VERSION=5.4"] = true,
  ["cc -o link link.c $(pkg-config --cflags --libs lua5.4) -Wl,-E\n./link"] = true,
}

-- ---- reading the documents ----

local BLOCKS = {}
for _, document in ipairs(documents.PAGES) do
  for _, block in ipairs(documents.blocks(document)) do BLOCKS[#BLOCKS + 1] = block end
end

-- The first block of a language that the README has.
local function first_block(language)
  for _, block in ipairs(BLOCKS) do
    if block.language == language then return block end
  end
end

-- The pairs.csv of a block: the one that its section shows first, else the first of all.
local function pairs_for(block)
  for _, other in ipairs(BLOCKS) do
    local is_near = other.document == block.document and other.section == block.section
    if other.language == "csv" and is_near then return other.text end
  end
  return first_block "csv".text
end

-- The export.csv of a block: the one that its section shows last, where there is one.
local function export_for(block)
  local text = ""
  for _, other in ipairs(BLOCKS) do
    local is_near = other.document == block.document and other.section == block.section
    if other.language == "csv" and is_near then text = other.text end
  end
  return text
end

-- ---- running the blocks ----

local HERE = checkout.lines "pwd"[1] .. "/"

-- A search path that holds in any folder.
local function absolute(path)
  return (path:gsub("[^;]+", function(template)
    return template:sub(1, 1) == "/" and template or HERE .. template:gsub("^%./", "")
  end))
end

-- What runs before a Lua block: it sends every client to the sandbox, catches slips, and gives the client and
-- the check of the first example, with which the further ones go on.
local PRELUDE = [[
local associations = require "hubspot.associations"
local new = associations.new
function associations.new(given)
  local changed = {}
  for name, value in pairs(given) do changed[name] = value end
  changed.base_url = os.getenv "SANDBOX"
  return new(changed)
end
check = associations.check
client = check(associations.new { token = os.getenv "HUBSPOT_TOKEN" })
setmetatable(_G, {
  __newindex = function(globals, name, value)
    if name ~= "arg" then error("a global variable: " .. name, 2) end -- the interpreter's own
    rawset(globals, name, value)
  end,
})
]]

-- The command on the PATH: as it is, but for where the service is, and on which port a sandbox listens.
local SHIM = [[
#!/bin/sh
case $1:$* in
  types:* | sandbox:* | queue:* | retry-failed:*) ;;
  *:*--base-url*) ;;
  *) set -- "$@" --base-url "$SANDBOX" ;;
esac
case $1:$* in
  "sandbox:sandbox --port 8080") set -- sandbox --port 0 --until-eof ;;
esac
exec "$LUA" "$COMMAND" "$@"
]]

-- curl hangs under a sanitizer that is preloaded for the code under test.
local CURL = [[
#!/bin/sh
PATH=${PATH#*:}
exec env -u LD_PRELOAD curl "$@"
]]

local compile = rawget(_G, "loadstring") or load

describe("the documentation", function()
  local account, folder, server
  local no_redis = redis_server.missing()

  local function write(name, text)
    process.write_file(folder .. "/" .. name, text)
  end

  -- Runs a program in the folder.
  local function run(...)
    local env = command.environment {
      LUA_PATH = absolute(package.path), LUA_CPATH = absolute(package.cpath), LUA_INIT = false,
      SANDBOX = account:url(), LUA = process.interpreter(),
      COMMAND = HERE .. "bin/hubspot-associations", PATH = folder .. "/bin:" .. os.getenv "PATH",
    }
    return process.run({ "sh", "-c", 'cd "$0" && exec timeout 60 "$@"', folder, ... }, { env = env })
  end

  -- A block with the sandbox's address; and one that serves ends when its standard input does, which is here.
  local function here(block)
    local redis = server and server:url() or REDIS_ADDRESS
    local text = block.text:gsub(REDIS_ADDRESS:gsub("%W", "%%%0"), (redis:gsub("%%", "%%%%")))
    return (text:gsub(EXAMPLE_ADDRESS:gsub("%W", "%%%0"), (account:url():gsub("%%", "%%%%")))
      :gsub("(server%.listen {.-port = 0) }", "%1, shutdown_on_eof = true }"))
  end

  setup(function()
    account = sandbox.start { labels = { ["36"] = "Decision maker" } }
    if not no_redis then server = redis_server.start() end
  end)

  teardown(function()
    account:close()
    if server then server:close() end
  end)

  before_each(function()
    account:reset()
    folder = process.make_folder()
    process.run { "mkdir", folder .. "/bin" }
    write("bin/hubspot-associations", SHIM)
    write("bin/curl", CURL)
    process.run { "chmod", "+x", folder .. "/bin/hubspot-associations", folder .. "/bin/curl" }
  end)

  after_each(function()
    process.remove_folder(folder)
  end)

  -- Whether an output is as a block has it, in which … stands for anything within a line.
  local function is_like(expected, output)
    local pattern = expected:gsub("%W", function(byte)
      return byte:find "[%c\128-\255]" and byte or "%" .. byte
    end)
    return output:find("^" .. pattern:gsub("…", "[^\n]*") .. "$") ~= nil
  end

  local RUN = {}

  function RUN.lua(block)
    local name = ("@%s:%d"):format(block.document, block.line)
    assert(compile(block.text, name))
    if block.text:find "^%-%- host\n" or block.file then return end
    if block.document == FLEET and not server then return end
    write("prelude.lua", PRELUDE)
    write("block.lua", here(block) .. "\n")
    if block.text:find "\ndescribe%(" then
      return run(process.interpreter(), HERE .. "spec/support/busted.lua", "block.lua")
    end
    return run(process.interpreter(), "-e", 'dofile "prelude.lua"', "block.lua")
  end

  function RUN.sh(block)
    if NOT_RUN[block.text] or block.document == FLEET and not server then return end
    return run("sh", "-euc", here(block))
  end

  function RUN.csv() end -- a file for other blocks

  -- What spec/hosts/docs_spec.lua runs.
  function RUN.c(block) assert(block.file) end
  RUN.nginx, RUN.haproxy = RUN.c, RUN.c

  -- A unit of systemd: what it starts, until the queue is empty.
  function RUN.ini(block)
    local words = assert(block.text:match "\nExecStart=%S+/(hubspot%-associations %C+)\n")
    if not server then return end
    return run("sh", "-euc", ('HUBSPOT_REDIS="%s" exec %s --until-empty'):format(server:url(), words))
  end

  function RUN.text() end -- output of nothing that is run here

  for _, block in ipairs(BLOCKS) do
    local first = block.text:match "^[^\n]*"
    it(("holds in %s, line %d: %s"):format(block.document, block.line, first), function()
      local runner = assert(RUN[block.language], "no block is in the language " .. block.language)
      write("pairs.csv", pairs_for(block) .. "\n")
      write("export.csv", export_for(block) .. "\n")
      local result = runner(block)
      if not result then return end
      assert.equal(0, result.code, result.stdout .. result.stderr)
      assert.is_nil((result.stdout .. result.stderr):find(command.TOKEN, 1, true))
      if block.output and not is_like(block.output, result.stdout) then
        assert.equal(block.output, result.stdout)
      end
    end)
  end

  it("begins with an example that creates associations", function()
    local result = RUN.lua(first_block "lua")
    assert.equal("101\tis linked to\t202\n102\tis linked to\t203\n", result.stdout)
    assert.equal(2, #account:associations())
  end)

  it("fails for a block that does not run", function()
    local broken = RUN.lua { text = "client:creat()", document = "a block", line = 1 }
    assert.is_not.equal(0, broken.code)
    assert.is_not.equal(0, RUN.sh { text = "hubspot-associations creat" }.code)
  end)
end)
