-- Jobs that are ended, reentered or shared at odd moments: the counts add up, and nothing spins.

local core = require "hubspot.associations.core"
local clients = require "support.clients"
local jobs = require "support.jobs"
local sandbox = require "support.sandbox"

local server

before_each(function() server = sandbox.start() end)
after_each(function()
  clients.close()
  server:close()
end)

local function new(options)
  return clients.open(server:url(), { batch_size = 5, concurrency = 3, max_attempts = false }, options)
end

-- Steps a job to its end, calling `at(n)` before the n-th step. Returns the number of steps.
local function drive(job, at)
  local steps = 0
  while true do
    steps = steps + 1
    at(steps)
    if job:step() then return steps end
    if not pcall(job.fd, job) then return error("it has no descriptor, and is not done") end
    core.poll(job:fd(), job:timeout() or 5)
  end
end

describe("a job that is ended before any of its steps", function()
  for _, ending in ipairs { "cancel", "close" } do
    it("accounts for every input: " .. ending, function()
      local most = 3
      local n = 1
      while n <= most do
        local client = new()
        local job = assert(client:start("contacts", "companies", jobs.inputs(40)))
        local steps = drive(job, function(step)
          if step == n then
            if ending == "cancel" then job:cancel() else client:close() end
          end
        end)
        if n == 1 then most = 12 end
        local report, err = job:result()
        jobs.assert_adds_up(report, 40)
        if steps > n then assert.equal(ending == "cancel" and "canceled" or "closed", err.kind) end
        client:close()
        n = n + 1
      end
    end)
  end

  for _, moment in ipairs { "request", "response" } do
    it("accounts for every input when on_event closes the client at a " .. moment, function()
      for n = 1, 9, 2 do
        local client, seen = nil, 0
        client = new {
          on_event = function(event)
            if event.type == moment then seen = seen + 1 end
            if seen == n then client:close() end
          end,
        }
        local report, err = client:create_all("contacts", "companies", jobs.inputs(40))
        jobs.assert_adds_up(report, 40)
        assert.is_true(err == nil or err.kind == "closed")
      end
    end)
  end
end)

describe("a job that is stepped from within one of its callbacks", function()
  it("goes on as usual", function()
    local job
    local client = new { on_event = function() job:step() end }
    job = assert(client:start("contacts", "companies", jobs.inputs(40), {
      on_batch = function() job:step() end,
    }))
    drive(job, function() end)
    local report, err = job:result()
    assert.is_nil(err)
    assert.is_nil(report.event_error)
    assert.equal(40, report.created)
    client:close()
  end)
end)

describe("a call while responses to another job are unclaimed", function()
  it("waits without using the processor", function()
    local client = new { concurrency = 4 }
    local job = assert(client:start("contacts", "companies", jobs.inputs(20)))
    repeat assert.is_false(job:step()) until job:progress().requests > 0
    local transport = client.session.transport
    while transport:pending() > 0 do -- the responses arrive, and no call receives them
      core.poll(transport:fd(), 5)
      transport:step()
    end
    server:configure({ latency = 1 })
    local before = os.clock()
    assert(client:create("contacts", "companies", jobs.inputs(3)))
    local burnt = os.clock() - before
    assert.is_true(burnt < 0.6, "a second of waiting took " .. burnt .. " s of the processor")
    server:configure({ latency = 0 })
    drive(job, function() end)
    assert.equal(20, job:result().created)
    client:close()
  end)
end)

describe("a token that HubSpot rejects for some requests only", function()
  it("is renewed at most once for each request", function()
    server:configure({ token = { clients.TOKEN .. "-good" } })
    local asked = 0
    local client = new {
      token = function()
        asked = asked + 1
        return clients.TOKEN .. "-bad" .. asked
      end,
    }
    local _, err = client:create_all("contacts", "companies", jobs.inputs(40))
    assert.equal("unauthorized", err.kind)
    assert.is_true(asked <= 3, "asked " .. asked .. " times")
    client:close()
  end)
end)

describe("a rate limit that lasts longer than the deadline", function()
  it("is an error at once, which says how long it lasts", function()
    server:configure({ rate = { limit = 1, interval = 50, retry_after = true } })
    local client = new { retry_deadline = 5 }
    assert(client:create("contacts", "companies", jobs.inputs(1)))
    local began = core.now()
    local _, err = client:create("contacts", "companies", jobs.inputs(1))
    assert.equal("rate_limited", err.kind)
    assert.is_true(err.retry_after > 5)
    local report
    report, err = client:create_all("contacts", "companies", jobs.inputs(40))
    assert.equal("rate_limited", err.kind)
    jobs.assert_adds_up(report, 40)
    assert.equal(40, report.not_sent)
    assert.is_true(core.now() - began < 4)
    client:close()
  end)
end)
