-- The sandbox that users start from their tests: require "hubspot.associations.sandbox".

local associations = require "hubspot.associations"
local process = require "support.process"
local sandbox = require "hubspot.associations.sandbox"
local socket = require "socket"

describe("a sandbox in a process of its own", function()
  local hubspot, client

  local function start(options)
    hubspot = assert(sandbox.start(options))
    client = assert(associations.new { token = hubspot.token, base_url = hubspot.url, max_attempts = 1 })
  end

  after_each(function()
    if client then client:close() end
    if hubspot then hubspot:stop() end
    hubspot, client = nil, nil
  end)

  it("takes a client's requests, and says what it holds", function()
    start()
    assert(client:create("contacts", "companies", { { from = 101, to = 202, types = 1 } }))
    assert.same({ {
      fromObjectTypeId = "0-1", fromObjectId = "101", toObjectTypeId = "0-2", toObjectId = "202",
      associationCategory = "HUBSPOT_DEFINED", associationTypeId = 1,
    } }, hubspot:associations())
    assert.equal(1, hubspot:count())
    assert.is_true(hubspot:has("companies", 202, "contacts", "101", 280))
    assert.is_false(hubspot:has("companies", 202, "contacts", 101, 280, "USER_DEFINED"))
    assert.same({ requests = 1, inputs = 1, associations = 1, status = { [201] = 1 } }, hubspot:statistics())
  end)

  it("has options, also with numbers as names, and a script of faults", function()
    start {
      labels = { [36] = { label = "Manager", from = "contacts", to = "companies", inverse = 37 } },
      missing = { "7" }, token = { "secret" }, faults = { [2] = "lost_response" },
    }
    assert.equal("secret", hubspot.token)
    local labels = assert(client:labels("companies", "contacts")).results
    assert.equal("Manager", labels[#labels].label)
    local batch, err = client:create_default("contacts", "companies", { { from = 1, to = 2 } })
    assert.is_nil(batch)
    assert.equal("network", err.kind)
    assert.equal(1, hubspot:count())
    assert.equal(1, #client:create_default("contacts", "companies", { { from = 7, to = 2 } }).errors)
  end)

  it("changes options, and is reset", function()
    start()
    hubspot:configure { status = 202, missing = { "1" } }
    hubspot:configure { missing = sandbox.DEFAULT }
    local input = { { from = 1, to = 2, types = 1 } }
    local _, meta = assert(client:create("contacts", "companies", input))
    assert.equal(202, meta.status)
    hubspot:reset()
    assert.equal(0, hubspot:count())
    _, meta = assert(client:create("contacts", "companies", input))
    assert.equal(201, meta.status)
  end)

  it("is stopped once, and then takes no requests", function()
    start()
    hubspot:stop()
    hubspot:stop()
    local result, err = client:labels("contacts", "companies")
    assert.is_nil(result)
    assert.equal("network", err.kind)
    assert.has_error(function() hubspot:count() end, "the sandbox has been stopped")
  end)

  it("ends with the program that started it, also when that is killed", function()
    local program = 'io.write(require "hubspot.associations.sandbox".start().url) io.stdout:flush() '
      .. 'os.execute("kill -9 $PPID")'
    local result = process.run { process.interpreter(), "-e", program }
    assert.is_not.equal(0, result.code)
    local port = assert(tonumber(result.stdout:match ":(%d+)$"), result.stderr)
    local deadline = socket.gettime() + 5
    repeat
      local connection = socket.connect("127.0.0.1", port)
      if connection then connection:close() end
    until not connection or socket.gettime() > deadline
    assert.is_nil(socket.connect("127.0.0.1", port))
  end)

  it("of which there may be two, ends without the other", function()
    start()
    local other = assert(sandbox.start())
    hubspot:stop()
    assert.equal(0, other:count())
    other:stop()
  end)

  it("raises for what is wrong in options, blamed on the caller", function()
    start()
    for expected, call in pairs {
      ['unknown sandbox option "missin"'] = function() sandbox.start { missin = {} } end,
      ['sandbox option "latency": expected a number of seconds, 0 or more'] =
        function() hubspot:configure { latency = "long" } end,
      ["a function does not reach the sandbox's process"] =
        function() sandbox.start { missing = function() end } end,
      ["a function does not reach"] = function() hubspot:configure { missing = function() end } end,
    } do
      local called, message = pcall(call)
      assert.is_false(called)
      assert.truthy(message:find(expected, 1, true), message)
      assert.truthy(message:find("start_spec.lua:", 1, true), message)
    end
  end)

  it("that does not start is an error", function()
    local running, err = sandbox.start { lua = "/bin/false" }
    assert.is_nil(running)
    assert.equal("the sandbox did not start: its process ended at once", err)
    running, err = sandbox.start { faults = { [1] = "no such fault" } }
    assert.is_nil(running)
    assert.truthy(err:find("no such fault: no such fault", 1, true), err)
  end)
end)
