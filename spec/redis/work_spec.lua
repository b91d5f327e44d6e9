-- Checks work/worker.lua with a real redis-server and the sandbox: what is in a queue reaches the account,
-- what fails becomes a dead letter, and nothing is lost when a worker or Redis dies.

local core = require "hubspot.associations.core"
local redis_server = require "support.redis_server"
local sandbox = require "support.sandbox"

local missing = redis_server.missing()
if missing then
  describe("a worker", function() pending(missing) end)
  return
end

local associations = require "hubspot.associations"
local redis = require "hubspot.associations.redis"

describe("a worker", function()
  local server, account, client, queue

  before_each(function()
    server = redis_server.start { words = { "--appendonly", "yes", "--appendfsync", "always" } }
    account = sandbox.start {}
    client = assert(associations.new { token = "t", base_url = account:url(), retry_deadline = 1 })
    queue = assert(redis.queue { url = server:url(), name = "q", streams = 4 })
  end)

  after_each(function()
    queue:close()
    client:close()
    account:close()
    server:close()
  end)

  local function add(from, to, types, endpoint)
    local input = { from = from, to = to, types = types }
    assert(queue:add("contacts", "companies", input, { endpoint = endpoint }))
  end

  local function drain(options)
    local given = { until_empty = true, poll = 0.01 }
    for name, value in pairs(options or {}) do given[name] = value end
    return client:work(queue, given)
  end

  it("links what is in the queue, in full batches", function()
    for index = 1, 300 do add(index, 1, 279) end
    local report, err = drain()
    assert.is_nil(err)
    assert.same({ 300, 0, 1 }, { report.done, report.failed, report.requests })
    assert.equal(300, #account:associations())
    local status = assert(queue:status())
    assert.same({ 0, 0, 0, 0 }, { status.depth, status.dead, status.workers, status.held })
  end)

  it("keeps the order of a pair", function()
    for index = 1, 20 do
      add(index, 1, 279)
      add(index, 1, nil, "archive")
      if index % 2 == 0 then add(index, 1, 279) end
    end
    local report = drain()
    assert.equal(50, report.done)
    assert.equal(10, #account:associations())
  end)

  it("makes dead letters of what HubSpot rejects, and of what is no input, with the reason", function()
    add(1, 1, 279)
    add(2, 1, 280) -- of the other direction
    local report, err = drain()
    assert.is_nil(err)
    assert.same({ 1, 1 }, { report.done, report.failed })
    local letters = assert(queue:dead_letters())
    assert.equal(1, #letters)
    assert.equal("2", letters[1].entry.input.from)
    assert.equal("failed", letters[1].reason.outcome)
    assert.matches("companies to contacts", letters[1].reason.message)
  end)

  it("ends with the error of a token that is not valid, and leaves all in the queue", function()
    account:close()
    account = sandbox.start { token = "right" }
    client = assert(associations.new { token = "wrong-token-of-a-test", base_url = account:url() })
    add(1, 1, 279)
    local report, err = drain()
    assert.same({ 0, "unauthorized" }, { report.done, err.kind })
    local status = assert(queue:status())
    assert.same({ 1, 0 }, { status.depth, status.dead })
  end)

  it("tries again later when HubSpot is away", function()
    local url = account:url()
    account:close()
    client = assert(associations.new { token = "t", base_url = url, max_attempts = 1 })
    add(1, 1, 279)
    local seen
    local report, err = drain {
      on_error = function(failure, delay) seen = { failure.kind, delay } end,
      stop = function() return seen ~= nil end,
    }
    assert.same({ "network", 1 }, seen)
    assert.same({ 0, nil }, { report.done, err })
    assert.equal(1, assert(queue:status()).depth)
    account = sandbox.start {}
  end)

  it("keeps its streams until its lease is over when its client is closed", function()
    add(1, 1, 279)
    local report, err = drain { on_error = error, stop = function() client:close() end }
    assert.same({ 0, "closed" }, { report.done, err.kind })
    assert.equal(1, assert(queue:status()).workers)
  end)

  it("goes on until it is told to stop", function()
    local turns = 0
    local report, err = drain {
      until_empty = false,
      stop = function()
        turns = turns + 1
        if turns == 3 then add(1, 1, 279) end
        return #account:associations() == 1
      end,
    }
    assert.same({ 1, nil }, { report.done, err })
  end)

  it("leaves everything to another one when it is killed", function()
    for index = 1, 300 do add(index, 1, 279) end
    local got = assert(queue:hold("", {}, 0.3, false)) -- a worker that is never heard of again
    assert.is_not_nil(next(got.held))
    local report = drain()
    assert.equal(300, report.done)
  end)

  it("loses nothing when Redis is killed and started again", function()
    local began = core.now()
    for index = 1, 50 do add(index, 1, 279) end
    server:kill()
    local added, err = queue:add("contacts", "companies", { from = 51, to = 1, types = 279 })
    assert.same({ nil, "network" }, { added, err.kind })
    server:start()
    assert.equal(50, assert(queue:status()).depth)
    add(51, 1, 279)
    assert.equal(51, drain().done)
    assert.is_true(core.now() - began < 60)
  end)

  it("tells a Redis that has hung of the outcomes that came meanwhile", function()
    queue:close()
    queue = assert(redis.queue { url = server:url(), name = "q", timeout = 0.2 })
    for index = 1, 50 do add(index, 1, 279) end
    local asked -- since it was stopped
    local report, err = drain {
      on_error = error,
      stop = function()
        if asked then
          asked = asked + 1
          if asked == 2 then server:signal "CONT" end
        elseif #account:associations() == 50 then
          server:signal "STOP"
          asked = 0
        end
        return false
      end,
    }
    assert.is_nil(err)
    assert.same({ 50, 1 }, { report.done, report.requests })
    assert.same({ 0, 0 }, { assert(queue:status()).depth, assert(queue:status()).dead })
  end)

  it("empties a Redis that is full", function()
    local connection = assert(redis.new { url = server:url() })
    add(1, 1, 279)
    add(2, 1, 280) -- of the other direction
    add(3, 1, 279)
    assert(connection:call("CONFIG", "SET", "maxmemory", "1mb"))
    local added, err = queue:add("contacts", "companies", { from = 4, to = 1, types = 279 })
    assert.same({ nil, "redis", "OOM", true }, { added, err.kind, err.code, err.retryable })
    local report, why = drain { stop = function() return false end, on_error = error }
    assert.is_nil(why)
    assert.same({ 2, 1 }, { report.done, report.failed })
    assert.same({ 0, 1 }, { assert(queue:status()).depth, assert(queue:status()).dead })
    connection:close()
  end)

  it("makes dead letters of entries whose object type HubSpot does not know", function()
    assert(queue:add("contacts", "compannies", { from = 1, to = 1, types = 279 }))
    assert(queue:add("contacts", "compannies", { from = 2, to = 1, types = "primary" }))
    add(1, 1, 279)
    local report, err = drain()
    assert.is_nil(err)
    assert.same({ 1, 2 }, { report.done, report.failed })
    assert.matches("compannies", assert(queue:dead_letters())[1].reason.message)
  end)

  it("makes dead letters of what somebody else has written to a stream", function()
    local connection = assert(redis.new { url = server:url() })
    add(1, 1, 279)
    assert(connection:call("XADD", "hubspot-associations:queue:{q}:stream:0", "*", "a", "b"))
    connection:close()
    local report, err = drain()
    assert.is_nil(err)
    assert.same({ 1, 1 }, { report.done, report.failed })
    assert.matches("this is no entry of queue:add", assert(queue:dead_letters())[1].reason.message)
  end)

  it("stops before it makes more dead letters than are allowed, and says what to do", function()
    queue:close()
    queue = assert(redis.queue { url = server:url(), name = "q", max_dead = 2 })
    add(1, 1, 280) -- of the other direction
    add(2, 1, 280)
    assert.same({ 0, 2 }, { assert(drain()).done, assert(queue:status()).dead })
    assert.is_nil(select(2, drain())) -- nothing to do
    add(3, 1, 279)
    local report, err = drain()
    assert.same({ 0, "busy" }, { report.done, err.kind })
    assert.matches("there are 2 dead letters, .* %(queue %-%-failed%), .* %(discard%-failed%)", err.message)
    assert.equal(1, assert(queue:status()).depth)
    assert(queue:discard_failed(assert(queue:dead_letters())[1].id))
    assert.equal(1, drain().done)
  end)

  it("goes on when Redis forgets its scripts", function()
    local connection = assert(redis.new { url = server:url() })
    add(1, 1, 279)
    assert(connection:call("SCRIPT", "FLUSH"))
    add(2, 1, 279)
    assert.equal(2, drain().done)
    connection:close()
  end)

  it("sends nothing to another account than that of the worker before, while there is something", function()
    add(1, 1, 279)
    assert.equal(1, drain({ account = "11" }).done)
    assert.equal(0, drain({ account = "22" }).done) -- empty: it is of 22 from here on
    add(2, 1, 280) -- of the other direction
    add(3, 1, 279)
    local report, err = drain { account = "11" }
    assert.same({ 0, "invalid_input", "account" }, { report.done, err.kind, err.field })
    assert.matches("the queue is of the account 22, and this worker of 11", err.message)
    assert.equal(2, assert(queue:status()).depth)
    assert.same({ 1, 1 }, { drain({ account = "22" }).done, assert(queue:status()).dead })
    report, err = drain { account = "11" }
    assert.same({ 0, "account" }, { report.done, err.field }) -- a dead letter may be put back
  end)

  it("raises for what is no queue", function()
    assert.matches("client:work: queue: expected one made by redis.queue",
      select(2, pcall(client.work, client, {})))
    assert.matches("client:work: option polls is unknown",
      select(2, pcall(client.work, client, queue, { polls = 1 })))
  end)
end)
