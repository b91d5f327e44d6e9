-- A case for each response that was observed from HubSpot: the outcomes of the inputs after it. Where a
-- response is from another endpoint, its context and categories are the same (see docs/design.md, "How a job treats
-- a response"). The simulated HubSpot rejects a batch as long as the cause of the rejection is in it.

local cjson = require "cjson"
local runs = require "support.job_run"

local counts, inputs, run = runs.counts, runs.inputs, runs.run

local CUSTOM_3 = { associationCategory = "USER_DEFINED", associationTypeId = 3 }

local function response(status, body)
  return { status = status, headers = { ["content-type"] = "application/json" }, body = body }
end

local function holds(request, text)
  return request.body:find(text, 1, true) ~= nil
end

local function pair(from, to)
  return ('"from":{"id":"%s"},"to":{"id":"%s"}'):format(from, to)
end

-- A run in which `body` is the response to each request with the text, and the account responds to the
-- others.
local function rejects(list, text, status, body, given)
  given = given or {}
  given.source = list
  given.respond = function(_, _, request)
    if holds(request, text) then return response(status, body) end
  end
  return run(given)
end

local function outcomes(seen, ...)
  local words = {}
  for i, index in ipairs { ... } do
    words[i] = seen.failures[index] and seen.failures[index].outcome or "created"
  end
  return table.concat(words, " ")
end

describe("a success", function()
  it("with numeric ids of any size confirms its inputs", function()
    local body = [[{"status":"COMPLETE","results":[{"fromObjectTypeId":"2-33642689","fromObjectId":24454281832,
      "toObjectTypeId":"0-1","toObjectId":101935997007,"labels":["Active"]}],
      "startedAt":"2025-02-25T18:39:12.770Z","completedAt":"2025-02-25T18:39:12.855Z"}]]
    for _, wants_results in ipairs { true, false } do
      local seen = run {
        source = { { from = "24454281832", to = "101935997007", types = 279 } },
        respond = function() return response(201, body) end,
        on_batch = wants_results and function() end or nil,
      }
      assert.same({ 1, 0, 0, 0 }, counts(seen))
    end
  end)
end)

describe("errors of a success", function()
  local BOTH = [[{"status":"COMPLETE","results":[%s],"numErrors":2,"errors":[
    {"status":"error","category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.FROM_OBJECT_NOT_FOUND",
     "message":"No contact with ID 9993051 exists","context":{"objectType":["contact"],"id":["9993051"]}},
    {"status":"error","category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.TO_OBJECT_NOT_FOUND",
     "message":"No company with ID 994705054985 exists",
     "context":{"objectType":["company"],"id":["994705054985"]}}]}]]

  it("may be two for one input", function()
    local seen = run {
      source = { { from = "9993051", to = "994705054985", types = 279 } },
      respond = function() return response(207, BOTH:format "") end,
    }
    assert.same({ 0, 1, 0, 0 }, counts(seen))
    assert.equal("No contact with ID 9993051 exists", seen.failures[1].error.message)
    assert.equal(1, seen.report.requests)
  end)

  it("name the side: the same id on the other side does not fail", function()
    local seen = run {
      source = {
        { from = "9993051", to = "7", types = 279 }, { from = "8", to = "9993051", types = 279 },
        { from = "994705054985", to = "9", types = 279 }, { from = "10", to = "994705054985", types = 279 },
      },
      respond = function(number, pass)
        if number == 1 then return response(207, BOTH:format "") end
        return pass()
      end,
    }
    assert.equal("failed created created failed", outcomes(seen, 1, 2, 3, 4))
    assert.same({ 4, 2 }, seen.sizes)
  end)

  it("that name records which do not exist fail the inputs with that pair, and no others", function()
    local seen = run {
      source = inputs(3),
      respond = function(number)
        if number > 1 then return nil end
        return response(207, [[{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error",
          "category":"OBJECT_NOT_FOUND","subCategory":"crm.associations.NO_ASSOCIATIONS_FOUND",
          "message":"No company is associated with contact 100002.","context":{"fromObjectId":["100002"],
          "fromObjectType":["deal"],"toObjectType":["company"]}}]}]])
      end,
    }
    assert.equal("created failed created", outcomes(seen, 1, 2, 3))
  end)

  local CANCELED = [[{"status":"CANCELED","results":[],"numErrors":1,"errors":[{"status":"error",
    "category":"VALIDATION_ERROR","subCategory":"crm.associations.INVALID_ASSOCIATION_TYPE",
    "message":"0-5 is not a valid association type between CONTACT and DEAL",
    "context":{"type":["0-5"],"fromObjectType":["CONTACT"],"toObjectType":["DEAL"]}}]}]]

  it("of a canceled batch fail the inputs with the type that they name; the others are sent again", function()
    local list = inputs(6)
    list[2].types, list[5].types = 5, { 279, 5 }
    list[6].types = { associationCategory = "USER_DEFINED", associationTypeId = 5 }
    local seen = rejects(list, '"HUBSPOT_DEFINED","associationTypeId":5}', 207, CANCELED)
    assert.equal("created failed created created failed", outcomes(seen, 1, 2, 3, 4, 5))
    assert.same({ 6, 4 }, { seen.sizes[1], seen.sizes[2] })
  end)

  it("of a canceled batch that name no input fail all its inputs", function()
    for _, status in ipairs { "CANCELED", "CANCELLED" } do
      local body = ([[{"status":"%s","results":[],"numErrors":1,"errors":[{"status":"error",
        "category":"VALIDATION_ERROR","message":"nothing of this is valid"}]}]]):format(status)
      local seen = run { source = inputs(4), respond = function() return response(207, body) end }
      assert.same({ 0, 4, 0, 0 }, counts(seen))
      for index = 1, 4 do
        assert.truthy(seen.failures[index].error.message:find("nothing of this is valid", 1, true))
      end
    end
  end)

  it("of a canceled batch that name no input cost no good input", function()
    local body = [[{"status":"CANCELED","results":[],"errors":[{"status":"error","message":"something is not valid"}]}]]
    local seen = rejects(inputs(10), pair("100003", "7"), 207, body)
    assert.same({ 9, 1, 0, 0 }, counts(seen))
    assert.equal("something is not valid", seen.failures[3].error.message)
  end)
end)

describe("a rejection of the whole request", function()
  local INVALID_IDS = [[{"status":"error","message":"One or more associations are invalid","context":{
    "INVALID_OBJECT_IDS":["CONTACT=%s is not valid"],"objectId":["%s"],"objectType":["CONTACT"]},
    "category":"VALIDATION_ERROR"}]]

  it("(1) for an id sends the others first, then those with the id, which fail when rejected again", function()
    local list = inputs(10)
    list[4].from = "38374264688"
    local sent = {}
    local seen = rejects(list, pair("38374264688", "7"), 400, INVALID_IDS:format("38374264688", "38374264688"), {
      on_send = function(chunk) sent[#sent + 1] = #chunk.positions end,
    })
    assert.same({ 9, 1, 0, 0 }, counts(seen))
    assert.same({ 10, 9, 1 }, sent)
    assert.same({ "CONTACT=38374264688 is not valid" }, seen.failures[4].error.context.INVALID_OBJECT_IDS)
  end)

  it("(1) for a type of another direction names the to id as a contact's: the contact with that id does not fail", function()
    local list = inputs(10)
    list[3] = { from = "501", to = "38374264688", types = CUSTOM_3 } -- the one at fault
    list[6].from, list[8].from = "38374264688", "38374264688" -- contacts that have the same id
    list[8].to = "9"
    local seen = rejects(list, '"associationTypeId":3', 400, INVALID_IDS:format("38374264688", "38374264688"))
    assert.same({ 9, 1, 0, 0 }, counts(seen))
    assert.equal("failed", seen.failures[3].outcome)
  end)

  it("(2) for a type fails the inputs with that type at once", function()
    local list = inputs(10)
    list[2].types, list[7].types = CUSTOM_3, { 279, CUSTOM_3 }
    list[9].types = { associationCategory = "USER_DEFINED", associationTypeId = 33 }
    local seen = rejects(list, '"USER_DEFINED","associationTypeId":3}', 400, [[{"status":"error",
      "message":"One or more associations are invalid","context":{"associationSpec":["USER_DEFINED=3"],
      "INVALID_ASSOCIATION_TYPE_ID":["USER_DEFINED=3 is not a valid association definition id"]},
      "category":"VALIDATION_ERROR"}]])
    assert.equal("failed", seen.failures[2].outcome)
    assert.equal("failed", seen.failures[7].outcome)
    assert.is_nil(seen.failures[1])
    assert.same({ 10, 8 }, { seen.sizes[1], seen.sizes[2] })
  end)

  it("(3) for one input's type of another direction does not stop the job", function()
    local list = inputs(30)
    list[17].types = { 279, 190 }
    local seen = rejects(list, '"associationTypeId":190', 400, [[{"status":"error","category":"VALIDATION_ERROR",
      "message":"invalid from object type 0-1 for associations to be created. expected: 0-46. For definition 0-190"}]])
    assert.is_nil(seen.err)
    assert.same({ 29, 1, 0, 0 }, counts(seen))
    assert.equal("failed", seen.failures[17].outcome)
    assert.equal(4, seen.report.requests)
  end)

  it("(4) for a type with a name does not stop the job", function()
    local seen = rejects(inputs(10), pair("100004", "7"), 400, [[{"message":
      "test is not a valid association type between deals and contacts","context":{"type":["test"],
      "fromObjectType":["deals"],"toObjectType":["contacts"]},"category":"VALIDATION_ERROR",
      "subCategory":"crm.associations.INVALID_ASSOCIATION_TYPE"}]])
    assert.is_nil(seen.err)
    assert.same({ 9, 1, 0, 0 }, counts(seen))
  end)

  it("(5) for an object type of the path stops the job, and for another one does not", function()
    local body = [[{"status":"error","message":"Unable to infer object type from: %s","correlationId":"x"}]]
    for _, name in ipairs { "contacts", "Contact", "companies", "0-2" } do
      local seen = rejects(inputs(30), "inputs", 400, body:format(name))
      assert.same({ 0, 0, 0, 30 }, counts(seen))
      assert.equal(1, seen.report.requests)
      assert.same({ "http", "object_type" }, { seen.err.kind, seen.err.reason })
    end
    local seen = rejects(inputs(30), pair("100004", "7"), 400, body:format "vendor")
    assert.same({ 29, 1, 0, 0 }, counts(seen))
  end)

  it("(6, 7) for a column suspects the input there, which fails only when it is rejected alone", function()
    for _, words in ipairs {
      "Invalid input JSON on line 1, column %d. Some required fields were not set: [associationCategory]",
      'Invalid input JSON on line 1, column %d: Cannot deserialize value of type `long` from String "x"',
    } do
      for _, is_true in ipairs { true, false } do
        local seen = run {
          source = inputs(64), batch_size = 64,
          respond = function(_, _, request)
            local at = request.body:find(pair("100040", "7"), 1, true)
            if not at then return nil end
            return response(400, cjson.encode { message = words:format(is_true and at + 20 or 15) })
          end,
        }
        assert.same({ 63, 1, 0, 0 }, counts(seen))
        assert.equal("failed", seen.failures[40].outcome)
        if is_true then assert.same({ 64, 63, 1 }, seen.sizes) end
      end
    end
  end)

  it("(8) for a body without inputs costs only the search, and fails them together", function()
    local seen = rejects(inputs(10), "inputs", 400, [[{"status":"error","category":"VALIDATION_ERROR",
      "message":"Batch input provided should have at least one object."}]])
    assert.same({ 0, 10, 0, 0 }, counts(seen))
  end)

  it("(9) for its size limits all batches to the size that it names, at once", function()
    local seen = run {
      source = inputs(1000), batch_size = 1000, account = { max_inputs = 100 },
      respond = function(_, pass, request)
        local _, count = request.body:gsub('"from"', "")
        if count <= 100 then return pass() end
        return response(400, [[{"status":"error","category":"VALIDATION_ERROR","message":
          "The maximum number of inputs supported in a batch is 100. Please reduce the number of items and try again"}]])
      end,
    }
    assert.same({ 1000, 0, 0, 0 }, counts(seen))
    assert.equal(11, seen.report.requests)
    for number = 2, 11 do assert.equal(100, seen.sizes[number]) end
  end)

  it("(10) that names no input costs only the inputs at fault", function()
    local seen = rejects(inputs(10), pair("100001", "7"), 400,
      [[{"status":"error","message":"internal error","correlationId":"x"}]])
    assert.same({ 9, 1, 0, 0 }, counts(seen))
  end)

  it("(12) for missing scopes stops the job, and names them", function()
    local seen = rejects(inputs(30), "inputs", 403, [[{"status":"error","message":
      "This app hasn't been granted all required scopes to make this call.","errors":[{"message":
      "One or more of the following scopes are required.","context":{"requiredGranularScopes":
      ["crm.objects.companies.write"]}}],"category":"MISSING_SCOPES"}]])
    assert.equal("forbidden", seen.err.kind)
    assert.truthy(tostring(seen.err):find("crm.objects.companies.write", 1, true))
    assert.same({ 0, 0, 0, 30 }, counts(seen))
  end)

  it("(13) of 404 for a record fails its inputs, and for a path stops the job", function()
    local seen = rejects(inputs(10), pair("100004", "7"), 404, [[{"status":"error","category":"OBJECT_NOT_FOUND",
      "subCategory":"crm.associations.FROM_OBJECT_NOT_FOUND","message":"No contact with ID 100004 exists",
      "context":{"objectType":["contact"],"id":["100004"]}}]])
    assert.same({ 9, 1, 0, 0 }, counts(seen))
    seen = rejects(inputs(30), "inputs", 404, "<html>")
    assert.equal("not_found", seen.err.kind)
    assert.same({ 0, 0, 0, 30 }, counts(seen))
  end)

  for _, case in ipairs {
    { 409, "failed", "CONFLICT" }, { 423, "failed", "locked" }, { 500, "unconfirmed", "internal error" },
  } do
    local status, outcome, message = case[1], case[2], case[3]
    local body = ([[{"status":"error","message":"%s","correlationId":"x"}]]):format(message)

    it(("(15, 17) of %d for one input costs that input, while other requests succeed"):format(status), function()
      local seen = rejects(inputs(400), pair("100077", "7"), status, body, { batch_size = 100, concurrency = 4 })
      assert.is_nil(seen.err)
      assert.equal(399, seen.report.created)
      assert.equal(outcome, seen.failures[77].outcome)
      assert.is_true(seen.report.requests <= 3 + 6 + 1 + 2 * 7, tostring(seen.report.requests))
    end)

    it(("(15, 17) of %d while no request succeeds is an outage, and stops the job"):format(status), function()
      local seen = rejects(inputs(100), "inputs", status, body)
      assert.truthy(seen.err)
      assert.equal(0, seen.report.created + seen.report.failed)
      assert.is_true(seen.report.requests <= 6 + 6 + 3) -- two batches, and a look at the halves of one
    end)

    it(("(15, 17) of %d for one input costs that input, when no other batch is left"):format(status), function()
      local seen = rejects(inputs(100), pair("100077", "7"), status, body, { batch_size = 100 })
      assert.is_nil(seen.err)
      assert.equal(99, seen.report.created)
      assert.equal(outcome, seen.failures[77].outcome)
    end)

    it(("(15, 17) of %d that begins in the middle of a search stops the job"):format(status), function()
      local began
      local seen = run {
        source = inputs(4000), batch_size = 2000, concurrency = 2,
        respond = function(number, pass, request)
          if holds(request, pair("100077", "7")) then began = began or number end
          if began and number > began + 8 or holds(request, pair("100077", "7")) then return response(status, body) end
          return pass()
        end,
      }
      assert.truthy(seen.err)
      assert.is_true(seen.report.failed + seen.report.unconfirmed <= 2000)
    end)
  end
end)
