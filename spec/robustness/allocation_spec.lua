-- Runs the allocation harness (spec/support/allocator): each path through the core while the n-th request for
-- memory fails, for Lua's memory and for the core's own. The harness is a C program, built by its `run`.

local process = require "support.process"

local SCENARIOS = {
  { "load", "loading the core" },
  { "body", "writing a body" },
  { "shapes", "writing bodies of other shapes" },
  { "decode", "decoding an answer" },
  { "url", "checking a URL" },
  { "file", "appending to a file" },
  { "submit", "requests that are given up at once" },
  { "request_refused", "a request that is refused a connection" },
  { "request_answered", "requests that are answered" },
  { "request_abandoned", "requests that are given up on their way" },
  { "create_refused", "a client whose call fails" },
  { "create_answered", "a client whose call is answered" },
}

-- LuaJIT takes no other allocator than its own; 5.2 loses a finalizer for which it has no memory.
local test = (rawget(_G, "jit") or _VERSION == "Lua 5.2") and pending or it

describe("when memory runs out", function()
  for _, scenario in ipairs(SCENARIOS) do
    test(scenario[2] .. " ends well or with an error, loses nothing and works the next time", function()
      local argv = { "spec/support/allocator/run", scenario[1] }
      local result = process.run(argv, { env = { LD_PRELOAD = false } })
      assert.equal(0, result.code, result.stderr)
      assert.truthy(result.stdout:find("^" .. scenario[1]), result.stdout)
    end)
  end
end)
