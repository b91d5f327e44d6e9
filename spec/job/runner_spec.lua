-- The life of a job in steps, and of its client: closed, canceled, broken and forgotten at the wrong moment.
-- A host that polls the descriptor or steps the job always reaches its end, and nothing stays open.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local exchange = require "support.exchange"
local jobs = require "support.jobs"
local raw_server = require "support.raw_server"
local resources = require "support.resources"
local walk = require "support.walk"

local TOKEN = "pat-na1-0123456789abcdef"
local INPUTS = { { from = 101, to = "202", types = 279 } }
local HOLD = { { "read_request" }, { "hold" } }

describe("a job in steps", function()
  local server, client

  local function open(...)
    server = raw_server.start { connections = { ... } }
    client = assert(associations.new { token = TOKEN, base_url = server:url(), timeout = 20 })
  end

  local function start()
    return assert(client:start("contacts", "companies", INPUTS))
  end

  -- A job whose request the server has received.
  local function start_and_send()
    local job = start()
    assert.is_false(job:step())
    exchange.eventually(function()
      job:step()
      return server:requests()[1]
    end, "the request")
    return job
  end

  after_each(function()
    client:close()
    server:close()
  end)

  it("is readable when its client is closed, and then done", function()
    open(HOLD)
    local job = start_and_send()
    local fd = job:fd()
    client:close()
    assert.is_true(core.poll(fd, 0))
    assert.equal(fd, job:fd())
    local report, err = jobs.finish(job)
    assert.same({ "closed", 1 }, { err.kind, report.unconfirmed })
    assert.equal(-1, job:fd())
  end)

  it("whose client is closed before the first step has sent nothing", function()
    open(HOLD)
    local job = start()
    client:close()
    assert.equal(1, jobs.finish(job).not_sent)
  end)

  it("ends its connections when its client is closed, and its descriptor once it is done", function()
    open(HOLD)
    resources.collect()
    local before, list_before = resources.descriptors()
    local job = start_and_send()
    assert.equal(before + 1, resources.descriptors())
    client:close()
    local watched, list = resources.descriptors()
    assert.is_true(watched <= before, list_before .. "\nand then\n" .. list)
    jobs.finish(job)
    assert.is_true(resources.descriptors() < watched)
  end)

  it("that is dropped does not keep its client from being closed", function()
    open(HOLD)
    resources.collect()
    local before = resources.descriptors()
    start_and_send()
    client:close()
    client = assert(associations.new { token = TOKEN, base_url = server:url() })
    resources.collect()
    assert.is_true(resources.descriptors() <= before)
  end)

  it("that is canceled when it is done wakes no owner", function()
    open(HOLD)
    local job = assert(client:start("contacts", "companies", {}))
    jobs.finish(job)
    job:cancel()
    client.session.wakeups:step()
    assert.is_false(core.poll(job:fd(), 0.05))
  end)

  it("raises the same error at each step after one that did not come from a callback", function()
    open(HOLD)
    local job = start_and_send()
    local request = job.exchanges[1].transfer
    local done = request.done
    job.exchanges[1].transfer = { -- stands for a hook of the host's, or for memory that is out
      done = function() error("out of luck", 0) end,
      close = function() request:close() end,
    }
    assert.is_false(done(request))
    for _ = 1, 3 do
      assert.error_matches(function() job:step() end, "^out of luck$")
    end
    assert.is_true(done(request)) -- canceled
    assert.is_false(job:done())
  end)

  it("has the token in no table", function()
    open(HOLD)
    local job = start_and_send()
    assert.is_nil(walk.find(job, TOKEN))
  end)
end)

describe("a call whose loop raises", function()
  it("does not keep the client from being closed", function()
    local server = raw_server.start { connections = { HOLD } }
    finally(function() server:close() end)
    local client = assert(associations.new { token = TOKEN, base_url = server:url(), loop = {
      wait = function(fd)
        core.poll(fd, 5)
        if server:requests()[1] then error("the loop broke", 0) end
      end,
    } })
    resources.collect()
    collectgarbage "stop"
    local before = resources.descriptors()
    assert.same({ false, "the loop broke" }, {
      pcall(client.create, client, "contacts", "companies", INPUTS) })
    assert.is_true(resources.descriptors() > before)
    client:close()
    assert.is_true(resources.descriptors() <= before)
    collectgarbage "restart"
  end)
end)
