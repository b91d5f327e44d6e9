-- Checks batch.lua, chunk.lua and source.lua: the inputs of one batch, the chunks in which they are sent, and
-- the source that they are read from. No I/O.

local cjson = require "cjson"
local core = require "hubspot.associations.core"
local errors = require "hubspot.associations.errors"
local batches = require "hubspot.associations.job.batch"
local chunks = require "hubspot.associations.job.chunk"
local responses = require "hubspot.associations.job.responses"
local source = require "hubspot.associations.job.source"
local random = require "support.random"

local function input(from)
  return { from = tostring(from), to = "1", types = 279 }
end

local function batch_of(...)
  local batch = batches.new(1, { is_kept = true })
  for index = 1, select("#", ...) do assert.is_true(batch:add(index, (select(index, ...)))) end
  return batch
end

local function sent(chunk)
  local froms = {}
  for i, entry in ipairs(cjson.decode(chunk:json()).inputs) do froms[i] = entry.from.id end
  return table.concat(froms, " ")
end

describe("a batch", function()
  it("counts every input, and keeps the valid ones open", function()
    local batch = batch_of(input(1), false, input(3), { from = "4", types = 279 })
    assert.equal(4, batch.count)
    assert.equal(2, batch.open)
    assert.same({ 1, 2 }, batch:positions())
    assert.equal(2, batch.body:count())
  end)

  it("tells the index of an input, and counts what was added to its body itself", function()
    random.check(100, function(luck)
      local given, batch = {}, batches.new(7, { is_kept = true })
      for place = 1, luck:integer(1, 40) do
        given[place] = luck:one_in(3) and { from = "x" } or input(place)
        assert.is_true(batch:add(6 + place, given[place]))
      end
      for position = 1, batch.open do
        assert.equal(given[batch:index(position) - 6], batch:input(position))
      end
      local count, open = batch.count, batch.open
      batch.body:add(input(1))
      batch.body:add(input(2))
      batch:catch_up()
      batch:catch_up()
      assert.same({ count + 2, open + 2 }, { batch.count, batch.open })
      assert.equal(6 + count + 2, batch:index(open + 2))
    end)
  end)

  it("fails an invalid input, with its index, field and the input itself", function()
    local bad = { from = "4", types = 279 }
    local batch = batch_of(input(1), bad)
    local failure = batch:ordered_failures()[1]
    assert.equal(2, failure.index)
    assert.equal(bad, failure.input)
    assert.equal("failed", failure.outcome)
    assert.equal("invalid_input", failure.error.kind)
    assert.equal("to", failure.error.field)
    assert.equal(2, failure.error.index)
    assert.equal("string", type(tostring(failure.error)))
  end)

  it("tells the outcome of each input once, as soon as it has one", function()
    local told = {}
    local function on_settled(index, outcome, err)
      table.insert(told, ("%d %s %s"):format(index, tostring(outcome), err and err.kind or "none"))
    end
    local batch = batches.new(1, { is_kept = true, on_settled = on_settled })
    for index, given in ipairs { input(1), false, input(3), input(4) } do batch:add(index, given) end
    assert.same({ "2 failed invalid_input" }, told)
    batch:settle(2, "succeeded")
    batch:settle(3, "unconfirmed", { kind = "timeout" })
    assert.same({ "2 failed invalid_input", "3 nil none", "4 unconfirmed timeout" }, told)
    local other = batches.new(1, { on_settled = on_settled })
    told = {}
    for index, given in ipairs { false, input(2), input(3) } do other:add(index, given) end
    other:settle_all()
    assert.same({ "1 failed invalid_input", "2 nil none", "3 nil none" }, told)
  end)

  it("leaves its body to the next batch, and is not asked for it any more", function()
    local kind = { bodies = {}, checks = { check_ids = false } }
    local batch = batches.new(1, kind)
    batch:add(1, input "first")
    local body = batch.body
    batch:settle_all()
    batch:release()
    assert.has_error(function() batch:index(batch.body:count()) end)
    local other = batches.new(2, kind)
    assert.equal(body, other.body)
    assert.equal(0, other.body:count())
    other:add(2, input "second")
    assert.equal("second", (other.body:ids(1)))
    assert.are_not.equal(body, batches.new(3, kind).body)
  end)

  it("gets a new body once a job's batches may have less", function()
    local job = { kind = { bodies = {}, checks = { shape = "fan", most_groups = 2 } } }
    local before, during = batches.new(1, job.kind), batches.new(1, job.kind)
    before:release()
    responses.limit_inputs(job, 1)
    during:release()
    local after = batches.new(1, job.kind)
    assert.is_true(after:add(1, { from = 1, to = 2 }))
    assert.is_false(after:add(2, { from = 2, to = 2 }))
  end)

  it("settles each input once", function()
    local batch = batch_of(input(1), input(2), input(3))
    batch:settle(2, "succeeded")
    batch:settle(1, "failed", { message = "no" })
    assert.equal(1, batch.open)
    assert.equal(1, batch.succeeded)
    assert.has_error(function() batch:settle(2, "failed", {}) end)
    batch:settle(3, "unconfirmed", {})
    assert.equal(0, batch.open)
    assert.equal(1, batch.succeeded)
  end)

  it("has the failures in the order of the source, each with its input", function()
    local inputs = { input(1), false, input(3), input(4) }
    local batch = batch_of(inputs[1], inputs[2], inputs[3], inputs[4])
    batch:settle(3, "not_sent", { kind = "canceled", message = "x" })
    batch:settle(2, "unconfirmed", { kind = "decode", message = "x" })
    batch:settle(1, "failed", { message = "x" })
    local outcomes, indices = {}, {}
    for i, failure in ipairs(batch:ordered_failures()) do
      outcomes[i], indices[i] = failure.outcome, failure.index
      assert.equal(inputs[failure.index], failure.input)
    end
    assert.same({ 1, 2, 3, 4 }, indices)
    assert.same({ "failed", "failed", "unconfirmed", "not_sent" }, outcomes)
  end)

  it("has what was sent of an input that was not kept, or the entry of the source at its index", function()
    for _, input_at in ipairs { false, function(index) return { line = index } end } do
      local batch = batches.new(7, { input_at = input_at or nil })
      assert.is_true(batch:add(7, { from = 1, to = "2", types = 279, line = 7 }))
      batch:settle(1, "failed", { kind = "http", message = "no" })
      local shown = batch:ordered_failures()[1].input
      if input_at then
        assert.same({ line = 7 }, shown)
      else
        assert.same({ "1", "2", 279 }, { shown.from.id, shown.to.id, shown.types[1].associationTypeId })
      end
    end
  end)

  it("takes only what fits in a body, and leaves the rest to the next batch", function()
    local long, batch, index = ("7"):rep(1024 * 1024), batches.new(1, { checks = { check_ids = false } }), 1
    while batch:add(index, input(long)) do
      index = index + 1
      assert.is_true(index < 66) -- the ceiling is 64 MiB
    end
    assert.is_true(index > 50)
    assert.equal(index - 1, batch.count)
    assert.equal(index - 1, batch.body:count())
    assert.equal(index - 1, batch.open)
    assert.is_true(batch:add(index, input(4)))
    assert.equal(index, batch.count)
  end)

  it("fails an input that does not fit in any body", function()
    local batch = batches.new(1, { checks = { check_ids = false } })
    assert.is_true(batch:add(1, input(("7"):rep(65 * 1024 * 1024))))
    assert.equal(0, batch.open)
    assert.equal("too_large", batch:ordered_failures()[1].error.kind)
  end)
end)

describe("a chunk", function()
  local batch

  before_each(function()
    batch = batch_of(input(11), false, input(12), input(13), input(14), input(15))
  end)

  it("of all positions has the whole body", function()
    local chunk = chunks.new(batch, batch:positions())
    assert.equal(batch.body:json(), chunk:json())
    assert.equal("11 12 13 14 15", sent(chunk))
  end)

  it("of some positions has only these", function()
    assert.equal("12 15", sent(chunks.new(batch, { 2, 5 })))
  end)

  it("has parts that together are the chunk", function()
    local chunk = chunks.new(batch, batch:positions())
    local parts = chunk:parts(chunk:units(), 3)
    assert.same({ { 1, 2, 3 }, { 4, 5 } }, { parts[1].positions, parts[2].positions })
    assert.equal(2, #parts)
  end)

  it("has the others of some positions", function()
    assert.same({ 1, 4 }, chunks.new(batch, { 1, 2, 4, 5 }):others { 2, 5 })
  end)

  it("finds the input at a column of its body", function()
    local chunk = chunks.new(batch, { 2, 3, 5 })
    local json, units = chunk:json(), chunk:inputs()
    for number = 1, 3 do
      local at = json:find(("1%d"):format(units[number][1]), 1, true)
      assert.equal(units[number], chunk:input_at(units, at))
    end
    assert.equal(units[1], chunk:input_at(units, 1))
    assert.equal(units[3], chunk:input_at(units, #json))
    assert.is_nil(chunk:input_at(units, #json + 1))
  end)

  it("begins with no attempts, and passes on what is known of its inputs", function()
    local chunk = chunks.new(batch, batch:positions())
    assert.is_false(chunk.retried_missing)
    assert.is_false(chunk.attempts.may_be_done)
    chunk.retried_missing, chunk.attempts.may_be_done = true, true
    chunk.attempts.count, chunk.attempts.counted_failures, chunk.attempts.failing_since = 4, 2, 17
    for _, parts in ipairs { chunk:parts(chunk:units(), 3) } do
      assert.equal(2, #parts)
      for _, part in ipairs(parts) do
        assert.is_true(part.retried_missing)
        assert.is_true(part.attempts.may_be_done)
        assert.equal(0, part.attempts.count)
        assert.equal(0, part.attempts.counted_failures)
        assert.equal(0, part.attempts.not_before)
        assert.is_nil(part.attempts.failing_since)
        assert.is_nil(part.attempts.began)
      end
    end
  end)
end)

describe("a source", function()
  local function all(from)
    local read, total = source.reader(from)
    local found, count = {}, 0
    while true do
      local more, value = read()
      if not more then return found, count, total end
      count = count + 1
      found[count] = value
      assert(count < 100)
    end
  end

  it("may be a list", function()
    local found, count, total = all { "a", "b", "c" }
    assert.same({ "a", "b", "c" }, found)
    assert.equal(3, count)
    assert.equal(3, total)
    found, count, total = all {}
    assert.same({ {}, 0, 0 }, { found, count, total })
  end)

  it("may be a list with false, which is an input, too", function()
    for _, list in ipairs { { "a", false, "c" }, { false }, { "a", false } } do
      local found, count, total = all(list)
      assert.same(list, found)
      assert.equal(#list, count)
      assert.equal(#list, total)
    end
  end)

  local function refusal(list)
    local read, err = source.reader(list)
    assert.is_nil(read)
    assert.is_true(errors.is(err))
    assert.equal("invalid_input", err.kind)
    assert.equal("source", err.field)
    assert.is_false(err.retryable)
    return err.message
  end

  -- Adds all inputs of a source by `add_to`, `most` at a time. Returns those that were refused, with their
  -- numbers, the body, and the list of those that were kept.
  local function add_all(from, most)
    local add_to = select(4, source.reader(from))
    local body, kept, refused, number = core.body(), {}, {}, 0
    for _ = 1, 200 do
      local before = body:count()
      local more, given, added, err = add_to(body, most, kept)
      number = number + body:count() - before
      assert(number <= before + most + #refused)
      if more == false then return refused, body, kept end
      if more then
        number = number + 1
        assert.is_nil(added)
        table.insert(refused, { number, given, err.kind })
      else
        assert.equal(before + most, body:count())
      end
    end
  end

  local function iterator_over(list)
    local at = 0
    return function()
      at = at + 1
      return list[at]
    end
  end

  it("adds its inputs to a body, up to the first that is invalid", function()
    random.check(100, function(luck)
      local list, good, bad = {}, {}, {}
      for place = 1, luck:integer(0, 40) do
        list[place] = luck:one_in(4) and { from = "x" } or input(place)
        if list[place].to then table.insert(good, list[place]) end
        if not list[place].to then table.insert(bad, { place, list[place], "invalid_input" }) end
      end
      local expected = core.body()
      for _, one in ipairs(good) do assert(expected:add(one)) end
      for _, from in ipairs { list, iterator_over(list) } do
        local refused, body, kept = add_all(from, luck:integer(1, 45))
        assert.same(bad, refused)
        assert.equal(expected:json(), body:json())
        assert.same(from ~= list and good or {}, kept)
      end
    end)
    assert.same({ { 1, false, "invalid_input" } }, (add_all({ false, input(1) }, 5)))
  end)

  it("asks an iterator for the next input only when the one before is written", function()
    local body, row = core.body(), { to = "1", types = 279 }
    local add_to = select(4, source.reader(function()
      row.from = (row.from or 0) + 1
      return row
    end))
    assert.is_nil((add_to(body, 3)))
    assert.same({ 3, "1", "2", "3" }, {
      body:count(), (body:ids(1)), (body:ids(2)), (body:ids(3)),
    })
  end)

  it("has added what it took before an iterator or an input raises; the body tells which did", function()
    local trap = setmetatable({}, { __index = function() error("trap", 0) end })
    for _, raiser in ipairs { false, trap } do
      local body, at = core.body(), 0
      local add_to = select(4, source.reader(function()
        at = at + 1
        if at < 3 then return input(at) end
        return raiser or error("iterator", 0)
      end))
      local raised = select(2, pcall(add_to, body, 10))
      assert.equal(raiser and "trap" or "iterator", raised)
      assert.equal(2, body:count())
      assert.equal(raiser == trap, body:is_adding())
    end
  end)

  it("that ends badly raises when its inputs are added", function()
    for _, ends in ipairs { { false }, { nil, "broken" } } do
      local add_to = select(4, source.reader(function() return ends[1], ends[2] end))
      local called, raised = pcall(add_to, core.body(), 10)
      assert.is_false(called)
      assert.equal("source", raised.kind)
    end
  end)

  it("must not be a list with holes; the error names the first", function()
    for hole = 1, 29 do
      local list = {}
      for index = 1, 30 do
        if index ~= hole and index ~= 20 then list[index] = input(index) end
      end
      local first = math.min(hole, 20)
      assert.truthy(refusal(list):find(("a hole at %d"):format(first) .. "$"), refusal(list))
    end
    assert.truthy(refusal({ [1e9] = "far" }):find("a hole at 1", 1, true))
  end)

  it("must not be a table with other keys; the error names one", function()
    for _, key in ipairs { "inputs", 0, -1, 1.5, math.huge, -math.huge, true, print } do
      local message = refusal({ "a", "b", [key] = "c" })
      assert.truthy(message:find("a table with the key " .. tostring(key), 1, true), message)
    end
    assert.is_nil(refusal({ ["x\n"] = 1 }):find "%c")
    assert.is_nil(refusal({ from = "s3cret" }):find("s3cret", 1, true))
  end)

  it("is read without its metatable", function()
    local found, count, total = all(setmetatable({ "a" }, {
      __len = function() return 50 end, __pairs = function() error "called" end,
    }))
    assert.same({ { "a" }, 1, 1 }, { found, count, total })
  end)

  it("may be an iterator, which must end with nil, not with false or an error", function()
    local given, at = { "a", true, "c" }, 0
    local function read()
      at = at + 1
      return given[at]
    end
    local found, count, total = all(read)
    assert.same(given, found)
    assert.equal(3, count)
    assert.is_nil(total)
    assert.is_false(pcall(all, function() return false end))
    assert.is_false(pcall(all, function() return nil, "broken" end))
  end)

  local function counted(list)
    local read, total, count = source.reader(list)
    assert.is_nil(total)
    local calls = 1
    while true do
      local found, err = count()
      calls = calls + 1
      if found or err then return calls, found, err, read end
    end
  end

  it("that is a long list is counted in portions before it is read", function()
    local list = {}
    for index = 1, 100000 do list[index] = index end
    local calls, total, err, read = counted(list)
    assert.same({ 100000, nil }, { total, err })
    assert.is_true(calls >= 5)
    assert.same({ true, 1 }, { read() })
    list[99990] = nil
    assert.matches("a list with a hole at 99990", select(3, counted(list)).message)
    list.n = 100000
    assert.matches("a table with the key n", select(3, counted(list)).message)
  end)

  it("is read only as far as needed", function()
    local calls = 0
    local read = source.reader(function()
      calls = calls + 1
      return calls
    end)
    assert.equal(0, calls)
    read()
    assert.equal(1, calls)
  end)
end)
