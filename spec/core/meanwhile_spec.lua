-- What core does when its own values are used while it works on them: by a function of a body's options, or
-- by a finalizer, which Lua may run wherever memory is asked for.

local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local function input(i)
  return { from = i, to = i + 1, types = i }
end

-- Has the collector call `action` when it next finalizes.
local function finalize(action)
  if newproxy then -- luacheck: ignore
    getmetatable(newproxy(true)).__gc = action -- luacheck: ignore
  else
    setmetatable({}, { __gc = action })
  end
end

-- Sets a parameter of the collector, as Lua 5.5 names it, and returns what it was.
local function set_collector(name, value)
  if _VERSION == "Lua 5.5" then return collectgarbage("param", name, value) end
  return collectgarbage("set" .. name, value)
end

-- Has `action` called by the collector, once, while `work` runs.
local function with_finalizer(action, work)
  collectgarbage()
  local pause, speed = set_collector("pause", 100), set_collector("stepmul", 1000)
  finalize(action)
  local ok, err = pcall(work)
  set_collector("pause", pause)
  set_collector("stepmul", speed)
  return ok, err
end

describe("a body's functions", function()
  it("cannot use the body that an input is written to", function()
    local body
    local uses = {
      function() body:free() end,
      function() body:clear() end,
      function() body:add(input(1)) end,
      function() return #body end,
    }
    for _, use in ipairs(uses) do
      local is_used = false
      local function once()
        if is_used then return nil end
        is_used = true
        use()
      end
      body = core.body { check_type = once }
      assert.error_matches(
        function() body:add(input(5)) end,
        "a function of the body's options used the body"
      )
      is_used, body = false, core.body { names = {}, unknown_name = once }
      assert.error_matches(
        function() body:add { from = 1, to = 2, types = "none" } end,
        "a function of the body's options used the body"
      )
    end
  end)

  it("leave the body as it was when they used it", function()
    local body
    body = core.body {
      check_type = function(id)
        if id == 3 then return #body end
      end,
    }
    assert(body:add_list { input(1), input(2) })
    local json = body:json()
    assert.has_error(function() body:add(input(3)) end)
    assert.has_error(function() body:add_list { input(4), input(3) } end)
    assert.equal(json, body:json())
    assert.equal(2, body:count())
  end)
end)

describe("a finalizer", function()
  it("may add inputs to a body while it is compared with a response", function()
    local results = {}
    for i = 1, 3000 do results[i] = ('{"fromObjectId":"%d","toObjectId":"%d"}'):format(i, i + 1) end
    local text = '{"status":"COMPLETE","results":[' .. table.concat(results, ",") .. "]}"
    local function attempt()
      local body, is_added = core.body(), false
      for i = 1, 1000 do assert(body:add(input(i))) end
      local ok, err = with_finalizer(function()
        for i = 1001, 3000 do assert(body:add(input(i))) end
        is_added = true
      end, function()
        while not is_added do body:confirmed_by(text) end -- asks for memory, and nothing else here does
      end)
      assert.is_true(is_added)
      return ok, err, body
    end
    local ok, err, body
    for _ = 1, 50 do
      ok, err, body = attempt()
      if not ok then break end -- else it was called before the comparison had begun
    end
    assert.is_false(ok)
    assert.matches("the body was used while it was compared", err)
    assert.is_true(body:confirmed_by(text))
  end)

  it("may free a response while it is decoded", function()
    local results = {}
    for i = 1, 80000 do results[i] = ('{"id":"%d","list":["a","b"]}'):format(i) end
    local text = '{"results":[' .. table.concat(results, ",") .. "]}"  -- more than the pool keeps
    local server = raw_server.start {
      connections = { { { "read_request" }, { "send", responses.of(200, text) } } },
    }
    local transport = assert(core.transport {})
    local request = assert(transport:submit(exchange.call(server:url() .. "/", { body = "{}" })))
    while not request:done() do
      core.poll(transport:fd(), 10)
      transport:step()
    end
    local bytes = request:response(true).body
    local decoded, is_freed
    local ok, err = with_finalizer(function()
      bytes:free()
      is_freed = true
    end, function()
      while not is_freed do decoded = assert(core.decode(bytes)) end
    end)
    transport:close()
    server:close()
    assert(ok, err)
    assert.equal(80000, #decoded.results)
    assert.equal("80000", decoded.results[80000].id)
    assert.same({ nil, "not a JSON object at byte 1" }, { core.decode(bytes) })
    assert.equal(0, #bytes)
  end)
end)
