-- Checks what a job does with several inputs of one pair. HubSpot replaces a pair's custom labels by those of
-- the last write: so these inputs are sent as one, and no two requests in flight have the same pair.

local cjson = require "cjson"
local limiters = require "hubspot.associations.policy.limiter"
local runs = require "support.job_run"
local jobs = require "support.jobs"
local random = require "support.random"
local simulation = require "support.simulation"

local counts = runs.counts

local function custom(...)
  local list = {}
  for i, id in ipairs { ... } do
    list[i] = { associationCategory = "USER_DEFINED", associationTypeId = id }
  end
  return list
end

local function row(from, to, ...)
  return { from = tostring(from), to = tostring(to), types = custom(...) }
end

local function response_of(status, body)
  return { status = status, headers = { ["content-type"] = "application/json" }, body = body }
end

-- ---- a HubSpot that replaces labels ----

local World = {}
World.__index = World

---@param ways table { rejected = how it tells of a type that is not valid, missing = of a record }
local function new_world(ways)
  return setmetatable({ ways = ways, labels = {}, writes = {} }, World)
end

local BAD_TYPE, MISSING, POISON = 90, "404", "666"

local function has_bad_type(input)
  for _, one in ipairs(input.types) do
    if one.associationTypeId >= BAD_TYPE then return one.associationTypeId end
  end
end

local function starts_with(text, beginning)
  return text:sub(1, #beginning) == beginning
end

-- Each returns a response that rejects the whole request for its number-th input, which has a bad type.
local REJECTED = {
  anonymous = function() return response_of(400, '{"status":"error","message":"internal error"}') end,
  typed = function(input)
    return response_of(400, ([[{"status":"error","message":"One or more associations are invalid","context":{
      "associationSpec":["USER_DEFINED=%d"]},"category":"VALIDATION_ERROR"}]]):format(has_bad_type(input)))
  end,
  mistaken = function(input) -- the to id is called a contact
    return response_of(400, ([[{"status":"error","message":"One or more associations are invalid","context":{
      "INVALID_OBJECT_IDS":["CONTACT=%s is not valid"],"objectId":["%s"],"objectType":["CONTACT"]}}]]):format(
      input.to.id, input.to.id
    ))
  end,
  column = function(_, _, body)
    return response_of(400, cjson.encode {
      message = "Invalid input JSON on line 1, column " .. body:find('associationTypeId":9', 1, true),
    })
  end,
  position = function(_, number) -- HubSpot counts from 0, and the inputs that it got
    return response_of(400, ('{"message":"inputs[%d] is not valid"}'):format(number - 1))
  end,
  crash = function() return response_of(500, '{"status":"error","message":"internal error"}') end,
}

-- Each returns an entry of a response's `errors` for an input that has a bad type.
local REFUSED = {
  named = function(input)
    return { category = "VALIDATION_ERROR", message = "no",
      context = { fromObjectId = { input.from.id }, toObjectId = { input.to.id } } }
  end,
  typed_entry = function(input)
    return { category = "VALIDATION_ERROR", message = "no",
      context = { type = { ("1-%d"):format(has_bad_type(input)) } } }
  end,
  anonymous_entry = function() return { message = "something is not valid" } end,
}

function World:write(input)
  local key = input.from.id .. ">" .. input.to.id
  local labels = {}
  for _, one in ipairs(input.types) do labels[one.associationTypeId] = true end
  self.labels[key] = labels
end

local function missing_entry(input)
  return { category = "OBJECT_NOT_FOUND", subCategory = "crm.associations.FROM_OBJECT_NOT_FOUND",
    message = "No contact with ID " .. input.from.id .. " exists",
    context = { objectType = { "contact" }, id = { input.from.id } } }
end

function World:respond(request)
  local inputs, ways = cjson.decode(request.body).inputs, self.ways
  local seen = {}
  for number, input in ipairs(inputs) do
    local key = input.from.id .. ">" .. input.to.id
    assert(not seen[key], "a pair is in a request twice")
    seen[key] = true
    if starts_with(input.from.id, POISON) then return response_of(ways.poison, "{}") end
    if has_bad_type(input) and REJECTED[ways.rejected] then
      return REJECTED[ways.rejected](input, number, request.body)
    end
  end
  local results, errors = {}, {}
  for _, input in ipairs(inputs) do
    if starts_with(input.from.id, MISSING) then
      errors[#errors + 1] = missing_entry(input)
    elseif has_bad_type(input) then
      errors[#errors + 1] = REFUSED[ways.rejected](input)
    else
      self:write(input)
      results[#results + 1] = { fromObjectId = tonumber(input.from.id), toObjectId = tonumber(input.to.id) }
    end
  end
  local status = #results == 0 and "CANCELED" or "COMPLETE"
  return response_of(207, cjson.encode { status = status, results = results, errors = errors })
end

function World:has(input)
  local labels = self.labels[input.from .. ">" .. input.to] or {}
  for _, one in ipairs(input.types) do
    if not labels[one.associationTypeId] then return false end
  end
  return true
end

-- A limiter that knows which pairs are in flight, and raises when one is in two requests.
local function watch(options)
  local inner, in_flight = limiters.new(), {}
  local watched = setmetatable({}, { __index = function(_, name)
    return function(_, ...) return inner[name](inner, ...) end
  end })
  function watched.completed(_, ticket, ...)
    in_flight[ticket] = nil
    return inner:completed(ticket, ...)
  end
  options.limiter = watched
  options.on_send = function(chunk)
    local keys = {}
    for _, position in ipairs(chunk.positions) do
      local from, to = chunk.batch.body:ids(position)
      keys[from .. ">" .. to] = true
    end
    for _, others in pairs(in_flight) do
      for key in pairs(keys) do assert(not others[key], "a pair is in two requests at a time") end
    end
    in_flight[chunk.attempts.ticket] = keys
  end
end

local function run(world, list, options)
  options = options or {}
  watch(options)
  options.source = list
  options.respond = options.respond or function(_, _, request) return world:respond(request) end
  return runs.run(options)
end

-- ---- the cases ----

describe("inputs of one pair", function()
  it("are sent as one with all their types, and each is created", function()
    local world = new_world { rejected = "anonymous" }
    local list = { row(1, 7, 3), row(2, 7, 3), row(1, 7, 4), { from = 1, to = 7, types = 15 }, row(1, 7, 4) }
    local seen = run(world, list)
    assert.same({ 5, 0, 0, 0 }, counts(seen))
    assert.equal(1, seen.report.requests)
    assert.same({ [3] = true, [4] = true, [15] = true }, world.labels["1>7"])
  end)

  local FAULTS = {
    "anonymous", "typed", "column", "position", "named", "typed_entry", "anonymous_entry", "crash",
  }
  for _, way in ipairs(FAULTS) do
    it(("fail for their own invalid type only (%s)"):format(way), function()
      for _, bad in ipairs { { 2 }, { 1 }, { 4 }, { 1, 3 }, { 2, 3, 4 }, { 1, 2, 3, 4 } } do
        local world, list, is_bad = new_world { rejected = way }, {}, {}
        for _, number in ipairs(bad) do is_bad[number] = true end
        for number = 1, 4 do list[number] = row(1, 7, is_bad[number] and BAD_TYPE + number or number) end
        for number = 5, 40 do list[number] = row(number, 7, 3) end
        local seen = run(world, list, { batch_size = 40 })
        assert.is_nil(seen.err)
        for number = 1, 40 do
          local failure = seen.failures[number]
          assert.equal(is_bad[number] or false, failure ~= nil, ("%s: input %d"):format(way, number))
          if not failure then assert.is_true(world:has(list[number])) end
        end
      end
    end)
  end

  it("are one input when a rejection counts the inputs", function()
    local world = new_world { rejected = "position" }
    local list = { row(1, 7, 1), row(1, 7, 2), row(2, 7, BAD_TYPE), row(3, 7, 1) }
    local seen = run(world, list)
    assert.same({ 3, 1, 0, 0 }, counts(seen))
    assert.same({ true, true }, world.labels["1>7"])
    assert.equal("failed", seen.failures[3].outcome)
    assert.equal(3, seen.report.requests) -- all, the others, the one that was named
  end)

  it("all fail for a record that does not exist, without a trial", function()
    local list = { row(MISSING, 7, 1), row(MISSING, 7, 2), row(3, 7, 1) }
    local seen = run(new_world { rejected = "anonymous" }, list)
    assert.same({ 1, 2, 0, 0 }, counts(seen))
    assert.equal(1, seen.report.requests)
  end)

  it("are never written one after the other", function()
    local world, confirmed = new_world { rejected = "anonymous" }, {}
    run(world, { row(1, 7, 1), row(1, 7, BAD_TYPE), row(1, 7, 2), row(1, 7, 3) }, {
      respond = function(_, _, request)
        local response = world:respond(request)
        if response.status ~= 207 then return response end
        for id in pairs(confirmed) do assert.is_true(world.labels["1>7"][id] or false) end
        for id in pairs(world.labels["1>7"]) do confirmed[id] = true end
        return response
      end,
    })
    assert.same({ true, true, true }, confirmed)
  end)

  it("in a later batch wait for the earlier one; the rest of the batch does not", function()
    local world, first = new_world {}, true
    local list = {}
    for number = 1, 40 do list[number] = row(number, 7, 1) end
    list[15] = row(5, 7, 2) -- the pair of the fifth, in the second batch
    local seen = run(world, list, {
      concurrency = 4,
      respond = function(_, _, request)
        if first and request.body:find('"id":"5"', 1, true) then
          first = false
          return response_of(503, "")
        end
        return world:respond(request)
      end,
    })
    assert.same({ 40, 0, 0, 0 }, counts(seen))
    assert.same({ [2] = true }, world.labels["5>7"])
    assert.equal(6, seen.report.requests) -- four batches, one again, and the row that waited
  end)

  it("keep what was confirmed when the job stops during a trial", function()
    local world, passed = new_world { rejected = "anonymous" }, 0
    local seen = run(world, { row(1, 7, 1), row(1, 7, BAD_TYPE), row(1, 7, BAD_TYPE + 1), row(1, 7, 2) }, {
      respond = function(_, _, request)
        if passed == 1 then return response_of(403, "{}") end
        local response = world:respond(request)
        if response.status == 207 then passed = passed + 1 end
        return response
      end,
    })
    assert.equal("forbidden", seen.err.kind)
    assert.equal("failed", seen.failures[3].outcome)
    assert.is_nil(seen.failures[4])
    for number = 1, 4 do
      if not seen.failures[number] then assert.equal(4, number) end
    end
  end)
end)

describe("inputs of one pair that follow one another", function()
  -- 25 inputs of pairs of their own; but those from `first` to `last` have one pair, and a type each.
  local function with_run(first, last)
    local list = {}
    for number = 1, 25 do list[number] = row(number, 7, 1) end
    for number = first, last do list[number] = row(first, 7, number) end
    return list
  end

  local function as_iterator(list)
    return jobs.iterator(list)
  end

  it("are in one batch, wherever it would end", function()
    for first = 1, 12 do
      for last = first, first + 12 do
        local list = with_run(first, last)
        for _, source in ipairs { list, as_iterator(list) } do
          local world = new_world {}
          local seen = run(world, source, { concurrency = 2 })
          assert.same({ 25, 0, 0, 0 }, counts(seen))
          for number = 1, 25 do
            assert.is_true(world:has(list[number]), ("%d of %d to %d"):format(number, first, last))
          end
        end
      end
    end
  end)

  it("are one input of the request, which has no more inputs than others", function()
    local most, requests = 0, 0
    local world = new_world {}
    run(world, with_run(10, 18), { respond = function(_, _, request)
      requests = requests + 1
      most = math.max(most, #cjson.decode(request.body).inputs)
      return world:respond(request)
    end })
    assert.same({ 10, 2 }, { most, requests })
  end)

  it("are in one batch of a resumed job, too, whose journal has its inputs", function()
    for broken = 1, 3 do
      local world, store, list = new_world {}, simulation.memory(), with_run(10, 13)
      local handled = 0
      local seen = run(world, list, { store = store, respond = function(_, _, request)
        handled = handled + 1
        return handled == broken and response_of(403, "{}") or world:respond(request)
      end })
      assert.same({ "forbidden", 25 - seen.report.created }, { seen.err.kind, seen.report.not_sent })
      seen = run(world, as_iterator(list), { store = store })
      assert.is_nil(seen.err)
      assert.same({ 25, 0, 0, 0 }, counts(seen))
      for number = 1, 25 do assert.is_true(world:has(list[number])) end
    end
  end)

  it("are so many at most that a batch stays small", function()
    local world, sizes, list = new_world {}, {}, {}
    for number = 1, 2500 do list[number] = row(1, 7, 1 + number % 50) end
    local seen = run(world, list, { on_batch = function(batch)
      sizes[#sizes + 1] = batch.last - batch.first + 1
    end })
    assert.same({ 2500, 0, 0, 0 }, counts(seen))
    assert.same({ 2010, 490 }, sizes)
  end)

  it("end before an invalid one, or one that cannot be read, which fails by itself", function()
    for _, bad in ipairs { { from = "1", to = "x", types = 1 }, setmetatable({}, {
      __index = function() error "no such record" end,
    }) } do
      local world, list = new_world {}, with_run(9, 10)
      list[11] = bad
      local seen = run(world, list)
      assert.equal(10, seen.sizes[1])
      assert.equal("invalid_input", seen.failures[11].error.kind)
      for number = 1, 10 do assert.is_true(world:has(list[number])) end
    end
  end)

  it("are not looked for where a write replaces nothing", function()
    local read, list = 0, with_run(10, 13)
    local function source()
      read = read + 1
      return list[read]
    end
    local seen = run(new_world {}, source, {
      endpoint = "archive_labels",
      on_batch = function() read, list = -1, {} end, -- the source ends
      respond = function()
        assert.equal(10, read)
        return { status = 204, headers = {}, body = "" }
      end,
    })
    assert.same({ 10, 0, 0, 0 }, counts(seen))
  end)
end)

describe("any job with inputs of the same pairs", function()
  local WAYS = {
    "anonymous", "typed", "mistaken", "column", "position", "crash", "named", "typed_entry",
    "anonymous_entry",
  }

  local function draw(luck)
    local list = {}
    for number = 1, luck:integer(1, 120) do
      local kind = luck:integer(1, 40)
      local from = kind == 1 and MISSING .. luck:integer(1, 3) or kind == 2 and POISON .. luck:integer(1, 2)
        or tostring(100 + luck:integer(1, 30))
      local id = kind <= 5 and kind > 2 and BAD_TYPE + luck:integer(0, 2) or luck:integer(1, 6)
      list[number] = row(from, 500 + luck:integer(1, 2), id)
    end
    return list
  end

  local function is_at_fault(input)
    return starts_with(input.from, MISSING) or starts_with(input.from, POISON) or has_bad_type(input)
  end

  -- The batch of each input: inputs of one pair that follow one another are in one.
  local function batches_of(list, batch_size)
    local batches, first = {}, 1
    for number, input in ipairs(list) do
      local before = list[number - 1]
      local is_alike = before and before.from == input.from and before.to == input.to
      if number - first >= batch_size and not is_alike then first = number end
      batches[number] = first
    end
    return batches
  end

  it("gives each one outcome, and the account has what was created", function()
    random.check(300, function(luck)
      local world = new_world { rejected = luck:pick(WAYS), poison = luck:pick { 500, 409 } }
      local list, storm = draw(luck), luck:one_in(2) and luck:integer(5, 20) or nil
      local batch_size = luck:integer(1, 50)
      local seen = run(world, list, {
        batch_size = batch_size, concurrency = luck:integer(1, 6), seed = luck:integer(1, 1e6),
        requests = 6000,
        respond = function(_, _, request)
          local chance = storm and luck:integer(1, storm * 3) or 0
          if chance == 1 then return response_of(503, "") end
          local response = world:respond(request)
          if chance == 2 then return { dropped = true } end
          return response
        end,
      })
      -- pair -> the last batch that wrote it, and may have
      local last, batches = {}, batches_of(list, batch_size)
      for number, input in ipairs(list) do last[input.from .. ">" .. input.to] = batches[number] end
      for number, input in ipairs(list) do
        local failure = seen.failures[number]
        local is_last = last[input.from .. ">" .. input.to] == batches[number]
        local is_unread = not failure and number > seen.read -- not sent
        if not failure and not is_unread then
          assert(not is_at_fault(input), "an input at fault is created")
          assert(not is_last or world:has(input), ("input %d is created, and not there"):format(number))
        elseif failure and failure.outcome == "failed" then
          assert(is_at_fault(input) or failure.error.together or failure.error.retryable,
            ("input %d failed, and is innocent: %s"):format(number, tostring(failure.error)))
        end
        if failure and not storm and not seen.err then
          assert(is_at_fault(input) or failure.error.together,
            ("input %d is %s in calm weather: %s"):format(number, failure.outcome, tostring(failure.error)))
        end
      end
    end)
  end)
end)
