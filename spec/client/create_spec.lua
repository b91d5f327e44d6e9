-- client:create against the sandbox, over real HTTP: what the account has afterwards, and what the caller
-- gets. The bytes of requests are checked in session/request_spec.lua.

local core = require "hubspot.associations.core"
local clients = require "support.clients"
local sandbox = require "support.sandbox"

local TOKEN = clients.TOKEN

-- What the account has, one word per association: contacts to companies only.
local function held(account)
  local words = {}
  for index, one in ipairs(account:associations()) do
    assert.same({ "0-1", "0-2" }, { one.fromObjectTypeId, one.toObjectTypeId })
    words[index] = ("%s %s %s %d"):format(
      one.fromObjectId, one.toObjectId, one.associationCategory, one.associationTypeId)
  end
  return words
end

local function many(count)
  local inputs = {}
  for index = 1, count do
    inputs[index] = { from = 10000 + index, to = "9" .. index, types = 1 }
  end
  return inputs
end

describe("client:create", function()
  local account

  local function new(changes)
    return clients.open(account:url(), changes)
  end

  -- The error of a call that returned no batch.
  local function refusal(client, from, to, inputs)
    local batch, err = client:create(from or "contacts", to or "companies", inputs or many(1))
    assert.is_nil(batch)
    return err
  end

  setup(function()
    account = sandbox.start()
  end)

  teardown(function()
    account:close()
  end)

  before_each(function()
    account:reset()
  end)

  after_each(clients.close)

  it("creates inputs of every form", function()
    local defined = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 1 }
    local custom = { associationCategory = "USER_DEFINED", associationTypeId = 77 }
    local proxy = setmetatable({}, { __index = { from = "109", to = 209, types = 279 } })
    local batch = assert(new():create("contacts", "companies", {
      { from = { id = "101" }, to = { id = "201" }, types = { defined } },
      { from = { id = 102 }, to = { id = 202 }, types = defined },
      { from = "103", to = "203", types = 1 },
      { from = 104, to = 204, types = { 1 } },
      { from = 105, to = { id = "205" }, types = { defined, custom } },
      { from = 106.0, to = "206", types = { 279, custom } },
      { from = "107", to = "207", types = custom },
      { from = "108", to = "208", types = 1, note = "other fields are ignored" },
      proxy,
    }))
    assert.equal(9, #batch.results)
    assert.is_nil(batch.errors)
    assert.same({
      "101 201 HUBSPOT_DEFINED 1",
      "102 202 HUBSPOT_DEFINED 1",
      "103 203 HUBSPOT_DEFINED 1",
      "104 204 HUBSPOT_DEFINED 1",
      "105 205 HUBSPOT_DEFINED 1",
      "105 205 USER_DEFINED 77",
      "106 206 HUBSPOT_DEFINED 279",
      "106 206 USER_DEFINED 77",
      "107 207 USER_DEFINED 77",
      "108 208 HUBSPOT_DEFINED 1",
      "109 209 HUBSPOT_DEFINED 279",
    }, held(account))
  end)

  it("writes large ids exactly", function()
    assert(new():create("contacts", "companies", {
      { from = 9007199254740991, to = "9007199254740993123", types = 1 },
    }))
    assert.same({ "9007199254740991 9007199254740993123 HUBSPOT_DEFINED 1" }, held(account))
  end)

  it("returns HubSpot's response as plain tables", function()
    local batch = assert(new():create("contacts", "companies", { { from = 101, to = 202, types = 1 } }))
    assert.equal("COMPLETE", batch.status)
    assert.same({ {
      fromObjectTypeId = "0-1", fromObjectId = "101", toObjectTypeId = "0-2", toObjectId = "202",
      labels = { "Primary" },
    } }, batch.results)
    for _, field in ipairs({ "requestedAt", "startedAt", "completedAt" }) do
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT", batch[field])
    end
  end)

  it("returns details of the exchange as its second value", function()
    account:configure({ rate = { limit = 100, interval = 10, daily = 1000 }, latency = 0.05 })
    local client = new()
    local _, meta = assert(client:create("contacts", "companies", many(1)))
    assert.same({ 201, 1, "1.1" }, { meta.status, meta.attempts, meta.http_version })
    assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", meta.correlation_id)
    assert.is_true(meta.elapsed >= 0.05 and meta.elapsed < 5, "elapsed: " .. meta.elapsed)
    assert.same({ max = 100, remaining = 99, interval = 10, daily = 1000, daily_remaining = 999 },
      meta.rate_limit)
    assert.is_nil(meta.event_error)
    local _, second = assert(client:create("contacts", "companies", many(1)))
    assert.equal(98, second.rate_limit.remaining)
    assert.not_equal(meta.correlation_id, second.correlation_id)
  end)

  it("returns no rate limit when the service sends none", function()
    local _, meta = assert(new():create("contacts", "companies", many(1)))
    assert.is_nil(meta.rate_limit)
  end)

  it("accepts any 2xx as a success", function()
    for _, status in ipairs({ 200, 201, 202 }) do
      account:configure({ status = status })
      local batch, meta = assert(new():create("contacts", "companies", many(3)))
      assert.same({ 3, status }, { #batch.results, meta.status })
    end
  end)

  it("can use every version of the path", function()
    local statuses = { ["2025-09"] = 201, ["2026-03"] = 201, ["2026-09"] = 200, v4 = 201 }
    for version, status in pairs(statuses) do
      local _, meta = assert(new({ version = version }):create("contacts", "companies", many(1)))
      assert.equal(status, meta.status, version)
    end
  end)

  it("accepts object type ids and singular names like the service", function()
    assert(new():create("0-1", "company", many(2)))
    assert.equal(2, #held(account))
  end)

  it("returns inputs that were not created as errors of a success", function()
    local batch, meta = assert(new():create("contacts", "companies", {
      { from = 101, to = 201, types = 1 },
      { from = "404101", to = 202, types = 1 },
      { from = "404103", to = "404203", types = 1 },
      { from = 105, to = 205, types = 279 },
    }))
    assert.equal(207, meta.status)
    assert.equal(2, #batch.results)
    assert.equal(3, batch.numErrors)
    if math.type then
      assert.equal("integer", math.type(batch.numErrors))
    end
    local seen = {}
    for index, one in ipairs(batch.errors) do
      seen[index] = { one.status, one.category, one.context }
    end
    assert.same({
      { "error", "OBJECT_NOT_FOUND", { objectType = { "contact" }, id = { "404101" } } },
      { "error", "OBJECT_NOT_FOUND", { objectType = { "contact" }, id = { "404103" } } },
      { "error", "OBJECT_NOT_FOUND", { objectType = { "company" }, id = { "404203" } } },
    }, seen)
    assert.same({ "101 201 HUBSPOT_DEFINED 1", "105 205 HUBSPOT_DEFINED 279" }, held(account))
  end)

  it("is a success when every input was rejected: the response says so", function()
    local batch, meta = assert(new():create("contacts", "companies", {
      { from = "404101", to = 202, types = 1 },
    }))
    assert.same({ 207, 0, 1 }, { meta.status, #batch.results, #batch.errors })
    assert.same({}, held(account))
  end)

  it("has ids as strings, whether the service sends numbers or strings", function()
    for _, numeric in ipairs { true, false } do
      account:configure({ numeric_ids = numeric })
      local batch = assert(new():create("contacts", "companies", {
        { from = 101, to = "9007199254740993", types = 1 }, -- no double is that number
      }))
      local result = batch.results[1]
      assert.same({ "101", "9007199254740993" }, { result.fromObjectId, result.toObjectId })
    end
  end)

  it("creates the same association twice without an error", function()
    local client = new()
    for _ = 1, 2 do
      assert.equal(1, #assert(client:create("contacts", "companies", many(1))).results)
    end
    assert.equal(1, #held(account))
  end)

  it("sends 2,000 inputs in one request", function()
    local batch = assert(new():create("contacts", "companies", many(2000)))
    assert.equal(2000, #batch.results)
    local words = held(account)
    assert.same({ 2000, "10001 91 HUBSPOT_DEFINED 1", "12000 92000 HUBSPOT_DEFINED 1" },
      { #words, words[1], words[2000] })
    assert.equal(1, account:statistics().requests)
  end)

  it("returns an error for more inputs than batch_size that names create_all", function()
    local cases = { { new(), 2001, "2000" }, { new({ batch_size = 10 }), 11, "10" } }
    for _, case in ipairs(cases) do
      local err = refusal(case[1], nil, nil, many(case[2]))
      assert.same({ "invalid_input", "inputs" }, { err.kind, err.field })
      assert.matches("at most " .. case[3] .. " inputs, found " .. case[2], err.message, 1, true)
      assert.matches("create_all", tostring(err), 1, true)
    end
    assert.equal(0, account:statistics().requests)
    assert(cases[2][1]:create("contacts", "companies", many(10)))
  end)

  it("sends nothing when one input is invalid, and reports all invalid ones together", function()
    local err = refusal(new(), nil, nil, {
      { from = 1, to = 2, types = 1 },
      { from = "", to = 2, types = 1 },
      { from = 1, types = 1 },
      { from = 1, to = 2, types = 0 },
    })
    assert.equal("invalid_input", err.kind)
    local places = {}
    for index, one in ipairs(err.errors) do
      places[index] = one.index .. " " .. one.field
    end
    assert.same({ "2 from", "3 to", "4 types" }, places)
    assert.equal(0, account:statistics().requests)
  end)

  it("raises when the call itself is wrong", function()
    local client = new()
    for _, arguments in ipairs({
      {}, { "contacts" }, { "contacts", "companies" }, { 1, "companies", {} },
      { "contacts", "companies", "x" },
    }) do
      assert.error_matches(function()
        client:create(arguments[1], arguments[2], arguments[3])
      end, "client:create: %w+: expected a %w+, found [a ]*%w+")
    end
    local expected = "client:create: takes fromObjectType, toObjectType and inputs; options are "
      .. "associations.new's"
    assert.error_matches(function()
      client:create("contacts", "companies", many(1), { journal = "x" })
    end, expected, 1, true)
    assert.error_matches(function()
      client:create("contacts", "companies", many(1), { journal = "x" }, nil)
    end, expected, 1, true)
    for _, method in ipairs({ "create", "create_all", "start", "close" }) do
      assert.error_matches(function()
        client[method]("contacts", "companies", many(1))
      end, ("^client:%s: call it with a colon: client:%s"):format(method, method))
    end
  end)

  it("returns HubSpot's own message of a rejected request", function()
    local err = refusal(new(), nil, nil, { { from = 1, to = 2, types = 7777 } })
    assert.same({ "http", 400, "VALIDATION_ERROR" }, { err.kind, err.status, err.category })
    assert.equal("One or more associations are invalid", err.message)
    assert.same({ "HUBSPOT_DEFINED=7777" }, err.context.associationSpec)
    assert.matches("^%x+%-", err.correlationId)
    assert.equal(1, err.attempts)
    local line = tostring(err)
    for _, part in ipairs({ err.message, "400", err.category, err.correlationId }) do
      assert.truthy(line:find(part, 1, true), line)
    end
  end)

  it("returns the error of an object type that HubSpot does not know", function()
    local err = refusal(new(), "unicorns")
    assert.same({ "http", 400 }, { err.kind, err.status })
    assert.equal("Unable to infer object type from: unicorns", err.message)
  end)

  it("returns HubSpot's own message about too many inputs", function()
    account:configure({ max_inputs = 5 })
    local err = refusal(new(), nil, nil, many(6))
    assert.same({ "http", 400 }, { err.kind, err.status })
    assert.matches("^The maximum number of inputs supported in a batch is 5%.", err.message)
  end)

  it("returns the error of an invalid token, and of an expired one", function()
    account:configure({ token = { "another-good-token" } })
    local err = refusal(new())
    assert.same({ "unauthorized", 401, "INVALID_AUTHENTICATION" }, { err.kind, err.status, err.category })
    assert.matches("token", tostring(err))
    err = refusal(new({ token = "expired" }))
    assert.same({ "unauthorized", 401, "EXPIRED_AUTHENTICATION" }, { err.kind, err.status, err.category })
    assert.equal(2, account:statistics().requests) -- a string is not asked for again
  end)

  it("returns the error of missing scopes", function()
    account:configure({ forbidden = { "crm.objects.companies.write" } })
    local err = refusal(new())
    assert.same({ "forbidden", 403, "MISSING_SCOPES" }, { err.kind, err.status, err.category })
    assert.same({ "crm.objects.companies.write" }, err.errors[1].context.requiredGranularScopes)
  end)

  it("returns the error of a path that does not exist", function()
    local err = refusal(new({ version = "2019-01" }))
    assert.same({ "not_found", 404 }, { err.kind, err.status })
    assert.matches("version", tostring(err))
  end)

  it("returns the error of the rate limit, and another one of the daily limit", function()
    local policies = {
      { { limit = 0 }, "rate_limited", "TEN_SECONDLY_ROLLING" },
      { { limit = 0, interval = 1 }, "rate_limited", "SECONDLY" },
      { { daily = 0 }, "daily_limit", "DAILY" },
    }
    for _, case in ipairs(policies) do
      account:configure({ rate = case[1] })
      local err = refusal(new())
      assert.same({ case[2], 429, case[3], "RATE_LIMIT" },
        { err.kind, err.status, err.policyName, err.errorType })
      assert.matches("^publicapi:", err.groupName)
      assert.equal(0, err.rate_limit.remaining or err.rate_limit.daily_remaining)
      assert.truthy(tostring(err):find(case[3], 1, true))
    end
  end)

  it("can be used again after a rejection", function()
    local client = new()
    account:configure({ forbidden = true })
    assert.equal("forbidden", refusal(client).kind)
    account:configure({ forbidden = {} })
    assert(client:create("contacts", "companies", many(1)))
  end)

  it("uses the token and options of its own client", function()
    account:configure({ token = { TOKEN } })
    local good, bad = new(), new({ token = "another-token-altogether" })
    assert(good:create("contacts", "companies", many(1)))
    assert.equal("unauthorized", refusal(bad).kind)
    assert(good:create("contacts", "companies", many(1)))
  end)

  it("waits with the given loop, on one descriptor", function()
    account:configure({ latency = 0.02 })
    local waits, descriptors = 0, {}
    local client = new({ loop = {
      wait = function(fd, timeout)
        waits = waits + 1
        descriptors[fd] = true
        return core.poll(fd, timeout)
      end,
    } })
    for _ = 1, 3 do
      assert(client:create("contacts", "companies", many(1)))
    end
    assert.is_true(waits >= 3)
    assert.is_nil(next(descriptors, (next(descriptors))))
  end)

  it("waits only on the descriptor when its loop has no timers, also for the next attempt", function()
    local faulty = sandbox.start({ faults = { ["1"] = "unavailable" } })
    finally(function() faulty:close() end)
    local client = new({ base_url = faulty:url(), max_attempts = 2, loop = {
      wait = function(fd)
        assert.is_true(core.poll(fd, 10), "nothing in ten seconds")
      end,
    } })
    local _, meta = assert(client:create("contacts", "companies", many(1)))
    assert.equal(2, meta.attempts)
  end)
end)
