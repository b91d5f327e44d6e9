-- Checks that a call and a chunk of a job, which share policy/attempts.lua, send the same requests, and have
-- the same events and fields of the error, for the same responses.

local clients = require "support.clients"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local OLD, NEW = "pat-na1-old-0123456789", "pat-na1-new-0123456789"
local RESULT = '{"fromObjectId":101,"toObjectId":202}'
local CREATED = responses.created('{"status":"COMPLETE","results":[' .. RESULT .. "]}")
local LIMIT = { "X-HubSpot-RateLimit-Max: 100", "X-HubSpot-RateLimit-Remaining: 99" }
local UNAVAILABLE = responses.of(503, '{"message":"down"}', LIMIT)

-- Both ways to send one association. Each returns the error, or nil, and the number of requests.
local WAYS = {
  call = function(client)
    local result, info = clients.create(client)
    return not result and info or nil, info.attempts
  end,
  chunk = function(client)
    local report, err = client:create_all("contacts", "companies", clients.INPUTS)
    local failure = report.failures[1]
    return err or failure and failure.error, report.requests
  end,
}

local FIELDS = {
  "kind", "message", "status", "attempts", "retryable", "sent", "rate_limit", "event_error", "retry_after",
}

describe("a call and a chunk", function()
  after_each(clients.close)

  -- Sends by one way to a server that follows these scripts, one per connection.
  local function try(way, scripts, options)
    local server = raw_server.start({ connections = scripts })
    finally(function() server:close() end)
    local seen = { events = {} }
    local client = clients.open(server:url(), {
      token = OLD,
      on_event = function(event)
        local event_type = event.type
        seen.events[#seen.events + 1] = event.attempt and event_type .. " " .. event.attempt or event_type
      end,
    }, options)
    local err, requests = WAYS[way](client)
    seen.requests, seen.received = requests, #server:requests()
    if err then
      assert.is_true(err.elapsed >= 0)
      seen.error = {}
      for _, name in ipairs(FIELDS) do seen.error[name] = err[name] end
    end
    server:close()
    return seen
  end

  local function both(scripts, options)
    local call = try("call", scripts, options and options())
    assert.same(call, try("chunk", scripts, options and options()))
    return call
  end

  it("that succeed report the request and its response", function()
    local seen = both { responses.script(CREATED) }
    assert.same({ events = { "request 1", "response 1" }, requests = 1, received = 1 }, seen)
  end)

  it("have sent nothing when there is no token", function()
    local seen = both({ responses.script(CREATED) }, function()
      return { token = function() return nil, "the vault is shut" end }
    end)
    assert.same({}, seen.events)
    assert.same({ 0, "token", false }, { seen.received, seen.error.kind, seen.error.retryable })
    assert.equal(0, seen.error.attempts)
  end)

  it("are sent again with a new token, once", function()
    local script = responses.script { responses.of(401, '{"message":"who?"}', LIMIT), CREATED }
    local seen = both({ script }, function()
      return { token = function(reason) return reason == "first" and OLD or NEW end }
    end)
    assert.same({ "request 1", "response 1", "request 2", "response 2" }, seen.events)
    assert.is_nil(seen.error)
  end)

  it("have the error of a token that could not be renewed, and the response's rate limit", function()
    local seen = both({ responses.script(responses.of(401, '{"message":"who?"}', LIMIT)) }, function()
      return {
        token = function(reason)
          if reason == "first" then return OLD end
          return nil, "the vault is shut"
        end,
      }
    end)
    assert.same({ "token", 1, 100 }, { seen.error.kind, seen.error.attempts, seen.error.rate_limit.max })
  end)

  it("are rejected with the response's rate limit and status", function()
    local seen = both { responses.script(responses.of(401, '{"message":"who?"}', LIMIT)) }
    assert.same({ "unauthorized", 401, 1, false, 99 }, {
      seen.error.kind, seen.error.status, seen.error.attempts, seen.error.retryable,
      seen.error.rate_limit.remaining,
    })
  end)

  it("are sent again up to max_attempts, and report it", function()
    local seen = both({ responses.script({ UNAVAILABLE, UNAVAILABLE }) }, function()
      return { max_attempts = 2 }
    end)
    assert.same({ "request 1", "response 1", "retry 1", "request 2", "response 2" }, seen.events)
    assert.same({ 2, 503, true }, { seen.error.attempts, seen.error.status, seen.error.retryable })
  end)

  it("are sent again after the pause that the rate limit requires", function()
    local full = responses.of(429, '{"message":"slow","policyName":"SECONDLY"}', { "Retry-After: 1" })
    local seen = both({ responses.script({ full, CREATED }) }, function() return { max_attempts = 2 } end)
    assert.same({ "request 1", "response 1", "retry 1", "request 2", "response 2" }, seen.events)
  end)

  it("wait before the first request if others have used up the limit, and report it", function()
    local used_up = responses.created('{"status":"COMPLETE","results":[' .. RESULT .. "]}", {
      "X-HubSpot-RateLimit-Secondly: 1", "X-HubSpot-RateLimit-Secondly-Remaining: 0",
    })
    for way in pairs(WAYS) do
      local server = raw_server.start({ connections = { responses.script({ used_up, CREATED }) } })
      finally(function() server:close() end)
      local events = {}
      local client = clients.open(server:url(), { on_event = function(event)
        events[#events + 1] = event.type
      end })
      assert(clients.create(client))
      WAYS[way](client)
      assert.same({ "request", "response", "wait", "request", "response" }, events)
    end
  end)

  it("that fail in the network were not sent, or may have been", function()
    local seen = both { { { "read_request" }, { "reset" } } }
    assert.same({ "request 1", "failure 1" }, seen.events)
    assert.same({ "network", 1, nil }, { seen.error.kind, seen.error.attempts, seen.error.sent })
  end)

  it("have the error that on_event raised", function()
    local seen = both({ responses.script(responses.of(403, '{"message":"no"}')) }, function()
      return { on_event = function() error("the log is full", 0) end }
    end)
    assert.same({ "forbidden", "the log is full" }, { seen.error.kind, seen.error.event_error })
  end)
end)
