-- How a client ends: closed, out of scope, collected, or with its Lua state; between calls and during one.
-- Nothing stays open, and no unexpected error is raised.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local child = require "support.child"
local raw_server = require "support.raw_server"
local resources = require "support.resources"
local responses = require "support.responses"

local TOKEN = "pat-na1-0123456789abcdef"
local INPUTS = { { from = 101, to = "202", types = 1 } }
local compile = rawget(_G, "loadstring") or load
local HOLD = { { "read_request" }, { "hold" } }

describe("a client", function()
  local server, held

  local function start(...)
    server = raw_server.start({ connections = { ... } })
    resources.collect()
    held = resources.descriptors()
  end

  local function new(changes)
    local options = { token = TOKEN, base_url = server:url(), timeout = 10, max_attempts = 1 }
    for name, value in pairs(changes or {}) do
      options[name] = value
    end
    return assert(associations.new(options))
  end

  local function create(client)
    return client:create("contacts", "companies", INPUTS)
  end

  -- A loop that yields whenever it has to wait.
  local YIELDING = {
    wait = function(fd)
      coroutine.yield(fd)
    end,
  }

  -- A coroutine during a call, which ends when it is resumed often enough.
  local function start_call(client)
    local thread = coroutine.create(function()
      return create(client)
    end)
    assert(coroutine.resume(thread))
    assert.equal("suspended", coroutine.status(thread))
    return thread
  end

  -- Resumes a call whenever it has something to do, and returns what it returned.
  local function finish_call(thread)
    while true do
      local ok, first, second = coroutine.resume(thread)
      assert(ok, first)
      if coroutine.status(thread) == "dead" then
        return first, second
      end
      core.poll(first, 5)
    end
  end

  after_each(function()
    server:close()
  end)

  it("opens no connection before its first call", function()
    start(HOLD)
    new():close()
    assert.equal(0, server:connections())
    assert.equal(held, resources.descriptors())
  end)

  it("can be closed repeatedly, and closes all that it opened", function()
    start(responses.script(responses.created(), 2))
    local client = new()
    assert(create(client))
    assert.is_true(resources.descriptors() > held)
    for _ = 1, 3 do
      client:close()
    end
    assert.equal(held, resources.descriptors())
  end)

  it("returns an error for a call after it was closed", function()
    start(responses.script(responses.created()))
    local client = new()
    client:close()
    local batch, err = create(client)
    assert.is_nil(batch)
    assert.equal("closed", err.kind)
    assert.matches("closed", tostring(err))
    assert.equal(0, server:connections())
  end)

  it("still raises for misuse after it was closed", function()
    start(HOLD)
    local client = new()
    client:close()
    assert.is_false(pcall(client.create, client))
  end)

  it("is closed at the end of its scope", function()
    start(responses.script(responses.created()))
    local scope = compile([[
      local client <close> = ...
      assert(client:create("contacts", "companies", { { from = 1, to = 2, types = 1 } }))
      return client
    ]])
    if not scope then
      pending("this Lua has no <close>")
      return
    end
    local client = scope(new())
    assert.equal(held, resources.descriptors())
    local _, err = create(client)
    assert.equal("closed", err.kind)
  end)

  it("is closed at the end of its scope when that ends by an error", function()
    start(responses.script(responses.created()))
    local scope = compile([[
      local client <close> = ...
      error("on the way out", 0)
    ]])
    if not scope then
      pending("this Lua has no <close>")
      return
    end
    local client = new()
    local ok, raised = pcall(scope, client)
    assert.same({ false, "on the way out" }, { ok, raised })
    local _, err = create(client)
    assert.equal("closed", err.kind)
  end)

  it("is closed when it is collected", function()
    start(responses.script(responses.created()))
    local kept = setmetatable({}, { __mode = "v" })
    do
      local client = new()
      kept[1] = client
      assert(create(client))
    end
    resources.collect()
    assert.is_nil(kept[1])
    assert.equal(held, resources.descriptors())
  end)

  it("ends a call in flight when it is closed", function()
    start(HOLD)
    local client
    client = new({ loop = {
      wait = function(fd, timeout)
        if server:connections() == 1 then
          client:close()
        else
          core.poll(fd, timeout)
        end
      end,
    } })
    local batch, err = create(client)
    assert.is_nil(batch)
    assert.same({ "closed", 1 }, { err.kind, err.attempts })
    assert.equal(held, resources.descriptors())
  end)

  it("ends the calls of all its coroutines when it is closed", function()
    start(HOLD)
    local client = new({ loop = YIELDING })
    local calls = {}
    for index = 1, 3 do
      calls[index] = start_call(client)
    end
    client:close()
    for _, call in ipairs(calls) do
      local batch, err = finish_call(call)
      assert.is_nil(batch)
      assert.equal("closed", err.kind)
    end
    assert.equal(held, resources.descriptors())
  end)

  it("serves several coroutines at once, and each gets its own response", function()
    local function script(seconds, id)
      return {
        { "read_request" }, { "sleep", seconds },
        { "send", responses.created('{"results":[],"id":' .. id .. "}") }, { "hold" },
      }
    end
    start(script(0.2, 1), script(0.1, 2), script(0, 3))
    local client = new({ loop = YIELDING })
    local calls = {}
    for index = 1, 3 do
      calls[index] = start_call(client)
      repeat
        assert(coroutine.resume(calls[index]))
      until server:connections() == index
    end
    for _, index in ipairs({ 3, 1, 2 }) do
      assert.equal(tostring(index), assert(finish_call(calls[index])).id)
    end
    client:close()
  end)

  it("drops a call whose coroutine is abandoned, and serves the next", function()
    start(HOLD, responses.script(responses.created()))
    local client = new({ loop = YIELDING })
    start_call(client)
    client.session.transport:step()
    resources.collect()
    assert.equal(0, client.session.transport:pending())
    assert.equal("COMPLETE", assert(finish_call(start_call(client))).status)
    client:close()
    assert.equal(held, resources.descriptors())
  end)

  it("is collected together with abandoned calls", function()
    start(HOLD)
    local function abandon() -- a function: LuaJIT keeps what was last in a slot of the stack
      local client = new({ loop = YIELDING })
      for _ = 1, 5 do
        start_call(client)
      end
    end
    abandon()
    resources.collect()
    assert.equal(held, resources.descriptors())
  end)

  it("drops a call whose loop raises", function()
    start(HOLD, responses.script(responses.created()))
    local broken = true
    local client = new({ loop = {
      wait = function(fd, timeout)
        if broken then
          error("the loop broke", 0)
        end
        core.poll(fd, timeout)
      end,
    } })
    local ok, raised = pcall(create, client)
    assert.same({ false, "the loop broke" }, { ok, raised })
    resources.collect()
    assert.equal(0, client.session.transport:pending())
    broken = false
    assert(create(client))
    client:close()
    assert.equal(held, resources.descriptors())
  end)
end)

describe("a client whose token function", function()
  it("closes it makes the call fail as closed, without raising", function()
    local server = raw_server.start({ connections = { responses.script(responses.created()) } })
    local client
    client = assert(associations.new({
      max_attempts = 1,
      base_url = server:url(),
      token = function()
        client:close()
        return TOKEN
      end,
    }))
    local batch, err = client:create("contacts", "companies", INPUTS)
    assert.is_nil(batch)
    assert.equal("closed", err.kind)
    assert.equal(0, server:connections())
    server:close()
  end)
end)

describe("a Lua state that ends", function()
  local server

  -- `ending` is what the loop does during the call.
  local function run(ending, after)
    return child.run(([[
      local associations = require "hubspot.associations"
      local core = require "hubspot.associations.core"
      client = assert(associations.new({ max_attempts = 1, token = %q, base_url = %q, loop = {
        wait = function(fd)
          core.poll(fd, 0.05)
          %s
        end,
      } }))
      thread = coroutine.create(function()
        client:create("contacts", "companies", { { from = 1, to = 2, types = 1 } })
      end)
      for _ = 1, 3 do
        assert(coroutine.resume(thread))
      end
      %s
      io.write("alive ", client.session.transport:pending())
    ]]):format(TOKEN, server:url(), ending, after or ""))
  end

  before_each(function()
    server = raw_server.start({ connections = { HOLD } })
  end)

  after_each(function()
    server:close()
  end)

  it("with a call in flight ends the process well", function()
    assert.same({ code = 0, stdout = "alive 1", stderr = "" }, run("coroutine.yield()"))
    assert.equal(1, #server:requests())
  end)

  it("with a call in flight, closed by its exit, ends the process well", function()
    assert.same({ code = 0, stdout = "", stderr = "" }, run("coroutine.yield()", "os.exit(0, true)"))
    assert.same({ code = 3, stdout = "", stderr = "" }, run("coroutine.yield()", "os.exit(3, true)"))
  end)

  it("by an exit from within the loop, closed or not, ends the process well", function()
    assert.same({ code = 5, stdout = "", stderr = "" }, run("os.exit(5)"))
    if _VERSION ~= "Lua 5.1" then -- there, lua_close from within a coroutine is the caller's risk
      assert.same({ code = 6, stdout = "", stderr = "" }, run("os.exit(6, true)"))
    end
  end)

  it("by an error during a call shows only that error", function()
    local result = run("error('the loop broke')")
    assert.equal(1, result.code)
    assert.matches("the loop broke", result.stderr)
  end)

  it("with requests whose responses were not read ends the process well", function()
    assert.same({ code = 0, stdout = "alive 5", stderr = "" }, run("coroutine.yield()", [[
      kept = {}
      for index = 1, 4 do
        kept[index] = assert(client.session.transport:submit({
          method = "GET", url = client.session.base_url, headers = {}, timeout = 5, connect_timeout = 5,
        }))
      end
    ]]))
  end)
end)

describe("a process without a descriptor left", function()
  it("gets an error from associations.new and from a call, and recovers when there are some again", function()
    local server = raw_server.start({ connections = { responses.script(responses.created()) } })
    local result = child.run(([[
      local associations = require "hubspot.associations"
      local options = { token = %q, base_url = %q, timeout = 5, max_attempts = 1 }
      local inputs = { { from = 1, to = 2, types = 1 } }
      local client = assert(associations.new(options))
      local held = {}
      while true do
        local file = io.open("/dev/null")
        if not file then
          break
        end
        held[#held + 1] = file
      end
      local other, err = associations.new(options)
      print(other, err)
      print(select(2, client:create("contacts", "companies", inputs)).kind)
      for _, file in ipairs(held) do
        file:close()
      end
      print(assert(client:create("contacts", "companies", inputs)).status)
      client:close()
      other = assert(associations.new(options))
      other:close()
    ]]):format(TOKEN, server:url()), { descriptors = 40 })
    server:close()
    assert.same({ 0, "" }, { result.code, result.stderr })
    assert.matches("^nil\tnetwork: Too many open files\nnetwork\nCOMPLETE\n$", result.stdout)
  end)
end)
