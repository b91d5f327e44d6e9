-- Jobs over real sockets: each fault of sandbox/faults.lua happens at least once in a job that ends well.

local core = require "hubspot.associations.core"
local faults = require "hubspot.associations.sandbox.faults"
local clients = require "support.clients"
local jobs = require "support.jobs"
local process = require "support.process"
local sandbox = require "support.sandbox"

local server, client

local function open(options, faults_script)
  server = sandbox.start({ faults = faults_script })
  client = clients.open(server:url(), { timeout = 5, max_attempts = false }, options)
end

after_each(function()
  clients.close()
  server:close()
end)

-- How many of the associations of the job the account has.
local function held()
  return #server:associations()
end

-- Faults after which not every input can be created.
local ENDS = {
  daily = function(report, err)
    assert.equal("daily_limit", err.kind)
    assert.is_true(report.not_sent > 0)
  end,
}

describe("a job over HTTP", function()
  for _, kind in ipairs(faults.kinds()) do
    it("accounts for every input when it meets: " .. kind, function()
      open({ batch_size = 50, concurrency = 2 }, { ["2"] = kind })
      local report, err = client:create_all("contacts", "companies", jobs.inputs(400))
      jobs.assert_adds_up(report, 400)
      if ENDS[kind] then
        ENDS[kind](report, err)
      else
        assert.is_nil(err, tostring(err))
        assert.equal(400, report.created)
        assert.equal(400, held())
      end
      assert.is_true(held() >= report.created)
    end)
  end

  it("asks the token function again in the middle of a job, and loses nothing", function()
    open({
      batch_size = 10,
      token = function(reason)
        return reason == "first" and clients.TOKEN .. "-old" or clients.TOKEN .. "-new"
      end,
    })
    server:configure({ token = { clients.TOKEN .. "-new" } })
    local report, err = client:create_all("contacts", "companies", jobs.inputs(100))
    assert.is_nil(err)
    assert.equal(100, report.created)
  end)

  it("stops at a token that is rejected, with every input accounted for", function()
    open({ batch_size = 10 })
    server:configure({ token = { "another-token-0000" } })
    local report, err = client:create_all("contacts", "companies", jobs.inputs(100))
    assert.equal("unauthorized", err.kind)
    assert.same({ 100, 0, 0, 0, 100 },
      { report.inputs, report.created, report.failed, report.unconfirmed, report.not_sent })
    assert.equal(0, held())
  end)

  it("stops when no server listens, and a job with the same journal goes on from there", function()
    open({ batch_size = 10, max_attempts = 2 })
    local folder = process.make_folder()
    local path = folder .. "/links.journal"
    local sent = 0
    local report, err = client:create_all("contacts", "companies", jobs.inputs(100), {
      journal = path,
      on_batch = function()
        sent = sent + 1
        return sent < 3
      end,
    })
    assert.equal("canceled", err.kind)
    jobs.assert_adds_up(report)
    assert.is_true(report.created >= 30 and report.not_sent > 0)

    report, err = client:create_all("contacts", "companies", jobs.inputs(100), { journal = path })
    assert.is_nil(err)
    assert.equal(100, report.created)
    assert.is_true(report.resumed >= 30)
    assert.equal(100, held())
    assert.equal(100, server:statistics().inputs) -- nothing was sent twice
    process.remove_folder(folder)
  end)

  it("keeps to the rate limit of the headers", function()
    open({ batch_size = 10, concurrency = 4 })
    server:configure({ rate = { limit = 20, interval = 1 } })
    local report, err = client:create_all("contacts", "companies", jobs.inputs(800))
    assert.is_nil(err)
    assert.equal(800, report.created)
    local statistics = server:statistics()
    assert.is_true((statistics.status["429"] or 0) <= 1, "429s: " .. tostring(statistics.status["429"]))
    assert.is_true(report.elapsed >= 2.9, report.elapsed)
  end)

  it("finds the one bad row of two thousand in three requests when HubSpot names it", function()
    open({})
    server:configure({ rejected = { "100777" } })
    local report = client:create_all("contacts", "companies", jobs.inputs(2000))
    assert.same({ 1999, 1, 3 }, { report.created, report.failed, report.requests })
    assert.equal(777, report.failures[1].index)
    assert.equal(1999, held())
  end)

  it("ends when a callback closes the client, with every input accounted for", function()
    open({ batch_size = 10, concurrency = 3 })
    local report, err = client:create_all("contacts", "companies", jobs.inputs(200), {
      on_batch = function() client:close() end,
    })
    assert.equal("closed", err.kind)
    jobs.assert_adds_up(report, 200)
  end)
end)

describe("a job in steps", function()
  it("is stepped by its host, whenever its descriptor is readable", function()
    open({ batch_size = 10 })
    server:configure({ latency = 0.02 })
    local job = assert(client:start("contacts", "companies", jobs.inputs(100)))
    assert.is_nil((job:result()))
    local steps = 0
    while not job:step() do
      assert.is_false(job:done())
      assert.is_true(core.poll(job:fd(), 5), "nothing came for five seconds")
      steps = steps + 1
    end
    assert.is_true(job:done())
    local report, err = job:result()
    assert.is_nil(err)
    assert.equal(100, report.created)
    assert.is_true(steps < 500, "stepped " .. steps .. " times")
  end)

  it("is readable again after a wait", function()
    open({ batch_size = 10 }, { ["1"] = "unavailable" })
    local job = assert(client:start("contacts", "companies", jobs.inputs(10)))
    assert.equal(10, jobs.finish(job).created)
  end)

  it("that is canceled waits for requests in flight, and sends nothing more", function()
    open({ batch_size = 10, concurrency = 2 })
    server:configure({ latency = 0.1 })
    local job = assert(client:start("contacts", "companies", jobs.inputs(100)))
    repeat assert.is_false(job:step()) until job:progress().requests == 2
    job:cancel()
    local report, err = jobs.finish(job)
    assert.equal("canceled", err.kind)
    assert.same({ 20, 80 }, { report.created, report.not_sent })
  end)

  it("shares its client with others: each gets its own responses", function()
    open({ batch_size = 10 })
    local left = assert(client:start("contacts", "companies", jobs.inputs(100)))
    local right = assert(client:start("companies", "contacts", function() return nil end))
    local left_done, right_done
    repeat
      left_done, right_done = left:step(), right:step()
      if not (left_done and right_done) then core.poll(client.session.transport:fd(), 5) end
    until left_done and right_done
    assert.equal(100, left:result().created)
    assert.equal(0, right:result().inputs)
  end)

  it("is readable after its wait even if another job of its client was stepped at that moment", function()
    open({ batch_size = 10 }, { ["1"] = "unavailable" })
    local waiting = assert(client:start("contacts", "companies", jobs.inputs(10)))
    repeat
      waiting:step()
      if not waiting:timeout() then assert.is_true(core.poll(waiting:fd(), 5)) end
    until (waiting:timeout() or 0) > 0 -- 0 is to be stepped again at once
    local over = core.now() + waiting:timeout()
    server:configure({ latency = 4 })
    local other = assert(client:start("companies", "contacts", { { from = 1, to = 2, types = 280 } }))
    repeat
      assert.is_false(other:step())
      core.poll(other:fd(), 0.01)
    until core.now() > over
    assert.is_false(other:step())
    assert.is_true(core.poll(waiting:fd(), 2), "not readable")
    repeat assert.is_false(waiting:step()) until waiting:progress().requests == 2 -- it sends
  end)
end)
