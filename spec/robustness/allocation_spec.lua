-- Runs the allocation harness (spec/support/allocator): each path through the core, with the n-th allocation
-- failing, of Lua's memory and of the core's own. The harness is a C program, which its `run` builds.

local process = require "support.process"

local SCENARIOS = {
  { "load", "loading the core" },
  { "body", "writing a body" },
  { "shapes", "writing bodies of other shapes" },
  { "decode", "decoding a response" },
  { "url", "checking a URL" },
  { "seen", "counting duplicates" },
  { "file", "appending to a file" },
  { "submit", "requests that are given up at once" },
  { "request_refused", "a request that is refused a connection" },
  { "request_answered", "requests that get a response" },
  { "request_in_place", "requests that are sent from a body, and read as bytes" },
  { "request_abandoned", "requests that are given up on their way" },
  { "stream_refused", "a stream that is refused a connection" },
  { "stream_answered", "a stream that is sent something" },
  { "redis_codec", "commands and replies of Redis" },
  { "create_refused", "a client whose call fails" },
  { "create_answered", "a client whose call gets a response" },
  { "queue_refused", "a queue that has no Redis" },
  { "queue_answered", "a queue that adds to Redis" },
}

-- LuaJIT accepts no other allocator; 5.2 skips a finalizer if it has no memory for it.
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
