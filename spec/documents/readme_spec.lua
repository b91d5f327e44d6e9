-- Checks the documentation against the code: every block of README.md and docs/ is run as its reader would
-- run it, against the sandbox, and the tables name what there is. Never judges the prose. The files of
-- docs/hosts.md are only compiled here: spec/hosts/docs_spec.lua runs them, in their hosts.

local arguments = require "hubspot.associations.cli.arguments"
local checkout = require "support.checkout"
local command = require "support.command"
local documents = require "support.documents"
local endpoints = require "hubspot.associations.api.endpoints"
local error_kinds = require "hubspot.associations.error_kinds"
local faults = require "hubspot.associations.sandbox.faults"
local names_in = require "support.names"
local options = require "hubspot.associations.options"
local process = require "support.process"
local rate_limit = require("hubspot.associations.api.rate_limit").read
local sandbox = require "support.sandbox"
local sandbox_options = require "hubspot.associations.sandbox.options"

local collect, names_of = names_in.collect, names_in.of

local EXAMPLE_ADDRESS = "http://127.0.0.1:8080" -- stands for the sandbox in the blocks

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
  ["make static LUA_VERSION=5.4\n"
    .. "cc -o link link.c build/5.4/libhubspot-associations.a "
    .. "$(pkg-config --cflags --libs lua5.4 libcurl) -Wl,-E\n"
    .. 'LUA_PATH="$PWD/lua/?.lua;;" ./link'] = true,
}

-- ---- reading the documents ----

local read = checkout.read

local DOCUMENTS = checkout.files "README.md docs -name '*.md'"

local BLOCKS = {}
for _, document in ipairs(DOCUMENTS) do
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

-- The text between a heading and the next of its rank.
local function section(document, heading)
  local text = "\n" .. read(document) .. "\n## "
  local _, stop = text:find("\n" .. heading .. "\n", 1, true)
  assert(stop, document .. " has no section " .. heading)
  return text:sub(stop, (text:find("\n## ", stop, true)))
end

-- The rows of a section's tables: what stands in back quotes in the first cell -> the second cell.
local function rows_of(text)
  local rows = {}
  for first, second in text:gmatch "\n| (`[^|]*) | ([^|]*) |" do
    for name in first:gmatch "`([^`]*)`" do rows[name] = second end
  end
  return rows
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
  types:* | sandbox:*) ;;
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
  local account, folder

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
    return (block.text:gsub(EXAMPLE_ADDRESS:gsub("%W", "%%%0"), (account:url():gsub("%%", "%%%%")))
      :gsub("(server%.listen {.-port = 0) }", "%1, shutdown_on_eof = true }"))
  end

  setup(function()
    account = sandbox.start { labels = { ["36"] = "Decision maker" } }
  end)

  teardown(function()
    account:close()
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
    write("prelude.lua", PRELUDE)
    write("block.lua", here(block) .. "\n")
    if block.text:find "\ndescribe%(" then
      return run(process.interpreter(), HERE .. "spec/support/busted.lua", "block.lua")
    end
    return run(process.interpreter(), "-e", 'dofile "prelude.lua"', "block.lua")
  end

  function RUN.sh(block)
    if NOT_RUN[block.text] then return end
    return run("sh", "-euc", here(block))
  end

  function RUN.csv() end -- a file for other blocks

  -- What spec/hosts/docs_spec.lua runs.
  function RUN.c(block) assert(block.file) end
  RUN.nginx, RUN.haproxy = RUN.c, RUN.c

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

  it("names only files that exist", function()
    for _, document in ipairs(DOCUMENTS) do
      local base = document:match "^.*/" or ""
      for target in read(document):gmatch "%]%(([^)#]+)%)" do
        if not target:find "^https?:" then
          assert(io.open(checkout.ROOT .. base .. target), document .. " links to " .. target):close()
        end
      end
      if document ~= "README.md" then
        local link = "](" .. document .. ")"
        assert.truthy(read "README.md":find(link, 1, true), document .. " is found by no link")
      end
    end
  end)

  it("has a heading for each link within the README", function()
    local anchors = {}
    for heading in ("\n" .. read "README.md"):gmatch "\n##+ ([^\n]*)" do
      anchors[heading:lower():gsub("[^%w%s%-]", ""):gsub(" ", "-")] = true
    end
    for anchor in read "README.md":gmatch "%]%(#([^)]*)%)" do
      assert.truthy(anchors[anchor], "no heading for #" .. anchor)
    end
  end)
end)

-- ---- tables ----

-- The options that a table of options.lua declares.
local function declared_options(name)
  local text = read "lua/hubspot/associations/options.lua"
  local declared = assert(text:match("\nlocal " .. name .. " = (%b{})"), "no options " .. name)
  local names = {}
  for option in declared:gmatch "\n  ([%w_]+) = {" do names[option] = true end
  return names
end

-- A default as the README has it.
local function shown(value)
  if type(value) == "boolean" then return ("`%s`"):format(tostring(value)) end
  return "`" .. (type(value) == "string" and ("%q"):format(value) or ("%d"):format(value)) .. "`"
end

local function assert_options(rows, declared, defaults)
  assert.same(names_of(declared), names_of(rows))
  for name in pairs(declared) do
    local default = rows[name]
    if defaults[name] ~= nil then
      assert.equal(shown(defaults[name]), default, name)
    else
      assert.is_nil(default:find "`", name .. " has no default")
    end
  end
end

-- The flags that a text names.
local function flags_in(text)
  local flags = {}
  collect(flags, text, "%f[%w%-](%-%-%l[%l%-]*)")
  return flags
end

describe("the README's table of", function()
  it("the client's options has all of them, with their defaults", function()
    assert_options(rows_of(section("README.md", "## Options")), declared_options "CLIENT",
      options.read { token = nil })
  end)

  it("calls has the method of each endpoint, and a call has no other", function()
    local expected, found = {}, {}
    for name in pairs(endpoints) do expected[name] = true end
    for signature in pairs(rows_of(section("README.md", "## One call"))) do
      local name = signature:match "^client:([%l_]+)%("
      if name then found[name] = true end
    end
    assert.same(expected, found)
  end)

  it("a job's options has all of them, with their defaults", function()
    local rows = rows_of(section("README.md", "## Jobs"))
    assert_options(rows, declared_options "JOB", options.read_job({}, "client:create_all", 2))
  end)

  it("error kinds says of each what the registry does", function()
    local expected, found = {}, {}
    local again = { [true] = "yes", [false] = "no", depends = "[some](#what-is-tried-again)" }
    for name, kind in pairs(error_kinds) do
      expected[name] = ("| `%s` | %s | %s | %s |"):format(
        name, kind.happened, kind.advice or "nothing", again[kind.retryable]
      )
    end
    local rows = section("README.md", "## Errors"):match "\n| kind |.*"
    for row, name in rows:gmatch "\n(| `([%l_]+)` [^\n]*)" do found[name] = row end
    assert.same(expected, found)
  end)

  it("error fields has all that the error's class declares", function()
    local rows = rows_of(section("README.md", "## Errors"))
    for field in read "lua/hubspot/associations/errors.lua":gmatch "%-%-%-@field ([%w_]+)" do
      assert.truthy(rows[field], "the field " .. field)
    end
  end)

  it("error fields has all of HubSpot's that an error keeps", function()
    local kept, shown_there = {}, {}
    local code = read "lua/hubspot/associations/api/response.lua"
    collect(kept, code:match "\nlocal KEPT_FIELDS = (%b{})", '"(%w+)"')
    collect(shown_there, section("README.md", "## Errors"):match "\n| (`category`[^|]*) |", "`(%w+)`")
    assert.same(names_of(kept), names_of(shown_there))
  end)

  it("the report has all that its class declares", function()
    local text = section("README.md", "## Jobs")
    local code = read "lua/hubspot/associations/job/job.lua"
    local class = code:match "@class hubspot.associations.Report\n(.-)\n\n"
    for field in class:gmatch "%-%-%-@field ([%w_]+)" do
      assert.truthy(text:find("`" .. field .. "`", 1, true), "the field " .. field)
    end
  end)

  it("make's targets names only such as there are", function()
    local targets = {}
    collect(targets, read "Makefile", "\n([%l-]+):[^\n]*##")
    for target in section("README.md", "## Development"):gmatch "`make ([%l-]+)" do
      assert.truthy(targets[target], "make " .. target)
    end
  end)

  it("the commands, and of their flags, has all that there are, and no others", function()
    local text = section("README.md", "## The command")
    local commands, known, rows = {}, {}, {}
    for name in arguments.parse({ "--help" }, "1").text:match "\nCommands:\n(.*)":gmatch "\n?   ([%l-]+) " do
      commands[#commands + 1] = name
      local help = name ~= "sandbox" and assert(arguments.parse({ name, "--help" }, "1")).text or ""
      local listed = help:match "\nOptions:\n(.-)\n\n%u" or help -- without the examples
      for flag in pairs(flags_in(listed)) do known[flag] = true end
    end
    known["--help"] = nil
    for row in pairs(rows_of(text)) do
      for flag in pairs(flags_in(row)) do rows[flag] = true end
    end
    assert.same(names_of(known), names_of(rows))
    assert.is_true(#commands >= 9)
    for _, name in ipairs(commands) do
      assert.truthy(text:find("\n| `" .. name .. "` |", 1, true), name)
    end
  end)
end)

describe("the README's list of", function()
  it("the rate limit's fields has all that there are", function()
    local headers = {}
    collect(headers, read "lua/hubspot/associations/api/rate_limit.lua", '"(x%-hubspot%-ratelimit%-[%l-]+)"')
    for header in pairs(headers) do headers[header] = "1" end
    local names = {}
    collect(names, section("README.md", "## One call"):match "`rate_limit` (%b())", "`([%l_]+)`")
    assert.same(names_of(rate_limit(headers)), names_of(names))
  end)
end)

describe("the page on hosts", function()
  it("names all loops, and no others", function()
    local there = {}
    for _, path in ipairs(checkout.lines "ls lua/hubspot/associations/loop/*.lua") do
      local name = path:match "([%w_]+)%.lua$"
      there["hubspot.associations.loop." .. name] = true
    end
    assert.same(names_of(there), names_of(rows_of(read "docs/hosts.md")))
  end)
end)

describe("the sandbox's page", function()
  it("has all options of the account but its clock and its luck", function()
    local rows = rows_of(section("docs/sandbox.md", "## Options"))
    for name in pairs(rows) do
      assert.truthy(sandbox_options.check { [name] = sandbox_options.DEFAULT }, name .. " is an option")
    end
    local given = { now = os.time, random = math.random }
    for name in pairs(sandbox_options.new(given)) do
      assert.truthy(rows[name] or given[name], "the option " .. name)
    end
    local declared = read "lua/hubspot/associations/sandbox/options.lua":match "\nlocal DEFINITIONS = (%b{})"
    for name in declared:gmatch "\n  ([%w_]+) = {" do
      assert.truthy(rows[name] or given[name], "the option " .. name)
    end
  end)

  it("has all faults, and no others", function()
    assert.same(faults.kinds(), names_of(rows_of(section("docs/sandbox.md", "## Faults"))))
  end)
end)
