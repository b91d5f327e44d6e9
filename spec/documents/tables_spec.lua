-- Compares the tables of the documentation with the code.

local arguments = require "hubspot.associations.cli.arguments"
local checkout = require "support.checkout"
local error_kinds = require "hubspot.associations.error_kinds"
local faults = require "hubspot.associations.sandbox.faults"
local names_in = require "support.names"
local rate_limit = require("hubspot.associations.api.rate_limit").read
local sandbox_options = require "hubspot.associations.sandbox.options"

local collect, names_of = names_in.collect, names_in.of
local read = checkout.read

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

-- The flags that a text names.
local function flags_in(text)
  local flags = {}
  collect(flags, text, "%f[%w%-](%-%-%l[%l%-]*)")
  return flags
end

describe("the table of", function()
  it("error kinds says of each what the registry does", function()
    local expected, found = {}, {}
    local again = { [true] = "yes", [false] = "no", depends = "[some](guarantees.md#what-is-tried-again)" }
    for name, kind in pairs(error_kinds) do
      expected[name] = ("| `%s` | %s | %s | %s |"):format(
        name, kind.happened, kind.advice or "nothing", again[kind.retryable]
      )
    end
    local rows = section("docs/errors.md", "## Kinds")
    for row, name in rows:gmatch "\n(| `([%l_]+)` [^\n]*)" do found[name] = row end
    assert.same(expected, found)
  end)

  it("error kinds in the README has each of them once", function()
    local expected, found = {}, {}
    for name in pairs(error_kinds) do expected[#expected + 1] = name end
    for first in section("README.md", "## Errors"):gmatch "\n| (`[^|]*) |" do
      for name in first:gmatch "`([%l_]+)`" do found[#found + 1] = name end
    end
    table.sort(expected)
    table.sort(found)
    assert.same(expected, found)
  end)

  it("make's targets names only such as there are", function()
    local targets = {}
    collect(targets, read "Makefile", "\n([%l-]+):[^\n]*##")
    for target in read "CONTRIBUTING.md":gmatch "`make ([%l-]+)" do
      assert.truthy(targets[target], "make " .. target)
    end
  end)

  it("the commands, and of their flags, has all that there are, and no others", function()
    local text = read "docs/command.md"
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

describe("the list of", function()
  it("the rate limit's fields has all that there are", function()
    local headers = {}
    collect(headers, read "lua/hubspot/associations/api/rate_limit.lua", '"(x%-hubspot%-ratelimit%-[%l-]+)"')
    for header in pairs(headers) do headers[header] = "1" end
    local names = {}
    local text = section("docs/endpoints.md", "## What a call returns")
    collect(names, text:match "`rate_limit` (%b())", "`([%l_]+)`")
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
