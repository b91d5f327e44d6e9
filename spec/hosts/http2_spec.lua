-- HTTP/2 over TLS, with nginx in front of the sandbox. Many calls share one connection, and no input loses
-- its outcome when nginx is reloaded, loses a worker, or often ends its connections.

local associations = require "hubspot.associations"
local core = require "hubspot.associations.core"
local cqueues = require "cqueues"
local cqueues_loop = require "hubspot.associations.loop.cqueues"
local nginx = require "support.nginx"
local sandbox = require "support.sandbox"

local TOKEN = "pat-na1-0123456789abcdef"
local CALLS = 100
local BATCHES, BATCH_SIZE = 200, 20
local MANY_CALLS, AT_ONCE = 1000, 50

describe("over HTTP/2, behind nginx,", function()
  local missing, account, front, client

  setup(function()
    missing = nginx.missing()
  end)

  after_each(function()
    if client then client:close() end
    if front then front:close() end
    if account then account:close() end
    client, front, account = nil, nil, nil
  end)

  local function start(options, changes)
    options = options or {}
    account = sandbox.start({ token = { TOKEN }, latency = options.latency, missing = { "0" } })
    front = nginx.start({
      upstream = account.port,
      requests_per_connection = options.requests_per_connection,
    })
    local given = { token = TOKEN, base_url = front:url(), ca_file = front.ca, batch_size = BATCH_SIZE }
    for name, value in pairs(changes or {}) do given[name] = value end
    client = assert(associations.new(given))
  end

  local function input(id)
    return { from = id, to = 1, types = 279 }
  end

  it("a call speaks HTTP/2, and says so", function()
    if missing then pending(missing) end
    start()
    local batch, meta = client:create("contacts", "companies", { input(1) })
    assert(batch, tostring(meta))
    assert.equal("2", meta.http_version)
    assert.same({ requests = 1, connections = 1, protocols = { ["HTTP/2.0"] = 1 } }, front:served(1))
  end)

  it("a hundred requests at once share one connection", function()
    if missing then pending(missing) end
    start({ latency = 0.2 })
    local transport = assert(core.transport({ ca_file = front.ca }))
    local requests, connects = {}, 0
    local began = core.now()
    for index = 1, CALLS do
      requests[index] = assert(transport:submit({
        method = "POST",
        url = front:url() .. "/crm/v4/associations/contacts/companies/batch/create",
        headers = { "Authorization: Bearer " .. TOKEN, "Content-Type: application/json" },
        body = ('{"inputs":[{"from":{"id":"%d"},"to":{"id":"1"},"types":'
          .. '[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]}]}'):format(index),
        timeout = 10,
        connect_timeout = 5,
      }))
    end
    while transport:pending() > 0 do
      core.poll(transport:fd(), 5)
      transport:step()
    end
    local elapsed = core.now() - began
    for index, request in ipairs(requests) do
      local response = assert(request:response())
      assert.same({ 201, "2" }, { response.status, response.http_version })
      assert.truthy(response.body:find(('"fromObjectId":%d,'):format(index), 1, true))
      connects = connects + response.connects
    end
    transport:close()
    assert.equal(1, connects)
    local all = { requests = CALLS, connections = 1, protocols = { ["HTTP/2.0"] = CALLS } }
    assert.same(all, front:served(CALLS))
    assert.is_true(elapsed < CALLS * 0.2 / 10, ("%.2f s: not at the same time"):format(elapsed))
  end)

  it("a hundred coroutines' calls share one connection, and each gets its own response", function()
    if missing then pending(missing) end
    start({ latency = 0.2 }, { loop = cqueues_loop })
    local loop, answered = cqueues.new(), 0
    for index = 1, CALLS do
      loop:wrap(function()
        local batch, meta = client:create("contacts", "companies", { input(index) })
        assert(batch, tostring(meta))
        assert(batch.results[1].fromObjectId == tostring(index) and meta.http_version == "2")
        answered = answered + 1
      end)
    end
    local began = core.now()
    assert(loop:loop())
    local elapsed = core.now() - began
    assert.equal(CALLS, answered)
    assert.equal(1, front:served(CALLS).connections)
    assert.is_true(elapsed < CALLS * 0.2 / 10, ("%.2f s: not at the same time"):format(elapsed))
  end)

  it("links of different object types, sent at the same time, share one connection", function()
    if missing then pending(missing) end
    local latency = 0.5
    start({ latency = latency }, { loop = cqueues_loop })
    local loop, linked = cqueues.new(), 0
    for from, types in pairs({ contacts = 279, deals = 341, tickets = 339, notes = 190 }) do
      loop:wrap(function()
        local result, err = client:link(from, "companies", { from = 1, to = 1, types = types })
        assert(result, tostring(err))
        linked = linked + 1
      end)
    end
    local began = core.now()
    assert(loop:loop())
    assert.equal(4, linked)
    assert.is_true(core.now() - began < 4 * latency, "not at the same time")
    local all = { requests = 4, connections = 1, protocols = { ["HTTP/2.0"] = 4 } }
    assert.same(all, front:served(4))
  end)

  -- Runs a job, and calls `disturb` with the number of batches done after each.
  local function run_job(options, disturb)
    start(options, { concurrency = 16 })
    local inputs, done, seen = {}, 0, {}
    for id = 1, BATCHES * BATCH_SIZE do inputs[id] = input(id) end
    local report, err = client:create_all("contacts", "companies", inputs, {
      on_batch = function(batch)
        done = done + 1
        for _, result in ipairs(batch.results) do
          assert(not seen[result.fromObjectId], "an input has one result")
          seen[result.fromObjectId] = true
        end
        if disturb then disturb(done) end
      end,
    })
    assert.is_nil(err)
    assert.same({ #inputs, #inputs, 0, 0, 0 },
      { report.inputs, report.created, report.failed, report.unconfirmed, report.not_sent })
    local held = {}
    for _, association in ipairs(account:associations()) do held[association.fromObjectId] = true end
    for id = 1, #inputs do assert(held[tostring(id)], "an input that was not created") end
    return report
  end

  it("a job shares one connection", function()
    if missing then pending(missing) end
    local report = run_job({ latency = 0.03 })
    assert.equal(0, report.retries)
    local all = { requests = BATCHES, connections = 1, protocols = { ["HTTP/2.0"] = BATCHES } }
    assert.same(all, front:served(BATCHES))
  end)

  it("a job loses nothing when nginx is reloaded, again and again", function()
    if missing then pending(missing) end
    run_job({ latency = 0.03 }, function(done)
      if done % 40 == 10 then front:reload() end
    end)
    assert.is_true(front:served(BATCHES).connections > 1)
  end)

  it("a job loses nothing when nginx's workers are killed", function()
    if missing then pending(missing) end
    -- On a busy machine, all responses may have arrived when the workers are killed: so more than once.
    local report = run_job({ latency = 0.1 }, function(done)
      if done % 30 == 10 then front:kill_workers() end
    end)
    assert.is_true(report.retries > 0)
  end)

  -- nginx ends a connection by a GOAWAY: of the requests at once, it serves some, and refuses the others.
  it("what nginx refuses when it ends connections is certainly not done, and all else is", function()
    if missing then pending(missing) end
    start({ requests_per_connection = 20 }, { loop = cqueues_loop, max_attempts = 1 })
    local loop, refused, created = cqueues.new(), 0, {}
    for first = 1, AT_ONCE do
      loop:wrap(function()
        for id = first, MANY_CALLS, AT_ONCE do
          local batch, err = client:create("contacts", "companies", { input(id) })
          if batch then
            assert(batch.results[1].fromObjectId == tostring(id), "the response to another call")
            created[#created + 1] = tostring(id)
          else
            assert(err.kind == "network" and err.sent == false, tostring(err))
            refused = refused + 1
          end
        end
      end)
    end
    assert(loop:loop())
    assert.is_true(refused > 0)
    assert.equal(MANY_CALLS, #created + refused)
    local held = {}
    for _, association in ipairs(account:associations()) do held[#held + 1] = association.fromObjectId end
    table.sort(created)
    table.sort(held)
    assert.same(created, held)
    assert.equal(#created, front:served(#created).requests)
  end)

  for _, requests in ipairs({ 1, 5, 20 }) do
    it("a job loses nothing when a connection ends after " .. requests .. " requests", function()
      if missing then pending(missing) end
      run_job({ latency = 0.01, requests_per_connection = requests })
      assert.is_true(front:served(BATCHES).connections > 1)
    end)
  end
end)
