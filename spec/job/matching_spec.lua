-- Checks matching.lua: which input a response gives which outcome, and which inputs a rejection names. No
-- I/O.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local matching = require "hubspot.associations.job.matching"
local random = require "support.random"

-- Where a result has the ids of its input.
local PATHS = { from = { "fromObjectId" }, to = { "toObjectId" } }

local TYPE = 279

-- A body of inputs given as { from, to, types }, and all its positions.
local function body_of(inputs)
  local body, positions = core.body { check_ids = false }, {}
  for i, input in ipairs(inputs) do
    assert(body:add { from = input[1], to = input[2], types = input[3] or TYPE })
    positions[i] = i
  end
  return body, positions
end

local function result(from, to)
  return {
    fromObjectTypeId = "0-1", fromObjectId = from, toObjectTypeId = "0-2", toObjectId = to, labels = {},
  }
end

local function failure(context, message)
  return { status = "error", category = "X", message = message or "no", context = context }
end

local function match(inputs, response, positions)
  local body, all = body_of(inputs)
  response.status = "COMPLETE"
  return matching.match(body, positions or all, response, PATHS)
end

-- position -> message of the error it failed with
local function messages(failed)
  local found = {}
  for position, err in pairs(failed) do found[position] = err.message end
  return found
end

local ABC = { { "1", "11" }, { "2", "12" }, { "3", "13" } }

describe("results", function()
  it("confirm all inputs that they name, in any order", function()
    local matched = match(ABC, { results = { result("3", "13"), result("1", "11"), result("2", "12") } })
    assert.same({ { 1, 2, 3 }, {}, {} }, { matched.succeeded, matched.failed, matched.missing })
  end)

  it("confirm only the inputs that they name", function()
    local matched = match(ABC, { results = { result("2", "12") } })
    assert.same({ 2 }, matched.succeeded)
    assert.same({ 1, 3 }, matched.missing)
    assert.same({}, matched.failed)
    assert.is_nil(matched.batch_error)
  end)

  it("have the ids of their inputs where the endpoint says", function()
    local body = body_of(ABC)
    local paths = { from = { "from", "id" }, to = { "to", "record", "id" } }
    local results = {
      { from = { id = "1" }, to = { record = { id = "11" } } }, { from = "2", to = { id = "12" } },
    }
    local matched = matching.match(body, { 1, 2, 3 }, { results = results }, paths)
    assert.same({ { 1 }, { 2, 3 } }, { matched.succeeded, matched.missing })
  end)

  it("have one id where inputs have one", function()
    local body = core.body { shape = "record" }
    for id = 1, 3 do assert(body:add(id)) end
    local response = {
      results = { { from = { id = "2" } }, { from = {} }, false },
      errors = { failure { id = { "3" } } },
    }
    local matched = matching.match(body, { 1, 2, 3 }, response, { from = { "from", "id" } })
    assert.same({ { 2 }, { 1 }, { [3] = "no" } }, {
      matched.succeeded, matched.missing, messages(matched.failed),
    })
  end)

  it("that are missing, or empty, confirm nothing", function()
    for _, response in ipairs { {}, { results = {} }, { errors = {} }, { results = {}, errors = {} } } do
      local matched = match(ABC, response)
      assert.same({}, matched.succeeded)
      assert.same({ 1, 2, 3 }, matched.missing)
    end
  end)

  it("do not confirm pairs that were not sent, nor the ids of two different inputs", function()
    local matched = match(ABC, { results = { result("1", "12"), result("2", "11"), result("13", "3"),
      result("9", "99"), result("11", "1") } })
    assert.same({}, matched.succeeded)
    assert.same({ 1, 2, 3 }, matched.missing)
  end)

  it("do not confuse pairs whose ids have the same digits in a row", function()
    local matched = match({ { "1", "23" }, { "12", "3" } }, { results = { result("12", "3") } })
    assert.same({ 2 }, matched.succeeded)
    assert.same({ 1 }, matched.missing)
  end)

  it("confirm every input of the same pair", function()
    local inputs = { { "1", "11" }, { "2", "12" }, { "1", "11" }, { "1", "11" } }
    assert.same({ 1, 3, 4 }, match(inputs, { results = { result("1", "11") } }).succeeded)
    local twice = match(inputs, { results = { result("1", "11"), result("1", "11"), result("2", "12") } })
    assert.same({ 1, 2, 3, 4 }, twice.succeeded)
  end)

  it("are matched with the positions that were sent", function()
    local matched = match(ABC, { results = { result("1", "11"), result("3", "13") } }, { 2, 3 })
    assert.same({ 3 }, matched.succeeded)
    assert.same({ 2 }, matched.missing)
  end)

  it("match ids with quotes, backslashes, accents, control characters and NUL", function()
    local odd = { 'a"b', "a\\b", "\195\169t\195\169", "a\0b", "\n\t\127", "/", '"],["', "\240\159\152\128" }
    local inputs, results = {}, {}
    for i, id in ipairs(odd) do
      inputs[i], results[i] = { id, odd[#odd + 1 - i] }, result(id, odd[#odd + 1 - i])
    end
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8 }, match(inputs, { results = results }).succeeded)
    -- as a service writes them
    local written = core.decode(cjson.encode { results = results })
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8 }, match(inputs, { results = written.results }).succeeded)
  end)

  it("match numeric ids that were sent as numbers or as strings", function()
    local inputs = { { 101, 202 }, { "103", 204 }, { 9007199254740991, "1" } }
    local written = core.decode [[{"results":[
      {"fromObjectId":101,"toObjectId":"202"},{"fromObjectId":103,"toObjectId":204},
      {"fromObjectId":9007199254740991,"toObjectId":1}]}]]
    assert.same({ 1, 2, 3 }, match(inputs, { results = written.results }).succeeded)
  end)
end)

describe("an error that names ids", function()
  local function failed_with(context, id)
    local err = failure(context)
    err.id = id
    return match({ { "1", "11" }, { "1", "12" }, { "2", "12" }, { "3", "13" } }, { errors = { err } })
  end

  local function positions_of(failed)
    local positions = {}
    for position in pairs(failed) do positions[#positions + 1] = position end
    table.sort(positions)
    return positions
  end

  it("fails the inputs with that id on the side that it names", function()
    assert.same({ 1, 2 }, positions_of(failed_with({ fromObjectId = { "1" } }).failed))
    assert.same({ 2, 3 }, positions_of(failed_with({ toObjectId = { "12" } }).failed))
    assert.same({}, positions_of(failed_with({ fromObjectId = { "12" } }).failed))
  end)

  it("fails only the input with both ids when it names both", function()
    local matched = failed_with { fromObjectId = { "1" }, toObjectId = { "12" } }
    assert.same({ 2 }, positions_of(matched.failed))
    assert.same({ 1, 3, 4 }, matched.missing)
    assert.is_nil(matched.batch_error)
  end)

  it("fails the inputs with that id on either side when it names no side", function()
    assert.same({ 2, 3 }, positions_of(failed_with({ ids = { "12" } }).failed))
    assert.same({ 1, 2, 4 }, positions_of(failed_with({ objectId = { "1", "13" } }).failed))
  end)

  it("names no input by an id without a side that different inputs have on different sides", function()
    local inputs = { { "5", "11" }, { "1", "5" } }
    local matched = match(inputs, { errors = { failure { id = { "5" } } }, results = {} })
    assert.same({}, matched.failed)
    assert.same({ 1, 2 }, matched.missing)
  end)

  it("may have other keys and shapes in its context", function()
    assert.same({ 1, 2 }, positions_of(failed_with({ fromObjectIds = { "1" } }).failed))
    assert.same({ 1, 2 }, positions_of(failed_with({ from = "1" }).failed))
    assert.same({ 4 }, positions_of(failed_with({ toObjectIds = { "13", "77" } }).failed))
    assert.same({ 3 }, positions_of(failed_with({ fromObjectId = { 2 } }).failed))
    assert.same({ 3 }, positions_of(failed_with({ fromObjectId = 2 }).failed))
  end)

  it("is matched by the side that it names, even if another entry of its context equals an id", function()
    local matched = failed_with { fromObjectId = { "2" }, associationTypeId = { "1" } }
    assert.same({ 3 }, positions_of(matched.failed))
  end)

  it("never fails an input that has a result", function()
    local matched = match({ { "1", "11" }, { "1", "12" } }, {
      results = { result("1", "11") }, errors = { failure { fromObjectId = { "1" } } },
    })
    assert.same({ 1 }, matched.succeeded)
    assert.same({ 2 }, positions_of(matched.failed))
  end)

  it("fails every input of the same pair", function()
    local inputs = { { "404", "1" }, { "5", "1" }, { "404", "1" } }
    local matched = match(inputs, { results = { result("5", "1") },
      errors = { failure({ fromObjectId = { "404" } }, "gone") } })
    assert.same({ 2 }, matched.succeeded)
    assert.same({ [1] = "gone", [3] = "gone" }, messages(matched.failed))
  end)

  it("gives an input the first of several errors about it", function()
    local matched = match({ { "404", "405" } }, {
      errors = {
        failure({ fromObjectId = { "404" } }, "first"), failure({ toObjectId = { "405" } }, "second"),
      },
    })
    assert.same({ "first" }, messages(matched.failed))
  end)

  it("gives each input its own error", function()
    local inputs, response = {}, { errors = {}, results = {} }
    for i = 1, 500 do
      inputs[i] = { tostring(1000 + i), tostring(5000 + i) }
      if i % 3 == 0 then
        response.errors[#response.errors + 1] = failure({ fromObjectId = { tostring(1000 + i) } }, "no " .. i)
      else
        response.results[#response.results + 1] = result(tostring(1000 + i), tostring(5000 + i))
      end
    end
    local matched = match(inputs, response)
    assert.same({}, matched.missing)
    assert.equal(334, #matched.succeeded)
    for i = 3, 500, 3 do assert.equal("no " .. i, matched.failed[i].message) end
  end)

  it("may have escapes in its ids", function()
    local matched = match({ { 'a"\0b', "1" }, { "b", "2" } },
      { errors = { failure { fromObjectId = { 'a"\0b' } } }, results = { result("b", "2") } })
    assert.same({ 1 }, positions_of(matched.failed))
  end)
end)

describe("errors that name no input", function()
  it("fail the remaining inputs if the counts match", function()
    local matched = match(ABC, { results = { result("2", "12") },
      errors = { failure(nil, "first"), failure({}, "second") } })
    assert.same({ [1] = "first", [3] = "second" }, messages(matched.failed))
    assert.same({}, matched.missing)
  end)

  it("fail no input if the counts differ; the first becomes the batch_error", function()
    for count = 1, 4 do
      if count ~= 2 then
        local errors = {}
        for i = 1, count do errors[i] = failure(nil, "error " .. i) end
        local matched = match(ABC, { results = { result("2", "12") }, errors = errors })
        assert.same({}, matched.failed)
        assert.same({ 1, 3 }, matched.missing)
        assert.equal("error 1", matched.batch_error.message)
      end
    end
  end)

  it("fail no input when they are about both sides: two may be about one input", function()
    local function missing(side)
      local err = failure(nil, side)
      err.subCategory = ("crm.associations.%s_OBJECT_NOT_FOUND"):format(side)
      return err
    end
    local results = { result("2", "12") }
    local matched = match(ABC, { results = results, errors = { missing "FROM", missing "TO" } })
    assert.same({}, matched.failed)
    assert.same({ 1, 3 }, matched.missing)
    matched = match(ABC, { results = results, errors = { missing "FROM", missing "FROM" } })
    assert.same({}, matched.missing)
  end)

  it("are counted apart from those that name an input", function()
    local matched = match(ABC, { results = { result("2", "12") },
      errors = { failure(nil, "nameless"), failure({ fromObjectId = { "3" } }, "named") } })
    assert.same({ [1] = "nameless", [3] = "named" }, messages(matched.failed))
  end)

  it("include those whose ids were not sent", function()
    local matched = match(ABC, { results = { result("2", "12"), result("1", "11") },
      errors = { failure({ fromObjectId = { "77777" } }, "stranger") } })
    assert.same({ [3] = "stranger" }, messages(matched.failed))
  end)
end)

describe("a response with junk in it", function()
  local JUNK = { true, false, 0, 1.5, "text", {}, { {} }, { "x" }, { x = {} }, { fromObjectId = {} } }

  local function junk(luck, depth)
    if depth > 0 and luck:one_in(3) then
      local made = {}
      for _ = 1, luck:integer(0, 3) do
        local key = luck:pick {
          "context", "fromObjectId", "toObjectId", "id", "message", "errors", "in", 1, 2,
        }
        made[key] = junk(luck, depth - 1)
      end
      return made
    end
    return luck:pick(JUNK)
  end

  it("never raises, and gives each input one outcome", function()
    random.check(3000, function(luck)
      local results, errors = {}, {}
      for i = 1, luck:integer(0, 4) do
        results[i] = luck:one_in(3) and result(luck:pick { "1", 2, true, {} }, luck:pick { "11", 12, {} })
          or junk(luck, 2)
      end
      for i = 1, luck:integer(0, 4) do
        errors[i] = luck:one_in(2) and failure(junk(luck, 2), junk(luck, 1)) or junk(luck, 2)
      end
      local matched = match(ABC, { results = results, errors = errors })
      local count = #matched.succeeded + #matched.missing
      for _ in pairs(matched.failed) do count = count + 1 end
      assert.equal(3, count)
    end)
  end)

  it("never raises for results that are not tables", function()
    for _, value in ipairs { 5, true, false, "x", {} } do
      local matched = match(ABC, { results = { value, result("1", "11") } })
      assert.same({ 1 }, matched.succeeded)
    end
  end)

  it("never raises when suspects are looked for", function()
    local body, positions = body_of(ABC)
    random.check(3000, function(luck)
      local err = { kind = "http", status = 400, message = junk(luck, 1), context = junk(luck, 2),
        errors = junk(luck, 3), id = junk(luck, 1), ["in"] = junk(luck, 1) }
      for _, list in pairs(matching.suspects(body, positions, err)) do assert(#list <= 3) end
    end)
  end)
end)

describe("suspects of a rejection", function()
  local function suspects(inputs, err, positions)
    local body, all = body_of(inputs)
    local found, list = matching.suspects(body, positions or all, err), {}
    for _, positions_of_kind in pairs(found) do
      for _, position in ipairs(positions_of_kind) do list[#list + 1] = position end
    end
    table.sort(list)
    return list
  end

  it("are the inputs whose numbers it names, from 0", function()
    assert.same({ 1 }, suspects(ABC, { message = "bad id: inputs[0].from.id" }))
    assert.same({ 3 }, suspects(ABC, { message = "bad", errors = { { ["in"] = "inputs[2].to" } } }))
    assert.same({ 2, 3 }, suspects(ABC, { message = "inputs[1], inputs[2]", errors = {} }))
    assert.same({ 2 }, suspects(ABC, { errors = { { message = "look at inputs[1]" }, "x" } }))
  end)

  it("are numbered by what was sent, when that was a part", function()
    assert.same({ 3 }, suspects(ABC, { message = "inputs[1]" }, { 1, 3 }))
  end)

  it("are none for numbers that were not sent", function()
    local positions = { "inputs[3]", "inputs[99999999999999999999]", "inputs[-1]", "inputs[]", "inputs[1" }
    for _, text in ipairs(positions) do
      assert.same({}, suspects(ABC, { message = text }), text)
    end
  end)

  it("are the inputs whose ids it names", function()
    assert.same({ 2 }, suspects(ABC, { context = { id = { "2" } } }))
    assert.same({ 2 }, suspects(ABC, { context = { fromObjectId = { "2" } } }))
    -- HubSpot derives the sides from the type: the id may be on the other side.
    assert.same({ 2 }, suspects(ABC, { context = { toObjectId = { "2" } } }))
    assert.same({}, suspects(ABC, { context = { toObjectId = { "77" } } }))
    assert.same({ 1, 3 }, suspects(ABC, { errors = { { context = { ids = { "1", "13" } } } } }))
    local repeated = { { "1", "2" }, { "3", "4" }, { "1", "2" } }
    assert.same({ 1, 3 }, suspects(repeated, { context = { id = { "1" } } }))
  end)

  it("are none when it names no input", function()
    for _, err in ipairs { {}, { message = "bad" }, { message = "Some inputs are bad", errors = {} } } do
      assert.same({}, suspects(ABC, err))
    end
  end)
end)
