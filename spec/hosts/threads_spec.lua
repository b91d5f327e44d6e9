-- Many states in many threads at once: no data races, nothing shared between states, and nothing left behind
-- by a state that is closed during a call. A state that is never closed leaves no thread.

local c_host = require "support.c_host"
local sandbox = require "support.sandbox"

local THREADS = 8
local IS_JIT = rawget(_G, "jit") ~= nil

-- Single calls and jobs, each of which has to get its own responses.
local BUSY = [[
  local thread, url = ...
  local associations = require "hubspot.associations"

  local function id(index) return ("%d%05d"):format(thread, index) end
  local function list(count)
    local inputs = {}
    for index = 1, count do inputs[index] = { from = id(index), to = thread, types = 279 } end
    return inputs
  end

  for round = 1, 3 do
    local client = assert(associations.new { token = "token-of-" .. thread, base_url = url, batch_size = 50 })
    for count = 1, 20 do
      local batch = assert(client:create("contacts", "companies", list(count)))
      assert(#batch.results == count)
      for index, result in ipairs(batch.results) do
        assert(result.fromObjectId == id(index) and result.toObjectId == tostring(thread))
      end
    end
    local seen = 0
    local report = assert(client:create_all("contacts", "companies", list(500), {
      on_batch = function(batch) seen = seen + #batch.results end,
    }))
    assert(report.created == 500 and seen == 500)
    local _, err = client:create("contacts", "no_such_type", list(1))
    assert(err.kind == "not_found" or err.kind == "http", err.kind)
    if round > 1 then client:close() end -- the first is left to the collector
  end
]]

-- Calls that have been sent, without a response so far.
local IN_FLIGHT = [[
  local thread, url = ...
  local core = require "hubspot.associations.core"
  local associations = require "hubspot.associations"
  local client = assert(associations.new { token = "a-token", base_url = url, batch_size = 10 })
  local inputs = {}
  for index = 1, 100 do inputs[index] = { from = index, to = thread, types = 279 } end
  local job = assert(client:start("contacts", "companies", inputs))
  local deadline = core.now() + 0.1
  repeat -- a slow machine may need longer
    assert(not job:step())
    core.poll(job:fd(), math.max(0, deadline - core.now()))
  until core.now() >= deadline and client.session.transport:pending() > 0
  return { client, job }
]]

describe("eight threads with a state each", function()
  local account, missing

  setup(function()
    missing = c_host.missing()
  end)

  before_each(function()
    account = sandbox.start({ missing = { "0" } })
  end)

  after_each(function()
    account:close()
  end)

  local function run(program, chunk, rounds, url, ending, wrapper)
    local argv = wrapper or {}
    for _, word in ipairs({ program, ending or "close", THREADS, rounds, url or account:url() }) do
      argv[#argv + 1] = word
    end
    return c_host.run(argv, { stdin = chunk, env = { TSAN_OPTIONS = "exitcode=66" } })
  end

  it("are clean under ThreadSanitizer, and each gets its own responses", function()
    if missing then pending(missing) end
    if IS_JIT then pending("LuaJIT's own code is not instrumented") end
    local result = run(c_host.build("threads", "thread"), BUSY, 2)
    assert.same({ 0, "" }, { result.code, result.stderr })
    assert.equal("failed 0, threads 0, descriptors 0, bytes 0\n", result.stdout)
    assert.equal(THREADS * 500, #account:associations())
  end)

  it("are clean under ThreadSanitizer when they close in mid-call", function()
    if missing then pending(missing) end
    if IS_JIT then pending("LuaJIT's own code is not instrumented") end
    account:configure({ latency = 10 })
    local result = run(c_host.build("threads", "thread"), IN_FLIGHT, 3)
    assert.same({ 0, "" }, { result.code, result.stderr })
    assert.equal("failed 0, threads 0, descriptors 0, bytes 0\n", result.stdout)
  end)

  it("free all when they close in mid-call", function()
    if missing then pending(missing) end
    account:configure({ latency = 10 })
    local result = run(c_host.build("threads"), IN_FLIGHT, 10)
    assert.same({ 0, "" }, { result.code, result.stderr })
    assert.equal("failed 0, threads 0, descriptors 0, bytes 0\n", result.stdout)
  end)

  it("leave no memory of libcurl's when they close in mid-call", function()
    if missing then pending(missing) end
    if IS_JIT then pending("valgrind does not know LuaJIT's code") end
    if not c_host.has("valgrind") then pending("no valgrind") end
    account:configure({ latency = 10 })
    local result = run(c_host.build("threads"), IN_FLIGHT, 1, nil, "close", {
      "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
      "--errors-for-leak-kinds=definite,indirect,possible",
    })
    assert.same({ 0, "" }, { result.code, result.stderr })
  end)

  for _, host in ipairs({ "127.0.0.1", "localhost" }) do -- a name is looked up in a thread of libcurl's
    it("leave no thread behind when they are never closed, at " .. host, function()
      if missing then pending(missing) end
      account:configure({ latency = 10 })
      local url = ("http://%s:%d"):format(host, account.port)
      local result = run(c_host.build("threads"), IN_FLIGHT, 2, url, "abandon")
      assert.same({ 0, "" }, { result.code, result.stderr })
      assert.matches("^failed 0, threads 0, descriptors [1-9]", result.stdout)
    end)
  end
end)
