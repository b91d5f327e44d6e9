-- Checks error_kinds.lua: each kind that the code can make has a row, each row is of such a kind, and is
-- complete. The table in docs/errors.md is compared with it in documents/tables_spec.lua.

local error_kinds = require "hubspot.associations.error_kinds"
local errors = require "hubspot.associations.errors"
local checkout = require "support.checkout"
local names = require "support.names"

local collect, names_of = names.collect, names.of

-- All files of a folder as one text.
local function text_of(find)
  local texts = {}
  for _, path in ipairs(checkout.files(find)) do texts[#texts + 1] = checkout.read(path) end
  return table.concat(texts, "\n")
end

local LUA = text_of "lua -name '*.lua' -not -path '*/sandbox/*' -not -path '*/cli/*'"
local C = text_of "src -name '*.c'"

-- The kinds of error that the code makes or compares: in a field, a comparison, or a table or function that
-- chooses one.
local function kinds_in_code()
  local kinds = {}
  collect(kinds, LUA, 'kind = "([%l_]+)"')
  collect(kinds, LUA, 'kind [=~]= "([%l_]+)"')
  collect(kinds, assert(LUA:match "KIND_OF_STATUS = (%b{})"), '"([%l_]+)"')
  collect(kinds, assert(LUA:match "\nlocal function kind_of(.-)\nend\n"), '"([%l_]+)"')
  collect(kinds, assert(C:match "failure_kind(%b()%s*%b{})"), 'return "([%l_]+)"')
  collect(kinds, C, 'lua_pushliteral%(L, "([%l_]+)"%);%s*lua_setfield%(L, %-2, "kind"%)')
  collect(kinds, C, '%f[%w_]fail%(request, "([%l_]+)"')
  collect(kinds, C, 'push_failure%(L, "([%l_]+)"')
  collect(kinds, C, 'failure = [^;]-"([%l_]+)"')
  collect(kinds, C, 'failure = [^;]-: "([%l_]+)"')
  return kinds
end

describe("the registry of error kinds", function()
  it("has all kinds that the code can make, and no others", function()
    assert.same(names_of(kinds_in_code()), names_of(error_kinds))
  end)

  it("says of each what happened, what to do, and whether it may be temporary", function()
    local types = {
      happened = "string", advice = "string", command = "string", advised_without = "table",
      needs_advice = "boolean", is_unanswered = "boolean",
    }
    for name, kind in pairs(error_kinds) do
      assert.is_string(kind.happened, name)
      local retryable = kind.retryable
      assert.is_true(retryable == "depends" or type(retryable) == "boolean", name)
      for field, value in pairs(kind) do
        assert.is_true(field == "retryable" or type(value) == types[field], name .. "." .. field)
      end
      assert.is_true(kind.advice ~= nil or not (kind.needs_advice or kind.command), name)
    end
  end)

  it("names options for programs in the advice, and flags for the command", function()
    for name, kind in pairs(error_kinds) do
      assert.is_nil((kind.advice or ""):find("--", 1, true), name)
      assert.is_nil((kind.command or ""):find("`", 1, true), name)
    end
  end)

  it("has its advice in tostring, as plain text", function()
    for name, kind in pairs(error_kinds) do
      local line = name .. ": no"
      if kind.needs_advice then line = line .. "; " .. kind.advice:gsub("`", "") end
      assert.equal(line, tostring(errors.new { kind = name, message = "no" }))
    end
  end)
end)
