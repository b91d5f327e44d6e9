-- The specs that all hosts share: what the facts of support/exercise.lua have to be. The spec of a host
-- supplies the facts; the figures are printed at the end.

local assert = require "luassert"
local busted = require "busted"
local hosts = require "hosts.support.hosts"
local sandboxes = require "support.sandbox"

local behaviour = {}

local LATENCY = 0.3 -- seconds, of every response
local MOST_STALL = 0.05 -- how late a host's own timer may be

-- On a busy machine, a timer may be late now and then; a loop that stalls its host does so each time.
local ATTEMPTS = 3

---@param name string the host's, for the figures
---@param exercise fun(sandbox: sandbox.Sandbox): table gets the facts from the host
---@param options? { stalls?: boolean } stalls: this loop is known to stall its host
function behaviour.of_host(name, exercise, options)
  local setup, teardown, it = busted.setup, busted.teardown, busted.it
  local stalls = options and options.stalls
  local sandbox, facts

  setup(function()
    sandbox = sandboxes.start({ latency = LATENCY })
    for _ = 1, ATTEMPTS do
      sandbox:reset()
      local latest = exercise(sandbox)
      facts = facts and facts.worst < latest.worst and facts or latest
      if stalls or facts.worst < MOST_STALL then
        break
      end
    end
  end)

  teardown(function()
    if sandbox then
      sandbox:close()
    end
  end)

  it("gives a call its response", function()
    assert.equal("101", facts.create_ids)
    assert.equal(201, facts.create_status)
    assert.is_true(facts.create_elapsed >= LATENCY, facts.create_elapsed)
  end)

  it("gives a job its report", function()
    assert.equal(40, facts.all_inputs)
    assert.equal(40, facts.all_created)
  end)

  if stalls then
    it("stalls by the measure that the others have to keep", function()
      assert.is_true(facts.worst > 0.8 * LATENCY, facts.worst)
    end)
    return
  end

  it("gives coroutines that share a client their own responses, all at the same time", function()
    assert.equal(8, facts.shared_right)
    assert.equal(20, facts.shared_created)
    assert.is_true(facts.shared_elapsed < 4 * LATENCY, facts.shared_elapsed) -- of ten requests
  end)

  it("sends links together that coroutines wait for one at a time", function()
    assert.equal(8 * 3, facts.linked)
    assert.is_true(facts.link_requests <= 8, facts.link_requests)
    assert.is_true(facts.linked_elapsed < 8 * LATENCY, facts.linked_elapsed) -- 24 links
  end)

  it("loses no link of the coroutines that are left when some of them die", function()
    assert.equal(6 - facts.killed, facts.survived)
    assert.is_true(facts.survived_elapsed < 5 * LATENCY, facts.survived_elapsed)
  end)

  it("ends the calls that wait when another coroutine closes the client", function()
    assert.equal("closed", facts.closed_kind)
    assert.equal("closed", facts.closed_all_kind)
    assert.equal("closed", facts.closed_later)
    assert.is_true(facts.closed_elapsed < 0.5 * LATENCY, facts.closed_elapsed)
  end)

  it("gets the reason from check, as text, when there is no client", function()
    assert.equal("token", facts.check_raised)
  end)

  it("serves a client that was opened after another was closed", function()
    assert.equal("505", facts.another_ids)
  end)

  it("keeps the host's own timer within 50 ms while calls are under way", function()
    local figures = "%s: worst delay of a timer: %.1f ms in %d ticks"
    hosts.tell(figures:format(name, facts.worst * 1000, facts.ticks))
    assert.is_true(facts.ticks > 20, facts.ticks)
    assert.is_true(facts.worst < MOST_STALL, facts.worst)
  end)
end

---@param name string the host's, which is a web server
---@param start fun(sandbox: sandbox.Sandbox): hosts.Server
function behaviour.of_server(name, start)
  behaviour.of_host(name, function(sandbox)
    local server = start(sandbox)
    local facts = server:facts("/exercise")
    server:close()
    return facts
  end)
end

return behaviour
