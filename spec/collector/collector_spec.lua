-- Checks a collector over HTTP, without coroutines: what is sent together, the outcome of each link, limits,
-- and ends.

local clients = require "support.clients"
local core = require "hubspot.associations.core"
local raising_hook = require "support.raising_hook"
local raw_server = require "support.raw_server"
local responses = require "support.responses"
local sandboxes = require "support.sandbox"

-- Files in which a debug hook raises.
local RAISING = { collector = true, group = true, outcome = true, queue = true, line = true }
local function is_raising(source) return RAISING[source:match "/collector/(%w+)%.lua$"] end

describe("a collector", function()
  local sandbox, client

  setup(function() sandbox = sandboxes.start {} end)
  teardown(function() sandbox:close() end)

  before_each(function()
    sandbox:reset()
    client = clients.open(sandbox:url())
  end)
  after_each(clients.close)

  local function open(options)
    return assert(client:collector("contacts", "companies", options))
  end

  local function input(index, types)
    return { from = 500000 + index, to = 7, types = types or 279 }
  end

  it("links a pair, and says so", function()
    assert.is_true(open():link(input(1)))
    assert.equal(1, #sandbox:associations())
  end)

  it("sends the first at once, and together what comes meanwhile", function()
    local links, outcomes = open(), {}
    for index = 1, 50 do
      assert(links:add(input(index), function(...) outcomes[index] = { ... } end))
    end
    assert.is_true(links:flush())
    for index = 1, 50 do assert.is_true(outcomes[index][1]) end
    assert.equal(0, links:pending())
    assert.equal(50, #sandbox:associations())
    assert.equal(2, sandbox:statistics().requests)
  end)

  it("waits for others as long as it is told to, or until they fill a request", function()
    local links = open { linger = 60, most = 10 }
    for index = 1, 10 do assert(links:add(input(index))) end
    while not links:step() do core.poll(links:fd(), links:timeout()) end
    assert.equal(1, sandbox:statistics().requests)
  end)

  it("has one request in flight until links wait that fill another, then as many as concurrency", function()
    sandbox:configure { latency = 0.05 }
    local in_flight, most_seen = 0, 0
    local events = clients.open(sandbox:url(), { concurrency = 3, on_event = function(event)
      in_flight = in_flight + (({ request = 1, response = -1 })[event.type] or 0)
      most_seen = math.max(most_seen, in_flight)
    end })
    local links = assert(events:collector("contacts", "companies", { most = 10 }))
    for index = 1, 10 do assert(links:add(input(index))) end
    assert.equal(1, most_seen)
    assert(links:add(input(11)))
    assert.equal(2, most_seen)
    for index = 12, 100 do assert(links:add(input(index))) end
    assert(links:flush())
    assert.equal(3, most_seen)
    assert.equal(100, #sandbox:associations())
  end)

  it("gives each link its own outcome", function()
    local links, errs = open(), {}
    links:add(input(1))
    links:add(input(2, 9999), function(_, err) errs[1] = err end)
    links:add(input(3))
    links:flush()
    assert.equal("http", errs[1].kind)
    assert.is_nil(errs[1].index)
    assert.equal(2, #sandbox:associations())
  end)

  it("sends no more requests than a job does, whatever the response", function()
    local inputs = { { from = 404, to = 7, types = 279 }, input(2, 9999), input(3), input(3, 1), input(4) }
    local report = assert(client:create_all("contacts", "companies", inputs))
    sandbox:reset()
    local links, failed = open { linger = 60, most = #inputs }, 0
    for _, one in ipairs(inputs) do
      assert(links:add(one, function(_, err) failed = failed + (err and 1 or 0) end))
    end
    assert(links:flush())
    assert.same({ report.failed, report.requests }, { failed, sandbox:statistics().requests })
  end)

  it("merges the links of a pair that are sent together", function()
    local result = '{"fromObjectId":500001,"toObjectId":7},{"fromObjectId":500002,"toObjectId":7}'
    local answer = responses.script(responses.created('{"status":"COMPLETE","results":[' .. result .. "]}"))
    local server = raw_server.start { connections = { answer } }
    finally(function() server:close() end)
    local links = assert(clients.open(server:url())
      :collector("contacts", "companies", { linger = 60, most = 3 }))
    for _, one in ipairs { input(1), input(1, 1), input(2) } do assert(links:add(one)) end
    assert(links:flush())
    local _, inputs = server:requests()[1]:gsub('"from"', "")
    assert.equal(2, inputs)
  end)

  it("sends nothing more when the time of all its links is over", function()
    local unavailable = responses.rejected(503, '{"message":"not now"}')
    local server = raw_server.start { connections = {
      { { "read_request" }, { "sleep", 0.1 }, { "send", unavailable }, { "read_request" } },
    } }
    finally(function() server:close() end)
    local links = assert(clients.open(server:url(), { max_attempts = 5 })
      :collector("contacts", "companies", { timeout = 0.02 }))
    local _, err = links:link(input(1))
    assert.same({ "timeout", true }, { err.kind, err.may_be_done })
    while #links.groups > 0 do
      core.poll(links:fd(), 0.2)
      links:step()
    end
    assert.equal(1, #server:requests())
  end)

  it("has more requests in flight again when they succeed", function()
    local links = open()
    local window = links.spec.sender.window
    window.window = 1 -- after an overload
    for index = 1, 3 do assert(links:link(input(index))) end
    assert.is_true(window:allowed() > 1)
  end)

  it("gives the error of a request that could not be sent, and goes on", function()
    local token = nil
    local other = clients.open(sandbox:url(), { token = function() return token, "there is none" end })
    local linked, err = other:link("contacts", "companies", input(1))
    assert.is_nil(linked)
    assert.same({ "token", false }, { err.kind, err.may_be_done or false })
    token = "one"
    assert.is_true(other:link("contacts", "companies", input(1)))
  end)

  it("tells each link as soon as it has its outcome", function()
    local LATENCY = 0.1
    sandbox:configure { latency = LATENCY }
    local links, told = open(), {}
    links:add(input(0))
    for index = 1, 64 do
      links:add(input(index, index == 5 and 9999 or 279), function(linked)
        table.insert(told, { index = index, linked = linked, at = core.now() })
      end)
    end
    links:flush()
    assert.equal(64, #told)
    assert.same({ 5, nil }, { told[1].index, told[1].linked }) -- the others are sent again, without it
    for number = 2, 64 do
      assert.is_true(told[number].linked)
      assert.is_true(told[number].at > told[1].at + LATENCY / 2)
    end
  end)

  it("refuses an invalid input at once", function()
    local links = open()
    local linked, err = links:link { from = 101, to = "x", types = 279 }
    assert.is_nil(linked)
    assert.same({ "invalid_input", "to" }, { err.kind, err.field })
    assert.equal(0, links:pending())
  end)

  it("asks for the labels of the account, for a type by its name", function()
    local linked, err = open():link(input(1, "no such label"))
    assert.is_nil(linked)
    assert.same({ "invalid_input", "types" }, { err.kind, err.field })
    assert.is_true(open():link(input(1, "primary")))
  end)

  it("takes no more than max_pending", function()
    local links = open { max_pending = 3 }
    for index = 1, 3 do assert(links:add(input(index))) end
    local added, err = links:add(input(4))
    assert.is_nil(added)
    assert.same({ "busy", false, true }, { err.kind, err.sent, err.retryable })
    assert.is_true(links:link(input(4))) -- who waits for it takes no room
  end)

  it("gives the links of a group the error that stopped its job, and goes on", function()
    local other = sandboxes.start { faults = { "unavailable" } }
    finally(function() other:close() end)
    local links = assert(clients.open(other:url()):collector("contacts", "companies"))
    local linked, err = links:link(input(1))
    assert.is_nil(linked)
    assert.same({ "http", 503 }, { err.kind, err.status })
    assert.is_true(links:link(input(2)))
  end)

  it("does not wait for a rate limit that a call would not wait for", function()
    local busy = responses.of(429, '{"message":"slow"}', { "Retry-After: 1000" })
    local server = raw_server.start { connections = { responses.script { busy } } }
    finally(function() server:close() end)
    local links = assert(clients.open(server:url()):collector("contacts", "companies"))
    local began, kinds = core.now(), {}
    for index = 1, 3 do
      local _, err = links:link(input(index))
      kinds[index] = err.kind
    end
    assert.same({ "rate_limited", "rate_limited", "rate_limited" }, kinds)
    assert.is_true(core.now() - began < 5)
  end)

  it("tells what a callback raised, and calls the others", function()
    local links, count = open(), 0
    links:add(input(1), function() error "no" end)
    links:add(input(2), function() count = count + 1 end)
    local flushed, err = links:flush()
    assert.is_nil(flushed)
    assert.equal("callback", err.kind)
    assert.equal(1, count)
    assert.is_true(links:flush())
  end)

  it("ends a link that was not sent in time, and says that it was not", function()
    sandbox:configure { latency = 0.3 }
    local links, first, second = open { timeout = 0.03 }, nil, nil
    links:add(input(1), function(_, err) first = err end)
    links:add(input(2), function(_, err) second = err end)
    links:flush()
    assert.same({ "timeout", true }, { first.kind, first.may_be_done })
    assert.same({ "timeout", false }, { second.kind, second.sent })
    links:close { now = true }
  end)

  it("does not say that a link may be done of which nothing went out", function()
    local links = assert(clients.open("http://127.0.0.1:1", { max_attempts = 5 })
      :collector("contacts", "companies", { timeout = 0.03 }))
    local _, err = links:link(input(1))
    assert.same({ "timeout", false }, { err.kind, err.sent })
    assert.is_nil(err.may_be_done)
    links:close { now = true }
  end)

  it("waits at its close for what was given", function()
    local links = open()
    for index = 1, 5 do links:add(input(index)) end
    assert.is_true(links:close())
    assert.equal(5, #sandbox:associations())
    local linked, err = links:link(input(6))
    assert.is_nil(linked)
    assert.equal("closed", err.kind)
  end)

  it("ends everything now if it is told to", function()
    sandbox:configure { latency = 0.2 }
    local links, errs = open(), {}
    for index = 1, 3 do
      links:add(input(index), function(_, err) errs[index] = err end)
    end
    links:close { now = true }
    assert.same({ "closed", true }, { errs[1].kind, errs[1].may_be_done })
    assert.same({ "closed", false }, { errs[3].kind, errs[3].sent })
  end)

  it("tells each link once, also when its job raises", function()
    local links, told = open(), {}
    for index = 1, 3 do
      links:add(input(index), function(_, err)
        table.insert(told, index .. " " .. (err and err.kind or "linked"))
      end)
    end
    links.groups[1].first.is_in_flight = function() error "out of memory" end
    assert.has_error(function() links:step() end)
    links:flush()
    table.sort(told)
    assert.same({ "1 canceled", "2 linked", "3 linked" }, told)
  end)

  -- What is wrong with a collector whose links have their outcome; nil when nothing is.
  local function flaw_of(links)
    if links:pending() ~= 0 then return "pending " .. links:pending() end
    links.spec.timeout = 10
    for index = 1, 2 do -- their pairs are not held
      local linked, err = links:link(input(index))
      if not linked then return tostring(err) end
    end
    if links.queue.waiting ~= 0 or next(links.queue.pairs) then return "something waits" end
  end

  it("tells each link once, whichever instruction of a step raised", function()
    finally(raising_hook.without_jit())
    local number, failed = 0, {}
    repeat
      number = number + 1
      local own = clients.open(sandbox:url())
      local links, told = assert(own:collector("contacts", "companies", { timeout = 0.03 })), {}
      for index = 1, 2 do
        links:add(input(index), function(_, err)
          table.insert(told, index .. (err and err.kind or "linked"))
        end)
      end
      local transfer, wakeups = links.groups[1].first.exchange.transfer, links.spec.wakeups
      while not transfer:done() do
        core.poll(links:fd(), 0.01)
        wakeups:step()
      end
      local has_raised = raising_hook.call(number, is_raising, links.step, links)
      for _ = 1, 30 do
        if links:step() then break end
        core.poll(links:fd(), 0.01)
      end
      local flushed = #told == 2 or links:flush()
      table.sort(told)
      local text = table.concat(told, " ")
      local flaw = flushed and (not text:find "^1%a+ 2%a+$" and "told " .. text or flaw_of(links))
      if flaw then table.insert(failed, ("%d: %s"):format(number, flaw)) end
      own:close()
    until not has_raised
    assert.is_true(number > 500)
    assert.same({}, failed)
  end)

  it("counts its links, whichever instruction of add raised", function()
    finally(raising_hook.without_jit())
    local number, failed, links = 0, {}, open()
    repeat
      number = number + 1
      local told = 0
      local function tell() told = told + 1 end
      local raised = raising_hook.call(number, is_raising, links.add, links, input(1), tell)
      local pending = links:pending()
      assert(links:flush())
      -- It may have its outcome by then: its request was given up.
      local flaw = (told > 1 or told < pending) and ("%d pending, %d told"):format(pending, told)
        or flaw_of(links)
      if flaw then table.insert(failed, ("%d: %s"):format(number, flaw)) end
    until not raised
    assert.same({}, failed)
  end)

  it("says that links may be done whose response is there, but was not read to its end", function()
    sandbox:configure { latency = 0.2 }
    local function out_of_memory() error "not enough memory" end
    local function outcome_of(link, break_it)
      local links, err = open(), nil
      links:add(link, function(_, why) err = why end)
      break_it(links.groups[1])
      assert.has_error(function()
        while true do
          links:step()
          core.poll(links:fd(), links:timeout())
        end
      end)
      links:flush()
      return { err.kind, err.may_be_done, err.retryable }
    end
    local expected = { "canceled", true, false }
    assert.same(expected, outcome_of(input(1), function(group) group.first.receive = out_of_memory end))
    assert.equal(1, #sandbox:associations())
    assert.same(expected, outcome_of(input(2, 9999), function(group) group.sender.begin = out_of_memory end))
  end)

  it("lets a callback add, flush and close", function()
    local links, told = open(), {}
    links:add(input(1), function()
      links:add(input(2), function() table.insert(told, 2) end)
      assert(links:flush())
      table.insert(told, 1)
    end)
    links:add(input(3), function() links:close { now = true } end)
    links:flush()
    assert.same({ 2, 1 }, told)
    assert.equal(0, links:pending())
  end)

  it("cannot be waited for by what it calls", function()
    local raised = {}
    local other
    other = clients.open(sandbox:url(), { on_event = function(event)
      if event.type ~= "request" then return end
      for _, method in ipairs { "link", "flush" } do
        local links = other.spelled.contacts.companies
        raised[method] = select(2, pcall(links[method], links, input(2)))
      end
    end })
    assert.is_true(other:link("contacts", "companies", input(1)))
    assert.matches("collector:link: on_event .* cannot wait for links", raised.link)
    assert.matches("collector:flush: on_event .* cannot wait for links", raised.flush)
  end)

  it("tells links without an outcome when it is collected", function()
    local links, err = open(), nil
    links:add(input(1), function(_, why) err = why end)
    links = nil -- luacheck: ignore
    for _ = 1, 3 do collectgarbage() end
    assert.equal("closed", err.kind)
  end)

  it("is of two object types, or the line that asks for it is blamed", function()
    for _, wrong in ipairs { { nil, "companies" }, { "contacts", 2 } } do
      local _, link = pcall(function() client:link(wrong[1], wrong[2], input(1)) end)
      local _, made = pcall(function() return client:collector(wrong[1], wrong[2]), nil end)
      assert.matches("collector_spec.lua:%d+: client:link: .+: expected a string, found ", link)
      assert.matches("collector_spec.lua:%d+: client:collector: .+: expected a string, found ", made)
    end
  end)

  it("is kept by the client for each direction, however it is spelled", function()
    assert.is_true(client:link("contacts", "companies", input(1)))
    assert.is_true(client:link("0-1", "0-2", input(2)))
    assert.is_true(client:link("companies", "contacts", { from = 7, to = 8, types = 280 }))
    local count = 0
    for _ in pairs(client.collectors) do count = count + 1 end
    assert.equal(2, count)
  end)
end)
