-- A Lua state that is forked: parent and child both continue with their client, each over its own connections
-- and with its own responses, and the end of the child does not disturb the parent.

local c_host = require "support.c_host"
local certificates = require "support.certificates"
local cjson = require "cjson"
local raw_server = require "support.raw_server"
local responses = require "support.responses"
local sandbox = require "support.sandbox"

local TOKEN = "pat-na1-0123456789abcdef"

-- What the scripts begin with.
local COMMON = [[
  local url, ca_file, how = ...
  local associations = require "hubspot.associations"
  local core = require "hubspot.associations.core"
  local function new(changes)
    local options = { token = "pat-na1-0123456789abcdef", base_url = url }
    if ca_file ~= "" then options.ca_file = ca_file end
    for name, value in pairs(changes or {}) do options[name] = value end
    return assert(associations.new(options))
  end
  -- The id in the only result: that of the input, or the number of the connection (see `serve`).
  local function create(client, id)
    local batch = assert(client:create("contacts", "companies", { { from = id, to = 1, types = 279 } }))
    return batch.results[1].fromObjectId
  end
  -- Starts a job of 100 inputs. Also returns how many of them are in flight.
  local function start_job(client)
    local inputs = {}
    for id = 1, 100 do inputs[id] = { from = id, to = 1, types = 279 } end
    local job = assert(client:start("contacts", "companies", inputs))
    local deadline = core.now() + 0.1
    local transport = client.session.transport
    repeat -- a slow machine may need longer
      assert(not job:step())
      core.poll(job:fd(), math.max(0, deadline - core.now()))
    until core.now() >= deadline and transport:pending() > 0
    return job, 10 * transport:pending()
  end
  local function run(job)
    while not job:step() do core.poll(job:fd(), job:timeout()) end
    return job:result()
  end
  local function end_child()
    if how ~= "lua_close" then leave(how, 0) end
  end
]]

-- Both make many calls at the same time, each with ids of its own.
local BOTH_ASK = [[
  local client = new()
  assert(create(client, 7) == "7")
  local fd = client.session.transport:fd()
  local pid = fork()
  local base = pid == 0 and 1000 or 2000
  for id = base + 1, base + 50 do assert(create(client, id) == tostring(id)) end
  assert(client.session.transport:fd() == fd)
  if pid == 0 then return end_child() end
  assert(wait(pid) == 0)
  assert(create(client, 8) == "8")
]]

-- The child makes calls, too; each response names its connection.
local CHILD_ASKS = [[
  local client = new { max_attempts = 1 }
  assert(create(client, 7) == "1" and create(client, 7) == "1")
  local fd = client.session.transport:fd()
  local pid = fork()
  if pid == 0 then
    assert(client.session.transport:fd() == fd)
    assert(create(client, 8) == "2" and create(client, 8) == "2")
    return end_child()
  end
  assert(wait(pid) == 0)
  assert(create(client, 7) == "1" and create(client, 7) == "1")
  assert(client.session.transport:fd() == fd)
]]

-- The child does nothing with the client.
local CHILD_ENDS = [[
  local client = new { max_attempts = 1 }
  assert(create(client, 7) == "1")
  local pid = fork()
  if pid == 0 then return end_child() end
  assert(wait(pid) == 0)
  assert(create(client, 7) == "1" and create(client, 7) == "1")
]]

-- The child closes the client, and opens another.
local CHILD_CLOSES = [[
  local client = new { max_attempts = 1 }
  assert(create(client, 7) == "1")
  local pid = fork()
  if pid == 0 then
    client:close()
    client = nil
    collectgarbage()
    assert(create(new(), 7) == "2")
    return end_child()
  end
  assert(wait(pid) == 0)
  assert(create(client, 7) == "1" and create(client, 7) == "1")
]]

local IN_FLIGHT = [[
  local transport = assert(core.transport { ca_file = ca_file ~= "" and ca_file or nil })
  local function submit(body)
    return assert(transport:submit {
      method = "POST", url = url .. "/", headers = {}, body = body, timeout = 10, connect_timeout = 5,
    })
  end
  local function finish(request)
    transport:step()
    while not request:done() do
      core.poll(transport:fd())
      transport:step()
    end
    return request:response()
  end
  local fd = transport:fd()
  assert(finish(submit "first").body:find '"1"')
  local request = submit(("x"):rep(30000))
  local deadline = core.now() + 0.2
  while core.now() < deadline do
    transport:step()
    core.poll(transport:fd(), math.max(0, deadline - core.now()))
  end
  assert(not request:done() and transport:pending() == 1)
  local pid = fork()
  if pid == 0 then
    transport:step()
    assert(request:done() and transport:pending() == 0 and transport:fd() == fd)
    local response, failure = request:response()
    assert(response == nil and failure.kind == "network" and failure.message:find "forked", failure.message)
    assert(finish(submit "child").body:find '"2"')
    return end_child()
  end
  assert(wait(pid) == 0)
  assert(finish(request).body:find '"1"')
  assert(finish(submit "last").body:find '"1"')
]]

-- A stream: the child's has ended, and the parent's goes on.
local STREAM = [[
  local transport = assert(core.transport { ca_file = ca_file ~= "" and ca_file or nil })
  local host, port = url:match "//([^:/]+):(%d+)"
  local function open()
    return assert(transport:connect(host, tonumber(port), ca_file ~= "", 5))
  end
  local function ask(stream)
    stream:send "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    local text = ""
    repeat
      core.poll(transport:fd(), 5)
      transport:step()
      assert(stream:state())
      text = text .. (stream:receive() or "")
    until text:find "results.*}"
    return text
  end
  local stream, fd = open(), transport:fd()
  assert(ask(stream):find '"1"')
  local pid = fork()
  if pid == 0 then
    local state, failure = stream:state()
    assert(state == nil and failure.kind == "network" and failure.message:find "forked", failure.message)
    stream:close()
    local own = open()
    assert(ask(own):find '"2"' and transport:fd() == fd)
    return end_child()
  end
  assert(wait(pid) == 0)
  assert(ask(stream):find '"1"' and ask(stream):find '"1"')
]]

-- A stream with as much to take as it holds. The child takes it, and the parent's descriptor stays quiet.
local FULL_STREAM = [[
  local transport = assert(core.transport {})
  local host, port = url:match "//([^:/]+):(%d+)"
  local stream = assert(transport:connect(host, tonumber(port), false, 5))
  stream:send "x"
  repeat transport:step() until not core.poll(transport:fd(), 0.3)
  local pid = fork()
  if pid == 0 then
    assert(#stream:receive() >= 1024 * 1024)
    return end_child()
  end
  assert(wait(pid) == 0)
  assert(not core.poll(transport:fd(), 0.1))
  assert(#stream:receive() >= 1024 * 1024)
]]

-- A job: the parent gets the responses to what was in flight; the child sends those inputs again.
local JOB = [[
  local client = new { batch_size = 10 }
  local job = start_job(client)
  local pid = fork()
  local report = assert(run(job))
  assert(report.created == 100, report.created)
  if pid == 0 then
    assert(report.retries > 0)
    return end_child()
  end
  assert(wait(pid) == 0)
  assert(report.retries == 0)
]]

-- A job that waits for its next attempt is woken by its descriptor alone, in parent and child.
local JOB_WAITS = [[
  local job = assert(new():start("contacts", "companies", { { from = 1, to = 1, types = 279 } }))
  repeat job:step() until job:timeout() and job:progress().requests == 1
  local pid = fork()
  local fd = job:fd()
  repeat assert(core.poll(fd, 10)) until job:step()
  assert(job:result().created == 1)
  if pid == 0 then return end_child() end
  assert(wait(pid) == 0)
]]

-- A job without retries: what the parent has in flight may be done, so that in the child it is unconfirmed.
local JOB_ONCE = [[
  local client = new { batch_size = 10, max_attempts = 1 }
  local job, in_flight = start_job(client)
  local pid = fork()
  local report = run(job)
  if pid == 0 then
    io.write(report.unconfirmed - in_flight, " ", report.not_sent + in_flight)
    return end_child()
  end
  assert(wait(pid) == 0)
  assert(report.created == 100)
]]

-- A bell that rings in the child is silent in the parent, and the other way round.
local BELLS = [[
  local bell = assert(core.notifier())
  local fd = bell:fd()
  local pid = fork()
  assert(bell:fd() == fd)
  if pid == 0 then
    bell:notify()
    assert(core.poll(fd, 0))
    return end_child()
  end
  assert(wait(pid) == 0)
  assert(not core.poll(fd, 0))
  bell:notify()
  assert(core.poll(fd, 0))
]]

-- Links that wait at a fork: parent and child both go on with them.
local LINKS = [[
  local links = assert(new():collector("contacts", "companies"))
  local linked = 0
  for id = 1, 100 do
    assert(links:add({ from = id, to = 1, types = 279 }, function(ok) linked = linked + (ok and 1 or 0) end))
  end
  local pid = fork()
  assert(links:flush())
  assert(linked == 100, linked)
  if pid == 0 then return end_child() end
  assert(wait(pid) == 0)
]]

-- Scripts, and how many connections and requests the server has then seen.
local OVER_CONNECTIONS = {
  { promise = "keeps its connection, and the child gets one of its own", script = CHILD_ASKS,
    connections = 2, requests = 6 },
  { promise = "keeps its connection from a child that does nothing", script = CHILD_ENDS,
    connections = 1, requests = 3 },
  { promise = "keeps its connection from a child that closes the client", script = CHILD_CLOSES,
    connections = 2, requests = 4 },
  { promise = "keeps its stream, which ends in the child,", script = STREAM,
    connections = 2, requests = 4 },
  { promise = "keeps its call in flight, which fails in the child,", script = IN_FLIGHT, latency = 1,
    connections = 2, requests = 4 },
}

describe("a state that is forked", function()
  local missing, program, set, server

  setup(function()
    missing = c_host.missing()
    program = not missing and c_host.build("fork")
    set = certificates.make()
  end)

  teardown(function()
    set:close()
  end)

  after_each(function()
    if server then server:close() end
    server = nil
  end)

  -- Runs a script to its end. It has to print `said`, or nothing.
  local function assert_runs(script, how, wrapper, said)
    if missing then pending(missing) end
    local argv = wrapper or {}
    for _, word in ipairs({ program, server:url(), server.scheme == "https" and set.ca or "", how }) do
      argv[#argv + 1] = word
    end
    local result = c_host.run(argv, { stdin = COMMON .. script })
    assert.same({ code = 0, stdout = said or "", stderr = "" }, result)
  end

  -- A server whose responses have the number of the connection as their id.
  local function serve(tls, latency)
    local connections = {}
    for index = 1, 3 do
      local body = ('{"status":"COMPLETE","results":[{"fromObjectId":"%d"}]}'):format(index)
      connections[index] = responses.script(responses.created(body), 20)
      if latency and index == 1 then -- before its second response
        table.insert(connections[index], 4, { "sleep", latency })
      end
    end
    server = raw_server.start({ connections = connections, tls = tls and set.server or nil })
  end

  local function assert_whole_requests(count)
    local requests = server:requests()
    assert.equal(count, #requests)
    for _, request in ipairs(requests) do
      local head, body = request:match("^(POST .-\r\n)\r\n(.*)$")
      assert.equal(tonumber(head:match("Content%-Length: (%d+)")), #body)
      assert.equal(1, select(2, request:gsub("HTTP/1.1\r\n", "")))
      if head:find("application/json", 1, true) then
        assert(cjson.decode(body))
      end
    end
  end

  for _, how in ipairs({ "lua_close", "exit", "_exit" }) do
    it("gives parent and child their own responses, when the child ends by " .. how, function()
      server = sandbox.start({ token = { TOKEN } })
      assert_runs(BOTH_ASK, how)
      local statistics = server:statistics()
      assert.equal(102, statistics.requests)
      assert.equal(102, statistics.associations)
    end)

    it("goes on with its job in parent and child, when the child ends by " .. how, function()
      server = sandbox.start({ token = { TOKEN }, latency = 0.3 })
      assert_runs(JOB, how)
      assert.equal(100, #server:associations())
    end)

    for _, over in ipairs({ "TLS", "plain HTTP" }) do
      for _, case in ipairs(OVER_CONNECTIONS) do
        it(("%s over %s, when the child ends by %s"):format(case.promise, over, how), function()
          serve(over == "TLS", case.latency)
          assert_runs(case.script, how)
          assert.equal(case.connections, server:connections())
          assert_whole_requests(case.requests)
        end)
      end
    end
  end

  it("wakes a job that waits for its next attempt, in parent and child", function()
    server = sandbox.start({ token = { TOKEN }, faults = { ["1"] = "unavailable" } })
    assert_runs(JOB_WAITS, "lua_close")
  end)

  it("goes on with its links in parent and child", function()
    server = sandbox.start({ token = { TOKEN }, latency = 0.1 })
    assert_runs(LINKS, "lua_close")
    assert.equal(100, #server:associations())
  end)

  it("does not wake its parent for what it takes of a stream", function()
    server = raw_server.start { connections = { { { "receive" }, { "send_for_ever", ("x"):rep(65536) } } } }
    assert_runs(FULL_STREAM, "lua_close")
  end)

  it("does not share the bells of those who wait for links", function()
    server = sandbox.start({ token = { TOKEN } })
    assert_runs(BELLS, "lua_close")
  end)

  it("does not take for not sent, in the child, what the parent has in flight", function()
    server = sandbox.start({ token = { TOKEN }, latency = 0.3 })
    assert_runs(JOB_ONCE, "lua_close", nil, "0 100")
  end)

  it("touches no memory that is not its own", function()
    if not c_host.has("valgrind") then pending("no valgrind") end
    serve(true, 3)
    -- The child abandons what libcurl holds for the parent's connections: no leak check.
    local wrapper = { "valgrind", "--quiet", "--error-exitcode=99", "--leak-check=no" }
    assert_runs(IN_FLIGHT, "lua_close", wrapper)
  end)
end)
