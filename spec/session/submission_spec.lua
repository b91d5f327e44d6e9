-- One request in steps: what each step says, that none waits, and that what must not be sent again is not.
-- That a call, which waits between the steps, has the same events and errors as a job: call_spec.lua.

local core = require "hubspot.associations.core"
local submissions = require "hubspot.associations.session.submission"
local clients = require "support.clients"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local PAGE = responses.of(200, '{"results":[{"typeId":1}]}')
local LIMIT = { "X-HubSpot-RateLimit-Secondly: 1", "X-HubSpot-RateLimit-Secondly-Remaining: 0" }

describe("a request in steps", function()
  local server, client, info

  after_each(function()
    clients.close()
    server:close()
  end)

  local function begin(script, request, options)
    server = raw_server.start { connections = { script } }
    client = clients.open(server:url(), options)
    info = {}
    request = request or {}
    request.method, request.path = "GET", "/labels"
    return submissions.new(client.session, request, "page", "job", info)
  end

  -- Steps until it is done, or there is a time to wait for. Returns what that step returned.
  local function steps(submission)
    while true do
      local done, detail, err, received = submission:step()
      if done or detail then return done, detail, err, received end
      assert.is_true(submission:is_in_flight())
      assert(core.poll(client.session.wakeups:fd(), 5), "nothing comes")
      client.session.wakeups:step()
    end
  end

  it("is in flight until its response comes, and no step waits for it", function()
    local submission = begin { { "read_request" }, { "sleep", 0.2 }, { "send", PAGE } }
    local began = core.now()
    assert.is_false(submission:is_in_flight())
    for _ = 1, 3 do
      assert.same({ false }, { submission:step() })
      assert.is_true(submission:is_in_flight())
    end
    assert.is_true(core.now() - began < 0.15)
    local done, page, err, received = steps(submission)
    assert.same({ true, 1, 200 }, { done, page.results[1].typeId, received.status })
    assert.is_nil(err)
    assert.is_false(submission:is_in_flight())
    assert.same({ 1, 1 }, { submission.attempts.count, #server:requests() })
  end)

  it("that failed says when to step again, and is not sent before that", function()
    local script = responses.script { responses.of(503, "", { "Retry-After: 1" }), PAGE }
    local submission = begin(script, nil, { max_attempts = 2 })
    local done, delay = steps(submission)
    assert.is_false(done)
    assert.is_true(delay >= 1, delay)
    done, delay = submission:step()
    assert.is_false(done)
    assert.is_true(delay > 0.9 and delay <= 1, delay)
    assert.equal(1, #server:requests())
    core.poll(nil, delay)
    local page
    done, page = steps(submission)
    assert.same({ true, 1, 2 }, { done, page.results[1].typeId, submission.attempts.count })
  end)

  it("is not sent again once it may have been done, if it must not be repeated", function()
    local script = responses.script { responses.of(503, ""), PAGE }
    local submission = begin(script, { is_repeatable = false }, { max_attempts = 2 })
    local done, page, err = steps(submission)
    assert.is_true(done)
    assert.is_nil(page)
    assert.same({ 503, true, false, 1 }, { err.status, err.may_be_done, err.retryable, err.attempts })
    assert.equal(1, #server:requests())
  end)

  it("waits for the rate limit, which on_event is told once", function()
    local waits = 0
    local used_up = responses.of(200, '{"results":[]}', LIMIT)
    local submission = begin(responses.script { used_up, PAGE }, nil, {
      on_event = function(event) waits = waits + (event.type == "wait" and 1 or 0) end,
    })
    assert.is_true((steps(submission)))
    local limited = submissions.new(client.session, submission.request, "page", "job", info)
    for _ = 1, 3 do
      local done, delay = limited:step()
      assert.is_false(done)
      assert.is_true(delay > 0 and delay <= 1, delay)
    end
    assert.same({ 1, 1, false }, { waits, #server:requests(), limited:is_in_flight() })
  end)

  it("ends when its client is closed, whether it is in flight or waits", function()
    local submission = begin { { "read_request" }, { "hold" } }
    assert.is_false((submission:step()))
    client:close()
    local done, page, err = submission:step()
    assert.same({ true, nil, "closed" }, { done, page, err.kind })
    local unsent = submissions.new(client.session, submission.request, "page", "job", info)
    done, page, err = unsent:step()
    assert.same({ true, nil, "closed", 0 }, { done, page, err.kind, err.attempts })
  end)

  it("that is dropped ends its transfer", function()
    local submission = begin { { "read_request" }, { "hold" } }
    submission:close() -- nothing was sent
    submission:step()
    submission:close()
    assert.is_true(submission.exchange.transfer:done())
  end)
end)
