-- What a job has to know beside the responses to its chunks: the runner asks all of it at once, hands over
-- each answer, and asks nothing more once the job has stopped. The jobs here ask, and send no chunks.

local errors = require "hubspot.associations.errors"
local runners = require "hubspot.associations.job.runner"
local clients = require "support.clients"
local exchange = require "support.exchange"
local jobs = require "support.jobs"
local raw_server = require "support.raw_server"
local responses = require "support.responses"

local function page(name) return responses.of(200, ('{"results":[{"label":"%s"}]}'):format(name)) end

-- A job that asks these questions, and is done when all are answered or it has stopped.
local function asking(names)
  local job = { report = {}, answers = {}, begun = 0 }
  local answered = 0
  function job:next_question()
    local name = names[self.begun + 1]
    if self.error or not name then return nil end
    self.begun = self.begun + 1
    return {
      request = { method = "GET", path = "/" .. name }, response = "page",
      answered = function(result, err)
        answered = answered + 1
        self.answers[name] = result and result.results[1].label or err
      end,
    }
  end
  function job:next()
    if self.error or answered == #names then return "done" end
    return "wait"
  end
  function job.is_verifying() return false end
  function job:cancel(err) self.error = self.error or err end
  function job:finish() return self.report, self.error end
  return job
end

describe("the questions of a job", function()
  local server, client

  after_each(function()
    clients.close()
    server:close()
  end)

  local function run(connections, names, options)
    server = raw_server.start { connections = connections }
    client = clients.open(server:url(), options)
    local job = asking(names)
    return runners.new(client.session, {}, job), job
  end

  it("are in flight together", function()
    -- Each is answered late: three are there before the first answer only if none waits for another.
    local hold = { { "read_request" }, { "sleep", 0.3 }, { "send", page "x" } }
    local runner, job = run({ hold, hold, hold }, { "a", "b", "c" })
    runner:step()
    exchange.eventually(function()
      runner:step()
      return #server:requests() == 3
    end, "three requests")
    assert.same({}, job.answers)
    assert.equal(0, (runner:waiting()))
    jobs.finish(runner)
    assert.same({ a = "x", b = "x", c = "x" }, job.answers)
  end)

  it("are each answered, with a result or an error", function()
    local good, bad = responses.script(page "good"), responses.script(responses.of(403, '{"message":"no"}'))
    local runner, job = run({ good, bad }, { "a", "b" })
    jobs.finish(runner)
    local kinds = {}
    for _, answer in pairs(job.answers) do
      kinds[#kinds + 1] = type(answer) == "table" and answer.kind or answer
    end
    table.sort(kinds)
    assert.same({ "forbidden", "good" }, kinds)
  end)

  it("that wait for another attempt do not keep a job from ending", function()
    local runner, job = run({ responses.script(responses.of(503, "", { "Retry-After: 60" })) }, { "a" }, {
      max_attempts = 3,
    })
    exchange.eventually(function()
      runner:step()
      return (runner:waiting()) > 50
    end, "the pause before the second attempt")
    runner:cancel()
    local _, err = jobs.finish(runner)
    assert.equal("canceled", err.kind)
    assert.same({}, job.answers)
  end)

  it("that are in flight are received before a stopped job ends; no other is sent", function()
    local refuse = { { "read_request" }, { "send", responses.of(503, "") } }
    local answer = { { "read_request" }, { "sleep", 0.3 }, { "send", page "late" } }
    local failed
    local runner, job = run({ refuse, answer, refuse }, { "a", "b" }, {
      max_attempts = 3, on_event = function(event) failed = failed or event.type == "retry" end,
    })
    client.session.policy.retry.random = function() return 0.05 end -- the pause before another attempt
    exchange.eventually(function()
      runner:step()
      return failed
    end, "the failed attempt")
    job:cancel(errors.new { kind = "canceled", message = "stop" })
    jobs.finish(runner)
    local _, answered = next(job.answers)
    assert.same({ "late", 2 }, { answered, #server:requests() })
  end)
end)
