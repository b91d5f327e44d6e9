-- What the allocation harness runs while memory fails: one function for each path through the core.
-- A scenario returns true, or nil and a message when it met a failure that it was told of as a value; an
-- error that it raises is checked by the harness. It must work again, in the same state, once memory is back.
-- `harness` is the harness's own: refused_port, serving_port, serve(), folder, scenario.

local harness = ...

-- Before memory fails, as Lua 5.1 never loads again what it ran out for.
if _VERSION == "Lua 5.1" then require "cjson" end

local KINDS = { network = true, timeout = true, closed = true, tls = true, decode = true }

-- A failure that was returned must be one of the kinds that a call may end with.
local function told(failure)
  assert(type(failure) == "table" and KINDS[failure.kind], "a failure of no known kind")
  assert(type(failure.message) == "string", "a failure without a message")
  return nil, failure.message
end

local GOOD = {
  { from = { id = "101" }, to = { id = "202" }, types = { 1, 279 } },
  { from = 102, to = "203", types = { associationCategory = "WORK", associationTypeId = 7 } },
  setmetatable({ from = "1234567890123456789", to = "2" }, {
    __index = function(_, key)
      return key == "types" and { { associationCategory = ("A"):rep(2000), associationTypeId = 1 } } or nil
    end,
  }),
}

local BAD = {
  GOOD[1], "x", {}, { from = "" }, { from = {} }, { from = 1.5 }, { from = "\255" }, { from = 1, to = true },
  { from = 1, to = 2, types = {} },
  { from = 1, to = 2, types = { 1, x = 2 } }, { from = 1, to = 2, types = 0 },
  { from = 1, to = 2, types = { { associationCategory = "x" } } }, { from = 1, to = 2, types = { 1, 280 } },
}

local ANSWER = [[{"status":"COMPLETE","numErrors":1,"links":null,"results":[null,{"toObjectId" : 202,
  "fromObjectId":9007199254740993,"labels":[null,"a",null]},null],"errors":[{"message":"\u00e9",
  "context":{"ids":["1"]}}]}]]

-- One attempt, where the client has that option: the pauses between attempts are nothing to test here.
local function max_attempts()
  local file = assert(io.open "lua/hubspot/associations/options.lua")
  local text = file:read "*a"
  file:close()
  return text:find("max_attempts = ", 1, true) and 1 or nil
end
local MAX_ATTEMPTS = max_attempts()

-- Memory fails after this. A queue's modules take many times the memory of what is done with them.
local function load_core()
  package.loaded["hubspot.associations.core"] = nil
  local core = require "hubspot.associations.core"
  if harness.scenario:find "^queue_" then pcall(require, "hubspot.associations.redis") end
  return core
end

local function request(port, body)
  return {
    method = "POST",
    url = ("http://127.0.0.1:%d/"):format(port),
    headers = { "Authorization: Bearer x", "Content-Type: application/json" },
    body = body,
    timeout = 10,
    connect_timeout = 10,
  }
end

-- Steps, and lets the harness's server step, until the request is done.
local function finish(core, transport, sent, has_bytes)
  transport:step()
  while not sent:done() do
    harness.serve()
    core.poll(transport:fd(), 0.01)
    transport:step()
  end
  return sent:response(has_bytes)
end

local scenarios = {}

function scenarios.load()
  local core = load_core()
  for _, name in ipairs { "transport", "body", "decode", "invalid_url", "poll", "now" } do
    assert(type(core[name]) == "function", "no " .. name)
  end
  local body = core.body()
  for _, method in ipairs {
    "add", "add_list", "json", "count", "clear", "group", "confirmed_by", "payload", "free", "__gc",
  } do
    assert(body[method], "no method " .. method)
  end
  return true
end

-- Of another direction.
local function check_type(id)
  return id == 280 and ("%d is no type here"):format(id) or nil
end

function scenarios.body(core)
  local body = core.body { check_type = check_type }
  for _ = 1, 3 do
    assert(body:add_list(GOOD))
    local added, errors, count = body:add_list(BAD)
    assert(not added and count == #BAD - 1 and #errors == count, "errors")
    for _, err in ipairs(errors) do assert(err.kind and err.message and err.field) end
    assert(body:add(GOOD[1]))
    assert(not body:add(BAD[2]))
  end
  assert(body:count() == 12 and #body:json() > 6000, "the body")
  assert(#body:digest() == 16 and body:select { 1, 2, 3, 12 }:find('"101"', 1, true), "a selection")
  assert(body:ids(1) == "101" and body:input(2):find('"102"', 1, true), "an input")
  body:clear()
  assert(body:json() == '{"inputs":[]}', "the body after clear")
  body:free()
  body:reopen()
  assert(body:add(GOOD[1]) and body:count() == 1, "the body after reopen")
  local function unknown_name(name) return "no " .. name end
  local named = core.body { names = { A = '{"A":1}' }, unknown_name = unknown_name }
  local added, err = named:add { from = 1, to = 2, types = { "A", "B" } }
  assert(not added and err.field == "types[2]" and err.message == "no B", "an unknown name")
  assert(named:add { from = 1, to = 2, types = { "A", "A" } })
  assert(named:types(1) == '{"A":1},{"A":1}', "names")
  assert(core.body({ check_ids = false }):add { from = 'a"\\\0\226\128\168', to = "2", types = 1 })
  return true
end

local BAD_PAIRS = { { from = 1, to = 2, types = 1 }, { from = 1 } }

-- Good inputs of each shape, and bad ones.
local SHAPES = {
  pair = { { { from = 1, to = 2 }, { from = 3, to = "4" } }, BAD_PAIRS },
  fan = { { { from = 1, to = 2 }, { from = 1, to = "4" } }, BAD_PAIRS },
  record = {
    { 1, { id = 2, after = ("a"):rep(500) } },
    { "x", { id = 1, after = 5 }, { id = 1, after = "\255" } },
  },
  limit = {
    { { category = "A", typeId = 1, maxToObjectIds = 2 } },
    { { category = "a" }, { category = "HUBSPOT_DEFINED", typeId = 280 }, { category = "A", typeId = 1 } },
  },
  limit_type = { { { category = "A", typeId = 1 } }, { { category = "A" } } },
}

function scenarios.shapes(core)
  for shape, inputs in pairs(SHAPES) do
    local good, bad = inputs[1], inputs[2]
    local result = { from = { "from", "id" }, to = { "to", "id" } }
    local body = core.body { shape = shape, check_type = check_type, result = result, most_groups = 1000 }
    for _ = 1, 3 do
      assert(body:add_list(good))
      local added, errors, count = body:add_list(bad)
      assert(not added and count == #bad and #errors == count, shape)
      assert(not body:add_list { good[1], bad[1] })
    end
    assert(body:count() == 3 * #good, shape)
    assert(#core.decode(body:json()).inputs == (shape == "fan" and 1 or 3 * #good), shape)
    assert(core.pairs():enter(body, 1) == true, shape)
    assert(#core.decode(body:select { 1, 1 + #good }).inputs == 1, shape)
    assert(core.decode(body:input(1)) and body:ids(1) and body:group(1 + #good) == 1, shape)
    body:confirmed_by '{"status":"COMPLETE","results":[{"from":{"id":1},"to":{"id":"2"}}]}'
    body:clear()
    assert(body:json() == '{"inputs":[]}', shape)
  end
  return true
end

function scenarios.decode(core)
  local decoded, message = core.decode(ANSWER)
  if not decoded then return nil, message end
  assert(decoded.results[1].fromObjectId == "9007199254740993" and #decoded.results == 1, "results")
  assert(decoded.results[1].toObjectId == "202" and decoded.results[1].labels[1] == "a", "labels")
  assert(decoded.links == nil and decoded.errors[1].message == "\195\169", "errors")
  for _, garbage in ipairs { "", "{", "null", "[1", '{"fromObjectId":5' } do
    assert(core.decode(garbage) == nil, "garbage")
  end
  assert(core.decode_input('{"from":1e3,"to":{"\\u0069d":2.0}}').to.id == "2.0", "an input")
  return true
end

-- Texts that were seen, over several tables. One that is not kept for want of memory may be added again.
function scenarios.seen(core)
  local seen = core.seen(700)
  for number = 1, 2000 do assert(seen:add(tostring(number), "x") == false, "an unknown text") end
  for number = 1500, 2000 do assert(seen:add(tostring(number), "x") == true, "a known text") end
  return true
end

function scenarios.url(core)
  assert(core.invalid_url "http://api.hubapi.com/")
  local why = core.invalid_url "https://api.hubapi.com/"
  return why == nil or nil, why
end

-- Requests that are set up and given up before the first step.
function scenarios.submit(core)
  local options = { ca_file = "/none", ca_path = "/none", proxy = "http://localhost:1" }
  local transport, failure = core.transport(options)
  if not transport then return told(failure) end
  for _, url in ipairs { "http://127.0.0.1:1/", "https://127.0.0.1:1/" } do
    local asked = request(1, "{}")
    asked.url = url
    local sent
    sent, failure = transport:submit(asked)
    if not sent then return told(failure) end
    assert(transport:pending() == 1)
    sent:close()
    assert(transport:pending() == 0)
  end
  transport:close()
  return true
end

-- Files: opened, appended to, not opened.
function scenarios.file(core)
  collectgarbage() -- a file of the run before would hold the lock
  local path = harness.folder .. "/file"
  local file, message = core.file(path)
  if not file then return nil, message end
  assert(file:append(("line\n"):rep(100)))
  assert(file:truncate(10))
  file:close()
  assert(not pcall(file.append, file, "x"))
  file, message = core.file(harness.folder .. "/none/file")
  assert(file == nil and type(message) == "string")
  return true
end

function scenarios.request_refused(core)
  local transport, failure = core.transport { ca_file = "/none" }
  if not transport then return told(failure) end
  local sent
  sent, failure = transport:submit(request(harness.refused_port, "{}"))
  if not sent then return told(failure) end
  local response
  response, failure = finish(core, transport, sent)
  assert(response == nil, "a response from a port that nobody listens on")
  transport:close()
  assert(failure.kind == "network", failure.kind)
  return true
end

function scenarios.request_answered(core)
  local transport, failure = core.transport {}
  if not transport then return told(failure) end
  for _ = 1, 2 do
    local sent, response
    sent, failure = transport:submit(request(harness.serving_port, ("x"):rep(3000)))
    if not sent then return told(failure) end
    response, failure = finish(core, transport, sent)
    if not response then return told(failure) end
    assert(response.status == 201 and #response.body > 20000, "the response")
    assert(response.headers["content-type"] == "application/json", "the headers")
  end
  transport:close()
  return true
end

-- The same, without strings.
function scenarios.request_in_place(core)
  local transport, failure = core.transport {}
  if not transport then return told(failure) end
  for _ = 1, 2 do
    local body = core.body()
    for i = 1, 50 do assert(body:add { from = i, to = i, types = 1 }) end
    local sent, response
    sent, failure = transport:submit(request(harness.serving_port, body:payload()))
    if not sent then return told(failure) end
    assert(not pcall(body.clear, body))
    response, failure = finish(core, transport, sent, true)
    if not response then return told(failure) end
    assert(response.status == 201 and #response.body > 20000, "the response")
    assert(#core.decode(response.body).results > 0, "the results")
    assert(not body:confirmed_by(response.body))
    response.body:free()
    body:free()
  end
  transport:close()
  return true
end

-- Requests given up at each stage, by each means.
function scenarios.request_abandoned(core)
  local transport, failure = core.transport {}
  if not transport then return told(failure) end
  local sent = {}
  for i = 1, 5 do
    sent[i], failure = transport:submit(request(harness.serving_port, "{}"))
    if not sent[i] then return told(failure) end
  end
  transport:step()
  harness.serve()
  transport:step()
  sent[1]:close()
  sent[2] = nil
  collectgarbage()
  transport:step()
  transport:close()
  transport:step()
  for i = 3, 4 do
    assert(sent[i]:done())
    local response
    response, failure = sent[i]:response()
    assert(response or KINDS[failure.kind])
  end
  return true
end

-- A stream, until it has so many bytes, or has failed.
local function run_stream(core, port, wanted)
  local transport, failure = core.transport { ca_file = "/none" }
  if not transport then return nil, failure end
  local stream
  stream, failure = transport:connect("127.0.0.1", port, false, 10)
  if not stream then return nil, failure end
  local taken
  taken, failure = stream:send(("x"):rep(40000))
  if not taken then return nil, failure end
  local received, state = 0
  repeat
    harness.serve()
    core.poll(transport:fd(), 0.01)
    transport:step()
    local bytes = stream:receive()
    received = received + #(bytes or "")
    state, failure = stream:state()
  until not state or received >= wanted
  stream:close()
  transport:close()
  return received, failure
end

function scenarios.stream_refused(core)
  local received, failure = run_stream(core, harness.refused_port, 1)
  assert(received == nil or received == 0, "bytes from a port that nobody listens on")
  assert(KINDS[failure.kind], failure.kind)
  if failure.message:find "memory" then return told(failure) end
  return true
end

function scenarios.stream_answered(core)
  local received, failure = run_stream(core, harness.serving_port, 20000)
  if failure then return told(failure) end
  assert(received >= 20000, "what was received")
  return true
end

-- Only where the harness is built with hiredis.
function scenarios.redis_codec()
  package.loaded["hubspot.associations.redis_codec"] = nil
  local loaded, codec = pcall(require, "hubspot.associations.redis_codec")
  if not loaded then
    if tostring(codec):find "memory" then return nil, codec end
    return true
  end
  local value = ("v"):rep(100000)
  local command = codec.command { "SET", value, 5, 0.5 }
  assert(#command > #value)
  local reader = codec.reader(function(text) return { text = text } end)
  local function feed(bytes)
    local fed, why = reader:feed(bytes)
    if not fed then return nil, why end
    local has, reply = reader:next()
    if has == nil then return nil, reply end
    return has, reply
  end
  for round = 1, 3 do
    local has, reply = feed "*4\r\n$2\r\nab\r\n*2\r\n:1\r\n-ERR x\r\n$-1\r\n"
    if has == nil then return nil, reply end
    has, reply = feed(("$%d\r\n%s\r\n"):format(#value, value))
    if has == nil then return nil, reply end
    assert(#reply == 4 and reply[1] == "ab" and reply[2][2].text == "ERR x", round)
    assert(reply[3] == false and reply[4] == value, round)
  end
  return true
end

local function with_client(port, check)
  for name in pairs(package.loaded) do
    if name:find "^hubspot%." then package.loaded[name] = nil end
  end
  local associations = require "hubspot.associations"
  local core = require "hubspot.associations.core"
  local events = 0
  local client, err = associations.new {
    token = function()
      return "pat-na1-00000000"
    end,
    max_attempts = MAX_ATTEMPTS,
    base_url = ("http://127.0.0.1:%d"):format(port),
    on_event = function()
      events = events + 1
    end,
    loop = {
      wait = function(fd)
        harness.serve()
        core.poll(fd, 0.01)
      end,
    },
  }
  if not client then return told(err) end
  local batch, failure = client:create("contacts", "companies", GOOD)
  local none, invalid = client:create("contacts", "companies", BAD)
  assert(none == nil and invalid.kind == "invalid_input" and invalid.count == #BAD - 1, "errors")
  client:close()
  return check(batch, failure)
end

function scenarios.create_refused()
  return with_client(harness.refused_port, function(batch, err)
    assert(batch == nil, "a batch from a port that nobody listens on")
    assert(KINDS[err.kind] and tostring(err):find(err.kind, 1, true), "the error")
    return true
  end)
end

function scenarios.create_answered()
  return with_client(harness.serving_port, function(batch, err)
    if not batch then return told(err) end
    assert(#batch.results == 500 and batch.results[500].toObjectId == "500", "the batch")
    return true
  end)
end

local queues = {}

-- Adds to a queue, which is kept for the next time. Where the harness is built with hiredis.
local function add_to_queue(port)
  local loaded, redis = pcall(require, "hubspot.associations.redis")
  if not loaded then return nil, { message = tostring(redis) } end
  local core = require "hubspot.associations.core"
  local err
  if not queues[port] then
    queues[port], err = redis.queue {
      url = ("redis://127.0.0.1:%d"):format(port),
      loop = {
        wait = function(fd)
          harness.serve()
          core.poll(fd, 0.01)
        end,
      },
    }
    if not queues[port] then return nil, err end
  end
  local id, failure
  for _ = 1, 2 do -- the harness drops connections between two runs
    id, failure = queues[port]:add("contacts", "companies", { from = 1, to = 2, types = { 279 } })
    if id or failure.kind ~= "network" then break end
  end
  return id, failure
end

local function has_no_hiredis(message)
  return message:find "needs hiredis" and not message:find "memory"
end

function scenarios.queue_refused()
  local id, failure = add_to_queue(harness.refused_port)
  assert(id == nil, "an id from a port that nobody listens on")
  if has_no_hiredis(failure.message) then return true end
  if not failure.kind or failure.message:find "memory" then return nil, failure.message end
  assert(KINDS[failure.kind] and tostring(failure):find(failure.kind, 1, true), tostring(failure))
  return true
end

function scenarios.queue_answered()
  local id, failure = add_to_queue(harness.serving_port)
  if not id and has_no_hiredis(failure.message) then return true end
  if not id then return nil, failure.message end
  assert(id == "1-0-7", "the id")
  return true
end

return { scenarios = scenarios, load_core = load_core }
