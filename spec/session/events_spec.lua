-- on_event: which events a call has, in which order, with which fields; and that a handler cannot affect a
-- call.

local clients = require "support.clients"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local OLD, NEW = "pat-na1-old-0123456789", "pat-na1-new-0123456789"

describe("on_event", function()
  local server, client, events

  local function open(scripts, changes)
    server = raw_server.start({ connections = scripts })
    events = {}
    client = clients.open(server:url(), {
      token = OLD,
      on_event = function(event)
        events[#events + 1] = event
      end,
    }, changes)
  end

  local function create()
    return clients.create(client)
  end

  local function types()
    local words = {}
    for index, event in ipairs(events) do
      words[index] = event.type .. " " .. event.attempt
    end
    return words
  end

  after_each(function()
    clients.close()
    server:close()
  end)

  it("is called with the request, then with its response", function()
    local bytes = responses.created(nil, {
      "X-HubSpot-Correlation-Id: c-1", "X-HubSpot-RateLimit-Max: 100", "X-HubSpot-RateLimit-Remaining: 99",
      "Date: Sun, 06 Nov 1994 08:49:37 GMT",
    })
    open({ responses.script(bytes) })
    local _, meta = assert(create())
    assert.same({ "request 1", "response 1" }, types())
    local request, response = events[1], events[2]
    assert.same({
      type = "request", attempt = 1, method = "POST",
      url = server:url() .. "/crm/associations/2025-09/contacts/companies/batch/create",
      bytes = #server:requests()[1]:match("\r\n\r\n(.*)$"),
    }, request)
    assert.is_true(response.elapsed >= 0 and response.elapsed <= meta.elapsed)
    response.elapsed = nil
    assert.same({
      type = "response", attempt = 1, method = request.method, url = request.url, status = 201,
      bytes = #responses.BATCH, http_version = "1.1",
      correlation_id = "c-1", rate_limit = { max = 100, remaining = 99 }, date = 784111777,
    }, response)
  end)

  it("is called for every call", function()
    open({ responses.script(responses.created(), 3) })
    for _ = 1, 3 do
      assert(create())
    end
    assert.same({ "request 1", "response 1", "request 1", "response 1", "request 1", "response 1" }, types())
  end)

  it("is called with a rejection as with any response", function()
    open({ responses.script(responses.of(429, '{"policyName":"DAILY"}')) })
    assert.is_nil((create()))
    assert.same({ "request 1", "response 1" }, types())
    assert.equal(429, events[2].status)
  end)

  it("is called with both requests when the token is renewed", function()
    open({ responses.script({ responses.of(401, "{}"), responses.created() }) }, {
      token = function(reason)
        return reason == "first" and OLD or NEW
      end,
    })
    assert(create())
    assert.same({ "request 1", "response 1", "request 2", "response 2" }, types())
    assert.same({ 401, 201 }, { events[2].status, events[4].status })
  end)

  it("is called with a request that failed, and why", function()
    open({ { { "read_request" }, { "reset" } } })
    local batch, err = create()
    assert.is_nil(batch)
    assert.same({ "request 1", "failure 1" }, types())
    assert.is_true(events[2].elapsed >= 0)
    events[2].elapsed = nil
    assert.same({
      type = "failure", attempt = 1, method = events[1].method, url = events[1].url, kind = "network",
      message = err.message,
    }, events[2])
  end)

  it("is not called when nothing is sent", function()
    open({ responses.script(responses.created()) })
    assert.is_nil((client:create("contacts", "companies", { {} })))
    assert.is_nil((client:create("..", "companies", clients.INPUTS)))
    assert.same({}, events)
  end)

  it("loses no response when it raises; the call returns what it raised", function()
    local raised = { "anything" }
    for _, value in ipairs({ "a word", raised }) do
      open({ responses.script(responses.created()) }, {
        on_event = function()
          error(value, 0)
        end,
      })
      local batch, meta = assert(create())
      assert.equal("COMPLETE", batch.status)
      assert.equal(value, meta.event_error)
      server:close()
    end
  end)

  it("keeps the error of a call when it raises; the error has what it raised", function()
    open({ responses.script(responses.of(403, '{"message":"no"}')) }, {
      on_event = function()
        error("the log is full", 0)
      end,
    })
    local batch, err = create()
    assert.is_nil(batch)
    assert.same({ "forbidden", "no", "the log is full" }, { err.kind, err.message, err.event_error })
  end)

  it("does not change a call by changing the event", function()
    local bytes = responses.created(nil, { "X-HubSpot-RateLimit-Max: 100" })
    open({ responses.script(bytes) }, {
      on_event = function(event)
        if event.rate_limit then
          event.rate_limit.max = 0
        end
        for field in pairs(event) do
          event[field] = nil
        end
      end,
    })
    local _, meta = assert(create())
    assert.same({ 201, { max = 100 } }, { meta.status, meta.rate_limit })
  end)

  it("may make a call of its own with the same client", function()
    local inner
    open({ responses.script(responses.created(), 2) }, {
      on_event = function(event)
        if event.type == "response" and inner == nil then
          inner = false
          inner = create()
        end
      end,
    })
    assert(create())
    assert.equal("COMPLETE", inner.status)
    assert.equal(2, #server:requests())
  end)

  it("may close the client: the call fails as closed, without raising", function()
    open({ responses.script(responses.created()) }, {
      on_event = function(event)
        if event.type == "request" then
          client:close()
        end
      end,
    })
    local batch, err = create()
    assert.is_nil(batch)
    assert.equal("closed", err.kind)
    assert.equal(0, server:connections())
  end)

  it("may close the client when the response is there, which is not lost", function()
    open({ responses.script(responses.created()) }, {
      on_event = function(event)
        if event.type == "response" then
          client:close()
        end
      end,
    })
    assert.equal("COMPLETE", assert(create()).status)
  end)
end)
