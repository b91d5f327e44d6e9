-- How core.transport sends from a body of core.body, and gives a response as bytes: no string is made of
-- either. What is under way cannot change, and what is freed early is sent all the same.

local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local raw_server = require "support.raw_server"
local resources = require "support.resources"
local responses = require "support.responses"

local TEXT = '{"status":"COMPLETE","results":[{"fromObjectId":"1","toObjectId":"2"}]}'
local READ, ANSWER = { "read_request" }, { "send", responses.of(200, TEXT) }

local function input(i)
  return { from = i, to = i + 1, types = 1 }
end

local function body_of(count)
  local body, inputs = core.body(), {}
  for i = 1, count do inputs[i] = input(i) end
  assert(body:add_list(inputs))
  return body
end

describe("core.transport", function()
  local server, transport

  local function start(...)
    server = raw_server.start({ connections = { ... } })
    transport = assert(core.transport({}))
  end

  local function submit(body)
    return assert(transport:submit(exchange.call(server:url() .. "/", { body = body })))
  end

  -- Waits for the end of a request, and takes its response as bytes.
  local function finish(request) return exchange.finish(transport, request, true) end

  local function received()
    return server:requests()[1]:match "\r\n\r\n(.*)$"
  end

  before_each(function()
    server, transport = nil, nil
  end)

  after_each(function()
    if transport then transport:close() end
    if server then server:close() end
  end)

  it("sends from a body", function()
    start({ READ, ANSWER })
    local body = body_of(3000)
    assert(finish(submit(body)))
    assert.equal(body:json(), received())
    assert.equal(#body, #body:json())
    assert.equal(3000, #core.decode(body:json()).inputs)
  end)

  it("sends from a body again", function()
    start({ READ, ANSWER, READ, ANSWER })
    local body = body_of(2)
    assert(finish(submit(body)))
    assert(finish(submit(body)))
    assert(body:add(input(3)))
    assert.equal(3, body:count())
  end)

  it("lets nobody change a body that is under way", function()
    start({ READ, ANSWER }, { READ, ANSWER })
    local body = body_of(2000)
    local json = body:json()
    local request, other = submit(body), submit(body)
    for _, change in ipairs {
      function() body:add(input(1)) end,
      function() body:add_list { input(1) } end,
      function() body:add_run({ input(1) }, 1, 1) end,
      function() body:clear() end,
    } do
      assert.error_matches(change, "a body cannot be changed while it is sent")
    end
    assert.equal(json, body:json())
    assert.equal(2000, body:count())
    assert.equal('{"inputs":[' .. body:input(2000) .. "]}", body:select { 2000 })
    assert(finish(request))
    assert.has_error(function() body:clear() end)
    other:close()
    body:clear()
    assert(body:add(input(1)))
    assert.equal(json, received())
  end)

  it("sends all of a body that is freed, or that nobody keeps", function()
    for _, let_go in ipairs { function(body) body:free() end, function() end } do
      start({ READ, ANSWER })
      local body = body_of(2000)
      local json, request = body:json(), submit(body)
      let_go(body)
      body = nil -- luacheck: ignore
      resources.collect()
      for _ = 1, 3 do body_of(2000):free() end -- would take its memory
      assert(finish(request))
      assert.equal(json, received())
      transport:close()
      server:close()
    end
  end)

  it("lets go of a body and a request together", function()
    start({ { "ignore" } })
    for _ = 1, 20 do
      submit(body_of(100))
      transport:step()
    end
    resources.collect()
    assert.equal(0, transport:pending())
  end)

  it("refuses a body that was freed", function()
    start({ READ, ANSWER })
    local body = body_of(2)
    body:free()
    body:free()
    assert.equal(0, body:count())
    for _, use in ipairs {
      function() submit(body) end, function() body:json() end, function() body:add(input(1)) end,
      function() body:clear() end, function() body:input(1) end,
    } do
      assert.has_error(use)
    end
  end)

  it("is used again once it was freed, with the options that it has", function()
    start({ READ, ANSWER })
    local body = core.body { most_inputs = 2, names = { A = '{"A":1}' }, unknown_name = tostring }
    local function reopen() body:reopen() end
    assert.error_matches(reopen, "in use")
    assert(body:add { from = 1, to = 2, types = "A" })
    body:set_full()
    local request = submit(body)
    body:free()
    assert.error_matches(reopen, "in use") -- still sent
    assert(finish(request))
    body:reopen()
    assert.equal('{"inputs":[]}', body:json())
    for id = 3, 4 do assert(body:add { from = id, to = id, types = "A" }) end
    assert.equal('{"A":1}', body:types(2))
    assert.is_nil((body:add(input(1))))
    assert.error_matches(reopen, "in use")
  end)

  it("takes no other userdata for a body", function()
    start({ READ, ANSWER })
    assert.has_error(function() submit(transport) end)
    assert.has_error(function() submit({}) end)
  end)

  it("gives a response as bytes, which are read like a string", function()
    start({ READ, ANSWER })
    local response = assert(finish(submit "{}"))
    local bytes = response.body
    assert.equal("userdata", type(bytes))
    assert.equal(#TEXT, #bytes)
    assert.equal(TEXT, tostring(bytes))
    assert.same(core.decode(TEXT), core.decode(bytes))
    assert.is_true(body_of(1):confirmed_by(bytes))
    assert.is_false(body_of(2):confirmed_by(bytes))
    bytes:free()
    bytes:free()
    assert.equal(0, #bytes)
    assert.equal("", tostring(bytes))
    assert.same({ nil, "not a JSON object at byte 1" }, { core.decode(bytes) })
  end)

  it("gives an empty response as bytes, too", function()
    start({ READ, { "send", responses.of(200, "") } })
    local response = assert(finish(submit "{}"))
    assert.equal(0, #response.body)
    assert.same({ nil, "not a JSON object at byte 1" }, { core.decode(response.body) })
  end)

  it("keeps bytes, however much of the rest is gone", function()
    start({ READ, ANSWER })
    local request = submit "{}"
    local bytes = assert(finish(request)).body
    request:close()
    transport:close()
    request, transport = nil, nil -- luacheck: ignore
    resources.collect()
    assert.equal(TEXT, tostring(bytes))
  end)
end)

describe("a body that merges inputs", function()
  it("is a string, for the transport", function()
    local body = core.body { shape = "fan" }
    assert(body:add_list { { from = 1, to = 2 }, { from = 1, to = 3 } })
    assert.equal(body:json(), body:payload())
    body = core.body { shape = "fan" }
    assert(body:add_list { { from = 1, to = 2 }, { from = 2, to = 3 } })
    assert.equal(body, body:payload())
  end)
end)
