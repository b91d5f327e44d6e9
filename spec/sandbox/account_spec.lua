-- Checks what the sandbox account answers to a request table, with a virtual
-- clock and numbers that are not random.
-- Does no I/O.

local cjson = require "cjson"
local account = require "hubspot.associations.sandbox.account"
local faults = require "hubspot.associations.sandbox.faults"

local CREATE = "/crm/associations/2025-09/contacts/companies/batch/create"
local READ_COMPANIES = "/crm/associations/2025-09/companies/contacts/batch/read"
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

local function with_types(from, to, ...)
  local one = input(from, to)
  for number, id in ipairs { ... } do
    local category = type(id) == "string" and "USER_DEFINED" or "HUBSPOT_DEFINED"
    one.types[number] = { associationCategory = category, associationTypeId = tonumber(id) }
  end
  return one
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
  local is_json = response.body ~= "" and response.headers["content-type"]:find("json", 1, true)
  return response, is_json and cjson.decode(response.body) or nil
end

-- The type ids that a read shows of a pair, in order.
local function read(subject, path, from, to)
  local _, answer = ask(subject, batch { id = from }, { path = path })
  local list = {}
  for _, target in ipairs(answer.results[1] and answer.results[1].to or {}) do
    local types = target.toObjectId == to and target.associationTypes or {}
    for _, one in ipairs(types) do list[#list + 1] = one.typeId end
  end
  table.sort(list)
  return list
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
          { fromObjectTypeId = "0-1", fromObjectId = 101, toObjectTypeId = "0-2", toObjectId = 202,
            labels = { "Primary" } },
          { fromObjectTypeId = "0-1", fromObjectId = 102, toObjectTypeId = "0-2", toObjectId = 203,
            labels = {} },
        },
      }, answer)
      assert.equal(2, subject:count())
      assert.is_true(subject:has("contacts", "101", "companies", "202", 1))
      assert.is_true(subject:has("0-1", 102, "0-2", 203, 279))
      assert.is_false(subject:has("contacts", "102", "companies", "203", 1))
      assert.is_false(subject:has("contacts", "202", "companies", "101", 1))
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

    it("names each record that does not exist, with its side: two errors where both are missing", function()
      local subject = new()
      local response, answer = ask(subject,
        batch(input("404", "2"), input("1", "4045"), input("1", "2"), input("4041", "4042")))
      assert.equal(207, response.status)
      assert.equal("COMPLETE", answer.status)
      assert.equal(4, answer.numErrors)
      assert.equal(1, #answer.results)
      assert.equal(2, answer.results[1].toObjectId)
      local seen = {}
      for i, failure in ipairs(answer.errors) do
        assert.same({ "error", "OBJECT_NOT_FOUND" }, { failure.status, failure.category })
        seen[i] = { failure.subCategory, failure.message, failure.context }
      end
      local function missing(side, name, id)
        return {
          ("crm.associations.%s_OBJECT_NOT_FOUND"):format(side), ("No %s with ID %s exists"):format(name, id),
          { objectType = { name }, id = { id } },
        }
      end
      assert.same({
        missing("FROM", "contact", "404"), missing("TO", "company", "4045"),
        missing("FROM", "contact", "4041"), missing("TO", "company", "4042"),
      }, seen)
      assert.equal(1, subject:count())
    end)

    it("answers CANCELED when all inputs failed", function()
      local response, answer = ask(new(), batch(input("404", "2"), input("1", "404")))
      assert.equal(207, response.status)
      assert.same({ "CANCELED", 2, {} }, { answer.status, answer.numErrors, answer.results })
    end)

    it("takes an input without types, and links nothing", function()
      local subject = new()
      local response, answer = ask(subject, '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[]}]}')
      assert.equal(201, response.status)
      assert.equal(1, #answer.results)
      assert.equal(0, subject:count())
    end)

    it("has no record whose id is no number", function()
      local _, answer = ask(new(), batch(input("ann@example.com", "2")))
      assert.same({ "ann@example.com" }, answer.errors[1].context.id)
    end)

    it("puts each input in the results or in the errors, and never in both", function()
      local inputs = {}
      for i = 1, 2000 do
        local from = i % 10 == 0 and "404" .. i or tostring(i)
        inputs[i] = input(from, (i % 7 == 0 and "404" or "") .. i)
      end
      local subject = new()
      local _, answer = ask(subject, { inputs = inputs })
      local failed = {}
      for _, failure in ipairs(answer.errors) do failed[failure.context.id[1]] = true end
      for i = 1, 2000 do
        local id = inputs[i].from.id
        if failed[id] or failed[inputs[i].to.id] then failed[i] = true end
      end
      local count = 0
      for i = 1, 2000 do count = count + (failed[i] and 1 or 0) end
      assert.equal(2000, #answer.results + count)
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
      local response = ask(subject, batch(input("1", "2", 36, "USER_DEFINED"),
        input("1", "3", 7, "INTEGRATOR_DEFINED"), input("1", "3", 7, "WORK")))
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

    it("answers 400 to a body that is no JSON object, and tells the column", function()
      local sound = cjson.encode(batch(input("1", "2")))
      for _, body in ipairs {
        "", "{", "nope", "3", '"text"', sound:sub(1, -2), sound .. "x", sound:sub(1, -2) .. ',"more":NaN}',
      } do
        local response, answer = refused(body)
        assert.equal(400, response.status, body)
        assert.equal("VALIDATION_ERROR", answer.category, body)
        assert.truthy(answer.message:find "^Invalid" , body)
      end
      local _, answer = refused '{"inputs":[}'
      assert.truthy(answer.message:find("on line 1, column 12", 1, true), answer.message)
    end)

    it("answers 400 to a field that is missing or wrong, and tells the column where", function()
      local sound = '{"from":{"id":"é1"},"to":{"id":"2"},"types":[]},'
      local type = '{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":1}'
      -- The mark | stands before the character that is told; it is not sent.
      for i, case in ipairs {
        { "{|}", "Some required fields were not set: [inputs]" },
        { '{"inputs":null|}', "[inputs]" },
        { '{"inputs":|{"a":1}}', "Cannot deserialize" },
        { '{"inputs":[|null]}', "Cannot deserialize" },
        { '{"inputs":[SOUND{"to":{"id":"2"},"types":[]|}]}', "[from]" },
        { '{"inputs":[SOUND{"from":null|}]}', "[from, to, types]" },
        { '{"inputs":[SOUND{"from":|"1","to":{"id":"2"},"types":[]}]}', 'from String "1"' },
        { '{"inputs":[SOUND{"from":{"id":"1"},"to":{|},"types":[]}]}', "[id]" },
        { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":|true},"types":[]}]}', "Cannot deserialize" },
        { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":|3}]}', "Cannot deserialize" },
        { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":|{"a":1}}]}', "Cannot deserialize" },
        { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":[TYPE,|3]}]}', "Cannot deserialize" },
        { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":[TYPE,{|}]}]}',
          "[associationCategory, associationTypeId]" },
        { '{"inputs":[SOUND{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationTypeId":1|}]}]}',
          "[associationCategory]" },
        { '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationTypeId":1,'
          .. '"associationCategory":|"NEW_CATEGORY"}]}]}', 'from String "NEW_CATEGORY"' },
        { '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"WORK",'
          .. '"associationTypeId":|"1"}]}]}', 'from String "1"' },
        { '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"WORK",'
          .. '"associationTypeId":|1.5}]}]}', "from number" },
        { '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[{"associationCategory":"WORK",'
          .. '"associationTypeId":|2147483648}]}]}', "from number" },
      } do
        local body = case[1]:gsub("SOUND", sound):gsub("TYPE", type)
        local at = body:find("|", 1, true)
        local _, continued = body:sub(1, at):gsub("[\128-\191]", "")
        local response, answer = refused((body:gsub("|", "")))
        assert.equal(400, response.status, i)
        assert.truthy(answer.message:find(("on line 1, column %d"):format(at - continued), 1, true),
          ("%d: %d: %s"):format(i, at, answer.message))
        assert.truthy(answer.message:find(case[2], 1, true), answer.message)
      end
      local _, answer = refused '{"inputs":\n [\n  3]}'
      assert.truthy(answer.message:find("on line 3, column 3", 1, true), answer.message)
    end)

    it("answers 400 to no inputs, and to more than it may take", function()
      local _, answer = refused '{"inputs":[]}'
      assert.equal("Batch input provided should have at least one object.", answer.message)
      _, answer = refused ""
      assert.equal("Invalid JSON input: a request body was expected, but none found", answer.message)
      local inputs = {}
      for i = 1, 2001 do inputs[i] = input("1", "2") end
      local words = "The maximum number of inputs supported in a batch is %d. "
        .. "Please reduce the number of items and try again"
      for most, given in pairs { [2000] = {}, [1] = { max_inputs = 1 } } do
        local response
        response, answer = refused({ inputs = inputs }, nil, given)
        assert.equal(400, response.status)
        assert.equal(words:format(most), answer.message)
      end
    end)

    it("answers 400 to an object type that it does not know, without category or context", function()
      for path, name in pairs {
        ["/crm/associations/2025-09/contacts/widgets/batch/create"] = "widgets",
        ["/crm/associations/2025-09/vendor/companies/batch/create"] = "vendor",
      } do
        local response, answer = refused(batch(input("1", "2")), { path = path })
        assert.equal(400, response.status)
        assert.equal("Unable to infer object type from: " .. name, answer.message)
        assert.is_nil(answer.category)
        assert.is_nil(answer.context)
      end
    end)

    it("answers 400 to types that do not exist, and names them", function()
      local response, answer = refused(
        batch(input("1", "2"), with_types("1", "3", 9999), with_types("1", "4", "3", 279)),
        nil, { labels = {} })
      assert.equal(400, response.status)
      assert.equal("VALIDATION_ERROR", answer.category)
      assert.same({
        associationSpec = { "HUBSPOT_DEFINED=9999", "USER_DEFINED=3" },
        INVALID_ASSOCIATION_TYPE_ID = {
          "HUBSPOT_DEFINED=9999 is not a valid association definition id",
          "USER_DEFINED=3 is not a valid association definition id",
        },
      }, answer.context)
    end)

    it("takes from and to off the type: one of the opposite direction makes the to id a contact's", function()
      local _, answer = refused(batch(input("1", "2"), with_types("1", "38374264688", 280)))
      assert.same({
        INVALID_OBJECT_IDS = { "CONTACT=38374264688 is not valid" },
        objectId = { "38374264688" }, objectType = { "CONTACT" },
      }, answer.context)
    end)

    it("answers 400 to a type of another direction, and tells the object type that it expects", function()
      local _, answer = refused(batch(input("1", "2"), with_types("1", "3", 190)))
      assert.equal("invalid from object type 0-1 for associations to be created. expected: 0-46. "
        .. "For definition 0-190", answer.message)
      _, answer = refused(batch(with_types("1", "3", 4))) -- contacts to deals
      assert.truthy(answer.message:find("invalid to object type 0-2", 1, true), answer.message)
    end)

    it("answers 400 to a batch for one record, and says so in the way that it was told", function()
      local records = { ["7"] = "named", ["8"] = "column", ["9"] = "anonymous" }
      local _, answer = refused(batch(input("1", "2"), input("1", "7")), nil, { rejected = records })
      assert.same({ "COMPANY=7 is not valid" }, answer.context.INVALID_OBJECT_IDS)
      _, answer = refused(batch(input("8", "2")), nil, { rejected = records })
      assert.truthy(answer.message:find("line 1, column ", 1, true), answer.message)
      _, answer = refused(batch(input("9", "2")), nil, { rejected = records })
      assert.same({ "internal error" }, { answer.message, answer.category })
      _, answer = refused(batch(input("7", "2")), nil, { rejected = { "7" }, names_rejected = false })
      assert.same({ "internal error" }, { answer.message, answer.category })
    end)

    it("answers 409 or 500 to each request that holds a poisonous record", function()
      for _ = 1, 2 do
        assert.equal(500, refused(batch(input("1", "2"), input("1", "7")), nil, { poison = { "7" } }).status)
        local response, answer = refused(batch(input("7", "2")), nil, { poison = { ["7"] = 409 } })
        assert.same({ 409, "CONFLICT" }, { response.status, answer.category })
      end
      local by_function = function(object_type, id) return object_type == "0-1" and id == "7" and 500 end
      assert.equal(500, refused(batch(input("7", "2")), nil, { poison = by_function }).status)
      assert.equal(201, ask(new { poison = by_function }, batch(input("1", "7"))).status)
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
      assert.is_string(answer.links.scopes)
      assert.equal(403, refused(batch(input("1", "2")), nil, { forbidden = true }).status)
      assert.equal(201, ask(new { forbidden = { "crm.objects.deals.write" } }, batch(input("1", "2"))).status)
    end)

    it("answers 404 to a path that it does not have, in HTML", function()
      for _, path in ipairs {
        "/", "/crm/associations/1999-01/contacts/companies/batch/create",
        "/crm/associations/2025-09/contacts/companies/batch/archive",
        "/crm/v3/associations/contacts/companies/batch/create",
        "/crm/associations/2025-09/contacts/batch/create", CREATE .. "/",
      } do
        local response = ask(new(), batch(input("1", "2")), { path = path })
        assert.equal(404, response.status, path)
        assert.equal("text/html;charset=utf-8", response.headers["content-type"])
        assert.truthy(response.body:find "^<html>")
      end
    end)

    it("answers 405 and says what it allows", function()
      local response = ask(new(), "", { method = "GET" })
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
      assert.equal("You have reached your ten_secondly_rolling limit.", answer.message)
      assert.truthy(answer.groupName:find "^publicapi:private_app%-api%-calls%-ten%-secondly:")
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
          { toObjectId = 2, associationTypes = {
            { category = "HUBSPOT_DEFINED", typeId = 1, label = "Primary" },
            { category = "HUBSPOT_DEFINED", typeId = 279, label = cjson.null } } },
          { toObjectId = 3, associationTypes = {
            { category = "HUBSPOT_DEFINED", typeId = 279, label = cjson.null } } },
        },
      } }, answer.results)
      response, answer = ask(subject, batch({ id = "1" }, { id = "9" }), { path = READ })
      assert.equal(207, response.status)
      assert.equal(1, #answer.results)
    end)

    it("has an error for a record without associations, which does not cancel the batch", function()
      local response, answer = ask(new(), batch { id = "515" }, { path = READ })
      assert.equal(207, response.status)
      assert.same({ "COMPLETE", {} }, { answer.status, answer.results })
      assert.same({ {
        status = "error", category = "OBJECT_NOT_FOUND",
        subCategory = "crm.associations.NO_ASSOCIATIONS_FOUND",
        message = "No company is associated with contact 515.",
        context = { fromObjectId = { "515" }, fromObjectType = { "contact" }, toObjectType = { "company" } },
      } }, answer.errors)
    end)

    it("sees what was created after an earlier read", function()
      local subject = new()
      ask(subject, batch { id = "1" }, { path = READ })
      ask(subject, batch(input("1", "2")))
      assert.same({ 1, 279 }, read(subject, READ, "1", 2))
    end)

    it("answers in pages, each record with a cursor of its own", function()
      local subject = new { page_size = 2 }
      for to = 1, 5 do ask(subject, batch(input("1", tostring(to)), input("2", "1"))) end
      local inputs, seen = { { id = "1" }, { id = "2" } }, {}
      for page = 1, 3 do
        local _, answer = ask(subject, { inputs = inputs }, { path = READ })
        seen[page] = #answer.results[1].to
        local paging = answer.results[1].paging
        assert.equal(page < 3, paging ~= nil)
        if answer.results[2] then assert.is_nil(answer.results[2].paging) end
        inputs = { { id = "1", after = paging and paging.next.after } }
      end
      assert.same({ 2, 2, 1 }, seen)
    end)

    it("answers 400 to more than 1,000 inputs", function()
      local inputs = {}
      for i = 1, 1001 do inputs[i] = { id = tostring(i) } end
      assert.equal(400, ask(new(), { inputs = inputs }, { path = READ }).status)
    end)
  end)

  describe("'s pairs", function()
    it("are seen from both sides, each with its own type id", function()
      local subject = new()
      ask(subject, batch(input("1", "2")))
      assert.same({ 1, 279 }, read(subject, READ, "1", 2))
      assert.same({ 2, 280 }, read(subject, READ_COMPANIES, "2", 1))
      assert.is_true(subject:has("companies", 2, "contacts", 1, 2))
      assert.is_false(subject:has("companies", 2, "contacts", 1, 1))
      assert.equal(1, subject:count())
    end)

    it("have the types of parents and children the other way round", function()
      local subject = new()
      ask(subject, batch(with_types("1", "2", 13)),
        { path = "/crm/v4/associations/companies/companies/batch/create" })
      assert.is_true(subject:has("companies", 1, "companies", 2, 13))
      assert.is_true(subject:has("companies", 2, "companies", 1, 14))
      assert.is_false(subject:has("companies", 2, "companies", 1, 13))
    end)

    it("keep of the custom labels those of the last write only, whichever side it came from", function()
      local subject = new()
      ask(subject, batch(with_types("1", "2", "7", "8", 1)))
      assert.same({ 1, 7, 8, 279 }, read(subject, READ, "1", 2))
      ask(subject, batch(with_types("1", "2", "9")))
      assert.same({ 1, 9, 279 }, read(subject, READ, "1", 2))
      ask(subject, batch(with_types("2", "1", "10")),
        { path = "/crm/v4/associations/companies/contacts/batch/create" })
      assert.same({ 1, 10, 279 }, read(subject, READ, "1", 2))
      ask(subject, batch(with_types("1", "2", 279)))
      assert.same({ 1, 279 }, read(subject, READ, "1", 2))
    end)

    it("keep their labels when another pair is written, or a write is refused or has no types", function()
      local subject = new()
      ask(subject, batch(with_types("1", "2", "7")))
      ask(subject, batch(with_types("1", "3", "9")))
      ask(subject, batch(with_types("1", "2", "9"), with_types("1", "4", 9999)))
      ask(subject, '{"inputs":[{"from":{"id":"1"},"to":{"id":"2"},"types":[]}]}')
      assert.same({ 7, 279 }, read(subject, READ, "1", 2))
    end)

    it("lose the primary company to a new one, and stay linked", function()
      local subject = new()
      ask(subject, batch(with_types("1", "2", 1), with_types("5", "2", 1)))
      ask(subject, batch(with_types("1", "3", 1)))
      assert.same({ 279 }, read(subject, READ, "1", 2))
      assert.same({ 1, 279 }, read(subject, READ, "1", 3))
      assert.same({ 1, 279 }, read(subject, READ, "5", 2))
      ask(subject, batch(with_types("4", "1", 2)),
        { path = "/crm/v4/associations/companies/contacts/batch/create" })
      assert.same({ 279 }, read(subject, READ, "1", 3))
      assert.same({ 1, 279 }, read(subject, READ, "1", 4))
    end)

    it("have labels of the account with a direction, an inverse and an id for each", function()
      local subject = new { labels = {
        ["36"] = {
          label = "Manager", from = "contacts", to = "companies", inverse = 37, inverse_label = "Managed by",
        },
      } }
      local _, answer = ask(subject, batch(with_types("1", "2", "36")))
      assert.same({ "Manager" }, answer.results[1].labels)
      assert.same({ 36, 279 }, read(subject, READ, "1", 2))
      assert.same({ 37, 280 }, read(subject, READ_COMPANIES, "2", 1))
      _, answer = ask(subject, batch(with_types("1", "2", "37")))
      assert.same({ "CONTACT=2 is not valid" }, answer.context.INVALID_OBJECT_IDS)
    end)

    it("have labels of which both directions are defined, each as it is defined itself", function()
      local definitions = {}
      for id = 1, 39, 2 do
        definitions[tostring(id)] = { label = "one", from = "contacts", to = "companies", inverse = id + 1 }
        definitions[tostring(id + 1)] = { label = "other", from = "companies", to = "contacts", inverse = id }
      end
      local subject = new { labels = definitions }
      for id = 1, 39, 2 do
        local _, answer = ask(subject, batch(with_types("1", "2", tostring(id))))
        assert.same({ "one" }, answer.results[1].labels)
        _, answer = ask(subject, batch(with_types("2", "1", tostring(id + 1))),
          { path = "/crm/associations/2025-09/companies/contacts/batch/create" })
        assert.same({ "other" }, answer.results[1].labels)
      end
    end)
  end)

  describe("'s options", function()
    it("must be known ones, of the right type", function()
      assert.error_matches(function() new { colour = "red" } end, "colour")
      assert.error_matches(function() new():configure { colour = "red" } end, "colour")
      for _, value in ipairs { { ["7"] = "loudly" }, { [7] = "named" }, true } do
        assert.error_matches(function() new { rejected = value } end, "rejected")
      end
      for _, label in ipairs {
        5, {}, { label = 5 }, { label = "x", from = "contacts" }, { label = "x", inverse = 3 },
        { label = "x", from = "contacts", to = "companies", inverse = 0.5 }, { label = "x", colour = "red" },
      } do
        assert.error_matches(function() new { labels = { [36] = label } } end, "labels")
      end
      for name, value in pairs {
        poison = { ["7"] = 200 }, page_size = 0,
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
      subject:configure { status = 200, numeric_ids = false, latency = 0.5 }
      local response, answer = ask(subject, batch(input("007", "2")))
      assert.equal(200, response.status)
      assert.equal(0.5, response.delay)
      assert.equal("007", answer.results[1].fromObjectId)
      subject:configure { status = account.DEFAULT, numeric_ids = account.DEFAULT, latency = account.DEFAULT }
      response, answer = ask(subject, batch(input("007", "2")))
      assert.equal(201, response.status)
      assert.is_nil(response.delay)
      assert.equal(7, answer.results[1].fromObjectId)
    end)

    it("limit the labels to those listed", function()
      local subject = new { labels = { ["36"] = "Billing contact" } }
      local _, answer = ask(subject, batch(input("1", "2", 36, "USER_DEFINED")))
      assert.same({ "Billing contact" }, answer.results[1].labels)
      _, answer = ask(subject, batch(input("1", "2", 37, "USER_DEFINED")))
      assert.same({ "USER_DEFINED=37" }, answer.context.associationSpec)
    end)

    it("say which records do not exist, by a function or a list", function()
      local by_function = function(object_type, id) return object_type == "0-2" and id == "5" end
      for _, option in ipairs { by_function, { "5" } } do
        local _, answer = ask(new { missing = option }, batch(input("404", "5"), input("404", "6")))
        assert.same({ objectType = { "company" }, id = { "5" } }, answer.errors[1].context)
        assert.equal(6, answer.results[1].toObjectId)
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

  it("behind faults keeps ids that are larger than a number of Lua's", function()
    local plan = { random = function() return 0.5 end, script = { "partial", "anonymous" } }
    local subject = faults.new(new(), plan)
    for _ = 1, 2 do
      local response = ask(subject, batch(input("9223372036854775807", "9007199254740993")))
      local ids = '"fromObjectId":9223372036854775807,"fromObjectTypeId":"0-1","labels":["Primary"],'
        .. '"toObjectId":9007199254740993'
      assert.truthy(response.body:find(ids, 1, true), response.body)
    end
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
