-- Checks that the code decides by an error's fields, never by its message: messages are for people, and
-- change. HubSpot has no field for some of what it says: api/rejection.lua reads those words, and it alone.

local checkout = require "support.checkout"

local ALLOWED = {
  ["lua/hubspot/associations/api/rejection.lua"] = true,
  ["lua/hubspot/associations/cli/main.lua"] = true, -- of what the interpreter itself raises at Ctrl-C
}

-- What looks for words in a message, or compares it with some.
local PATTERNS = {
  "message%)?:g?find%f[^%w_]", "message%)?:g?match%f[^%w_]", "message [=~]= \"[^\"]",
  "tostring%(%w+%):g?find%f[^%w_]", "tostring%(%w+%):g?match%f[^%w_]",
  "%f[%w_]find%([%w_.]*message", "%f[%w_]match%([%w_.]*message",
}

local function decisions_in(text)
  local found = {}
  for line in text:gmatch "[^\n]+" do
    for _, pattern in ipairs(PATTERNS) do
      if line:find(pattern) then
        found[#found + 1] = line
        break
      end
    end
  end
  return found
end

describe("the words of an error", function()
  it("decide nothing", function()
    for _, path in ipairs(checkout.files "lua -name '*.lua' -not -path '*/sandbox/*'") do
      local found = decisions_in(checkout.read(path))
      if ALLOWED[path] then
        assert.is_true(#found > 0, path .. " needs no exception any more")
      else
        assert.same({}, found, path)
      end
    end
  end)

  it("are seen where they would", function()
    for _, line in ipairs {
      'if err.message:find("proxy", 1, true) then', 'local name = err.message:match "^option (.*)"',
      'if err.message == "closed" then', 'if tostring(err):find "closed" then',
      'if tostring(err.message):match "x" then', 'if find(err.message, "x") then',
    } do
      assert.equal(1, #decisions_in(line), line)
    end
    assert.same({}, decisions_in 'message = ("%s: %s"):format(name, err.message)')
  end)
end)
