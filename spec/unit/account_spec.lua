-- Checks what the sandbox account answers to a request table, with a virtual
-- clock and numbers that are not random.
-- Does no I/O.

local cjson = require "cjson"
local account = require "hubspot.associations.sandbox.account"

local CREATE = "/crm/associations/2025-09/contacts/companies/batch/create"
local READ = "/crm/associations/2025-09/contacts/companies/batch/read"
local UUID = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

local clock

local function new(options)
  local given = {
    now = function() return clock end,
    random = function() return 0.5 end,
  }
  for name, value in pairs(options or {}) do given[name] = value end
  return account.new(given)
end

local function input(from, to, id, category)
  return {
    from = { id = from }, to = { id = to },
    types = { { associationCategory = category or "HUBSPOT_DEFINED", associationTypeId = id or 1 } },
  }
end

local function batch(...)
  return { inputs = { ... } }
end

-- A request that is right, but for what `changes` says. Returns the response and its body, decoded.
local function ask(subject, body, changes)
  local request = {
    method = "POST", path = CREATE,
    headers = { authorization = "Bearer good", ["content-type"] = "application/json" },
    body = type(body) == "table" and cjson.encode(body) or body,
  }
  for name, value in pairs(changes or {}) do request[name] = value end
  local response = subject:handle(request)
  return response, response.body ~= "" and cjson.decode(response.body) or nil
end

local function with_token(authorization)
  return { headers = { authorization = authorization, ["content-type"] = "application/json" } }
end

describe("a sandbox account", function()
  before_each(function() clock = 1000000000.25 end)

  describe("that is asked to create", function()
    it("answers 201 with a result for each input, and keeps what it was told", function()
      local subject = new()
      local response, answer = ask(subject, batch(input("101", "202"), input("102", "203", 279)))
      assert.equal(201, response.status)
      assert.same({
        status = "COMPLETE",
        requestedAt = "2001-09-09T01:46:40.250Z",
        startedAt = "2001-09-09T01:46:40.250Z",
        completedAt = "2001-09-09T01:46:40.250Z",
        results = {
          { fromObjectTypeId = "0-1", fromObjectId = "101", toObjectTypeId = "0-2", toObjectId = "202",
            labels = { "Primary" } },
          { fromObjectTypeId = "0-1", fromObjectId = "102", toObjectTypeId = "0-2", toObjectId = "203",
            labels = {} },
        },
      }, answer)
      assert.equal(2, subject:count())
      assert.is_true(subject:has("contacts", "101", "companies", "202", 1))
      assert.is_true(subject:has("0-1", 102, "0-2", 203, 279))
      assert.is_false(subject:has("contacts", "101", "companies", "202", 279))
      assert.is_false(subject:has("companies", "202", "contacts", "101", 2))
      assert.same({
        fromObjectTypeId = "0-1", fromObjectId = "102", toObjectTypeId = "0-2", toObjectId = "203",
        associationCategory = "HUBSPOT_DEFINED", associationTypeId = 279,
      }, subject:associations()[2])
    end)

    it("writes empty lists as lists", function()
      local response = ask(new(), batch(input("1", "2", 279)))
      assert.truthy(response.body:find('"labels":[]', 1, true))
      response = ask(new(), batch(input("404", "2")))
      assert.truthy(response.body:find('"results":[]', 1, true))
    end)

    it("takes the same association twice and holds it once", function()
      local subject = new()
      local _, answer = ask(subject, batch(input("1", "2"), input("1", "2")))
      assert.equal(2, #answer.results)
      ask(subject, batch(input("1", "2")))
      assert.equal(1, subject:count())
    end)

    it("takes several types of one input, and shows the labels of all", function()
      local subject = new { labels = { [36] = "Billing \"contact\"" } }
      local both = input("1", "2")
      both.types[2] = { associationCategory = "USER_DEFINED", associationTypeId = 36 }
      both.types[3] = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 279 }
      local _, answer = ask(subject, batch(both))
      assert.same({ "Primary", "Billing \"contact\"" }, answer.results[1].labels)
      assert.equal(3, subject:count())
    end)

    it("holds nothing of an input that has one type too many", function()
      local subject = new()
      local both = input("1", "2")
      both.types[2] = { associationCategory = "HUBSPOT_DEFINED", associationTypeId = 2 }
      local response, answer = ask(subject, batch(both))
      assert.equal(207, response.status)
      assert.same({ "2" }, answer.errors[1].context.associationTypeId)
      assert.equal(0, subject:count())
    end)

    it("answers 207 and names the ids that do not exist", function()
      local subject = new()
      local response, answer = ask(subject,
        batch(input("404", "2"), input("1", "4045"), input("1", "2"), input("4041", "4042")))
      assert.equal(207, response.status)
      assert.equal(3, answer.numErrors)
      assert.equal(1, #answer.results)
      assert.equal("2", answer.results[1].toObjectId)
      local contexts = {}
      for i, failure in ipairs(answer.errors) do
        assert.equal("error", failure.status)
        assert.equal("OBJECT_NOT_FOUND", failure.category)
        assert.is_string(failure.message)
        contexts[i] = failure.context
      end
      assert.same({
        { fromObjectId = { "404" } },
        { toObjectId = { "4045" } },
        { fromObjectId = { "4041" }, toObjectId = { "4042" } },
      }, contexts)
      assert.equal(1, subject:count())
    end)

    it("answers 207 to a type that does not exist in that direction", function()
      local _, answer = ask(new(), batch(input("1", "2", 2)))
      assert.equal("VALIDATION_ERROR", answer.errors[1].category)
      assert.same({ fromObjectId = { "1" }, toObjectId = { "2" }, associationTypeId = { "2" } },
        answer.errors[1].context)
    end)

    it("has no record whose id is no number", function()
      local _, answer = ask(new(), batch(input("ann@example.com", "2")))
      assert.same({ "ann@example.com" }, answer.errors[1].context.fromObjectId)
    end)

    it("puts each input in the results or in the errors, and never in both", function()
      local inputs = {}
      for i = 1, 2000 do
        local from = i % 10 == 0 and "404" .. i or tostring(i)
        inputs[i] = input(from, tostring(i), i % 7 == 0 and 9999 or 1)
      end
      local subject = new()
      local _, answer = ask(subject, { inputs = inputs })
      assert.equal(2000, #answer.results + #answer.errors)
      assert.equal(#answer.errors, answer.numErrors)
      assert.equal(#answer.results, subject:count())
    end)

    it("takes ids that are JSON numbers", function()
      local subject = new()
      ask(subject, batch(input(101, 202)))
      assert.is_true(subject:has("contacts", "101", "companies", "202", 1))
    end)

    it("answers under every documented path", function()
      for path, status in pairs {
        ["/crm/associations/2025-09/contact/0-2/batch/create"] = 201,
        ["/crm/associations/2026-03/contacts/companies/batch/create?hapikey=no"] = 201,
        ["/crm/associations/2026-09/contacts/companies/batch/create"] = 200,
        ["/crm/associations/v4/contacts/companies/batch/create"] = 201,
        ["/crm/v4/associations/contacts/companies/batch/create"] = 201,
        ["/crm/v4/associations/%63ontacts/companies/batch/create"] = 201,
      } do
        assert.equal(status, ask(new(), batch(input("1", "2")), { path = path }).status, path)
      end
    end)

    it("takes custom objects, by id and by name", function()
      local subject = new()
      local response = ask(subject, batch(input("1", "2", 7)),
        { path = "/crm/associations/2025-09/2-123/contacts/batch/create" })
      assert.equal(201, response.status)
      local path = "/crm/associations/2025-09/p_pets/contacts/batch/create"
      local _, answer = ask(subject, batch(input("1", "2", 7)), { path = path })
      assert.truthy(answer.results[1].fromObjectTypeId:find("^2%-%d+$"))
      assert.is_true(subject:has("p_pets", 1, "contacts", 2, 7))
      assert.is_true(subject:has(answer.results[1].fromObjectTypeId, 1, "contacts", 2, 7))
    end)

    it("takes any type of a category that is not HubSpot's", function()
      local subject = new()
      local response = ask(subject,
        batch(input("1", "2", 36, "USER_DEFINED"), input("1", "2", 7, "NEW_CATEGORY")))
      assert.equal(201, response.status)
      assert.is_true(subject:has("contacts", 1, "companies", 2, 36, "USER_DEFINED"))
      assert.is_false(subject:has("contacts", 1, "companies", 2, 36, "HUBSPOT_DEFINED"))
    end)
  end)

  describe("that refuses a whole request", function()
    local function refused(body, changes, options)
      local subject = new(options)
      local response, answer = ask(subject, body, changes)
      assert.equal(0, subject:count())
      assert.equal("error", answer.status)
      assert.is_string(answer.message)
      assert.truthy(answer.correlationId:find(UUID))
      assert.equal(answer.correlationId, response.headers["x-hubspot-correlation-id"])
      return response, answer
    end

    it("answers 400 to a body that is no JSON object", function()
      local sound = cjson.encode(batch(input("1", "2")))
      for _, body in ipairs {
        "", "{", "nope", "3", '"text"', sound:sub(1, -2), sound .. "x", sound:sub(1, -2) .. ',"more":NaN}',
      } do
        local response, answer = refused(body)
        assert.equal(400, response.status, body)
        assert.equal("VALIDATION_ERROR", answer.category, body)
      end
    end)

    it("answers 400 to a field that is missing or wrong, and says which", function()
      local sound = input("1", "2")
      local function with(name, value)
        local copy = { from = sound.from, to = sound.to, types = sound.types }
        if value == nil then copy[name] = nil else copy[name] = value end
        return batch(sound, copy)
      end
      local hub = "HUBSPOT_DEFINED"
      for i, case in ipairs {
        { "{}", "inputs" },
        { '{"inputs":null}', "inputs" },
        { '{"inputs":[]}', "inputs" },
        { '{"inputs":{"a":1}}', "inputs" },
        { '{"inputs":[null]}', "inputs[0]" },
        { with("from", nil), "inputs[1].from" },
        { with("from", cjson.null), "inputs[1].from" },
        { with("from", "1"), "inputs[1].from" },
        { with("to", {}), "inputs[1].to.id" },
        { with("to", { id = "" }), "inputs[1].to.id" },
        { with("to", { id = 1.5 }), "inputs[1].to.id" },
        { with("types", nil), "inputs[1].types" },
        { with("types", {}), "inputs[1].types" },
        { with("types", 3), "inputs[1].types" },
        { with("types", { a = 1 }), "inputs[1].types" },
        { with("types", { 3 }), "inputs[1].types[0]" },
        { with("types", { { associationTypeId = 1 } }), "inputs[1].types[0].associationCategory" },
        { with("types", { { associationCategory = "hub", associationTypeId = 1 } }),
          "inputs[1].types[0].associationCategory" },
        { with("types", { sound.types[1], { associationCategory = hub } }),
          "inputs[1].types[1].associationTypeId" },
        { with("types", { { associationCategory = hub, associationTypeId = "1" } }),
          "inputs[1].types[0].associationTypeId" },
        { with("types", { { associationCategory = hub, associationTypeId = 1.5 } }),
          "inputs[1].types[0].associationTypeId" },
        { with("types", { { associationCategory = hub, associationTypeId = 2 ^ 31 } }),
          "inputs[1].types[0].associationTypeId" },
      } do
        local response, answer = refused(case[1])
        assert.equal(400, response.status, i)
        assert.equal(case[2], answer.errors[1]["in"], i)
      end
    end)

    it("answers 400 to more inputs than it may take", function()
      local inputs = {}
      for i = 1, 2001 do inputs[i] = input("1", "2") end
      local response, answer = refused { inputs = inputs }
      assert.equal(400, response.status)
      assert.truthy(answer.message:find("2000", 1, true))
      assert.equal(400, refused(batch(input("1", "2"), input("1", "3")), nil, { max_inputs = 1 }).status)
    end)

    it("answers 400 to an object type that it does not know", function()
      local response, answer = refused(batch(input("1", "2")),
        { path = "/crm/associations/2025-09/contacts/widgets/batch/create" })
      assert.equal(400, response.status)
      assert.same({ toObjectType = { "widgets" } }, answer.context)
    end)

    it("answers 401 without a good token, and never repeats it", function()
      for _, authorization in ipairs { "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b" } do
        local response, answer = refused(batch(input("1", "2")), with_token(authorization))
        assert.equal(401, response.status, authorization)
        assert.equal("INVALID_AUTHENTICATION", answer.category)
      end
      assert.equal(401, refused(batch(input("1", "2")), { headers = {} }).status)
      local response, answer = refused(batch(input("1", "2")), with_token("Bearer expired"))
      assert.equal(401, response.status)
      assert.equal("EXPIRED_AUTHENTICATION", answer.category)
      response = refused(batch(input("1", "2")), with_token("Bearer secret"), { token = "good" })
      assert.equal(401, response.status)
      assert.is_nil(response.body:find("secret", 1, true))
    end)

    it("accepts any of the tokens that it was given", function()
      for _, option in ipairs { "good", { "other", "good" } } do
        assert.equal(201, ask(new { token = option }, batch(input("1", "2"))).status)
      end
    end)

    it("answers 403 when a scope is forbidden, and names it", function()
      local response, answer = refused(batch(input("1", "2")), nil,
        { forbidden = { "crm.objects.companies.write" } })
      assert.equal(403, response.status)
      assert.equal("MISSING_SCOPES", answer.category)
      assert.same({ "crm.objects.companies.write" }, answer.errors[1].context.requiredGranularScopes)
      assert.equal(403, refused(batch(input("1", "2")), nil, { forbidden = true }).status)
      assert.equal(201, ask(new { forbidden = { "crm.objects.deals.write" } }, batch(input("1", "2"))).status)
    end)

    it("answers 404 to a path that it does not have", function()
      for _, path in ipairs {
        "/", "/crm/associations/1999-01/contacts/companies/batch/create",
        "/crm/associations/2025-09/contacts/companies/batch/archive",
        "/crm/v3/associations/contacts/companies/batch/create",
        "/crm/associations/2025-09/contacts/batch/create", CREATE .. "/",
      } do
        assert.equal(404, refused(batch(input("1", "2")), { path = path }).status, path)
      end
    end)

    it("answers 405 and says what it allows", function()
      local response = refused("", { method = "GET" })
      assert.equal(405, response.status)
      assert.equal("POST", response.headers.allow)
    end)

    it("answers 415 to a body that is not said to be JSON", function()
      local headers = { authorization = "Bearer good", ["content-type"] = "text/csv" }
      assert.equal(415, refused(batch(input("1", "2")), { headers = headers }).status)
      headers["content-type"] = "application/json; charset=utf-8"
      assert.equal(201, ask(new(), batch(input("1", "2")), { headers = headers }).status)
    end)
  end)

  describe("with a rate limit", function()
    local function hit(subject)
      return ask(subject, batch(input("1", "2")))
    end

    it("lets through what fits the rolling window, exactly", function()
      local subject = new { rate = { limit = 2, interval = 10 } }
      assert.equal(201, hit(subject).status)
      clock = clock + 4
      assert.equal(201, hit(subject).status)
      local response, answer = hit(subject)
      assert.equal(429, response.status)
      assert.equal("RATE_LIMIT", answer.errorType)
      assert.equal("TEN_SECONDLY_ROLLING", answer.policyName)
      assert.is_nil(response.headers["retry-after"])
      clock = clock + 5.75
      assert.equal(429, hit(subject).status)
      clock = clock + 0.25  -- ten seconds after the first
      assert.equal(201, hit(subject).status)
      assert.equal(429, hit(subject).status)
    end)

    it("tells what is left in its headers", function()
      local subject = new { rate = { limit = 2, daily = 5 } }
      local headers = hit(subject).headers
      assert.equal("2", headers["x-hubspot-ratelimit-max"])
      assert.equal("1", headers["x-hubspot-ratelimit-remaining"])
      assert.equal("10000", headers["x-hubspot-ratelimit-interval-milliseconds"])
      assert.equal("5", headers["x-hubspot-ratelimit-daily"])
      assert.equal("4", headers["x-hubspot-ratelimit-daily-remaining"])
      hit(subject)
      assert.equal("0", hit(subject).headers["x-hubspot-ratelimit-remaining"])
    end)

    it("names the secondly policy where the interval is a second", function()
      local subject = new { rate = { limit = 1, interval = 1 } }
      assert.equal("1", hit(subject).headers["x-hubspot-ratelimit-secondly"])
      local response, answer = hit(subject)
      assert.equal("SECONDLY", answer.policyName)
      assert.equal("0", response.headers["x-hubspot-ratelimit-secondly-remaining"])
    end)

    it("counts a day to midnight, and refused requests not at all", function()
      clock = 86400 * 3 - 60
      local subject = new { rate = { daily = 2, limit = 1, interval = 10 } }
      hit(subject)
      hit(subject)
      clock = clock + 10
      assert.equal(201, hit(subject).status)
      clock = clock + 10
      local response, answer = hit(subject)
      assert.equal(429, response.status)
      assert.equal("DAILY", answer.policyName)
      clock = 86400 * 3
      assert.equal(201, hit(subject).status)
    end)

    it("sends Retry-After when told to", function()
      local subject = new { rate = { limit = 1, interval = 10, retry_after = true } }
      hit(subject)
      clock = clock + 2.5
      assert.equal("8", hit(subject).headers["retry-after"])
    end)

    it("sends no such header without one", function()
      for name in pairs(hit(new()).headers) do
        assert.is_nil(name:find("ratelimit", 1, true))
      end
    end)
  end)

  describe("that is asked to read", function()
    it("answers with what is there, and 207 for what is not", function()
      local subject = new()
      ask(subject, batch(input("1", "2"), input("1", "2", 279), input("1", "3", 279)))
      local response, answer = ask(subject, batch { id = "1" }, { path = READ })
      assert.equal(200, response.status)
      assert.same({ {
        from = { id = "1" },
        to = {
          { toObjectId = "2", associationTypes = {
            { category = "HUBSPOT_DEFINED", typeId = 1, label = "Primary" },
            { category = "HUBSPOT_DEFINED", typeId = 279, label = cjson.null } } },
          { toObjectId = "3", associationTypes = {
            { category = "HUBSPOT_DEFINED", typeId = 279, label = cjson.null } } },
        },
      } }, answer.results)
      response, answer = ask(subject, batch({ id = "1" }, { id = "9" }), { path = READ })
      assert.equal(207, response.status)
      assert.equal(1, #answer.results)
      assert.same({ "9" }, answer.errors[1].context.fromObjectId)
    end)

    it("sees what was created after an earlier read", function()
      local subject = new()
      ask(subject, batch { id = "1" }, { path = READ })
      ask(subject, batch(input("1", "2")))
      local _, answer = ask(subject, batch { id = "1" }, { path = READ })
      assert.equal("2", answer.results[1].to[1].toObjectId)
    end)

    it("answers 400 to more than 1,000 inputs", function()
      local inputs = {}
      for i = 1, 1001 do inputs[i] = { id = tostring(i) } end
      assert.equal(400, ask(new(), { inputs = inputs }, { path = READ }).status)
    end)
  end)

  describe("'s options", function()
    it("must be known ones, of the right type", function()
      assert.error_matches(function() new { colour = "red" } end, "colour")
      assert.error_matches(function() new():configure { colour = "red" } end, "colour")
      for name, value in pairs {
        token = 1, latency = -1, status = 500, numeric_ids = "yes", rate = { limits = 1 }, labels = "x",
        forbidden = "x", max_inputs = 0, missing = 1,
      } do
        assert.error_matches(function() new { [name] = value } end, name)
      end
      assert.error_matches(function() account.new { random = math.random } end, "now")
      assert.error_matches(function() account.new() end, "table")
    end)

    it("change at run time, and go back to their defaults", function()
      local subject = new()
      subject:configure { status = 200, numeric_ids = true, latency = 0.5 }
      local response, answer = ask(subject, batch(input("007", "2")))
      assert.equal(200, response.status)
      assert.equal(0.5, response.delay)
      assert.equal(7, answer.results[1].fromObjectId)
      subject:configure { status = account.DEFAULT, numeric_ids = account.DEFAULT, latency = account.DEFAULT }
      response, answer = ask(subject, batch(input("1", "2")))
      assert.equal(201, response.status)
      assert.is_nil(response.delay)
      assert.equal("1", answer.results[1].fromObjectId)
    end)

    it("limit the labels to those listed", function()
      local subject = new { labels = { ["36"] = "Billing contact" } }
      local _, answer = ask(subject,
        batch(input("1", "2", 36, "USER_DEFINED"), input("1", "2", 37, "USER_DEFINED")))
      assert.same({ "Billing contact" }, answer.results[1].labels)
      assert.equal("VALIDATION_ERROR", answer.errors[1].category)
    end)

    it("say which records do not exist, by a function or a list", function()
      local by_function = function(object_type, id) return object_type == "0-2" and id == "5" end
      for _, option in ipairs { by_function, { "5" } } do
        local _, answer = ask(new { missing = option }, batch(input("404", "5"), input("404", "6")))
        assert.same({ toObjectId = { "5" } }, answer.errors[1].context)
        assert.equal("6", answer.results[1].toObjectId)
      end
    end)
  end)

  describe("under /sandbox", function()
    local function control(subject, method, path, body)
      local response = subject:handle { method = method, path = path, headers = {}, body = body or "" }
      return response, response.body ~= "" and cjson.decode(response.body) or nil
    end

    it("lists the associations", function()
      local subject = new()
      assert.equal("[]", control(subject, "GET", "/sandbox/associations").body)
      ask(subject, batch(input("1", "2")))
      local _, list = control(subject, "GET", "/sandbox/associations")
      assert.same({ {
        fromObjectTypeId = "0-1", fromObjectId = "1", toObjectTypeId = "0-2", toObjectId = "2",
        associationCategory = "HUBSPOT_DEFINED", associationTypeId = 1,
      } }, list)
    end)

    it("counts requests, inputs and answers, its own left out", function()
      local subject = new()
      ask(subject, batch(input("1", "2"), input("404", "2")))
      ask(subject, batch(input("1", "2")))
      ask(subject, "{")
      local _, counts = control(subject, "GET", "/sandbox/statistics")
      assert.same({ requests = 3, inputs = 3, associations = 1,
        status = { ["201"] = 1, ["207"] = 1, ["400"] = 1 } }, counts)
      assert.same({ [201] = 1, [207] = 1, [400] = 1 }, subject:statistics().status)
    end)

    it("forgets all at a reset, and puts the options back", function()
      local subject = new { max_inputs = 5, rate = { limit = 1 } }
      ask(subject, batch(input("1", "2")))
      subject:configure { max_inputs = 1 }
      assert.equal(204, control(subject, "POST", "/sandbox/reset").status)
      assert.same({ requests = 0, inputs = 0, associations = 0, status = {} }, subject:statistics())
      assert.equal(201, ask(subject, batch(input("1", "2"), input("1", "3"))).status)
    end)

    it("changes options, null for the default", function()
      local subject = new()
      local response = control(subject, "PATCH", "/sandbox/options", '{"status":202,"rate":{"limit":1}}')
      assert.equal(204, response.status)
      assert.equal(202, ask(subject, batch(input("1", "2"))).status)
      assert.equal(429, ask(subject, batch(input("1", "2"))).status)
      control(subject, "PATCH", "/sandbox/options", '{"status":null,"rate":null}')
      assert.equal(201, ask(subject, batch(input("1", "2"))).status)
    end)

    it("refuses a change it cannot make, and makes none", function()
      local subject = new()
      for _, body in ipairs {
        "{", '{"status":202,"colour":"red"}', '{"status":202,"now":3}', '{"status":202,"now":null}',
      } do
        local response, answer = control(subject, "PATCH", "/sandbox/options", body)
        assert.equal(400, response.status, body)
        assert.is_string(answer.message)
      end
      assert.equal(201, ask(subject, batch(input("1", "2"))).status)
    end)

    it("answers 404 and 405 as elsewhere", function()
      assert.equal(404, control(new(), "GET", "/sandbox/nothing").status)
      local response = control(new(), "GET", "/sandbox/reset")
      assert.equal(405, response.status)
      assert.equal("POST", response.headers.allow)
    end)
  end)

  it("gives each answer a correlation id of its own", function()
    local numbers = 0
    local subject = new { random = function() numbers = (numbers + 0.1234567) % 1 return numbers end }
    local first = ask(subject, batch(input("1", "2"))).headers["x-hubspot-correlation-id"]
    local second = ask(subject, "{").headers["x-hubspot-correlation-id"]
    assert.truthy(first:find(UUID))
    assert.truthy(second:find(UUID))
    assert.are_not.equal(first, second)
  end)

  it("shares no cjson setting with its host", function()
    local precision = cjson.encode_number_precision()
    cjson.decode_invalid_numbers(true)
    assert.equal(400, ask(new(), '{"inputs":NaN}').status)
    assert.equal(precision, cjson.encode_number_precision())
    assert.is_true(pcall(cjson.decode, "[NaN]"))
  end)
end)
